"""Decodes the other topics: each message is a row, nothing to store, or unreadable."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
from aiokafka import ConsumerRecord
from msgspec import UNSET

from schemas import (
    checkpoint,
    deadletter,
    incident,
    notification,
    notifier_state,
    policy,
    recheck,
)
from schemas import target as target_schema
from schemas.deadletter import DeadLetter
from schemas.duration import DAY_MS
from schemas.incident import IncidentEvent, RegionEvent, TargetsEvent
from schemas.occurrences import occurrences
from schemas.probe import HeartbeatProbe
from sinks.clickhouse import tables
from sinks.clickhouse.decoding import (
    MAX_TIME_MS,
    Read,
    Rejected,
    Unreadable,
    letter_of,
    log_columns,
    log_time,
    texts,
    u16,
    u32,
    value_of,
    words,
)
from sinks.clickhouse.pending_block import WHOLE
from sinks.clickhouse.tables import Table, from_tuples

Row = tuple[Table, tuple[Any, ...]]
RowOf = Callable[[ConsumerRecord], Row | None]

UNROLLED_MS: Final = 10 * 365 * DAY_MS
"""Time after its application for which a recurring maintenance window is expanded, in ms."""

_NO_JOB: Final = (None, "", "", None, None)
_NO_GOALS: Final = (None, None, "open", True, *_NO_JOB, "")
_PAUSE_KEYS: Final = f"{policy.PAUSES}/pause/"
_chunk = msgspec.msgpack.Decoder(list[msgspec.Raw])


def read(row_of: RowOf, records: Sequence[ConsumerRecord], before: Rejected) -> Read:
    """The rows that `row_of` makes of the messages, and the dead letters of unreadable ones.

    Messages that were rejected `before` are no rows even if this version can read them.
    """
    rows: dict[str, tuple[Table, list[tuple[Any, ...]]]] = {}
    letters: list[DeadLetter] = []
    for record in records:
        try:
            row = _row(row_of, record, before.get(record.offset, set()))
        except Unreadable as found:
            letters.append(letter_of(record, found))
            continue
        if row is not None:
            table, values = row
            rows.setdefault(table.name, (table, []))[1].append(values)
    return Read([from_tuples(table, made) for table, made in rows.values()], letters)


def _row(row_of: RowOf, record: ConsumerRecord, before: set[int]) -> Row | None:
    if WHOLE in before:
        raise Unreadable("value", "rejected when it was first read", record.value or b"")
    try:
        return row_of(record)
    except Unreadable:
        raise
    except Exception as error:
        # Whatever else bytes may bring about: one message must never hold up a partition.
        raise Unreadable("value", words(error), record.value or b"") from error


def incident_row(record: ConsumerRecord) -> Row:
    """The row of an event of [incidents]."""
    value = value_of(record, "an event of an incident, a region or unwatched targets")
    event = incident.decode(value)
    if isinstance(event, RegionEvent):
        return tables.REGION_EVENTS, (
            event.event_id,
            event.event,
            event.region,
            event.at,
            event.summary,
            event.last_beat_at,
            *log_columns(record),
        )
    if isinstance(event, TargetsEvent):
        return tables.TARGETS_EVENTS, (
            event.event_id,
            event.event,
            event.cause_id,
            event.severity,
            event.count,
            [one.target for one in event.most_critical],
            list(event.silent_regions),
            event.since,
            event.at,
            event.summary,
            *log_columns(record),
        )
    return tables.INCIDENTS, _incident_values(event, value, record)


def _incident_values(event: IncidentEvent, value: bytes, record: ConsumerRecord) -> tuple[Any, ...]:
    return (
        event.event_id,
        event.event,
        event.incident_id,
        event.incident_type,
        event.severity,
        event.target,
        event.name,
        event.kind,
        event.host or "",
        u16(event.port),
        event.team or "",
        texts(event.tags),
        event.criticality,
        texts(event.depends_on),
        {region: said.verdict for region, said in event.regions.items()},
        {region: said.reason for region, said in event.regions.items() if said.reason},
        u16(event.votes.down),
        u16(event.votes.need),
        u16(event.votes.fresh),
        u16(event.votes.configured),
        event.first_failed_at,
        event.opened_at,
        event.closed_at,
        event.closed_because or "",
        event.at,
        event.summary,
        texts(event.changes),
        event.acknowledged_by or "",
        event.acknowledged_note or "",
        event.resolved_by or "",
        event.resolved_note or "",
        None if event.recovered_at is UNSET else event.recovered_at,
        "open" if event.expect is UNSET else event.expect,
        value.decode(),
        *log_columns(record),
    )


def notification_row(record: ConsumerRecord) -> Row | None:
    """The row of a send log entry on [notifications]; None for a removed key."""
    if record.value is None:
        return None
    sent = notification.decode(record.value)
    return tables.NOTIFICATIONS, (
        sent.event_id,
        sent.incident_id,
        sent.event,
        sent.target,
        sent.team or "",
        sent.route,
        sent.channel,
        sent.severity,
        sent.status,
        u32(sent.attempt),
        sent.at,
        sent.event_at,
        sent.subject,
        sent.group,
        sent.error or "",
        "" if sent.why is UNSET else sent.why,
        "" if sent.action is UNSET else sent.action,
        *log_columns(record),
    )


def target_row(record: ConsumerRecord) -> Row:
    """The row of a target's definition, or of its removal."""
    key = _key(record, "the id of a target")
    if record.value is None:
        nothing: tuple[Any, ...] = ("", "", "", "", 0, [], 0, 0, "", "", "", [], [], "", *_NO_GOALS)
        return tables.TARGETS, (key, 1, log_time(record), *nothing, *log_columns(record))
    target = target_schema.decode(record.value)
    if target.id != key:
        raise Unreadable("key", f"expected the target's id {target.id}, found {key}", record.key)
    return tables.TARGETS, (
        target.id,
        0,
        target.version,
        target.source,
        target.name,
        target.kind,
        target.host or "",
        u16(target.port),
        texts(target.regions),
        target.interval_ms,
        target.timeout_ms,
        target.criticality,
        target.team or "",
        target.purpose or "",
        texts(target.tags),
        texts(target.depends_on),
        target.runbook or "",
        target.slo,
        target.downtime_cost_per_hour,
        target.expect,
        target.enabled,
        *job_values(target),
        record.value.decode(),
        *log_columns(record),
    )


