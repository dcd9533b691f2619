"""Follows and writes the topic [web]; each edit replaces a version, the first one counts."""
