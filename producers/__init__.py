"""Probers: they check targets from one region and publish each result to [results]."""
