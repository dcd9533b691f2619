"""What the fleet answers: the one model of pages and API. Times are UTC ms, durations are in ms.

Names, summaries, notes and details are as people typed them and servers sent them: whoever shows
them escapes and cleans them. A `None` is "not known" or "does not apply", never zero.
"""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from schemas._types import Millis
from schemas.incident import (
    ClosedBecause,
    EventKind,
    HostTarget,
    IncidentEvent,
    IncidentType,
    RegionVerdict,
    Severity,
    Verdict,
    Votes,
)
from schemas.policy import Match
from schemas.target import Criticality, Target

State = Literal["down", "flapping", "slow", "unknown", "pending", "maintenance", "paused", "up"]
"""How a target is.

`down`: an incident `unreachable` is open (also one that improved), or one was resolved by hand and
most regions do not reach the target yet. `unknown`: nobody can judge it. `pending`: it has no
result yet. `maintenance`: a window is on, whatever else is true but a pause. `paused`: nobody
checks it, since somebody paused it or its inventory has it with `enabled: false`.
"""

STATES: Final[tuple[State, ...]] = (
    "down",
    "flapping",
    "slow",
    "unknown",
    "pending",
    "maintenance",
    "paused",
    "up",
)
"""The worst first: the order of lists."""

IncidentState = Literal["down", "flapping", "slow", "expiring"]
"""The word of an incident: its type as people see it."""

BlindBecause = Literal["starting", "kafka_away", "stream_stopped"]
"""`starting`: the topics are not read yet. `kafka_away`: no broker answers. `stream_stopped`: the
stream judges no results, so that an outage would open no incident."""

CauseKind = Literal["host", "gateway", "region", "unwatched", "certificate", "target"]
"""What open incidents have in common.

`gateway`: all depend on a target that is down; `host`: ports of one host; `region`: a region is
silent, or set aside; `unwatched`: nobody judges some targets; `certificate`: one that ends soon.
"""

RegionState = Literal["reporting", "silent", "suspect", "never_heard"]
SilenceState = Literal["active", "coming", "ended"]
Limit = Annotated[int, Meta(ge=1, le=1000)]


class Freshness(Struct, frozen=True, kw_only=True):
    """How old is what is shown.

    `now`: this process's time. `data_at`: when the stream last proved that it judges. `blind_since`
    and `blind_because` are set together: nothing that is shown may be true now. `status_at`: the
    newest answer of `status_now`; `history_away_since`: since then ClickHouse does not answer.
    `position` is the vector of offsets that is applied, an opaque text (the id of SSE).
    `regions_reporting` of `regions` report. `is_read`: all topics were read to their ends since
    this process began; until then what is not shown may exist. `kafka_trouble`: why Kafka can't be
    used, as "it refuses the user or the password"; `portquorum health` says more.
    """

    now: Millis
    data_at: Millis | None
    blind_since: Millis | None
    blind_because: BlindBecause | None
    status_at: Millis | None
    history_away_since: Millis | None
    regions: int
    regions_reporting: int
    position: str
    is_read: bool = True
    kafka_trouble: str | None = None


class Counts(Struct, frozen=True, kw_only=True):
    """Numbers of targets in each state; `expiring`, `failing` and `late` count beside the states.

    `failing`: more than half of the regions fail, and no incident is open yet. `late`: jobs whose
    report is due and not there. `total`: all.
    """

    down: int = 0
    flapping: int = 0
    slow: int = 0
    unknown: int = 0
    pending: int = 0
    maintenance: int = 0
    paused: int = 0
    up: int = 0
    expiring: int = 0
    failing: int = 0
    late: int = 0
    total: int = 0


class RegionMark(Struct, frozen=True, gc=False, kw_only=True):
    """What a region says of a target in an incident; `set_aside`: it does not count."""

    region: str
    verdict: Verdict
    set_aside: bool = False


