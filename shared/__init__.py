"""What the three services have in common: the messages, the rules both sides must agree on, and the runtime."""
