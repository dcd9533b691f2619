"""The runs of a job, from its reports. Pure."""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from portquorum.web.history.answers import JobRun

MOST_RUNNING: Final = 16
"""As rule 16 has it: of more runs that began the oldest is forgotten."""


class Report(Struct, frozen=True, gc=False, kw_only=True):
    """What a job reported. `total_ms`: how long the run took, as the job measured it."""

    signal: str
    at: int
    run: str
    total_ms: float | None
    exit_code: int | None
    output: str
    detail: str


def runs_of(reports: Iterable[Report]) -> tuple[JobRun, ...]:
    """The runs, the newest first; `reports` in their order.

    As rule 16 ends them: a success or failure ends the run that it names and all that began before
    that; one that names none, or one that is not known, ends all.
    """
    running: dict[str, int] = {}
    found: list[JobRun] = []
    for one in reports:
        if one.signal == "start":
            running.pop(one.run, None)
            running[one.run] = one.at
            if len(running) > MOST_RUNNING:
                oldest = next(iter(running))
                found.append(_begun(oldest, running.pop(oldest), "lost"))
        elif one.signal in {"success", "fail"}:
            began = running.pop(one.run, None)
            for run, at in list(running.items()):
                if began is None or at < began:
                    found.append(_begun(run, running.pop(run), "lost"))
            found.append(_ended(one, began))
    found += [_begun(run, at, "running") for run, at in running.items()]
    return tuple(sorted(found, key=lambda one: one.ended_at or one.began_at or 0, reverse=True))


def _begun(run: str, began_at: int, end: str) -> JobRun:
    return JobRun(
        run=run,
        began_at=began_at,
        ended_at=None,
        end=end,
        duration_ms=None,
        exit_code=None,
        output="",
        detail="",
    )


def _ended(one: Report, began_at: int | None) -> JobRun:
    took = one.total_ms
    if took is None and began_at is not None:
        took = float(one.at - began_at)
    return JobRun(
        run=one.run,
        began_at=began_at,
        ended_at=one.at,
        end=one.signal,
        duration_ms=took,
        exit_code=one.exit_code,
        output=one.output,
        detail=one.detail,
    )