class IncidentRow(Struct, frozen=True, kw_only=True):
    """An incident in a list.

    `began_at`: the first failure. `is_improved`: most regions reach the target again, some do not.
    `event`: the newest one. `maintenance` names the window and `silence` is the id of the silence
    that cover it now, else empty; the silence was made by `silence_by` because of `silence_reason`
    and ends at `silence_until`.
    `place`: `host:port`, or the target's id.
    """

    id: str
    type: IncidentType
    state: IncidentState
    severity: Severity
    event: EventKind
    target: str
    name: str
    kind: str
    host: str | None
    port: int | None
    place: str
    team: str | None
    criticality: Criticality
    summary: str
    regions: tuple[RegionMark, ...]
    began_at: Millis
    opened_at: Millis
    changed_at: Millis
    closed_at: Millis | None = None
    closed_because: ClosedBecause | None = None
    is_improved: bool = False
    episode: int = 1
    acknowledged_by: str | None = None
    acknowledged_note: str | None = None
    resolved_by: str | None = None
    expires_at: Millis | None = None
    expect: str = "open"
    maintenance: str = ""
    silence: str = ""
    silence_until: Millis | None = None
    silence_by: str = ""
    silence_reason: str = ""
    tags: tuple[str, ...] = ()


class OpenIncident(Struct, frozen=True, kw_only=True):
    """The newest event of an open incident, without what only its own page shows.

    `maintenance` names the window, and `silences` are the ids of the silences, that cover it now.
    """

    event: IncidentEvent
    maintenance: str = ""
    silences: tuple[str, ...] = ()


class CauseRow(Struct, frozen=True, kw_only=True):
    """Open incidents with one cause: a row of the overview.

    `key` names the cause for as long as it lasts (`TargetQuery.cause`). `title` is what failed: a
    host, the gateway's name, a region, the name of a target. `summary` is one sentence. `incident`
    is the leading one, None of a region. `incidents` and `targets` are numbers; of a gateway it
    counts too. `names` and `ports` are some of them. `unacknowledged` counts incidents nobody has
    acknowledged; `is_spared`: maintenance or a silence covers all of them. Of several incidents
    `newest_name` is the target that failed last, at `newest_at`.
    """

    key: str
    cause: CauseKind
    state: Literal["down", "flapping", "slow", "expiring", "unknown"]
    severity: Severity
    title: str
    summary: str
    incident: IncidentRow | None
    incidents: int
    targets: int
    names: tuple[str, ...]
    ports: tuple[int, ...]
    teams: tuple[str, ...]
    regions: tuple[RegionMark, ...]
    began_at: Millis | None
    unacknowledged: int
    acknowledged_by: tuple[str, ...] = ()
    is_improved: bool = False
    is_spared: bool = False
    newest_name: str = ""
    newest_at: Millis | None = None


class Mark(Struct, frozen=True, gc=False, kw_only=True):
    """Neighbours in a group's strip that are in one state, in thousandths of its width."""

    begin: int
    end: int
    state: State
    targets: int


class GroupRow(Struct, frozen=True, kw_only=True):
    """The targets with one value of a dimension (a team, a tag); `name` is empty: without one.

    `marks` are those that are not up, by name from left to right.
    """

    name: str
    counts: Counts
    marks: tuple[Mark, ...] = ()


class ProberRow(Struct, frozen=True, kw_only=True):
    """A prober by its newest beat (`at`)."""

    name: str
    at: Millis
    targets: int
    failing: int
    connectivity: bool
    lag_ms: float
    spool: int
    clock_offset_ms: int | None = None
    missing_secrets: dict[str, tuple[str, ...]] = {}


class RegionRow(Struct, frozen=True, kw_only=True):
    """A region, and what the stream or the beats last said of it.

    `since`: the last beat of a silent region, the beginning of a suspicion. `unknown`: how many of
    its targets nobody can judge. `is_in_policy`: the inventory has it.
    """

    name: str
    state: RegionState
    since: Millis | None
    last_beat_at: Millis | None
    targets: int
    unknown: int
    summary: str = ""
    internal: bool = False
    is_in_policy: bool = True
    probers: tuple[ProberRow, ...] = ()
    missing_secrets: dict[str, tuple[str, ...]] = {}


class MaintenanceRow(Struct, frozen=True, kw_only=True):
    """A maintenance window; `begins_at` and `ends_at` are those of now or next (None: never)."""

    key: str
    name: str
    source: str
    is_on: bool
    begins_at: Millis | None
    ends_at: Millis | None
    selectors: tuple[str, ...]
    targets: int
    rrule: str | None = None
    timezone: str | None = None


