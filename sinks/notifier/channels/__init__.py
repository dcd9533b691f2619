"""How one delivery reaches one channel."""
