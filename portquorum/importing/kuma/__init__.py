"""Uptime Kuma: its backup, what its API says, files from which it is filled, and its database."""
