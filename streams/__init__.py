"""From results to incidents: the pure rules, and the Faust app that feeds them.

The rules (`rules.apply`) are a pure function of the log: no Kafka, no clock, no I/O. One rule of
the design's section 5 a module: `windows` (1, 2), `rechecks` (3), `freshness` and `regions` (4),
`consensus` (5), `incidents` (6), `diagnosis` (10), `ids` (11).
"""
