"""What an explanation is made of."""

from msgspec import Struct

from schemas.incident import HostTarget, IncidentType, RegionVerdict, TargetStatus
from schemas.target import Target


class RegionExplained(Struct, frozen=True, gc=False, kw_only=True):
    """One region and what it says. Times are UTC ms of the log.

    `newest_at` is the effective time of its newest result that counted. It is (or was) fresh until
    `fresh_until`, if the log goes on without a gap. `counts`: it is fresh and not set aside.
    `failures` were counted in the row so far, of `failures_needed` for `down`; `successes` in a
    row, up to the `successes_needed` for the closing of an outage; `slow_row` results in a row
    that contradict what it says of the target's speed, of `slow_needed` (None: no limit). `rising`:
    it says `slow` since the latency rises to a limit.

    `last_word` is `down`, `slow` or `up`, also of a stale region (None: it never had one). A stale
    one whose last word keeps an incident open is waited for until `waited_until`. No prober of
    the region was heard since `silent_since`. Latencies are in µs, None while there is none:
    `lately_us` follows the last few successes, `usual_us` those of about an hour.
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

    `likely` is what its last event said. `sentence` and `first_steps` are what the facts say now;
    there are none while no region is in trouble any more.
    """

    incident_id: str
    incident_type: IncidentType
    opened_at: int
    first_failed_at: int
    acknowledged_by: str | None
    likely: str
    sentence: str | None
    first_steps: tuple[str, ...]


class RecheckExplained(Struct, frozen=True, gc=False, kw_only=True):
    """The newest request that every region check the host, as long as it is remembered.

    `asked_at` is None when none was made yet; `waits`: another one waits for its turn.
    """

    asked_at: int | None
    waits: bool


class FlappingExplained(Struct, frozen=True, gc=False, kw_only=True):
    """Openings and recoveries within the last hour; an opening beyond `limit` is flapping."""

    transitions: int
    limit: int


class VotesExplained(Struct, frozen=True, gc=False, kw_only=True):
    """The count: regions that say down, fail (confirmed or not), say slow, and what is needed."""

    down: int
    failing: int
    slow: int
    need: int
    fresh: int
    majority: int
    configured: int


class Explanation(Struct, frozen=True, kw_only=True):
    """All that decides whether a target has an incident, after the record at `offset`.

    `at` is the log's time there. `headline` says how it is, `because` why, and `would_change` what
    would open or close an incident: sentences for people, with spans counted from `at`.
    """

    target: Target
    partition: int
    offset: int
    at: int
    status: TargetStatus
    headline: str
    because: tuple[str, ...]
    would_change: tuple[str, ...]
    votes: VotesExplained
    regions: tuple[RegionExplained, ...]
    incidents: tuple[IncidentExplained, ...]
    flapping: FlappingExplained
    recheck: RecheckExplained | None
    host_targets: tuple[HostTarget, ...]
