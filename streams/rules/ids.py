"""Rule 11: reproducible ids, the same for the same log."""

import uuid
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from schemas.control import (
    Acknowledged,
    Beat,
    Control,
    Resolved,
    TargetPaused,
    TargetRemoved,
    TargetResumed,
    TargetSet,
    Tick,
)
from schemas.duration import HOUR_MS
from schemas.incident import NAMESPACE, IncidentType
from schemas.result import CheckResult

MINUTE_MS: Final = 60_000


class Deciding(Struct, frozen=True, gc=False):
    """The record that causes a decision: a result, or a control record.

    `at` is log time, `offset` the record's.
    """

    what: CheckResult | Control
    at: int
    offset: int

    @property
    def identity(self) -> str:
        """The identity of a result; for a control record its name, append time and offset.

        The offset is in it, because the same control record may come twice within a millisecond.
        """
        if isinstance(self.what, CheckResult):
            return self.what.identity
        return f"{_control_identity(self.what)}|{self.at}|{self.offset}"


def _control_identity(record: Control) -> str:  # noqa: PLR0911 - one a kind of record
    match record:
        case TargetSet(target):
            return f"target_set|{target.id}|{target.version}"
        case TargetRemoved():
            return f"target_removed|{record.target}|{record.version}"
        case TargetPaused():
            return f"target_paused|{record.target}|{record.by}"
        case TargetResumed():
            return f"target_resumed|{record.target}|{record.by}"
        case Acknowledged():
            return f"acknowledged|{record.incident_id}|{record.by}"
        case Resolved():
            return f"resolved|{record.incident_id}|{record.by}"
        case Beat():
            return f"beat|{record.region}|{record.prober}|{record.started_at}|{record.sequence}"
        case Tick(worker):
            return f"tick|{worker}"


def incident_id(target: str, incident_type: IncidentType, deciding: Deciding) -> str:
    """UUIDv5 of target id, incident type and the identity of the deciding record."""
    return str(uuid.uuid5(NAMESPACE, f"{target}|{incident_type}|{deciding.identity}"))


def event_id(subject: str, event: str, deciding: Deciding) -> str:
    """UUIDv5 of incident id (or region), event type and the deciding record."""
    return str(uuid.uuid5(NAMESPACE, f"{subject}|{event}|{deciding.identity}"))


def never_heard_id(region: str, event: str, since_at: int) -> str:
    """UUIDv5 of a region that was never heard, event type and the hour (log time) since when.

    All partitions that wait for the region make the same id.
    """
    return str(uuid.uuid5(NAMESPACE, f"{region}|{event}|never heard|{since_at // HOUR_MS}"))


def cause_id(silent: Mapping[str, int | None]) -> str:
    """UUIDv5 of silent regions and the minutes of their last beats (log time; None: never).

    Of a beat each partition has an append time of its own, milliseconds apart: hence the minutes.
    """
    parts = (
        region if last is None else f"{region}@{last // MINUTE_MS}"
        for region, last in sorted(silent.items())
    )
    return str(uuid.uuid5(NAMESPACE, f"unwatched|{'|'.join(parts)}"))
