"""The metrics of the role `web`."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

REQUESTS: Final = Counter(
    "portquorum_web_requests", "Requests, by route and status.", ["route", "status"]
)
SECONDS: Final = Histogram(
    "portquorum_web_seconds",
    "Time to the first byte of an answer, in s, by route.",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
)
PAGES: Final = Counter(
    "portquorum_web_pages", "Pages that were rendered, and answers that were kept.", ["how"]
)
VIEWERS: Final = Gauge("portquorum_web_viewers", "Open live streams of changes.")
HISTORY_SECONDS: Final = Histogram(
    "portquorum_web_history_seconds",
    "Time of a question to ClickHouse, the wait for its turn included, in s.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 20),
)
HISTORY_FAILURES: Final = Counter(
    "portquorum_web_history_failures",
    "Questions to ClickHouse without an answer: away, slow (its limit), busy (too many wait).",
    ["why"],
)
HISTORY_AWAY: Final = Gauge(
    "portquorum_web_history_away", "1 while ClickHouse does not answer, else 0."
)
SIGN_INS: Final = Counter(
    "portquorum_web_sign_ins",
    "Sign-ins by password: right, wrong, early (locked out), busy (too many at once).",
    ["outcome"],
)
