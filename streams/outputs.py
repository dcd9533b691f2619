"""What the rules decide, as messages: topic, key, value, headers."""

from typing import Final, Literal

import msgspec
from msgspec import Struct

from schemas import incident
from schemas.incident import RegionEvent
from schemas.partition import host_key
from schemas.recheck import RecheckRequest
from streams.rules import Output

_encode: Final = msgspec.json.Encoder().encode


class OutMessage(Struct, frozen=True, gc=False):
    """A message for the partition of `topic` that has the number of the record's own.

    `topic` is the name without prefix. `kind` is what metrics count it by: the `ce_type` of an
    event, `recheck` for a request.
    """

    topic: Literal["incidents", "rechecks"]
    kind: str
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


def encode(output: Output) -> OutMessage:
    """The message; the same output always gives the same bytes."""
    if isinstance(output, RecheckRequest):
        return OutMessage("rechecks", "recheck", output.host.encode(), _encode(output))
    key = output.region if isinstance(output, RegionEvent) else host_key(output.host, output.target)
    return OutMessage(
        "incidents",
        incident.event_type(output),
        key.encode(),
        incident.encode(output),
        tuple(incident.headers(output)),
    )
