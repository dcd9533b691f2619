"""Push monitors of Uptime Kuma: `/api/push/TOKEN` (its server/routers/api-router.js). Pure."""

from typing import Final

from portquorum.receiver.answers import RefusedError, kuma_error
from portquorum.receiver.lookup import Lookup, NotFoundError
from portquorum.receiver.report import Report, bounded_ms, detail_of, output_of
from portquorum.receiver.request import Request, Understood

_MOST_MS: Final = 100_000_000_000
_NO_PING: Final = f"Invalid ping value. Must be between 0 and {_MOST_MS} ms."
_NO_MONITOR: Final = "Monitor not found or not active."
_UP: Final = "up"
_NO_WORDS: Final = "OK"
"""What a monitor of Kuma sends unless it is told what to say."""


def understood(request: Request, lookup: Lookup) -> Understood:
    """What is pushed, for which job; all methods do.

    Raises:
        RefusedError: nothing that can be taken.
        NotReadyError: see `Lookup.key`.
    """
    query = request.query
    took_ms = _ping(query.get("ping", ""))
    try:
        (secret,) = request.parts
        job = lookup.only(lookup.key(secret))
    except (NotFoundError, ValueError):
        raise RefusedError(kuma_error(404, _NO_MONITOR)) from None
    is_up = (query.get("status") or _UP) == _UP
    words = query.get("msg", "")
    report = Report(
        surface="kuma",
        signal="success" if is_up else "fail",
        total_ms=took_ms,
        output=None if words == _NO_WORDS else output_of(words, secret),
        detail=None if is_up else detail_of(words, secret),
    )
    return Understood(job=job, report=report, secret=secret)


def _ping(text: str) -> float | None:
    """The response time that was measured, in ms; Kuma takes what is no number for none, 0 too."""
    try:
        number = float(text)
    except ValueError:
        return None
    if number < 0 or number > _MOST_MS:
        raise RefusedError(kuma_error(404, _NO_PING))
    return bounded_ms(number) if number else None
