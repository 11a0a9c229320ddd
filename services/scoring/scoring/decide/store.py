"""Every query on policies, decisions and callbacks."""
