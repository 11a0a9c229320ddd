"""Scoring's own view of customers and of what they allow, fed by topics only."""