def job_values(target: target_schema.Target) -> tuple[Any, ...]:
    """What is expected of a job: interval, schedule, zone, grace, longest run."""
    probe = target.probe
    if not isinstance(probe, HeartbeatProbe):
        return _NO_JOB
    schedule = probe.schedule or ""
    return probe.interval_ms, schedule, probe.zone, probe.grace_ms, probe.max_runtime_ms


def policy_row(record: ConsumerRecord) -> Row | None:
    """The row of a maintenance window or pause of [policy], or of its removal.

    Checks other entries.
    """
    key = _key(record, "source/type/name")
    if key.startswith(_PAUSE_KEYS):
        return _pause_row(record, key.removeprefix(_PAUSE_KEYS))
    # A source may be a path: the name comes last, the type before it.
    source, found, name = key.rpartition("/maintenance/")
    if record.value is None:
        if not found:
            return None
        return tables.MAINTENANCE, (key, 1, source, name, [], 0, 0, "", [], *log_columns(record))
    entry = policy.decode(record.value)
    if not isinstance(entry, policy.Maintenance):
        return None
    return tables.MAINTENANCE, (
        key,
        0,
        source,
        entry.name,
        texts(entry.targets),
        entry.start,
        min(entry.duration_ms, 2**63),
        entry.rrule or "",
        [begin for begin, _ in occurrences(entry, _horizon(record))],
        *log_columns(record),
    )


def _pause_row(record: ConsumerRecord, target: str) -> Row | None:
    if record.value is None:
        return tables.PAUSES, (target, 1, log_time(record), None, "", "", *log_columns(record))
    entry = policy.decode(record.value)
    if not isinstance(entry, policy.Pause) or entry.name != target:
        return None
    return tables.PAUSES, (
        target,
        0,
        entry.paused_at,
        entry.until,
        entry.by,
        entry.reason,
        *log_columns(record),
    )


def _horizon(record: ConsumerRecord) -> int:
    return min(log_time(record) + UNROLLED_MS, MAX_TIME_MS)


def deadletter_row(record: ConsumerRecord) -> Row:
    """The row of a dead letter; an unreadable one gives a row too, never a new letter (a loop)."""
    try:
        found = deadletter.decode(value_of(record, "a dead letter"))
    except msgspec.DecodeError as error:
        found = letter_of(record, Unreadable("value", words(error), record.value or b""))
    except Unreadable as error:
        found = letter_of(record, error)
    return tables.DEADLETTER, (
        found.id,
        found.topic,
        u32(found.partition),
        min(found.offset, 2**63),
        min(found.line, 2**62),
        found.part,
        found.error,
        found.at,
        min(found.size, 2**63),
        found.raw,
        *log_columns(record),
    )


def check_recheck(record: ConsumerRecord) -> None:
    """Checks that a request on [rechecks] can be decoded."""
    recheck.decode(value_of(record, "a recheck request"))


def check_notifier_state(record: ConsumerRecord) -> None:
    """Checks that a state of the notifier can be decoded; a null value removes one."""
    if record.value is not None:
        notifier_state.decode(record.value)


def check_checkpoint(record: ConsumerRecord) -> None:
    """Checks that a checkpoint's part can be decoded: key, head's fields, chunk's msgpack."""
    raw = record.key or b""
    try:
        key = checkpoint.CheckpointKey.decode(raw)
    except ValueError as error:
        raise Unreadable("key", f"expected writer/generation/part: {error}", raw) from error
    if record.value is None:
        return
    if key.part == checkpoint.HEAD:
        checkpoint.decode_head(record.value)
    else:
        _chunk.decode(record.value)


def _key(record: ConsumerRecord, expected: str) -> str:
    raw: bytes | None = record.key
    if not raw:
        raise Unreadable("key", f"expected {expected}, found no key", b"")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise Unreadable("key", f"expected {expected}: {error}", raw) from error


ROWS: Final[dict[str, RowOf]] = {
    "incidents": incident_row,
    "notifications": notification_row,
    "targets": target_row,
    "policy": policy_row,
    "deadletter": deadletter_row,
    "notifier-state": check_notifier_state,
    "rechecks": check_recheck,
    "state": check_checkpoint,
    "checkpoints": check_checkpoint,
}
"""The function that makes the row of a message, for each topic."""
