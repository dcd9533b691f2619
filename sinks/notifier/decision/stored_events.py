"""Events as the notifier keeps them: cut where they are long, encoded and decoded."""

from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from schemas import incident
from schemas.incident import Event, IncidentEvent, RegionEvent, RegionVerdict, TargetsEvent
from schemas.json_decoder import JsonDecoder
from sinks.notifier.model import ChannelEvent, DrillEvent, MassEvent

AnyEvent = Event | ChannelEvent | MassEvent | DrillEvent

EVENT_BYTES: Final = 150_000
"""Largest size of a kept event, in bytes; a larger one is cut a second time."""

HOST_TARGETS: Final = 50
"""Other targets of the host that are kept. Messages show fewer."""


class _Cut(Struct, frozen=True):
    """How many members of each list are kept, and how many characters of each text."""

    host_targets: int = HOST_TARGETS
    regions: int = 100
    names: int = 200
    lines: int = 50
    text: int = 4_000
    detail: int = 300


_FIRST: Final = _Cut()
_SECOND: Final = _Cut(host_targets=20, regions=20, names=20, lines=10, text=600, detail=100)

_channel: JsonDecoder[ChannelEvent] = JsonDecoder(ChannelEvent)
_mass: JsonDecoder[MassEvent] = JsonDecoder(MassEvent)
_drill: JsonDecoder[DrillEvent] = JsonDecoder(DrillEvent)
_encoder = msgspec.json.Encoder()


class _Kind(Struct):
    event: str


_kind: JsonDecoder[_Kind] = JsonDecoder(_Kind)


def encode_stored(event: AnyEvent | str) -> bytes:
    """The JSON of an event, or of one of its texts."""
    return _encoder.encode(event)


def decode_stored(raw: bytes) -> AnyEvent:
    """The event of its JSON.

    Raises:
        msgspec.DecodeError: no event of this version.
    """
    kind = _kind.decode(raw).event
    if kind.startswith("channel."):
        return _channel.decode(raw)
    if kind.startswith("mass."):
        return _mass.decode(raw)
    if kind.startswith("drill."):
        return _drill.decode(raw)
    return incident.decode(raw)


def cut(event: Event) -> tuple[Event, bytes]:
    """The event without what is too long to be kept, and its JSON (150 kB at most).

    Lists keep their first members: 50 targets of the host, 100 regions, 200 tags and dependencies,
    50 first steps and changes, 10 unwatched targets; texts keep 4,000 characters, the details of
    regions 300. An event that is still too large is cut to a tenth of that.
    """
    event = _cut(event, _FIRST)
    raw = _encoder.encode(event)
    if len(raw) > EVENT_BYTES:
        event = _cut(event, _SECOND)
        raw = _encoder.encode(event)
    return event, raw


def bare(event: IncidentEvent) -> IncidentEvent:
    """What is kept of an incident of which nothing more is told."""
    return replace(
        event,
        host_targets=(),
        regions={},
        tags=(),
        depends_on=(),
        summary="",
        runbook=None,
        first_steps=(),
        changes=(),
        abandoned_regions=(),
    )


def _cut(event: Event, to: _Cut) -> Event:
    match event:
        case IncidentEvent():
            return _cut_incident(event, to)
        case RegionEvent():
            short = len(event.summary) <= to.text
            return event if short else replace(event, summary=event.summary[: to.text])
        case TargetsEvent():
            return replace(
                event,
                summary=event.summary[: to.text],
                most_critical=event.most_critical[: to.lines // 5],
                silent_regions=dict(list(event.silent_regions.items())[: to.regions]),
            )


def _cut_incident(event: IncidentEvent, to: _Cut) -> IncidentEvent:
    if (
        len(event.host_targets) <= to.host_targets
        and len(event.regions) <= to.regions
        and len(event.tags) <= to.names
        and len(event.depends_on) <= to.names
        and len(event.summary) <= to.text
        and len(event.runbook or "") <= to.text
        and all(len(one) <= to.text for one in event.first_steps[: to.lines])
        and all(len(one) <= to.text for one in event.changes[: to.lines])
        and len(event.first_steps) <= to.lines
        and len(event.changes) <= to.lines
        and len(event.abandoned_regions) <= to.regions
        and all(len(one.detail or "") <= to.detail for one in event.regions.values())
    ):
        return event
    return replace(
        event,
        host_targets=event.host_targets[: to.host_targets],
        regions={
            name: _cut_verdict(one, to) for name, one in list(event.regions.items())[: to.regions]
        },
        tags=event.tags[: to.names],
        depends_on=event.depends_on[: to.names],
        summary=event.summary[: to.text],
        runbook=None if event.runbook is None else event.runbook[: to.text],
        first_steps=tuple(one[: to.text] for one in event.first_steps[: to.lines]),
        changes=tuple(one[: to.text] for one in event.changes[: to.lines]),
        abandoned_regions=event.abandoned_regions[: to.regions],
    )


def _cut_verdict(one: RegionVerdict, to: _Cut) -> RegionVerdict:
    if one.detail is None or len(one.detail) <= to.detail:
        return one
    return replace(one, detail=one.detail[: to.detail])
