"""Events as they are on [incidents]: read, chosen, and as CloudEvents in JSON."""
