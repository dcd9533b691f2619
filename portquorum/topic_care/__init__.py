"""Compares the topics of a cluster with their declarations, and mends what may be mended.

`look` reads, `rules` and `config_rules` compare (pure), `repair` changes.
"""
