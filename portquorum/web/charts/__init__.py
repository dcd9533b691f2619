"""Charts as SVG made on the server, each with its table twin. Pure."""