class SilenceRow(Struct, frozen=True, kw_only=True):
    """A silence, and how many targets and open incidents it matches now."""

    id: str
    state: SilenceState
    begins_at: Millis
    ends_at: Millis
    reason: str
    by: str
    created_at: Millis
    ended_by: str | None
    match: Match
    targets: int
    incidents: int


class TargetRow(Struct, frozen=True, kw_only=True):
    """A target in a list.

    `since`: from when on it is in its state, None if not known. `incident`: the id of the open
    incident that says so. `is_resolved`: down, and somebody resolved the incident by hand.
    `silence` and what begins so are those of the incident. With the state `paused`
    either `enabled` is false, or `paused_by` is who paused it, until `paused_until` (None: until it
    is resumed), because of `pause_reason`; or both.
    `newest_result_at` is as old as `Freshness.status_at`.
    """

    id: str
    name: str
    kind: str
    host: str | None
    port: int | None
    place: str
    team: str | None
    tags: tuple[str, ...]
    criticality: Criticality
    state: State
    since: Millis | None = None
    summary: str = ""
    incident: str | None = None
    regions: tuple[str, ...] = ()
    expect: str = "open"
    source: str = ""
    is_failing: bool = False
    is_late: bool = False
    is_expiring: bool = False
    is_improved: bool = False
    is_resolved: bool = False
    silence: str = ""
    silence_until: Millis | None = None
    silence_by: str = ""
    silence_reason: str = ""
    newest_result_at: Millis | None = None
    enabled: bool = True
    paused_by: str = ""
    paused_until: Millis | None = None
    pause_reason: str = ""


class Facet(Struct, frozen=True, gc=False, kw_only=True):
    """A value of a dimension, and the number of targets that its choice would leave."""

    value: str
    targets: int
    is_chosen: bool = False


TargetSort = Literal[
    "state", "-state", "name", "-name", "host", "-host", "team", "-team", "since", "-since"
]


class TargetQuery(Struct, frozen=True, kw_only=True):
    """Which targets, in which order.

    Values of one field are alternatives, different fields must all match. `q`: words (the first
    eight) that all must be in id, name, host:port, team or a tag, in any case. In `teams` the
    empty text is "without a team". `state=expiring|failing|late` are flags beside the states.
    `cause` is the key of a `CauseRow`.
    `since` and `until` (UTC ms): in its state since a time from `since` on and before `until`; of a
    target that is up no time is known. `sort`: `state` is the worst first, then by name; `since`
    the newest first. `facets`: whether the values of each filter are counted.
    """

    q: str = ""
    states: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    criticalities: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    cause: str = ""
    since: int | None = None
    until: int | None = None
    sort: TargetSort = "state"
    limit: Limit = 100
    cursor: str = ""
    facets: bool = True


class TargetPage(Struct, frozen=True, kw_only=True):
    """Targets of a query.

    `total`: all that match. `facets` by dimension (`state`, `team`, `tag`, `kind`, `criticality`,
    `region`, `source`), the most frequent first, at most 50 a dimension; a facet's numbers leave
    out what was chosen in its own dimension. `next_cursor` is empty at the end. The cursor is the
    place after the last row, not a number: a target that is not changed is on exactly one page.
    """

    freshness: Freshness
    rows: tuple[TargetRow, ...]
    total: int
    counts: Counts
    facets: dict[str, tuple[Facet, ...]]
    next_cursor: str


IncidentSort = Literal["severity", "-severity", "since", "-since"]


class IncidentQuery(Struct, frozen=True, kw_only=True):
    """Which incidents of those in memory: open ones, and those closed within 24 h.

    `states`: `IncidentState`. `since` and `until` (UTC ms): of which any part lies between them.
    `sort`: `severity` is open ones by severity, then closed ones, the newest first; `since` the
    newest failure first.
    """

    q: str = ""
    is_open: bool | None = True
    states: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    acknowledged: bool | None = None
    since: int | None = None
    until: int | None = None
    sort: IncidentSort = "severity"
    limit: Limit = 100
    cursor: str = ""


class IncidentPage(Struct, frozen=True, kw_only=True):
    """Incidents of a query; `total`: all that match."""

    freshness: Freshness
    rows: tuple[IncidentRow, ...]
    total: int
    next_cursor: str


