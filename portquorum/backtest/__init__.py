"""The shell of a backtest: the file with the other policy, and the pages with the result."""
