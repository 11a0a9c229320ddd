"""Takes contacts as platforms emit them and says, once, when each is over, with whom, and how it went."""
