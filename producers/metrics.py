"""Prometheus metrics of a prober, updated once for each batch or round, not for each result."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

CHECKS: Final = Counter("portquorum_checks_total", "Finished checks", ["status", "reason", "cause"])
LAG: Final = Histogram(
    "portquorum_schedule_lag_seconds",
    "How much later than due a check began",
    buckets=(0.001, 0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 30, 60),
)
BATCHES: Final = Counter("portquorum_batches_total", "Messages with results that were confirmed")
BATCH_RESULTS: Final = Histogram(
    "portquorum_batch_results",
    "Results a confirmed message",
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500),
)
PUBLISH_FAILURES: Final = Counter(
    "portquorum_publish_failures_total", "Sends that failed and were made again"
)
LOST: Final = Counter("portquorum_results_lost_total", "Finished checks that were not published")
SPOOL: Final = Gauge("portquorum_spool_results", "Results that wait for the broker")
SPOOL_FILE: Final = Gauge("portquorum_spool_file_bytes", "What the spool takes on disk")
SPOOL_FILE_ERRORS: Final = Counter(
    "portquorum_spool_file_errors_total", "Times that the spool's file could not be written to"
)
IN_FLIGHT: Final = Gauge("portquorum_checks_in_flight", "Checks that have begun and are not done")
TARGETS: Final = Gauge("portquorum_prober_targets", "Targets of this prober")
FAILING: Final = Gauge("portquorum_prober_targets_failing", "Targets that failed last")
RECHECKS: Final = Counter("portquorum_rechecks_total", "Recheck requests", ["outcome"])
UNREADABLE: Final = Counter(
    "portquorum_unreadable_total", "Messages that can't be read and were skipped", ["topic"]
)
OFFSET: Final = Gauge("portquorum_clock_offset_seconds", "Broker time minus the machine's time")
CONNECTIVITY: Final = Gauge(
    "portquorum_prober_connectivity", "0 while the prober's own reference addresses fail"
)
