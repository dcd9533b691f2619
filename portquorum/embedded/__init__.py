"""Real Kafka and real ClickHouse for a machine that has only Python.

`kafka` and `clickhouse` are the two services. Each runs in its own process, which ends together
with the process that started it, whatever the reason. The extra `portquorum[embedded]` installs the
dependencies.
"""
