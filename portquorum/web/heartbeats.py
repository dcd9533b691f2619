"""Heartbeats as API and pages show them: what is expected of each, and what it reported last."""

from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from portquorum.changing.keys import Keys
from portquorum.inventory.heartbeats import KIND, next_due
from portquorum.web.answers import Freshness, State, TargetQuery
from portquorum.web.history.errors import HistoryTooSlowError, HistoryUnavailableError
from portquorum.web.history.job_reports import JobReports
from portquorum.web.ports import Fleet, History
from schemas.probe import HeartbeatProbe
from schemas.target import Criticality, Target


class HeartbeatRow(Struct, frozen=True, kw_only=True):
    """A job that reports itself.

    `interval_ms` or `schedule` (on the clock of `zone`) says how often. `last_…` are its newest
    reports, None: none yet, or not known while ClickHouse is away (`reports_known`); `exit_code` is
    that of the newest success or failure. `due_at`: when the next report is due after the newest
    one (before the first: after its definition), `deadline_at` is `grace_ms` later. Both are by the
    definition alone: starts, and times in which no receiver listened, move them for the rules
    (docs/rules.md, 16). They are None of a job that is not expected to report (paused), and while
    its reports are not known.
    """

    id: str
    name: str
    state: State
    since: int | None
    criticality: Criticality
    team: str | None
    tags: tuple[str, ...]
    interval_ms: int | None
    schedule: str | None
    zone: str
    grace_ms: int
    max_runtime_ms: int | None
    reports_known: bool
    last_report_at: int | None
    last_success_at: int | None
    last_failure_at: int | None
    last_start_at: int | None
    exit_code: int | None
    due_at: int | None
    deadline_at: int | None
    keys: int


class HeartbeatsAnswer(Struct, frozen=True, kw_only=True):
    """Heartbeats of a query; `total`: all that match, `next_cursor` is empty at the end."""

    freshness: Freshness
    heartbeats: tuple[HeartbeatRow, ...]
    total: int
    next_cursor: str


async def heartbeats(
    fleet: Fleet, history: History, keys: Keys, asked: TargetQuery
) -> HeartbeatsAnswer:
    """A page of heartbeats; of `asked` the kinds are not looked at.

    Raises:
        CursorError: the cursor is none.
    """
    page = fleet.targets(replace(asked, kinds=(KIND,), facets=False))
    found = [one for row in page.rows if (one := fleet.target(row.id)) is not None]
    reports = await reports_of(history, [one.row.id for one in found])
    number: dict[str, int] = {}
    for key in keys.listed("ping"):
        if key.about is not None:
            number[key.about] = number.get(key.about, 0) + 1
    rows = [
        row_of(one.definition, one.row.state, one.row.since, reports, number.get(one.row.id, 0))
        for one in found
        if isinstance(one.definition.probe, HeartbeatProbe)
    ]
    return HeartbeatsAnswer(
        freshness=page.freshness,
        heartbeats=tuple(rows),
        total=page.total,
        next_cursor=page.next_cursor,
    )


async def reports_of(history: History, targets: Sequence[str]) -> Mapping[str, JobReports] | None:
    """The newest reports of jobs; None: ClickHouse is away."""
    try:
        return await history.job_reports(targets)
    except (HistoryUnavailableError, HistoryTooSlowError):
        return None


def row_of(
    target: Target,
    state: State,
    since: int | None,
    reports: Mapping[str, JobReports] | None,
    keys: int = 0,
) -> HeartbeatRow:
    """One heartbeat as it is."""
    probe = target.probe if isinstance(target.probe, HeartbeatProbe) else HeartbeatProbe()
    last = (reports or {}).get(target.id, JobReports())
    due_at = None
    if reports is not None and state != "paused":
        due_at = next_due(probe, last.report_at or target.version)
    return HeartbeatRow(
        id=target.id,
        name=target.name,
        state=state,
        since=since,
        criticality=target.criticality,
        team=target.team,
        tags=target.tags,
        interval_ms=probe.interval_ms,
        schedule=probe.schedule,
        zone=probe.zone,
        grace_ms=probe.grace_ms,
        max_runtime_ms=probe.max_runtime_ms,
        reports_known=reports is not None,
        last_report_at=last.report_at,
        last_success_at=last.success_at,
        last_failure_at=last.failure_at,
        last_start_at=last.start_at,
        exit_code=last.exit_code,
        due_at=due_at,
        deadline_at=None if due_at is None else due_at + probe.grace_ms,
        keys=keys,
    )
