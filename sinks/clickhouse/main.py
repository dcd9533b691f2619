"""The role `sink`."""

import logging
import time
from typing import Final

from aiokafka.errors import KafkaError

from foundation import telemetry
from foundation.backoff import Backoff
from foundation.kafka import in_order, topics_ready
from foundation.lifecycle import done_before, set_within, stop_on_signals
from foundation.settings import Settings
from sinks.clickhouse.errors import SinkTaskEndedError
from sinks.clickhouse.lost_rows import forget_commits
from sinks.clickhouse.migrate import migrated
from sinks.clickhouse.sink import Sink

_BACKOFF: Final = Backoff(first_s=1.0, longest_s=30.0, well_after_s=30.0)


async def run(settings: Settings, *, reread: bool = False) -> None:
    """Writes all topics into ClickHouse until SIGTERM or SIGINT.

    Into a new database all that the log still has; with `reread`, whatever was committed, all that
    the log has beyond the stored rows of each partition.

    Waits for Kafka or ClickHouse if one is not there yet. A started block is finished or left to
    the next sink; in both cases nothing is lost or doubled.

    Raises:
        foundation.kafka.TopicMismatchError: the topics are not those of the settings.
        foundation.kafka.VersionOrderError: roles of newer versions run that this can't follow.
        sinks.clickhouse.migrate.SchemaTooNewError: the tables are of a newer portquorum.
        sinks.clickhouse.bad_line_limit.TooManyBadLinesError: what comes on a topic can't be read.
    """
    telemetry.configure_logging("sink", settings)
    for chatty in ("urllib3", "clickhouse_connect"):
        # They warn at each try of what the sink says once.
        logging.getLogger(chatty).setLevel(logging.ERROR)
    stop = stop_on_signals()
    telemetry.serve_metrics("sink", settings)
    if not await done_before(stop, _may_begin(settings)):
        return
    wait_s: float | None = None
    if reread and not await done_before(stop, forget_commits(settings, reread=True)):
        return
    while await done_before(stop, _prepare(settings)):
        began = time.monotonic()
        try:
            await Sink(settings).run(stop)
        except (KafkaError, SinkTaskEndedError, OSError) as error:
            wait_s = _BACKOFF.next(wait_s, time.monotonic() - began)
            telemetry.logger(__name__).error(
                "the sink ended and begins again: nothing is lost",
                error=str(error) or repr(error),
                again_in_s=wait_s,
                exc_info=not isinstance(error.__cause__, KafkaError | None),
            )
            await set_within(wait_s, stop)


async def _may_begin(settings: Settings) -> None:
    await topics_ready(settings)
    await in_order(settings, "sink")


async def _prepare(settings: Settings) -> None:
    await topics_ready(settings)
    await forget_commits(settings, reread=False)
    await migrated(settings)
