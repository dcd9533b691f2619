"""Texts that a route brings along, as Jinja2 templates: bounded, and escaped for the channel."""
