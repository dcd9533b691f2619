"""Tables: CSV from spreadsheets and databases, and plain lists of `host:port`."""
