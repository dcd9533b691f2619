"""The answers of the three APIs, in their own words. Pure."""

from typing import Final

import msgspec
from msgspec import Struct

from portquorum.receiver.report import MOST_OUTPUT
from portquorum.serving.plain_answer import TEXT, Header

RETRY_AFTER_S: Final = 5
_UNAVAILABLE: Final = 503

_EVERYWHERE: Final[tuple[Header, ...]] = (
    (b"access-control-allow-origin", b"*"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
)
_JSON: Final = b"application/json; charset=utf-8"
_LATER: Final[Header] = (b"retry-after", str(RETRY_AFTER_S).encode())
_LIMIT: Final[Header] = (b"ping-body-limit", str(MOST_OUTPUT).encode())


class RefusedError(Exception):
    """A request is not taken; the answer says why."""

    def __init__(self, answer: "Answer") -> None:
        super().__init__(answer.status)
        self.answer = answer


class TakenError(RefusedError):
    """A job can't be made: something has its id, perhaps since a moment ago."""

    def __init__(self) -> None:
        super().__init__(NOT_FOUND)


class Answer(Struct, frozen=True):
    """An answer: status, body, and what goes beyond the first headers."""

    status: int
    body: bytes
    headers: tuple[Header, ...] = _EVERYWHERE
    kind: bytes = TEXT


def said(status: int, text: str, *more: Header) -> Answer:
    """A text."""
    return Answer(status, text.encode(), (*_EVERYWHERE, *more))


OK: Final = said(200, "OK", _LIMIT)
CREATED: Final = said(201, "Created", _LIMIT)
NOT_FOUND: Final = said(404, "not found")
AMBIGUOUS: Final = said(409, "ambiguous slug")
TOO_SLOW: Final = said(408, "the body took too long")
NOT_CONFIRMED: Final = said(_UNAVAILABLE, "not confirmed, send it again", _LATER)
NOT_READY: Final = said(_UNAVAILABLE, "not ready yet, send it again", _LATER)
OPTIONS: Final = Answer(
    204,
    b"",
    (
        *_EVERYWHERE,
        (b"access-control-allow-methods", b"GET, HEAD, POST, PUT"),
        (b"access-control-allow-headers", b"*"),
        (b"access-control-max-age", b"86400"),
    ),
)


def not_allowed(*methods: str) -> Answer:
    """405."""
    return said(405, "method not allowed", (b"allow", ", ".join(methods).encode()))


class Words(Struct, frozen=True):
    """What an API says when a report was taken, or could not be taken now."""

    ok: Answer
    not_ready: Answer
    not_confirmed: Answer


class _KumaOk(Struct):
    ok: bool


class _KumaError(Struct):
    ok: bool
    msg: str


def kuma_ok() -> Answer:
    """As Uptime Kuma says that it took a push."""
    return Answer(200, msgspec.json.encode(_KumaOk(ok=True)), kind=_JSON)


def kuma_error(status: int, text: str) -> Answer:
    """As Uptime Kuma says that it did not."""
    headers = (*_EVERYWHERE, _LATER) if status == _UNAVAILABLE else _EVERYWHERE
    return Answer(status, msgspec.json.encode(_KumaError(ok=False, msg=text)), headers, _JSON)


HEALTHCHECKS: Final = Words(OK, NOT_READY, NOT_CONFIRMED)
KUMA: Final = Words(
    kuma_ok(),
    kuma_error(_UNAVAILABLE, "Not ready yet, send it again."),
    kuma_error(_UNAVAILABLE, "Not confirmed, send it again."),
)
GATUS: Final = Words(said(200, ""), NOT_READY, NOT_CONFIRMED)
