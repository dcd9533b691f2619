"""What the page of a target shows of a job: what is expected of it, its last reports, its runs."""

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from portquorum.inventory.heartbeats import next_due
from portquorum.web.answers import TargetAnswer
from portquorum.web.charts import amounts
from portquorum.web.charts.chart import Table
from portquorum.web.history.answers import JobHistory, JobRun, TargetHistory
from portquorum.web.pages.number_words import cut, fill
from portquorum.web.pages.schedule_words import schedule_words
from portquorum.web.pages.viewer import Viewer
from portquorum.web.words import ENGLISH, RUN_ENDS
from schemas.duration import duration_text
from schemas.probe import HeartbeatProbe
from schemas.target import Target

MOST_OUTPUT: Final = 4_000
_LAST_LINE: Final = 80
_STATES: Final = {"success": "up", "fail": "down"}
_MOST_MISSED: Final = 1_000
"""Due times that are passed over at most, to find the next one."""


class RunRow(Struct, frozen=True, kw_only=True):
    """A run: `key` stays, `state` is that of its mark, `last_line` that of its output, cut."""

    key: str
    began_at: int | None
    ended_at: int | None
    is_running: bool
    state: str
    said: str
    took: str
    exit_code: int | None
    detail: str
    last_line: str
    output: str


class JobView(Struct, frozen=True, kw_only=True):
    """What the page shows of a job. Times are UTC ms, None: not known.

    `due_at` is when the next report is due, in the past if it `is_late`. `is_known`: its reports
    could be asked for.
    """

    expects: tuple[tuple[str, str], ...]
    is_known: bool
    last_report_at: int | None
    last_report: str
    last_success_at: int | None
    running_since: int | None
    due_at: int | None
    deadline_at: int | None
    is_late: bool
    runs: tuple[RunRow, ...]


def job_view(answer: TargetAnswer, past: TargetHistory) -> JobView | None:
    """None: the target is no job, or its definition is not one that is understood."""
    probe = answer.definition.probe
    if not isinstance(probe, HeartbeatProbe):
        return None
    history = past.job or JobHistory()
    signals = {one.signal: one for one in history.signals or ()}
    ends = [signals[name] for name in ("success", "fail") if name in signals]
    last = max(ends, key=lambda one: one.at, default=None)
    success = signals.get("success")
    due = _due(answer, probe, history, None if last is None else last.at)
    late = due is not None and due < answer.freshness.now
    return JobView(
        expects=tuple(expects(probe)),
        is_known=history.signals is not None,
        last_report_at=None if last is None else last.at,
        last_report="" if last is None else last.signal,
        last_success_at=None if success is None else success.at,
        running_since=_running_since(history.runs or ()),
        due_at=due,
        deadline_at=None if due is None else due + probe.grace_ms,
        is_late=late,
        runs=tuple(_row(one, answer.freshness.now) for one in history.runs or ()),
    )


def expects(probe: HeartbeatProbe) -> Iterator[tuple[str, str]]:
    """How often a job reports and how long it may take, in words."""
    w = ENGLISH.jobs
    if probe.interval_ms is not None:
        yield w.reports, fill(w.every, length=duration_text(probe.interval_ms))
    else:
        written = f"{probe.schedule or ''} ({probe.zone})"
        words = schedule_words(probe.schedule or "")
        yield w.reports, f"{words}: {written}" if words else written
    yield w.grace, duration_text(probe.grace_ms)
    if probe.max_runtime_ms is not None:
        yield w.max_runtime, duration_text(probe.max_runtime_ms)


def _due(
    answer: TargetAnswer, probe: HeartbeatProbe, history: JobHistory, last: int | None
) -> int | None:
    """When the next report is due; of a job that is down the next time that is still to come."""
    if history.signals is None or answer.row.state == "paused":
        return None
    now = answer.freshness.now
    due = next_due(probe, answer.definition.version if last is None else last)
    if answer.row.state != "down" or due is None:
        return due
    if probe.interval_ms is not None:
        missed = max(0, now - due) // probe.interval_ms + (due < now)
        return due + missed * probe.interval_ms
    for _ in range(_MOST_MISSED):
        if due is None or due >= now:
            return due
        due = next_due(probe, max(due, now - 60_000))
    return None


def _running_since(runs: Sequence[JobRun]) -> int | None:
    return next((one.began_at for one in runs if one.end == "running"), None)


def _row(one: JobRun, now: int) -> RunRow:
    output = one.output.strip("\n")[:MOST_OUTPUT]
    took = one.duration_ms
    if one.end == "running" and one.began_at is not None:
        took = float(max(0, now - one.began_at))
    return RunRow(
        key=f"{one.began_at or 0}-{one.ended_at or 0}",
        began_at=one.began_at,
        ended_at=one.ended_at,
        is_running=one.end == "running",
        state=_STATES.get(one.end, "unknown"),
        said=RUN_ENDS.get(one.end, one.end),
        took="" if took is None else amounts.took(took),
        exit_code=one.exit_code,
        detail=one.detail,
        last_line=cut(output.rpartition("\n")[2], _LAST_LINE),
        output=output,
    )


def runs_table(runs: Sequence[JobRun], viewer: Viewer) -> Table:
    """All runs that the page has, the newest first."""
    w = ENGLISH.jobs
    return Table(
        (w.began, w.ended, w.took, w.end, w.exit_code),
        tuple(
            (
                "" if one.began_at is None else viewer.exactly(one.began_at),
                "" if one.ended_at is None else viewer.exactly(one.ended_at),
                amounts.took(one.duration_ms),
                RUN_ENDS.get(one.end, one.end),
                "" if one.exit_code is None else f"{one.exit_code}",
            )
            for one in runs
        ),
    )


def facts(one: Target, viewer: Viewer) -> list[tuple[str, str | None]]:
    """Whose a job is, in words; None is left out. What is expected of it stands above."""
    w = ENGLISH
    return [
        (w.identity, one.id),
        (w.kind, w.jobs.kind),
        (w.team, one.team),
        (w.criticality, one.criticality),
        (w.tags, cut(", ".join(one.tags), 500)),
        (w.slo, f"{one.slo:g} %" if one.slo is not None else None),
        (w.source, one.source),
        (w.version, viewer.both(one.version)),
    ]
