"""Who asks, and whether a route lets them: needs, the guard of all routes, CSRF."""
