"""The metrics of a receiver."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

PINGS: Final = Counter(
    "portquorum_receiver_pings",
    "Reports of jobs that were confirmed by the broker, by API and signal.",
    ["api", "signal"],
)
ANSWERS: Final = Counter(
    "portquorum_receiver_answers", "Answers to reports, by status.", ["status"]
)
SECONDS: Final = Histogram(
    "portquorum_receiver_seconds",
    "Time from the head of a request to its answer, in s.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 8),
)
WAITING: Final = Gauge(
    "portquorum_receiver_waiting", "Reports that wait for the broker's confirmation."
)
JOBS: Final = Gauge("portquorum_receiver_jobs", "Heartbeats that are not disabled.")
FAILURES: Final = Counter(
    "portquorum_receiver_publish_failures", "Sends to Kafka that failed and were made again."
)
BATCHES: Final = Counter(
    "portquorum_receiver_batches", "Messages with reports that the broker confirmed."
)
OFFSET: Final = Gauge(
    "portquorum_receiver_clock_offset_seconds", "Broker time minus the machine's time."
)
