"""The Prometheus metrics of the stream."""

from collections.abc import Mapping

from prometheus_client import Counter, Gauge, Histogram

from foundation.standstill import PartitionProgress
from schemas import topics

RECORDS = Counter("portquorum_stream_records_total", "Messages of [results] applied")
RESULTS = Counter("portquorum_stream_results_total", "Check results in them")
UNREADABLE = Counter(
    "portquorum_stream_unreadable_total", "Messages, or lines of one, that could not be read"
)
SKIPPED = Counter(
    "portquorum_stream_skipped_total", "Messages at or below the state's offset, not applied again"
)
CAUGHT_UP = Counter(
    "portquorum_stream_caught_up_total", "Messages applied by reading the log beside Faust"
)
RULE_FAILURES = Counter(
    "portquorum_stream_rule_failures_total", "Records on which the rules raised (a fault of ours)"
)
NOT_APPLIED = Counter(
    "portquorum_stream_not_applied_total",
    "Control records, and lines, that were read and not applied; each is a dead letter",
)
SENT = Counter(
    "portquorum_stream_sent_total", "Events and recheck requests the broker confirmed", ["type"]
)
OPEN_REPAIRED = Counter(
    "portquorum_stream_open_repaired_total",
    "Messages written to [incidents.open] because it was not as the state is",
)
REFUSED = Counter("portquorum_stream_refused_total", "Events too large to be sent")
TICKS = Counter("portquorum_stream_ticks_total", "Ticks written into idle partitions")
RESTORED = Counter(
    "portquorum_stream_restored_total",
    "Partitions restored, by where their state came from",
    ["source"],
)
CHECKPOINTS = Counter("portquorum_stream_checkpoints_total", "Checkpoints confirmed")
CHECKPOINT_SECONDS = Histogram(
    "portquorum_stream_checkpoint_seconds",
    "From taking a checkpoint to its confirmation",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
CHECKPOINT_BYTES = Gauge(
    "portquorum_stream_checkpoint_bytes", "Size of the last checkpoint", ["partition"]
)
TARGETS = Gauge("portquorum_stream_targets", "Targets in the state", ["partition"])
UNACKNOWLEDGED = Gauge(
    "portquorum_stream_unacknowledged", "Records applied but not acknowledged yet", ["partition"]
)
LAG = Gauge("portquorum_stream_lag", "Records in the log not applied yet", ["partition"])
REGION_SILENT = Gauge(
    "portquorum_region_silent", "1 while no prober of the region is heard, else 0", ["region"]
)
REGION_SUSPECT = Gauge(
    "portquorum_region_suspect",
    "1 while what the region says is set aside in a partition of this worker, else 0",
    ["region"],
)

PROGRESS = PartitionProgress()

_BY_PARTITION = (CHECKPOINT_BYTES, TARGETS, UNACKNOWLEDGED, LAG)


def forget(partition: int) -> None:
    """Removes the gauges of a partition that is no longer ours."""
    PROGRESS.forget(topics.RESULTS.name, partition)
    for gauge in _BY_PARTITION:
        try:
            gauge.remove(str(partition))
        except KeyError:
            continue


def show_regions(silent: Mapping[str, bool], suspect: Mapping[str, bool]) -> None:
    """Sets the gauges of all regions; those that are not there any more vanish."""
    for gauge, shown in ((REGION_SILENT, silent), (REGION_SUSPECT, suspect)):
        gone = {sample.labels["region"] for one in gauge.collect() for sample in one.samples}
        for region in gone - shown.keys():
            gauge.remove(region)
        for region, value in shown.items():
            gauge.labels(region).set(value)
