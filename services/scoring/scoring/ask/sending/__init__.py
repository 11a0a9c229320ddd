"""Sending what is planned: leases, the same rules once more, gateways, pausing all of it."""
