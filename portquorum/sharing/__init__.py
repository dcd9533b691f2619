"""Secrets in addresses that let in for one thing alone: their texts, who may make them, finding.

`docs/access.md`, "Keys in addresses".
"""
