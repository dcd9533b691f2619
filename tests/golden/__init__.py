"""Golden logs: what an older version wrote, kept for ever (see `tests/golden/0.1/README.md`)."""
