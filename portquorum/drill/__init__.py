"""The fire drill: a port of our own closes, and every stage to the message is timed."""
