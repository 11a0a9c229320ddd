"""Policies as versioned data: drafts, checked, activated, never changed."""
