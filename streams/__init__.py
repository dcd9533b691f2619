"""From results to incidents: the pure rules, and the Faust app that feeds them.

The rules (`rules.apply`) are a pure function of the log: no Kafka, no clock, no I/O. Each rule of
docs/rules.md has a module: `results` (1, 2), `rechecks` (3), `freshness` and `regions` (4),
`consensus` (5), `incidents` (6), `slow` (7), `region_guard` (8), `flapping` (9), `diagnosis` (10),
`ids` (11).
"""
