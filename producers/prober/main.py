"""The prober: one process that checks targets from one region."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Iterator
from typing import Final

from foundation import telemetry, watchdog
from foundation.kafka import RightsWatch, in_order
from foundation.kafka.rights import rights_of
from foundation.lifecycle import stop_on_signals
from foundation.settings import Settings, SettingsError
from foundation.target_series import offer
from foundation.telemetry import logger
from producers.broker_clock import Clock
from producers.checks import address_policy
from producers.checks.model import Vantage
from producers.checks.resolver import literal
from producers.engine.factory import platform_engine
from producers.engine.file_descriptors import in_flight_limit
from producers.prober.beats import Beats
from producers.prober.check_loop import CheckLoop
from producers.prober.connectivity import Connectivity
from producers.prober.group_member import GroupMember
from producers.prober.region_policy import RegionPolicy
from producers.prober.target_series import ProberTargets
from producers.prober.task_supervisor import TaskSupervisor
from producers.publishing.connection import BrokerConnection
from producers.publishing.publisher import Publisher
from producers.publishing.spool import Spool
from producers.publishing.spool_file import SpoolFile
from producers.schedule.pauses import Pauses
from producers.schedule.scheduler import Scheduler
from schemas.policy import Region
from schemas.result import RECEIVER

DRAIN_S: Final = 2.5
FLUSH_S: Final = 3.0
"""Time limit at shutdown, once for checks in flight (the group is left meanwhile) and once for
unpublished results; with closing the connection all stays below 10 s."""


async def run(
    settings: Settings, *, region: str, source: str | None = None, prober: str | None = None
) -> None:
    """Checks the region's targets until SIGTERM, SIGINT or cancellation.

    `source` is the local address of outgoing checks and overrides [policy]; `prober` is the name of
    this process (default: host name and process id). On return every finished check has been
    published, or counted and logged as lost.

    Raises:
        TopicMismatchError: the cluster's topics are not those of the settings.
        VersionOrderError: roles of older versions run that must be upgraded first.
        TaskEndedError: a background task ended on its own; finished checks are still published.
        SettingsError: `source` is not an IP address, `region` is that of the receivers, or the
            metrics' address can't be used.
    """
    if region == RECEIVER:
        raise SettingsError(
            f"region: expected another name than {RECEIVER!r}, which stands for the receivers of "
            "heartbeats: whatever reports itself is not checked"
        )
    if source is not None and literal(source) is None:
        raise SettingsError(
            f"source: expected an IP address of this machine, without a zone, found {source!r}"
        )
    name = prober or f"{socket.gethostname()}-{os.getpid()}"[-128:]
    telemetry.configure_logging("probe", settings)
    telemetry.serve_metrics("probe", settings)
    with _stop_signals() as stop:
        main = asyncio.ensure_future(_probe(settings, region, source, name, stop))
        stopped = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait((main, stopped), return_when=asyncio.FIRST_COMPLETED)
            stop.set()
            await main
        except asyncio.CancelledError:
            stop.set()
            await main
            raise
        finally:
            stopped.cancel()


async def _probe(
    settings: Settings, region: str, source: str | None, prober: str, stop: asyncio.Event
) -> None:
    log = logger(__name__).bind(region=region, prober=prober)
    broker, clock, pauses = BrokerConnection(settings), Clock(), Pauses()
    engine = platform_engine(Vantage(source=source))
    references = platform_engine(Vantage(source=source))
    connectivity = Connectivity(references)
    spool = _spool(settings)
    publisher = Publisher(settings, broker, clock, region=region, prober=prober, spool=spool)
    limit = in_flight_limit(settings.probe_in_flight)
    seen = _target_series(settings, region)
    runner = CheckLoop(
        Scheduler(region), engine, publisher, clock, connectivity, limit=limit, seen=seen
    )

    def changed(policy: Region) -> None:
        way = source or policy.source
        engine.vantage = references.vantage = Vantage(
            source=way,
            internal=policy.internal,
            allow=address_policy.networks(policy.allow),
            deny=address_policy.networks(policy.deny) + settings.denied_networks,
        )
        connectivity.refer_to(policy.connectivity)
        runner.scheduler.check_all(clock.now_ms())
        runner.changed()
        log.info("region", internal=policy.internal, source=way)

    rights = RightsWatch(settings, rights_of("prober", settings, region=region))
    membership = GroupMember(settings, runner, clock, region=region, pauses=pauses)
    region_policy = RegionPolicy(
        settings, region, changed, pauses=pauses, on_pauses=membership.look_again
    )
    beats = Beats(publisher, runner, clock, region=region, prober=prober)
    publishing: asyncio.Task[None] | None = None
    with TaskSupervisor() as parts:
        try:
            if not await parts.unless(stop, rights.ready()):
                return
            if not await parts.unless(stop, in_order(settings, "probe", region=region)):
                return
            if not await parts.unless(stop, broker.start()):
                return
            publishing = parts.start("publishing", publisher.run())
            parts.start("following the policy", region_policy.run())
            # No check begins before the broker's time and the region's rights are known.
            if not await parts.unless(stop, beats.first()):
                return
            if not await parts.unless(stop, region_policy.read.wait()):
                return
            parts.start("beating", beats.run())
            parts.start("checking", runner.run())
            parts.start("membership", membership.run())
            parts.start("ending pauses", membership.end_pauses())
            parts.start("watching the rights", rights.run())
            log.info("probing", in_flight=limit, clock_offset_ms=clock.raw_offset_ms())
            await parts.watch(stop)
        finally:
            log.info("ending")
            # Leaves the group at once: other members begin during this shutdown.
            await asyncio.gather(runner.drain(DRAIN_S), parts.cancel(but=publishing))
            engine.close()
            connectivity.close()
            references.close()
            unsent = await publisher.close(FLUSH_S) if publishing is not None else 0
            await parts.cancel()
            # Unsent results: the broker is away, and leaving the group would only wait.
            await (broker.give_up() if unsent else broker.stop())
            spool.close()
            log.info("ended", unsent=unsent)


def _target_series(settings: Settings, region: str) -> ProberTargets | None:
    """The series of each target, if the settings want any."""
    if not settings.target_series:
        return None
    seen = ProberTargets(region)
    offer(seen, settings.target_series)
    return seen


def _spool(settings: Settings) -> Spool:
    """The spool, with the unpublished results of dead probers of this machine."""
    folder = f"{settings.topic_prefix}-{settings.partitions}"
    file = SpoolFile(settings.data_dir / "spool" / folder, settings.probe_spool_mb * 1_000_000)
    spool = Spool(
        settings.probe_spool_results, in_memory=settings.probe_spool_memory_results, file=file
    )
    try:
        count = spool.take_over()
    except OSError as error:
        logger(__name__).error("can't read what earlier probers have left", error=str(error))
    else:
        if count:
            logger(__name__).info("results of earlier probers wait to be published", count=count)
    return spool


@contextlib.contextmanager
def _stop_signals() -> Iterator[asyncio.Event]:
    stop = stop_on_signals()
    try:
        yield stop
    finally:
        watchdog.off_signals()
