"""Decides whom to ask, asks, listens, and scores the answer as transactional NPS."""
