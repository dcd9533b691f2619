"""The page and its API: the role `web` (docs/web.md).

Everything here is of the extra `portquorum[web]`. Data flow one way: Kafka → `following` → `fleet`
(in memory, one event loop) → pages, API and live events; ClickHouse → `history`. `ports` says what
the pages and the API ask of the others.
"""
