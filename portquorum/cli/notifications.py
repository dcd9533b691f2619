"""Information on notifications: who would be notified of a target, and who was."""

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from foundation.settings import Settings
from portquorum.cli.would_tell import RouteConsidered, considered
from portquorum.delivery.reading import read_send_log
from schemas.incident import IncidentEvent, IncidentType, RegionVerdict, Votes
from schemas.notification import Notification
from schemas.occurrences import Window
from schemas.policy import Maintenance, Policy
from schemas.target import Target
from sinks.notifier.routing import Routes
from sinks.notifier.sparing.model import outage_of
from sinks.notifier.sparing.reasons import Reasons
from streams.rules.incident_event import severity_of
from streams.state.policy import warn_days_of

LAST: Final = 5
"""Number of sends that are shown, in addition to those of open incidents."""


class IncidentRoute(Struct, frozen=True, kw_only=True):
    """The channels for an incident of a type that opens now, seen by all regions of the target.

    `fallback` names the routes that are told if one of the channels does not confirm. `routes` are
    those that the notifier looks at for it; nobody is told if the console alone takes it. `spared`
    is the silence or the maintenance for which nobody is told now, whatever the routes say; empty
    without any.
    """

    incident_type: IncidentType
    severity: str
    channels: tuple[str, ...]
    fallback: tuple[str, ...] = ()
    routes: tuple[RouteConsidered, ...] = ()
    spared: str = ""

    @property
    def nobody(self) -> bool:
        """True if no route takes it, so that it stands in the notifier's log alone."""
        return all(one.found_by == "console" for one in self.routes if one.takes)


class MaintenanceNow(Struct, frozen=True, kw_only=True):
    """A maintenance window that names the target.

    `start` and `end` (UTC ms) are those of its present occurrence (`now`), else of the next one;
    of the first one if none comes. `timezone` is the window's.
    """

    name: str
    start: int
    end: int
    now: bool
    timezone: str = "UTC"


class TargetNotifications(Struct, frozen=True, kw_only=True):
    """The notifications of a target. `sent` has the newest entry for each event and channel."""

    ways: tuple[IncidentRoute, ...]
    maintenance: tuple[MaintenanceNow, ...]
    sent: tuple[Notification, ...]


async def read_sent(settings: Settings, target_id: str) -> list[Notification]:
    """The newest entry for each event of a target and channel, the newest first.

    Raises:
        aiokafka.errors.KafkaError: the cluster can't be reached.
    """
    found = [one for one in await read_send_log(settings) if one.target == target_id]
    return sorted(found, key=lambda one: (one.at, one.channel), reverse=True)


def told(
    target: Target,
    policy: Iterable[Policy],
    sent: Sequence[Notification],
    open_incidents: Iterable[str],
    now: int,
) -> TargetNotifications:
    """Collects everything on `target`; `open_incidents` are ids, `now` is UTC ms."""
    entries = list(policy)
    routes = Routes.of(entries)
    still_open = set(open_incidents)
    kinds: list[IncidentType] = ["unreachable", "flapping"]
    if target.latency is not None:
        kinds.append("slow")
    if warn_days_of(target.probe):
        kinds.append("expiring")
    reasons = Reasons(lambda _: None)
    reasons.set_policy(Routes(), routes)
    return TargetNotifications(
        ways=tuple(_way(target, routes, reasons, kind, now) for kind in kinds),
        maintenance=tuple(
            _maintenance(entry, now)
            for entry in entries
            if isinstance(entry, Maintenance) and _names(entry, target)
        ),
        sent=tuple(
            one for place, one in enumerate(sent) if place < LAST or one.incident_id in still_open
        ),
    )


def _way(
    target: Target, routes: Routes, reasons: Reasons, kind: IncidentType, now: int
) -> IncidentRoute:
    event = _opened(target, kind, now)
    spared = reasons.of(outage_of(event, None), now)
    channels = routes.channels(event, now)
    taken = [routes.routes[one.route] for one in channels if one.route in routes.routes]
    return IncidentRoute(
        incident_type=kind,
        severity=event.severity,
        channels=tuple(channel.name for channel in channels),
        fallback=tuple(dict.fromkeys(name for route in taken for name in route.fallback)),
        routes=considered(routes, event, now),
        spared="" if spared is None else spared.why,
    )


def _opened(target: Target, kind: IncidentType, now: int) -> IncidentEvent:
    """An event in the form that routes match; of no incident."""
    return IncidentEvent(
        event_id="",
        event="opened",
        incident_id="",
        incident_type=kind,
        severity=severity_of(kind, target.criticality),
        target=target.id,
        name=target.name,
        kind=target.kind,
        host=target.host,
        port=target.port,
        team=target.team,
        tags=target.tags,
        criticality=target.criticality,
        depends_on=target.depends_on,
        regions={name: RegionVerdict(verdict="down") for name in target.regions},
        votes=Votes(down=0, need=0, fresh=0, configured=0),
        first_failed_at=now,
        opened_at=now,
        closed_at=None,
        closed_because=None,
        at=now,
        host_targets=(),
        summary="",
        first_steps=(),
        runbook=target.runbook,
    )


def _names(window: Maintenance, target: Target) -> bool:
    tags = {f"tag:{tag}" for tag in target.tags}
    return target.id in window.targets or not tags.isdisjoint(window.targets)


def _maintenance(window: Maintenance, now: int) -> MaintenanceNow:
    unrolled = Window(window)
    span = unrolled.at(now)
    start = unrolled.next_begin(now) if span is None else span[0]
    if start is None:
        start = window.start
    return MaintenanceNow(
        name=window.name,
        start=start,
        end=start + window.duration_ms if span is None else span[1],
        now=span is not None,
        timezone=window.timezone or "UTC",
    )
