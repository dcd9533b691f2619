"""The inventory of the page: entries in [web], published as the source `web`."""
