"""From results to incidents: the pure rules, and the Faust app that feeds them.

The rules (`streams.rules.apply`) are a pure function of the log: no Kafka, no clock, no I/O. Each
rule of docs/rules.md has a module:

| rule | module |
|---|---|
| 1, 2 | `streams.rules.results` |
| 3 | `streams.rules.rechecks` |
| 4 | `streams.state.freshness`, `streams.rules.regions` |
| 5 | `streams.rules.consensus` |
| 6 | `streams.rules.incidents` |
| 7 | `streams.rules.slow` |
| 8 | `streams.rules.region_guard` |
| 9 | `streams.rules.flapping` |
| 10 | `streams.diagnosis` |
| 11 | `streams.rules.ids` |
"""
