"""All open incidents as alerts, made once for each event."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from msgspec import UNSET, Struct

from portquorum.web.alertmanager.answers import Alert, AlertStatus, LabelSet, ReceiverName
from portquorum.web.alertmanager.labels import (
    annotations_of,
    fingerprint_of,
    labels_of,
    values_of,
)
from portquorum.web.alertmanager.matchers import LabelMatcher, LabelValues
from portquorum.web.alertmanager.silences import moment
from portquorum.web.answers import Freshness, OpenIncident
from portquorum.web.ports import Fleet
from portquorum.web.words import BLIND
from schemas.incident import IncidentEvent

RECEIVER: Final = ReceiverName("portquorum")
"""The one receiver: who is told is the business of routes, which each incident's page shows."""

LIFE_MS: Final = 300_000
"""An alert fires so long after an answer unless it is in the next one."""

_SLICE: Final = 200
"""Alerts that are made without a turn for others."""


class AlertsAsked(Struct, frozen=True, kw_only=True):
    """Which alerts: all matchers hold; the rest is as of Alertmanager."""

    matchers: Sequence[LabelMatcher] = ()
    active: bool = True
    silenced: bool = True
    inhibited: bool = True

    def takes(self, status: AlertStatus, values: LabelValues) -> bool:
        """True for an alert of this status with these labels."""
        return (
            (self.active or status.state != "active")
            and (self.silenced or not status.silenced_by)
            and (self.inhibited or not status.inhibited_by)
            and all(one.holds(values) for one in self.matchers)
        )


class _Kept(Struct, frozen=True):
    """What an event says of its incident."""

    event_id: str
    labels: LabelSet
    annotations: LabelSet
    values: dict[str, tuple[str, ...]]


class AlertBook:
    """The alerts of one fleet."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._kept: dict[str, _Kept] = {}

    async def alerts(self, asked: AlertsAsked, place: str) -> list[Alert]:
        """The alerts that are asked for, by fingerprint; `place` is the URL of the page.

        While the page is blind there is one more, since what is not shown may be down.
        """
        now = time.time_ns() // 1_000_000
        found = [*_of_blindness(self._fleet.freshness(), asked, place, now)]
        opened = self._fleet.open_incidents()
        for count, one in enumerate(opened):
            if count % _SLICE == _SLICE - 1:
                await asyncio.sleep(0)
            kept, status = self._of(one), status_of(one)
            if asked.takes(status, kept.values):
                found.append(_alert(one.event, kept, status, place, now))
        self._forget_closed(opened)
        return sorted(found, key=lambda one: one.fingerprint)

    def _of(self, one: OpenIncident) -> _Kept:
        event = one.event
        kept = self._kept.get(event.incident_id)
        if kept is None or kept.event_id != event.event_id:
            labels = labels_of(event)
            whole = self._fleet.newest_event(event.incident_id) or event
            kept = _Kept(event.event_id, labels, annotations_of(whole), values_of(labels, event))
            self._kept[event.incident_id] = kept
        return kept

    def _forget_closed(self, opened: Sequence[OpenIncident]) -> None:
        if len(self._kept) > len(opened):
            names = {one.event.incident_id for one in opened}
            self._kept = {name: kept for name, kept in self._kept.items() if name in names}


def status_of(one: OpenIncident) -> AlertStatus:
    """What keeps an alert quiet; maintenance and whoever acknowledged it are in `muted_by`."""
    muted = []
    if one.maintenance:
        muted.append(f"maintenance {one.maintenance}")
    if one.event.acknowledged_by is not None:
        muted.append(f"acknowledged by {one.event.acknowledged_by}")
    return AlertStatus(
        state="suppressed" if muted or one.silences else "active",
        silenced_by=one.silences,
        muted_by=tuple(muted),
    )


def _alert(event: IncidentEvent, kept: _Kept, status: AlertStatus, place: str, now: int) -> Alert:
    episode = event.episode_began_at
    return Alert(
        labels=kept.labels,
        annotations=kept.annotations,
        receivers=(RECEIVER,),
        fingerprint=fingerprint_of(event.incident_id),
        starts_at=moment(event.first_failed_at if episode is UNSET else episode),
        updated_at=moment(event.at),
        ends_at=_fires_until(now),
        status=status,
        generator_url=f"{place}/incidents/{event.incident_id}",
    )


def _of_blindness(fresh: Freshness, asked: AlertsAsked, place: str, now: int) -> Iterator[Alert]:
    if fresh.blind_because is None:
        return
    labels = {
        "alertname": "PortquorumBlind",
        "severity": "critical",
        "blind_because": fresh.blind_because,
    }
    status = AlertStatus(state="active")
    if not asked.takes(status, {name: (value,) for name, value in labels.items()}):
        return
    yield Alert(
        labels=labels,
        annotations={"summary": BLIND[fresh.blind_because]},
        receivers=(RECEIVER,),
        fingerprint=fingerprint_of("blind"),
        starts_at=moment(fresh.blind_since or now),
        updated_at=moment(now),
        ends_at=_fires_until(now),
        status=status,
        generator_url=f"{place}/",
    )


def _fires_until(now: int) -> datetime:
    return moment(now + LIFE_MS)
