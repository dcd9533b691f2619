"""The parts of an explanation."""

from typing import Literal

from msgspec import Struct

from schemas.incident import HostTarget, IncidentType, RegionVerdict, TargetStatus
from schemas.target import Target

ExplainedStatus = TargetStatus | Literal["unwatched", "paused"]


class RegionExplained(Struct, frozen=True, gc=False, kw_only=True):
    """One region and its verdict. Times are UTC ms of the log.

    `newest_at` is the effective time of the newest counted result. The region is (or was) fresh
    until `fresh_until`, if the log goes on without a gap. `counts`: it is fresh and not set aside.
    `failures` is the length of the row of failures, of `failures_needed` for `down`; `successes`
    the successes in a row, up to the `successes_needed` to close an outage; `slow_row` the results
    in a row that contradict its verdict on speed, of `slow_needed` (None: no limit). `rising`: it
    says `slow` because the latency rises towards a limit.

    `last_word` is `down`, `slow` or `up`, also of a stale region (None: it never had one). An
    incident waits until `waited_until` for a region that is stale or pending.
    `silent_since`: no prober of the region was heard since then. Latencies are in µs, None while
    there is none: `lately_us` follows the last few successes, `usual_us` those of about an hour.
    """

    region: str
    said: RegionVerdict
    counts: bool = False
    newest_at: int | None = None
    fresh_until: int | None = None
    last_word: str | None = None
    failures: int = 0
    failures_needed: int
    successes: int = 0
    successes_needed: int
    slow_row: int = 0
    slow_needed: int | None = None
    rising: bool = False
    waited_until: int | None = None
    silent_since: int | None = None
    lately_us: int | None = None
    usual_us: int | None = None


class IncidentExplained(Struct, frozen=True, gc=False, kw_only=True):
    """An open incident and its diagnosis.

    `likely` is the cause in its last event. `sentence` and `first_steps` follow from the present
    facts; they are empty once no region is in trouble.
    """

    incident_id: str
    incident_type: IncidentType
    opened_at: int
    first_failed_at: int
    episode: int
    improved: bool
    acknowledged_by: str | None
    acknowledged_note: str | None
    likely: str
    sentence: str | None
    first_steps: tuple[str, ...]


class ResolvedExplained(Struct, frozen=True, gc=False, kw_only=True):
    """An incident that was resolved by hand and whose cause goes on: none opens for it.

    `incident_type` is `unreachable` for one of the type `flapping`, too. `at` is UTC ms of the log.
    A checkpoint of 0.1 does not have who resolved it, when, and the note.
    """

    incident_type: IncidentType
    by: str | None
    at: int | None
    note: str | None


class RecheckExplained(Struct, frozen=True, gc=False, kw_only=True):
    """The newest request that every region check the host, for as long as the state keeps it.

    `asked_at` is None if none was made yet; `waits`: another request is queued.
    """

    asked_at: int | None
    waits: bool


class FlappingExplained(Struct, frozen=True, gc=False, kw_only=True):
    """Transitions of the target; one to down beyond one of the limits is flapping.

    `transitions` and `limit` are those within the last hour, `slow_transitions` and `slow_limit`
    those within the last 6 hours.
    """

    transitions: int
    limit: int
    slow_transitions: int
    slow_limit: int


class VotesExplained(Struct, frozen=True, gc=False, kw_only=True):
    """The votes: regions that say down, fail (confirmed or not), say slow; those needed."""

    down: int
    failing: int
    slow: int
    need: int
    fresh: int
    majority: int
    configured: int


class PausedExplained(Struct, frozen=True, gc=False, kw_only=True):
    """Why a target is not judged (rule 15).

    `by`, `at`, `until` and `note` are of its pause: `at` and `until` UTC ms of the log, `until`
    None: until it is resumed. All are None if it is not paused. `enabled` is as its inventory says,
    whose source is `source`.
    """

    by: str | None
    at: int | None
    until: int | None
    note: str | None
    enabled: bool
    source: str


class RunExplained(Struct, frozen=True, gc=False, kw_only=True):
    """A run of a job that has not ended, by the name that the job gave it (None: it gave none).

    Times are UTC ms of the log. `ends_by` is None if it may last for ever. `overran`: it lasts for
    longer, which was told.
    """

    name: str | None
    began_at: int
    ends_by: int | None
    overran: bool


class JobExplained(Struct, frozen=True, gc=False, kw_only=True):
    """What is expected of a job that reports itself (rule 16). Times are UTC ms of the log.

    `reported_at` is its last report, a success or (`failed`) a failure; None: it gave none. The
    next one is due at `due_at` and missed at `deadline`; both are None if nothing is due any more.
    `heard_at` is the newest beat of a receiver (None: none was ever heard), `deaf` the times, begin
    and end, in which none was heard, of those that matter for what is due.
    """

    reported_at: int | None
    failed: bool
    due_at: int | None
    deadline: int | None
    runs: tuple[RunExplained, ...]
    heard_at: int | None
    deaf: tuple[tuple[int, int], ...]


class Explanation(Struct, frozen=True, kw_only=True):
    """Everything that decides whether a target has an incident, after the record at `offset`.

    `at` is the log's time there. `headline` says how the target is, `because` why, and
    `would_change` what would open or close an incident: sentences for people, with spans counted
    from `at`. `status` is `unwatched` when nobody could judge the target for long (rule 12),
    `paused` when nobody shall (rule 15: `paused` says why, there are neither regions nor votes).
    `job` is what is expected of a job that reports itself, None of other targets.
    """

    target: Target
    partition: int
    offset: int
    at: int
    status: ExplainedStatus
    headline: str
    because: tuple[str, ...]
    would_change: tuple[str, ...]
    votes: VotesExplained
    regions: tuple[RegionExplained, ...]
    incidents: tuple[IncidentExplained, ...]
    resolved: tuple[ResolvedExplained, ...]
    flapping: FlappingExplained
    recheck: RecheckExplained | None
    host_targets: tuple[HostTarget, ...]
    paused: PausedExplained | None = None
    job: JobExplained | None = None
