"""Information on notifications: who would be notified of a target, and who was."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from foundation.kafka import Follower
from foundation.settings import Settings
from schemas import notification, topics
from schemas.incident import IncidentEvent, IncidentType, Votes
from schemas.notification import Notification
from schemas.policy import Maintenance, Policy
from schemas.target import Target
from sinks.notifier.routing import Routes
from streams.rules.incident_events import severity_of
from streams.state.policy import warn_days_of

LAST: Final = 5
"""Number of sends that are shown, in addition to those of open incidents."""


class IncidentRoute(Struct, frozen=True, kw_only=True):
    """The channels for an incident of a type; none if no route takes it."""

    incident_type: IncidentType
    severity: str
    channels: tuple[str, ...]


class MaintenanceNow(Struct, frozen=True, kw_only=True):
    """A maintenance window that names the target.

    `now`: it is active; None if unknown, because it repeats by a rule.
    """

    name: str
    start: int
    end: int
    now: bool | None


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
    newest: dict[bytes, Notification] = {}
    async with Follower(settings, settings.topic(topics.NOTIFICATIONS.name)) as follower:
        async for record in follower.present():
            if record.key is None or not record.value:
                continue
            try:
                found = notification.decode(record.value)
            except msgspec.DecodeError:
                continue
            if found.target == target_id:
                newest[record.key] = found
    return sorted(newest.values(), key=lambda one: (one.at, one.channel), reverse=True)


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
    return TargetNotifications(
        ways=tuple(_way(target, routes, kind) for kind in kinds),
        maintenance=tuple(
            _maintenance(entry, now)
            for entry in entries
            if isinstance(entry, Maintenance) and _names(entry, target)
        ),
        sent=tuple(
            one for place, one in enumerate(sent) if place < LAST or one.incident_id in still_open
        ),
    )


def _way(target: Target, routes: Routes, kind: IncidentType) -> IncidentRoute:
    event = _opened(target, kind)
    return IncidentRoute(
        incident_type=kind,
        severity=event.severity,
        channels=tuple(channel.name for channel in routes.channels(event)),
    )


def _opened(target: Target, kind: IncidentType) -> IncidentEvent:
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
        regions={},
        votes=Votes(down=0, need=0, fresh=0, configured=0),
        first_failed_at=0,
        opened_at=0,
        closed_at=None,
        closed_because=None,
        at=0,
        host_targets=(),
        summary="",
        first_steps=(),
        runbook=target.runbook,
    )


def _names(window: Maintenance, target: Target) -> bool:
    tags = {f"tag:{tag}" for tag in target.tags}
    return target.id in window.targets or not tags.isdisjoint(window.targets)


def _maintenance(window: Maintenance, now: int) -> MaintenanceNow:
    end = window.start + window.duration_ms
    on = window.start <= now < end
    return MaintenanceNow(
        name=window.name,
        start=window.start,
        end=end,
        now=on if on or window.rrule is None or now < window.start else None,
    )
