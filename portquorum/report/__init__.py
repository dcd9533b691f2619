"""Reports on stored history: what is read, and how it looks on a terminal, as CSV, as a page."""
