"""Stored history once more through the rules, under two policies, side by side."""
