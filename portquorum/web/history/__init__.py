"""What pages and API ask of ClickHouse.

`stored_history.StoredHistory` asks, `answers` are the values that it gives.
"""
