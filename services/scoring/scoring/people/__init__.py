"""Scoring's own view of people, fed by topics only: who they are, what they allow, who is about to be called back."""
