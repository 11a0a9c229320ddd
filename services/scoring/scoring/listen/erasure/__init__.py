"""Forgetting what people said. Scores stay, so that counts add up."""
