"""Verdicts on what a server has sent: pure jobs, and processes for those that may be long."""
