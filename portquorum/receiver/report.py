"""What a job says, as a value, and the result that it becomes. Pure."""

import re
from typing import Final, Literal

from msgspec import Struct

from schemas.plain_text import one_line, plain
from schemas.result import RECEIVER, CheckResult, Reason, Signal, Status

Surface = Literal["healthchecks", "kuma", "gatus"]
"""Whose API a client speaks."""

MOST_OUTPUT: Final = 4_000
"""Characters of a job's output that are kept: the last ones."""
MOST_DETAIL: Final = 300
LONGEST_MS: Final = 86_400_000.0
"""Longest duration that a result can have; a longer one is left out."""
HIDDEN: Final = "***"

_ESCAPES: Final = re.compile(
    "\x1b\\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor (ECMA-48, section 5.4)
    "|\x1b\\][^\x07\x1b]*(?:\x07|\x1b\\\\)"  # OSC: titles, links
    "|\x1b[ -/]*[0-Z\\\\^-~]"
)
_RULED: Final[dict[Signal, tuple[Status, Reason | None]]] = {
    "success": ("up", None),
    "fail": ("down", "job_failed"),
    "start": ("missed", None),
    "log": ("missed", None),
}


class Report(Struct, frozen=True, kw_only=True):
    """A report as it came. `total_ms` is the duration that the client measured, in ms."""

    surface: Surface
    signal: Signal
    exit_code: int | None = None
    run: str | None = None
    total_ms: float | None = None
    output: str | None = None
    detail: str | None = None


class Job(Struct, frozen=True, gc=False, kw_only=True):
    """What a receiver knows of a heartbeat: a target of this kind."""

    id: str
    name: str
    team: str | None
    tags: tuple[str, ...]
    version: int
    enabled: bool


def result_of(report: Report, job: Job, *, prober: str, at_ms: int, attempt: int) -> CheckResult:
    """The line of [results]; `at_ms` is the arrival in the broker's time (UTC ms)."""
    status, reason = _RULED[report.signal]
    return CheckResult(
        target=job.id,
        kind="heartbeat",
        host=None,
        port=None,
        region=RECEIVER,
        prober=prober,
        scheduled_at=at_ms,
        started_at=at_ms,
        status=status,
        reason=reason,
        attempt=attempt,
        cause="schedule",
        target_version=job.version,
        detail=report.detail,
        total_ms=report.total_ms,
        signal=report.signal,
        exit_code=report.exit_code,
        run=report.run,
        output=report.output,
    )


def output_of(text: str, secret: str) -> str | None:
    """The end of what a job said, without control characters and without the secret.

    None if nothing is left. Line feeds and tabs stay.
    """
    # Long texts are cut first: what is cut off later may only be a few escapes.
    text = _ESCAPES.sub("", text[-4 * MOST_OUTPUT :])
    text = plain(text.replace("\r\n", "\n").replace("\r", "\n"))
    return without(text, secret).strip()[-MOST_OUTPUT:] or None


def detail_of(text: str, secret: str) -> str | None:
    """A short text on one line; None if there is none."""
    return without(one_line(_ESCAPES.sub("", text)), secret).strip()[:MOST_DETAIL] or None


def without(text: str, secret: str) -> str:
    """The text without a secret, which `curl -v` and the like print."""
    return text.replace(secret, HIDDEN) if secret else text


def duration_ms(text: str) -> float | None:
    """A number of ms as a result can have it; None: it is no such number."""
    try:
        number = float(text)
    except ValueError:
        return None
    return bounded_ms(number)


def bounded_ms(number: float) -> float | None:
    """The number, to the µs, if a result can have it."""
    return round(number, 3) if 0 <= number <= LONGEST_MS else None
