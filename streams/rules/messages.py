"""The decisions of the rules as messages: topic, key, value, headers."""

from collections.abc import Callable
from typing import Final, Literal

import msgspec
from msgspec import Struct, structs

from schemas import incident
from schemas.deadletter import DeadLetter
from schemas.incident import Event, IncidentEvent
from schemas.partition import host_key
from schemas.recheck import RecheckRequest
from streams.rules.apply import Output

MOST_BYTES: Final = 900_000
"""Most bytes of a message's value; default broker and producer accept 1,048,576 with headers and
key."""

_SHORT: Final = 400
_FEW: Final = 50
_encode: Final = msgspec.json.Encoder().encode


class OutMessage(Struct, frozen=True, gc=False):
    """A message for the partition of `topic` with the same number as the record's partition.

    `partition`, if set, replaces that number. `topic` is the name without prefix. `kind` is the
    label in metrics: the `ce_type` of an event, `recheck` for a request.
    """

    topic: Literal["incidents", "rechecks", "deadletter"]
    kind: str
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()
    partition: int | None = None


def encode(output: Output) -> OutMessage:
    """The message; the same output always gives the same bytes."""
    if isinstance(output, RecheckRequest):
        return OutMessage("rechecks", "recheck", output.host.encode(), _encode(output))
    if isinstance(output, IncidentEvent):
        key = host_key(output.host, output.target)
    else:
        key = incident.subject(output)
    return OutMessage(
        "incidents",
        incident.event_type(output),
        key.encode(),
        _fitting(output),
        tuple(incident.headers(output)),
    )


def dead_letter(found: DeadLetter) -> OutMessage:
    """The message of a dead letter; the same letter always gives the same bytes."""
    return OutMessage("deadletter", "deadletter", found.id.encode(), _encode(found), partition=0)


def _fitting(event: Event) -> bytes:
    """The value of an event, of at most `MOST_BYTES`.

    Nobody sees an event that the broker refuses. Therefore a larger event loses first the least
    important lists, then the longest texts, and only as many as necessary.
    """
    value = incident.encode(event)
    if len(value) <= MOST_BYTES or not isinstance(event, IncidentEvent):
        return value
    for shorter in _SHORTER:
        event = shorter(event)
        value = incident.encode(event)
        if len(value) <= MOST_BYTES:
            break
    return value


def _without_details(event: IncidentEvent) -> IncidentEvent:
    regions = {name: structs.replace(said, detail=None) for name, said in event.regions.items()}
    return structs.replace(event, regions=regions)


def _short_texts(event: IncidentEvent) -> IncidentEvent:
    return structs.replace(
        event,
        summary=event.summary[:_SHORT],
        changes=tuple(text[:_SHORT] for text in event.changes[:_FEW]),
        first_steps=tuple(text[:_SHORT] for text in event.first_steps[:_FEW]),
        depends_on=event.depends_on[:_FEW],
        tags=event.tags[:_FEW],
    )


_SHORTER: Final[tuple[Callable[[IncidentEvent], IncidentEvent], ...]] = (
    lambda event: structs.replace(event, host_targets=event.host_targets[:1_000]),
    _without_details,
    lambda event: structs.replace(event, host_targets=()),
    _short_texts,
)
