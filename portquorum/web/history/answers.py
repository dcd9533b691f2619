"""What the history answers: the values that pages and API show.

Times are UTC ms, lengths in s or ms as their names say, percentages from 0 to 100. What was not
measured is None, never 0. Names, reasons, details and notes are as they came, summaries, subjects
and errors cut to 2,000 characters: whoever shows them cleans them.
"""

from datetime import date

from msgspec import Struct

from schemas.incident import IncidentEvent


class TimeWindow(Struct, frozen=True, gc=False, kw_only=True):
    """A span of time in steps, for charts: `since` is included, `until` is not.

    `name` is one of `windows.NAMES`, or empty for a span of its own. Both ends are multiples of
    `step_ms`, so that `until` may lie a step ahead of now.
    """

    name: str
    since: int
    until: int
    step_ms: int


class DayUptime(Struct, frozen=True, gc=False, kw_only=True):
    """A target's day (UTC), as the view `uptime_daily` has it (docs/analytics.md)."""

    day: date
    watched_s: float
    measured_s: float
    down_s: float
    maintenance_s: float
    down_in_maintenance_s: float
    uptime_percent: float | None
    uptime_without_maintenance_percent: float | None


class UptimeOver(Struct, frozen=True, gc=False, kw_only=True):
    """The uptime over the last `days` days, today included; see `DayUptime`."""

    days: int
    measured_s: float
    down_s: float
    uptime_percent: float | None
    uptime_without_maintenance_percent: float | None


class LatencyStep(Struct, frozen=True, gc=False, kw_only=True):
    """The checks of one region in the step that begins at `at`.

    `checks` were up or down, `up` succeeded, `missed` measured nothing. Latencies are those of the
    successes; None without one.
    """

    at: int
    checks: int
    up: int
    missed: int
    p50_ms: float | None
    p95_ms: float | None
    max_ms: float | None


class RegionLatency(Struct, frozen=True, kw_only=True):
    """One region's steps in their order; a step without any check is not there: it is a gap."""

    region: str
    steps: tuple[LatencyStep, ...]


class IncidentSpan(Struct, frozen=True, gc=False, kw_only=True):
    """An incident on a line of time.

    `began_at` is the first failure, `ended_at` the end of the trouble as docs/analytics.md defines
    it (None: it goes on), which need not be `closed_at` (None: it is open).
    """

    incident_id: str
    incident_type: str
    severity: str
    target: str
    name: str
    began_at: int
    opened_at: int
    ended_at: int | None
    closed_at: int | None
    closed_because: str | None
    duration_s: float
    summary: str
    acknowledged_by: str | None


class MaintenanceSpan(Struct, frozen=True, gc=False, kw_only=True):
    """A time at which a maintenance window was, is or will be on."""

    source: str
    name: str
    began_at: int
    ended_at: int


class RegionSpan(Struct, frozen=True, gc=False, kw_only=True):
    """A time at which a region was not to be relied on.

    `what` is `silent` (no prober was heard) or `suspect` (it was set aside). `ended_at` is None as
    long as it goes on.
    """

    region: str
    what: str
    began_at: int
    ended_at: int | None
    summary: str


class CheckSeen(Struct, frozen=True, gc=False, kw_only=True):
    """One check of a target. `latency_ms`: of the connection, or the whole check without one."""

    at: int
    status: str
    reason: str | None
    detail: str
    attempt: int
    cause: str
    latency_ms: float | None


class RegionChecks(Struct, frozen=True, kw_only=True):
    """The last checks from one region, the newest first."""

    region: str
    checks: tuple[CheckSeen, ...]


class CertificateSeen(Struct, frozen=True, gc=False, kw_only=True):
    """The end of the certificate that a region saw last, and when it saw it."""

    region: str
    expires_at: int
    seen_at: int


class FieldChange(Struct, frozen=True, gc=False, kw_only=True):
    """One field of a definition, before and after, as JSON; None: it was not there."""

    field: str
    before: str | None
    after: str | None


class DefinitionChange(Struct, frozen=True, kw_only=True):
    """A definition of a target that was applied, or its removal, and what it changed.

    `source` is the inventory that it came from. The first one has no `fields`.
    """

    at: int
    source: str
    what: str
    fields: tuple[FieldChange, ...]


class JobRun(Struct, frozen=True, gc=False, kw_only=True):
    """A run of a job (kind heartbeat).

    `end`: `success`, `fail`, `running`, or `lost`: it began, and nobody said how it ended.
    `began_at` is None if it reported no start; `duration_ms` None if nobody knows. `output` has the
    last lines of what it said.
    """

    run: str
    began_at: int | None
    ended_at: int | None
    end: str
    duration_ms: float | None
    exit_code: int | None
    output: str
    detail: str


class JobSignal(Struct, frozen=True, gc=False, kw_only=True):
    """The newest report of a signal: `success`, `start`, `fail` or `log`."""

    signal: str
    at: int
    exit_code: int | None


class JobHistory(Struct, frozen=True, kw_only=True):
    """What a job reported; a part that could not be had is None.

    `runs`: the newest first. `durations`: of the runs that ended well, by step; a step without an
    end is not there.
    """

    runs: tuple[JobRun, ...] | None = None
    signals: tuple[JobSignal, ...] | None = None
    durations: tuple[LatencyStep, ...] | None = None