class Overview(Struct, frozen=True, kw_only=True):
    """The first page.

    `causes`, `groups`, `closed` and `maintenance` are the first of as many as the `…_total` says;
    `groups` are those of `group_by`, the worst first. `silences` are active now. `version` changes
    whenever anything but `freshness` does. `resolved` are targets that are down without an
    incident, since somebody closed it by hand.
    """

    freshness: Freshness
    version: int
    counts: Counts
    open_incidents: int
    open_targets: int
    unacknowledged: int
    causes: tuple[CauseRow, ...]
    causes_total: int
    group_by: str
    groups: tuple[GroupRow, ...]
    groups_total: int
    closed: tuple[IncidentRow, ...]
    closed_total: int
    maintenance: tuple[MaintenanceRow, ...]
    maintenance_total: int
    regions: tuple[RegionRow, ...]
    silences: int = 0
    resolved: tuple[TargetRow, ...] = ()
    resolved_total: int = 0


class GroupPage(Struct, frozen=True, kw_only=True):
    """The groups of a dimension, the worst first: up to 10,000 of `groups_total`."""

    freshness: Freshness
    group_by: str
    groups: tuple[GroupRow, ...]
    groups_total: int
    next_cursor: str = ""


class RegionNow(Struct, frozen=True, gc=False, kw_only=True):
    """What a region says of one target, as old as `Freshness.status_at`."""

    region: str
    status: str


class TargetAnswer(Struct, frozen=True, kw_only=True):
    """All that memory has of a target; its checks and its past are in the history.

    `incidents`: open ones first, then those closed within 24 h. `host_targets`: the other targets
    of its host, at most 100 of `host_targets_total`. `depends_on`: what it depends on, as far as it
    exists; `dependents`: how many depend on it.
    """

    freshness: Freshness
    row: TargetRow
    definition: Target
    incidents: tuple[IncidentRow, ...]
    regions: tuple[RegionNow, ...]
    host_targets: tuple[TargetRow, ...]
    host_targets_total: int
    depends_on: tuple[TargetRow, ...]
    dependents: int
    maintenance: tuple[MaintenanceRow, ...]
    silences: tuple[SilenceRow, ...]


class IncidentAnswer(Struct, frozen=True, kw_only=True):
    """All that memory has of an incident: its newest event.

    `regions`, `votes` and `host_targets` are of that event's moment. `target_row` is the target as
    it is now, None if it is gone. `cause` is the row that has it, None when it is closed.
    """

    freshness: Freshness
    row: IncidentRow
    first_steps: tuple[str, ...]
    runbook: str | None
    changes: tuple[str, ...]
    tags: tuple[str, ...]
    depends_on: tuple[str, ...]
    regions: dict[str, RegionVerdict]
    votes: Votes
    host_targets: tuple[HostTarget, ...]
    host_targets_total: int
    abandoned_regions: tuple[str, ...]
    resolved_note: str | None
    recovered_at: Millis | None
    target_row: TargetRow | None
    cause: CauseRow | None


class RegionsAnswer(Struct, frozen=True, kw_only=True):
    """Regions: those of the policy, of targets and of beats; trouble first. `total`: all."""

    freshness: Freshness
    regions: tuple[RegionRow, ...]
    total: int = 0
    next_cursor: str = ""


class MaintenanceAnswer(Struct, frozen=True, kw_only=True):
    """Windows: those that are on, then the next ones, then those that are over. `total`: all."""

    freshness: Freshness
    windows: tuple[MaintenanceRow, ...]
    total: int = 0
    next_cursor: str = ""


class SilencesAnswer(Struct, frozen=True, kw_only=True):
    """Silences that are kept: active, coming, then those that ended. `total`: all."""

    freshness: Freshness
    silences: tuple[SilenceRow, ...]
    total: int = 0
    next_cursor: str = ""


ChangeKind = Literal["incident", "region", "unwatched", "target", "policy", "status", "freshness"]


class Change(Struct, frozen=True, kw_only=True):
    """Something that changed, for live pages and the API's event stream.

    `id` is the position after it (empty: it has none, as what `status_now` said). `counts` are
    those after it. `incident` is set for the kind `incident`, `subject` names a target, a region,
    a policy's key.
    """

    kind: ChangeKind
    id: str
    at: Millis
    subject: str
    counts: Counts
    incident: IncidentRow | None = None
    freshness: Freshness | None = None
