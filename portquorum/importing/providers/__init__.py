"""What the channels of other monitors are here, a table for each monitor."""
