"""A recheck request on [rechecks]: every region checks all targets of a host at once."""

from typing import Literal

from msgspec import Struct

from schemas._types import Millis, Name, TargetId
from schemas.json_decoder import JsonDecoder


class RecheckRequest(Struct, frozen=True, gc=False, kw_only=True):
    """Asks for a check of every target of `host`, now.

    `host` is the partition key of the targets: the canonical host, or the id of a target without
    one. `target` is the target whose change caused the request: one of the host, or one that
    depends on one of the host. `because` names the change. Times are the stream's (broker append
    time, UTC ms); a prober ignores the request after `expires_at`.
    """

    host: Name
    target: TargetId
    because: Literal["failure", "recovery"]
    requested_at: Millis
    expires_at: Millis


_decoder: JsonDecoder[RecheckRequest] = JsonDecoder(RecheckRequest)


def decode(value: bytes) -> RecheckRequest:
    """Decodes a value of [rechecks].

    Raises:
        msgspec.DecodeError: not a recheck request.
    """
    return _decoder.decode(value)
