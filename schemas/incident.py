"""Events on [incidents], to which other services subscribe. CloudEvents 1.0, binary mode.

The value is JSON (`IncidentEvent`, `RegionEvent` or `TargetsEvent`), the attributes are Kafka
headers `ce_…` (CloudEvents Kafka protocol binding 1.0.2, section 3.2).
"""

import uuid
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from schemas._types import (
    Count,
    EventId,
    ExpectedState,
    Kind,
    LongText,
    LongTexts,
    Millis,
    Name,
    Names,
    Note,
    Port,
    RegionName,
    TargetId,
    Text,
)
from schemas.json_decoder import JsonDecoder
from schemas.missing_secrets import MissingSecrets
from schemas.result import Reason
from schemas.schema_ids import schema_id
from schemas.target import Criticality

Verdict = Literal["up", "down", "slow", "stale", "pending"]
IncidentType = Literal["unreachable", "slow", "flapping", "expiring"]
Severity = Literal["critical", "warning", "info"]
TargetStatus = Literal["up", "down", "slow", "unknown", "pending"]
RegionEventKind = Literal[
    "region.silent",
    "region.returned",
    "region.suspect",
    "region.cleared",
    "region.clock_skewed",
    "region.secrets_missing",
    "region.secrets_found",
]
TargetsEventKind = Literal["targets.unwatched", "targets.watched"]
EventKind = Literal["opened", "updated", "improved", "worsened", "closed"]
"""`improved`: consensus says no longer down, but some regions still fail; `worsened`: it is down
again, in an incident that had improved."""

ClosedBecause = Literal[
    "recovered",
    "resolved",
    "target_removed",
    "target_changed",
    "target_paused",
    "policy_changed",
    "steady",
    "flapping",
    "abandoned",
]
"""`target_paused`: nobody checks the target for a while, or until it is enabled again;
`policy_changed`: its cause is no longer monitored; `steady`: no longer flapping; `flapping`: it
goes down and up so often that a flapping incident takes its place; `abandoned`: no region has had a
result for `abandon_after`, which is no recovery."""

NAMESPACE: Final = uuid.UUID("5b1ac0b6-5b0c-5d8e-9d4c-6f7a1f1e7a01")
"""The namespace of all UUIDv5 ids of portquorum (RFC 9562, section 5.5)."""

SOURCE: Final = "/portquorum/stream"
"""The `ce_source` of an installation without a name; see `Settings.event_source`."""

DATASCHEMA: Final = schema_id("incidents")
"""The `ce_dataschema` of every event, on [incidents] and on [incidents.open]."""


class RegionVerdict(Struct, frozen=True, gc=False, kw_only=True):
    """The verdict of one region on a target.

    `since` is the start of the verdict, None if `pending`. `reason` is the reason of the last
    result: the cause of `down`, the last known one of `stale`, an unconfirmed failure of `up`.
    `set_aside`: the region guard suspects the whole region, and its verdict does not count.
    """

    verdict: Verdict
    reason: Reason | None = None
    detail: Text | None = None
    since: Millis | None = None
    set_aside: bool = False


class Votes(Struct, frozen=True, gc=False, kw_only=True):
    """The votes behind a decision: down verdicts, the quorum, fresh and configured regions.

    For an incident of the type `slow`, `down` counts the regions that say `slow` or `down`; for
    `expiring`, those that saw a certificate that ends soon.
    """

    down: Count
    need: Count
    fresh: Count
    configured: Count


class HostTarget(Struct, frozen=True, gc=False, kw_only=True):
    """Another target of the same host and its status at that moment.

    `expect` is `closed` for a port that must not be reachable: `down` then means that it is open.
    Other targets do not have the field.
    """

    target: TargetId
    name: Name
    kind: Kind
    port: Port | None
    status: TargetStatus
    expect: ExpectedState | UnsetType = UNSET


