"""A replay of stored history through the rules, under two policies side by side."""
