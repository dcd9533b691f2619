"""Real Kafka and real ClickHouse for a machine that has only Python.

`kafka` and `clickhouse` are the two services. Each runs as a process of its own, which ends when
the process that started it ends, whatever ended that one. The extra `portquorum[embedded]` brings
what they need.
"""
