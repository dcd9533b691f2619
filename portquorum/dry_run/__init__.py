"""Who would have been told of past events, by which routes. Nothing is sent."""
