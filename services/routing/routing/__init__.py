"""Gets every detractor a callback, alerts supervisors, and measures the recovery."""
