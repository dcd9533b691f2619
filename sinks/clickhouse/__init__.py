"""The ClickHouse sink: stores every result exactly once, and shows every unreadable message."""
