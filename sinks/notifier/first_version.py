"""What version 0.1 left: who was told of what is open, out of its send log and its group's commits.

0.1 had no [notifier-state]. It committed an offset of [incidents] when every channel had confirmed
what lies before it, or was given up (`dead`); behind the commit single events may be told, too. Its
send log names a channel `route/position/scheme`.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Final

import msgspec
from aiokafka import ConsumerRecord
from msgspec import Struct

from foundation import telemetry
from foundation.kafka import Follower
from foundation.settings import Settings
from schemas import incident, notification, topics
from schemas.incident import Event, IncidentEvent, RegionEvent, TargetsEvent
from sinks.notifier import metrics
from sinks.notifier.decision.desk import Desk
from sinks.notifier.model import Channel
from sinks.notifier.routing import CONSOLE, Routes

REST_EVERY: Final = 200
"""Records after which other tasks have their turn: without a heartbeat the partitions are lost."""

_SAY_EVERY_S: Final = 5.0
_TOLD: Final = frozenset({"opened", "worsened", "closed"})
"""Events of an incident that 0.1 told; others were for those who follow the topic."""
_END: Final = frozenset(
    {"closed", "region.returned", "region.cleared", "region.secrets_found", "targets.watched"}
)
_CONDITIONS: Final = {
    "region.suspect": "suspect",
    "region.cleared": "suspect",
    "region.secrets_missing": "secrets",
    "region.secrets_found": "secrets",
}

_log = telemetry.logger(__name__)


class EarlierSends:
    """The send log of 0.1: the channels that each event was tried on, and those that confirmed.

    An event without any row was told to nobody yet, or no route took it; or it is older than the
    log, from which Kafka removes what is older than 30 days.
    """

    def __init__(self) -> None:
        self.tried: set[str] = set()
        self._confirmed: dict[str, set[str]] = {}
        self._oldest_at: int | None = None

    def take(self, value: bytes | None) -> None:
        """Takes in the next record; one that can't be read is none."""
        try:
            row = notification.decode(value or b"")
        except msgspec.DecodeError:
            return
        self._oldest_at = min(row.event_at, self._oldest_at or row.event_at)
        self.tried.add(row.event_id)
        if row.status == "sent":
            self._confirmed.setdefault(row.event_id, set()).add(row.channel)

    def reaches_back_to(self, event: Event) -> bool:
        """False for an event that is older than the log: its rows may be gone."""
        return self._oldest_at is not None and event.at >= self._oldest_at

    def confirmed(self, event: Event) -> set[str]:
        """The names of the channels that confirmed an event."""
        return self._confirmed.get(event.event_id, set())


class HandedOver(Struct, frozen=True):
    """An event of a subject that is not over. `known`: 0.1 has handled it, at least in part."""

    event: Event
    known: bool


class OpenSubjects:
    """The events of what is open, or not wholly told of, by partition and offset. Pure."""

    def __init__(self, commits: Mapping[int, int], sends: EarlierSends) -> None:
        """`commits` has the place of each partition of [incidents]."""
        self._commits = commits
        self._sends = sends
        self._open: dict[tuple[str, ...], list[HandedOver]] = {}

    def take(self, partition: int, offset: int, event: Event) -> None:
        """Takes in the next event of a partition."""
        if event.event == "region.clock_skewed":
            return
        handled = offset < self._commits.get(partition, 0)
        key = _key(event)
        if handled and event.event in _END:
            self._open.pop(key, None)
            return
        known = handled or event.event_id in self._sends.tried
        self._open.setdefault(key, []).append(HandedOver(event, known))

    def hand_over(self, desk: Desk, routes: Routes, now: int) -> Iterator[None]:
        """Tells the Desk of one subject after another.

        Of an event that is older than the send log all are taken to know who would be told today.
        """
        names = channel_names(routes)
        for events in self._open.values():
            confirmed: list[Channel] = []
            for one in events:
                if not one.known:
                    desk.take(one.event, now)
                    continue
                if one.event.event in _TOLD or not isinstance(one.event, IncidentEvent):
                    confirmed = self._confirmed(one.event, names, routes, now)
                desk.adopt(one.event, confirmed, now)
            yield

    def _confirmed(
        self, event: Event, names: Mapping[str, Channel], routes: Routes, now: int
    ) -> list[Channel]:
        if not self._sends.reaches_back_to(event):
            return list(routes.channels(event, now))
        return [names[name] for name in sorted(self._sends.confirmed(event)) if name in names]


def channel_names(routes: Routes) -> dict[str, Channel]:
    """The channels of all routes by the names that 0.1, and this version, give them."""
    found: dict[str, Channel] = {}
    for route in (CONSOLE, *routes.routes.values()):
        for position, url in enumerate(route.urls):
            channel = Channel(route.name, url)
            scheme, has_one, _ = url.partition("://")
            earlier = scheme.lower() if has_one and scheme.isalnum() else "secret"
            found[f"{route.name}/{position}/{earlier}"] = channel
            found[channel.name] = channel
    return found


async def take_over_from_first_version(
    settings: Settings,
    desk: Desk,
    routes: Routes,
    start: Mapping[int, int],
    *,
    committed: bool,
) -> dict[int, int]:
    """Reads both topics once and tells the Desk who knows what.

    `start` has the place of each partition; the group has `committed` it, or it is that of a first
    start, for which nothing before counts. Returns the next offset of each partition: the Desk has
    every event before it.

    Raises:
        aiokafka.errors.KafkaError: the cluster went away; begin again with a new Desk.
        LookupError: a topic does not exist.
    """
    sends = EarlierSends()
    async for record in _all(settings, topics.NOTIFICATIONS.name):
        sends.take(record.value)
    if not committed and not sends.tried:
        return dict(start)
    subjects, ends = OpenSubjects(start, sends), dict(start)
    async for record in _all(settings, topics.INCIDENTS.name):
        if not committed and record.offset < start.get(record.partition, 0):
            continue
        ends[record.partition] = max(record.offset + 1, ends.get(record.partition, 0))
        try:
            event = incident.decode(record.value or b"")
        except msgspec.DecodeError:
            metrics.UNREADABLE.inc()
            continue
        subjects.take(record.partition, record.offset, event)
    count = 0
    for count, _ in enumerate(subjects.hand_over(desk, routes, time.time_ns() // 1_000_000), 1):
        if count % REST_EVERY == 0:
            await asyncio.sleep(0)
    _log.info("the state of version 0.1 is taken over", open=count, events_told=len(sends.tried))
    return ends


async def _all(settings: Settings, name: str) -> AsyncIterator[ConsumerRecord]:
    """All records of a topic; says how far it has come, and lets others work meanwhile."""
    said_at, count = time.monotonic(), 0
    async with Follower(settings, settings.topic(name)) as follower:
        async for record in follower.present():
            yield record
            count += 1
            if count % REST_EVERY == 0:
                await asyncio.sleep(0)
            if time.monotonic() - said_at > _SAY_EVERY_S:
                said_at = time.monotonic()
                _log.info("reading what version 0.1 left", topic=name, records=count)


def _key(event: Event) -> tuple[str, ...]:
    match event:
        case IncidentEvent():
            return "incident", event.incident_id
        case RegionEvent():
            return "region", event.region, _CONDITIONS.get(event.event, "silent")
        case TargetsEvent():
            return "targets", event.cause_id, str(event.partition)
