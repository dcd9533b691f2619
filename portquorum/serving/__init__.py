"""The HTTP server of what others may reach: the page, and the receiver of heartbeats."""
