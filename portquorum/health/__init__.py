"""Whether the monitor itself works: facts of Kafka and ClickHouse, and the lines that judge them.

Nothing is asked of a role, and nothing is written: a role that stands still can't answer.
"""
