"""The ClickHouse sink: every result once in the table, and every unreadable message in sight."""
