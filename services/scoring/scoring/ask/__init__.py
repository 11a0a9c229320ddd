"""Asking: the survey row, its sending through a gateway, and pausing it."""
