"""Control records: messages on [results] with an empty value and a header with a JSON body.

Readers of the results do not see them; the stream's state is a function of both.
"""

from collections.abc import Iterable
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from schemas._types import Count, Millis, Name, Note, ProberName, RegionName, TargetId
from schemas.json_decoder import JsonDecoder
from schemas.missing_secrets import MissingSecrets
from schemas.policy import Pause
from schemas.target import Target

HEADER: Final = "portquorum-control"


class TargetSet(Struct, frozen=True, gc=False, tag_field="control", tag="target_set"):
    """A target was added or changed; `apply` writes it before [targets]."""

    target: Target


class TargetRemoved(
    Struct, frozen=True, gc=False, kw_only=True, tag_field="control", tag="target_removed"
):
    """A target is gone from this partition.

    `because` is `target_changed` when its new host belongs to another partition. `version` is the
    time of the apply; it keeps a late removal from undoing a newer definition.
    """

    target: TargetId
    version: Millis
    because: Literal["removed", "target_changed"] = "removed"


class TargetPaused(
    Struct, frozen=True, gc=False, kw_only=True, tag_field="control", tag="target_paused"
):
    """A target of this partition is not judged until `until` (None: until it is resumed).

    It holds for a target that the partition does not know yet, too. A later one replaces it.
    """

    target: TargetId
    until: Millis | None
    by: Name
    note: Note | None = None


class TargetResumed(
    Struct, frozen=True, gc=False, kw_only=True, tag_field="control", tag="target_resumed"
):
    """The pause of a target ended early: it is judged again, as a new one."""

    target: TargetId
    by: Name


class Acknowledged(
    Struct, frozen=True, gc=False, kw_only=True, tag_field="control", tag="acknowledged"
):
    """An acknowledgement of an incident by a person."""

    target: TargetId
    incident_id: Name
    by: Name
    note: Note | None = None


class Resolved(Struct, frozen=True, gc=False, kw_only=True, tag_field="control", tag="resolved"):
    """A manual close of an incident."""

    target: TargetId
    incident_id: Name
    by: Name
    note: Note | None = None


class Beat(
    Struct,
    frozen=True,
    gc=False,
    kw_only=True,
    tag_field="control",
    tag="beat",
    omit_defaults=True,
):
    """The heartbeat of a prober, sent to every partition every 5 s.

    `connectivity` is False while its own reference addresses fail; `lag_ms` is its worst
    scheduling lag since the last beat; `spool` counts results that wait for the broker;
    `clock_offset_ms` is broker time minus the machine's time (raw, not slewed), None before the
    first acknowledgement. `started_at` tells a restarted prober from a running one
    (`sequence` begins at 0 again). `missing_secrets` are those of its targets that it lacks, absent
    if it has all.
    """

    region: RegionName
    prober: ProberName
    sequence: Annotated[int, Meta(ge=0, le=2**53)]
    started_at: Millis
    targets: Count
    failing: Count
    newly_failing: Count
    connectivity: bool
    lag_ms: Annotated[float, Meta(ge=0, le=1e12)]
    spool: Count
    clock_offset_ms: Annotated[int, Meta(ge=-(10**13), le=10**13)] | None
    missing_secrets: MissingSecrets = {}


class Tick(Struct, frozen=True, gc=False, tag_field="control", tag="tick"):
    """Moves the clock of an idle partition while all probers are silent."""

    worker: Annotated[str, Meta(max_length=1_000)]


Control = (
    TargetSet | TargetRemoved | TargetPaused | TargetResumed | Acknowledged | Resolved | Beat | Tick
)

_decoder: JsonDecoder[Control] = JsonDecoder(Control)
_encoder = msgspec.json.Encoder()


def paused(pause: Pause) -> TargetPaused:
    """What the stream is told of a pause of [policy]."""
    return TargetPaused(
        target=pause.name, until=pause.until, by=pause.by, note=pause.reason or None
    )


def headers(record: Control) -> list[tuple[str, bytes]]:
    """The headers of the message that carries `record`; its value is `b""`."""
    return [(HEADER, _encoder.encode(record))]


def body(message_headers: Iterable[tuple[str, bytes]]) -> bytes | None:
    """The body of the control record in a message's headers, None if it carries none."""
    for name, value in message_headers:
        if name == HEADER:
            return value
    return None


def decode(raw: bytes) -> Control:
    """Decodes a body.

    Raises:
        msgspec.DecodeError: not JSON.
        msgspec.ValidationError: JSON, but no control record of this version.
    """
    return _decoder.decode(raw)
