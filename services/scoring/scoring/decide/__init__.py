"""Whom to ask: rules, policies and the durable decision behind every survey."""