class IncidentEvent(Struct, frozen=True, gc=False, kw_only=True):
    """One event of an incident. Times are UTC ms of the log (broker append time).

    `regions` is sorted by name. `first_failed_at` is the effective time of the first failure that
    led to the incident. `at` is the append time of the deciding record. `changes` describes in
    words the changes since the last event. `episode` counts the outages within the incident, from
    1; the field is absent for the first one. `episode_began_at` is then the effective time of the
    first failure of the episode. `expires_at` is the earliest end of a certificate that an incident
    of the type `expiring` is about; events of other types do not have it. `recovered_at` is the
    append time of the last recovery within an incident of the type `flapping`: in its `closed`
    event with `recovered` or `steady`, absent if it never recovered. `acknowledged_note` is what
    `acknowledged_by` wrote with the acknowledgement; `resolved_by` and `resolved_note` belong to
    the `closed` event with `resolved`. Notes are absent if none was written. They are as people
    typed them: whoever shows them cleans them. `target_version` is the version of the target's
    definition that the event judged, for a closing the one before its removal or change; absent in
    events of 0.1. Of two events of a target from two partitions (its host changed) the one with the
    larger (`target_version`, `at`) is newer. What `closed_because` says of the target: `recovered`
    up, `target_removed` gone, `steady` down, `flapping` up and down in turn, `policy_changed` no
    longer looked at for this; `resolved`, `target_changed`, `target_paused` and `abandoned` not
    known. `paused_by`, `paused_until` and `paused_note` belong to the `closed` event with
    `target_paused`: who paused it, until when (absent: until it is resumed), and why; all three are
    absent if its inventory says that it is not enabled. `expect` is
    `closed` if the port must not be reachable: `unreachable` then means that it is open, and
    `flapping` that it opens and closes again and again; other targets do not have the field.

    Enumerations are open: a reader must expect new members of each of them.
    """

    event_id: EventId
    event: EventKind
    incident_id: EventId
    incident_type: IncidentType
    severity: Severity
    target: TargetId
    name: Name
    kind: Kind
    host: Name | None
    port: Port | None
    team: Name | None
    tags: Names
    criticality: Criticality
    depends_on: Names
    regions: Annotated[dict[RegionName, RegionVerdict], Meta(max_length=1_000)]
    votes: Votes
    first_failed_at: Millis
    opened_at: Millis
    closed_at: Millis | None
    closed_because: ClosedBecause | None
    at: Millis
    host_targets: Annotated[tuple[HostTarget, ...], Meta(max_length=2**20)]
    summary: LongText
    first_steps: LongTexts
    runbook: Text | None
    changes: LongTexts = ()
    abandoned_regions: Annotated[tuple[RegionName, ...], Meta(max_length=1_000)] = ()
    acknowledged_by: Name | None = None
    episode: Annotated[int, Meta(ge=1, le=2**31 - 1)] | UnsetType = UNSET
    episode_began_at: Millis | UnsetType = UNSET
    expires_at: Millis | UnsetType = UNSET
    recovered_at: Millis | UnsetType = UNSET
    acknowledged_note: Note | UnsetType = UNSET
    resolved_by: Name | UnsetType = UNSET
    resolved_note: Note | UnsetType = UNSET
    target_version: Millis | UnsetType = UNSET
    expect: ExpectedState | UnsetType = UNSET
    paused_by: Name | UnsetType = UNSET
    paused_until: Millis | UnsetType = UNSET
    paused_note: Note | UnsetType = UNSET


class RegionEvent(Struct, frozen=True, gc=False, kw_only=True):
    """An event of a region as a whole; only partition murmur2(region) emits it.

    `last_beat_at` is None if the region was never heard: then each partition with targets of the
    region emits the event, with the same id.
    `missing_secrets`: the variables that probers of the region lack, with some of the targets that
    need them; only `region.secrets_missing` has it.
    Enumerations are open: a reader must expect new members of each of them.
    """

    event_id: EventId
    event: RegionEventKind
    region: RegionName
    at: Millis
    summary: LongText
    last_beat_at: Millis | None = None
    missing_secrets: MissingSecrets | UnsetType = UNSET


class UnwatchedTarget(Struct, frozen=True, gc=False, kw_only=True):
    """A target that nobody can judge."""

    target: TargetId
    name: Name
    criticality: Criticality


class TargetsEvent(Struct, frozen=True, gc=False, kw_only=True):
    """The targets of one partition that nobody can judge; replaces the partition's earlier ones.

    `count` is their number, 0 when they are watched again; `most_critical` are a few of them.
    `silent_regions` are the regions of these targets that are not heard, with their last beats (log
    time; None: never heard). `cause_id` is the same in all partitions that one cause blinds.
    `since` is the time from which the first of them could not be judged.
    """

    event_id: EventId
    event: TargetsEventKind
    partition: Count
    cause_id: EventId
    severity: Severity
    count: Count
    most_critical: Annotated[tuple[UnwatchedTarget, ...], Meta(max_length=100)]
    silent_regions: Annotated[dict[RegionName, Millis | None], Meta(max_length=1_000)]
    since: Millis
    at: Millis
    summary: LongText


Event = IncidentEvent | RegionEvent | TargetsEvent


class _Peek(Struct):
    event: str


_peek: JsonDecoder[_Peek] = JsonDecoder(_Peek)
_incident: JsonDecoder[IncidentEvent] = JsonDecoder(IncidentEvent)
_region: JsonDecoder[RegionEvent] = JsonDecoder(RegionEvent)
_targets: JsonDecoder[TargetsEvent] = JsonDecoder(TargetsEvent)
_encoder = msgspec.json.Encoder()


