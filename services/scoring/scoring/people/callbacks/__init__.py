"""Cases as far as asking is concerned: who is about to be called, which calls were ours, when to ask about recovery."""
