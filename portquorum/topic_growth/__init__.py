"""Moves an installation to topics of another prefix that have more partitions.

`split` divides states (pure), `tail` applies what no stream has seen, `copying` copies topics,
`grow` does all of it in order (docs/decisions/0027-more-partitions-by-another-prefix.md).
"""
