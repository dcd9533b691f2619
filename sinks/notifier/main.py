"""The role `notify`."""

import asyncio
from collections.abc import Sequence
from typing import Final

from aiokafka.errors import KafkaError

from foundation import telemetry
from foundation.kafka import topics_ready
from foundation.lifecycle import done_before, set_within, stop_on_signals
from foundation.settings import Settings
from sinks.notifier.delivery_queues import RETRY_DELAYS_S
from sinks.notifier.notifier import Notifier
from sinks.notifier.outbox import Outbox

_AGAIN_S: Final = 1.0


async def run(settings: Settings, *, retry_delays_s: Sequence[float] = RETRY_DELAYS_S) -> None:
    """Notifies people of incidents until SIGTERM or SIGINT; ends within 10 s.

    Waits for Kafka if it is not there yet, and restarts after an absence of the cluster; each event
    still goes once through each channel.

    Raises:
        foundation.kafka.TopicMismatchError: the topics are not those of the settings.
        Exception: a fault of ours; the process should end with it and be started again.
    """
    telemetry.configure_logging("notify", settings)
    stop = stop_on_signals()
    telemetry.serve_metrics("notify", settings)
    outbox = Outbox(settings)
    try:
        await again_and_again(settings, outbox, stop, retry_delays_s)
    finally:
        await outbox.close()


async def again_and_again(
    settings: Settings, outbox: Outbox, stop: asyncio.Event, retry_delays_s: Sequence[float]
) -> None:
    """Runs a notifier until `stop` is set, another when the cluster went away."""
    while await done_before(stop, topics_ready(settings)):
        try:
            await Notifier(settings, outbox, retry_delays_s).run(stop)
        except (KafkaError, OSError) as error:
            telemetry.logger(__name__).warning("beginning again", error=repr(error))
            await set_within(_AGAIN_S, stop)