def encode(event: Event) -> bytes:
    """The value of the message: the same event always gives the same bytes."""
    return _encoder.encode(event)


def decode(value: bytes) -> Event:
    """Decodes a value of [incidents] or [incidents.open].

    Raises:
        msgspec.DecodeError: not JSON.
        msgspec.ValidationError: JSON, but no event of this version, or one that contradicts itself:
            only `closed` has `closed_at` and `closed_because`, and it has both; only a closing with
            `resolved` has `resolved_by` and `resolved_note`, only one with `target_paused` the
            fields of the pause; `targets.watched` has a count of 0,
            `targets.unwatched` has not.
    """
    event = _peek.decode(value).event
    if event.startswith("region."):
        return _region.decode(value)
    if event.startswith("targets."):
        return possible(_targets.decode(value))
    return possible(_incident.decode(value))


def possible(event: Event) -> Event:
    """The event itself, if its fields agree with each other.

    Raises:
        msgspec.ValidationError: it contradicts itself (`decode`).
    """
    match event:
        case IncidentEvent():
            return _possible_incident(event)
        case TargetsEvent():
            return _possible_targets(event)
        case RegionEvent():
            return event


def _possible_incident(event: IncidentEvent) -> IncidentEvent:
    closed = event.event == "closed"
    for field, there in (
        ("closed_at", event.closed_at is not None),
        ("closed_because", event.closed_because is not None),
    ):
        if there != closed:
            raise msgspec.ValidationError(
                f"Expected an incident event `{event.event}` {'with' if closed else 'without'} "
                f"`{field}`, found one {'without' if closed else 'with'} it; leave this event out"
            )
    for field, there, because in (
        ("resolved_by", event.resolved_by is not UNSET, "resolved"),
        ("resolved_note", event.resolved_note is not UNSET, "resolved"),
        ("paused_by", event.paused_by is not UNSET, "target_paused"),
        ("paused_until", event.paused_until is not UNSET, "target_paused"),
        ("paused_note", event.paused_note is not UNSET, "target_paused"),
    ):
        if there and event.closed_because != because:
            raise msgspec.ValidationError(
                f"Expected `{field}` with closed_because `{because}` only, found it with "
                f"`{event.closed_because}`; leave this event out"
            )
    return event


def _possible_targets(event: TargetsEvent) -> TargetsEvent:
    if (event.event == "targets.watched") != (event.count == 0):
        raise msgspec.ValidationError(
            f"Expected a count of 0 with `targets.watched` only, found `{event.event}` with "
            f"{event.count}; leave this event out"
        )
    return event


def subject(event: Event) -> str:
    """The subject of an event: the target's id, the region's name, or the id of the cause."""
    match event:
        case RegionEvent():
            return event.region
        case TargetsEvent():
            return event.cause_id
        case IncidentEvent():
            return event.target


def event_type(event: Event) -> str:
    """The `ce_type`: `portquorum.incident.opened.v1`, `portquorum.region.silent.v1` and so on."""
    name = f"incident.{event.event}" if isinstance(event, IncidentEvent) else event.event
    return f"portquorum.{name}.v1"


def traceparent(event_id: str) -> str:
    """A W3C trace context (version 00), derived from the event id alone."""
    trace = uuid.UUID(event_id).hex
    return f"00-{trace}-{uuid.uuid5(NAMESPACE, event_id).hex[:16]}-01"


def headers(event: Event, source: str = SOURCE) -> list[tuple[str, bytes]]:
    """The CloudEvents attributes as Kafka headers; `ce_time` is RFC 3339 with milliseconds.

    `source` is the `ce_source`: a URI reference (RFC 3986, section 4.1). `ce_traceparent` is the
    attribute of the CloudEvents extension Distributed Tracing, `traceparent` the same for tracers
    that read plain headers (https://www.w3.org/TR/trace-context/).
    """
    time = datetime.fromtimestamp(event.at / 1000, tz=UTC).isoformat(timespec="milliseconds")
    attributes = {
        "ce_specversion": "1.0",
        "ce_id": event.event_id,
        "ce_source": source,
        "ce_type": event_type(event),
        "ce_subject": subject(event),
        "ce_time": time.replace("+00:00", "Z"),
        "content-type": "application/json",
        "traceparent": traceparent(event.event_id),
        "ce_dataschema": DATASCHEMA,
        "ce_traceparent": traceparent(event.event_id),
    }
    return [(name, value.encode()) for name, value in attributes.items()]
