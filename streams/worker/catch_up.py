"""Applies records that Faust does not feed, by reading the log beside it."""

from foundation.settings import Settings
from foundation.telemetry import logger
from streams import results_log
from streams.checkpoint import restore
from streams.worker import metrics
from streams.worker.partition_processor import Partition

_log = logger(__name__)


async def catch_up(settings: Settings, partition: Partition, until: int) -> bool:
    """Applies what the log has between the state's offset and `until` (exclusive).

    That is needed when [state] had no checkpoint, an older one than the offset that the group
    acknowledged, or when Faust stepped over records. A partition without any state starts from
    the newest checkpoint on [checkpoints] below `until`, else from nothing at the beginning of
    the log. The events go out again, with the same ids and bytes as the first time.

    Returns False, with the state at some offset between, when the partition was revoked.

    Raises:
        aiokafka.errors.KafkaError: the cluster can't be reached.
        log.LogStalledError: the log gives nothing although it has records.
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
