"""Scores: one row per answered survey, and counts of them by day that always equal it."""
