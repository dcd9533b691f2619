"""Pauses: targets that nobody checks for a while; records in [policy] and on the log."""
