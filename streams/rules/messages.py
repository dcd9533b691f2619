"""The decisions of the rules as messages: topic, key, value, headers."""

from collections.abc import Callable
from typing import Final, Literal

import msgspec
from msgspec import Struct, structs

from schemas import incident
from schemas.deadletter import DeadLetter
from schemas.incident import SOURCE, Event, IncidentEvent
from schemas.partition import host_key, partition_for
from schemas.recheck import RecheckRequest
from streams.rules.apply import Output

MOST_BYTES: Final = 900_000
"""Most bytes of a message's value; default broker and producer accept 1,048,576 with headers and
key."""

_SHORT: Final = 400
_FEW: Final = 50
_encode: Final = msgspec.json.Encoder().encode


class OutMessage(Struct, frozen=True, gc=False):
    """A message for `partition` of `topic`; None is that with the number of the record's partition.

    `topic` is the name without prefix. `kind` is the label in metrics: the `ce_type` of an event,
    `recheck` for a request, `open` for [incidents.open]. A `value` of None removes the key. `then`
    is sent once this message is confirmed.
    """

    topic: Literal["incidents", "incidents.open", "rechecks", "deadletter"]
    kind: str
    key: bytes
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    partition: int | None = None
    then: "OutMessage | None" = None


def encode(output: Output, partitions: int, source: str = SOURCE) -> OutMessage:
    """The message; the same output always gives the same bytes. `source` is an event's `ce_source`.

    A request lies in the partition of its host, as the host's targets do: of `partitions` it may be
    another than that of the record.
    """
    if isinstance(output, RecheckRequest):
        place = partition_for(output.host, partitions)
        return OutMessage(
            "rechecks", "recheck", output.host.encode(), _encode(output), partition=place
        )
    value = _fitting(output)
    headers = tuple(incident.headers(output, source))
    then = None
    if isinstance(output, IncidentEvent):
        key = host_key(output.host, output.target)
        closed = output.event == "closed"
        then = open_message(output.incident_id.encode(), None if closed else value, headers)
    else:
        key = incident.subject(output)
    kind = incident.event_type(output)
    return OutMessage("incidents", kind, key.encode(), value, headers, then=then)


def open_message(
    incident_id: bytes, value: bytes | None, headers: tuple[tuple[str, bytes], ...] = ()
) -> OutMessage:
    """The message on [incidents.open]: the newest event of an open incident; None: it is closed."""
    return OutMessage("incidents.open", "open", incident_id, value, headers)


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
