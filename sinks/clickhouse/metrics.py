"""The sink's metrics."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

ROWS: Final = Counter("portquorum_sink_rows", "Rows sent, replays included.", ["table"])
INSERTS: Final = Counter("portquorum_sink_inserts", "Inserts.", ["table", "outcome"])
INSERT_SECONDS: Final = Histogram(
    "portquorum_sink_insert_seconds",
    "Time of an insert.",
    ["table"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
DEAD_LETTERS: Final = Counter(
    "portquorum_sink_dead_letters", "Messages or lines that can't be read.", ["topic"]
)
REPLAYS: Final = Counter(
    "portquorum_sink_replays", "Pending ranges that were read and inserted again.", ["topic"]
)
GAPS: Final = Counter(
    "portquorum_sink_gaps", "Places where the log no longer had what was due.", ["topic"]
)
LAG: Final = Gauge("portquorum_sink_lag", "Messages not yet committed.", ["topic"])
PAUSED: Final = Gauge("portquorum_sink_paused_partitions", "Partitions not read for now.")
STALLS: Final = Counter("portquorum_sink_stalls", "Times this process stood still for seconds.")
