"""The role `notify`."""

import asyncio
import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from aiokafka.errors import KafkaError

from foundation import telemetry
from foundation.kafka import RightsWatch, in_order
from foundation.kafka.rights import WATCHDOG, rights_of
from foundation.lifecycle import cancelled, done_before, ends_within, set_within, stop_on_signals
from foundation.settings import Settings, SettingsError
from sinks.notifier.channels.classes import class_of, needs_refresh
from sinks.notifier.channels.problem import problem
from sinks.notifier.channels.send import send
from sinks.notifier.dead_man import EVERY_S, DeadMansSwitch
from sinks.notifier.decision.desk import Desk
from sinks.notifier.links.polls import AcknowledgementPolls
from sinks.notifier.links.server import LinkServer
from sinks.notifier.notifier import Notifier
from sinks.notifier.outbox import Outbox
from sinks.notifier.target_directory import TargetDirectory

_AGAIN_S: Final = 1.0
_WATCHING_ENDS_WITHIN_S: Final = 0.5
_SERVING_ENDS_WITHIN_S: Final = 1.0


async def run(settings: Settings) -> None:
    """Notifies people of incidents until SIGTERM or SIGINT; ends within 10 s.

    Waits for Kafka if it is not there yet, and restarts after an absence of the cluster; what was
    recorded is not decided again.

    Raises:
        foundation.settings.SettingsError: links without a key.
        foundation.kafka.TopicMismatchError: the topics are not those of the settings.
        foundation.kafka.VersionOrderError: roles of other versions must be upgraded, or end, first.
        Exception: a fault of ours; the process should end with it and be started again.
    """
    if settings.links and settings.links_key is None:
        raise SettingsError(
            "PORTQUORUM_LINKS: expected PORTQUORUM_LINKS_KEY beside it (32 characters or more, the "
            "same at all notifiers), found none"
        )
    telemetry.configure_logging("notify", settings)
    stop = stop_on_signals()
    telemetry.serve_metrics("notify", settings)
    named = partial(send, source=settings.event_source("notifier"))
    outbox = Outbox(settings, named, problem)
    try:
        await again_and_again(settings, outbox, stop)
    finally:
        await outbox.close()


async def again_and_again(
    settings: Settings,
    outbox: Outbox,
    stop: asyncio.Event,
    *,
    watchdog_every_s: float = EVERY_S,
) -> None:
    """Runs a notifier until `stop` is set, another when the cluster went away."""
    notifier: Notifier | None = None

    def decided() -> Mapping[int, int]:
        return {} if notifier is None else notifier.decided()

    switch = DeadMansSwitch(settings, watchdog_every_s)
    watching = asyncio.create_task(switch.run(outbox.lease.may_send, decided))
    serving = asyncio.create_task(LinkServer(settings, lambda: notifier).run())
    polls = AcknowledgementPolls(settings, lambda: notifier, outbox.lease.may_send)
    polling = asyncio.create_task(polls.run())
    wanted = rights_of("notifier", settings)
    if settings.watchdog is None:
        wanted = tuple(one for one in wanted if one.without != WATCHDOG)
    rights = RightsWatch(settings, wanted)
    try:
        while await done_before(stop, _may_begin(settings, rights, first=notifier is None)):
            following = asyncio.create_task(rights.run())
            try:
                notifier = Notifier(settings, outbox, desk_maker(settings))
                await notifier.run(stop)
            except (KafkaError, OSError) as error:
                telemetry.logger(__name__).warning("beginning again", error=repr(error))
                await set_within(_AGAIN_S, stop)
            finally:
                await cancelled(following)
    finally:
        await ends_within(_WATCHING_ENDS_WITHIN_S, cancelled(watching))
        await ends_within(_SERVING_ENDS_WITHIN_S, cancelled(serving, polling))


async def _may_begin(settings: Settings, rights: RightsWatch, *, first: bool) -> None:
    # Without its logs it would tell people again what it has told.
    await rights.ready()
    if first:
        await in_order(settings, "notify")


def desk_maker(settings: Settings) -> Callable[[TargetDirectory], Desk]:
    """Makes an empty Desk, as the settings have it; its back-off has a jitter of its own."""

    def make(targets: TargetDirectory) -> Desk:
        return Desk(
            group_wait_ms=round(settings.group_wait_s * 1000),
            class_of=class_of,
            needs_refresh=needs_refresh,
            seed=int.from_bytes(os.urandom(4)),
            facts_of=targets.facts_of,
            targets_total=lambda: targets.on_hosts,
            group_interval_ms=round(settings.group_interval_s * 1000),
            mass_share=settings.mass_share,
        )

    return make
