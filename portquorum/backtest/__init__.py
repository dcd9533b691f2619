"""What surrounds a backtest: the file with the other policy, and the pages that show the result."""
