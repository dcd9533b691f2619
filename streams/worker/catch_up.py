"""Applies records that Faust does not deliver, by a second reader of the log."""

from foundation.settings import Settings
from foundation.telemetry import logger
from streams import results_log
from streams.checkpoint import restore
from streams.worker import metrics
from streams.worker.partition_processor import Partition

_log = logger(__name__)


async def catch_up(settings: Settings, partition: Partition, until: int) -> bool:
    """Applies the records of the log between the state's offset and `until` (exclusive).

    This is needed if [state] has no checkpoint or one older than the group's acknowledged offset,
    or if Faust skipped records. A partition without any state starts from the newest checkpoint on
    [checkpoints] below `until`, else from an empty state at the beginning of the log. The events
    are sent again, with the same ids and bytes as the first time.

    Returns False, with the state at some offset between, if the partition was revoked.

    Raises:
        aiokafka.errors.KafkaError: the cluster can't be reached.
        results_log.LogStalledError: the log gives nothing although it has records.
    """
    source = "state"
    if partition.state.offset < 0:
        start = await restore.from_archive(settings, partition.number, until)
        source = start.source
        partition.start_from(start.state)
    first = partition.state.offset + 1
    _log.warning(
        "catching up: records are read from the log that the state does not have",
        partition=partition.number,
        started_from={
            "state": "the newest checkpoint on [state]",
            "checkpoints": "the newest checkpoint on [checkpoints]",
            "nothing": "nothing, at the beginning of the log",
        }[source],
        first=first,
        until=until,
    )
    applied = 0
    async for record in results_log.read(settings, partition.number, first, until):
        if not partition.open:
            return False
        await partition.process(record.offset, record.timestamp, record.value, record.headers)
        metrics.CAUGHT_UP.inc()
        applied += 1
    if until - first > applied:
        _log.warning(
            "the log no longer has all of these records; the rules take it for a time without"
            " results",
            partition=partition.number,
            missing=until - first - applied,
        )
    return partition.open
