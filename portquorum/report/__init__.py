"""Reports on stored history: their data, and their form on a terminal, as CSV, as a page."""