class TargetHistory(Struct, frozen=True, kw_only=True):
    """Everything of the target page that is history.

    A part that ClickHouse could not answer is None, and `trouble` says why in one sentence.
    `days` has every day of the last 90, also those without a measurement. `incidents` are all that
    touch the window or the 90 days, the newest first, at most `MOST_INCIDENTS`;
    `incidents_left_out` is the number of older ones, None if `incidents` is. `job` is that of a
    job, which has neither latencies nor checks.
    """

    target: str
    window: TimeWindow
    days: tuple[DayUptime, ...] | None = None
    uptime: tuple[UptimeOver, ...] | None = None
    latency: tuple[RegionLatency, ...] | None = None
    incidents: tuple[IncidentSpan, ...] | None = None
    incidents_left_out: int | None = None
    maintenance: tuple[MaintenanceSpan, ...] | None = None
    regions: tuple[RegionSpan, ...] | None = None
    checks: tuple[RegionChecks, ...] | None = None
    certificates: tuple[CertificateSeen, ...] | None = None
    definitions: tuple[DefinitionChange, ...] | None = None
    job: JobHistory | None = None
    trouble: str | None = None


class IncidentRow(Struct, frozen=True, gc=False, kw_only=True):
    """An incident in a list, as its newest event says; `ended_at`, `duration_s`: `IncidentSpan`."""

    incident_id: str
    incident_type: str
    severity: str
    target: str
    name: str
    kind: str
    host: str | None
    port: int | None
    team: str | None
    criticality: str
    began_at: int
    opened_at: int
    ended_at: int | None
    closed_at: int | None
    closed_because: str | None
    duration_s: float
    summary: str
    acknowledged_by: str | None
    resolved_by: str | None
    expect: str = "open"


class IncidentPage(Struct, frozen=True, kw_only=True):
    """A page of incidents, the newest opening first. `next` is the cursor of the page after it."""

    rows: tuple[IncidentRow, ...]
    total: int
    next: str | None


class TimelineEvent(Struct, frozen=True, kw_only=True):
    """One event of an incident, with the votes behind the decision (schemas.incident.Votes)."""

    event_id: str
    event: str
    at: int
    summary: str
    changes: tuple[str, ...]
    episode: int
    votes_down: int
    votes_need: int
    votes_fresh: int
    votes_configured: int
    acknowledged_by: str | None
    note: str | None


class VerdictSpan(Struct, frozen=True, gc=False, kw_only=True):
    """How long a region said one thing. `ended_at` is None for its last word in an open incident.

    `verdict` is `up`, `down`, `slow`, `stale` or `pending`; `set_aside`: it did not count.
    """

    verdict: str
    reason: str | None
    detail: str | None
    began_at: int
    ended_at: int | None
    set_aside: bool


class RegionVerdicts(Struct, frozen=True, kw_only=True):
    """What one region said during an incident, in its order."""

    region: str
    spans: tuple[VerdictSpan, ...]


class Told(Struct, frozen=True, gc=False, kw_only=True):
    """The newest entry of the send log for an event and a channel (schemas.notification).

    `name` is the short name of the channel. `status`: `sent`, `retrying`, `dead`, `not_sent` (`why`
    says why). `error` is what the channel answered.
    """

    event: str
    event_at: int
    channel: str
    name: str
    status: str
    action: str | None
    attempt: int
    at: int
    subject: str
    error: str | None
    why: str | None


class IncidentHistory(Struct, frozen=True, kw_only=True):
    """An incident from its first failure on.

    `newest` is its newest event, `events` are all in their order, `regions` sorted by name. `told`
    is None if the send log could not be read, and `trouble` says why.
    """

    newest: IncidentEvent
    began_at: int
    ended_at: int | None
    duration_s: float
    events: tuple[TimelineEvent, ...]
    regions: tuple[RegionVerdicts, ...]
    told: tuple[Told, ...] | None
    trouble: str | None = None


class ResultRow(Struct, frozen=True, gc=False, kw_only=True):
    """One result, as schemas.result.CheckResult; the columns of the API and of its CSV."""

    target: str
    kind: str
    host: str | None
    port: int | None
    region: str
    prober: str
    scheduled_at: int
    started_at: int
    status: str
    reason: str | None
    attempt: int
    cause: str
    detail: str
    address: str
    dns_ms: float | None
    connect_ms: float | None
    tls_ms: float | None
    total_ms: float | None
    cert_expires_at: int | None
    http_status: int | None
    banner: str
    signal: str | None = None
    exit_code: int | None = None
    run: str = ""
    output: str = ""


class ResultPage(Struct, frozen=True, kw_only=True):
    """A page of results, the newest first. `next` is the cursor of the page after it."""

    rows: tuple[ResultRow, ...]
    next: str | None


class UptimeRow(Struct, frozen=True, gc=False, kw_only=True):
    """The uptime of a target, of a team's targets or of all, over a time or in one day of it.

    `name` is the id of the target or the name of the team (empty: no team). `day` is None for the
    whole time.
    """

    name: str
    day: date | None
    watched_s: float
    measured_s: float
    down_s: float
    maintenance_s: float
    uptime_percent: float | None
    uptime_without_maintenance_percent: float | None
