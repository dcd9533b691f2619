"""The receiver of heartbeats within the role `web`."""
