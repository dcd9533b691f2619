"""The pages: handlers ask the fleet and the history, templates show what they answer."""
