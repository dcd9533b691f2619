"""The rules a second time: slow and obvious, to hold the real ones against.

Written from section 5 of the design and from what the modules of `streams` promise, not from how
they do it. Nothing is remembered but what happened: every result that ever counted, every gap of
the log, the last beats. What a region says, who votes and what is due is worked out anew from
that whole history each time somebody asks.

It knows when incidents open and close and when regions fall silent and return. It does not know
rechecks, diagnosis, updates and ids: `name` tells it the id of an incident that was opened.

What the text leaves open, and how it is read here:

- A verdict turns with a result, under the policy that holds then; a new policy alone turns none.
- A result is fresh for as long as the policy says under which it counted.
- A result is too old to count by log time: it may have waited out a gap, it is old all the same.
- A region that begins anew (its target was moved or removed, or it was taken off and came back)
  counts nothing that is not newer than all that had counted for the target by then.
- Of two results whose own times lie ahead of the log's, the one that started later is newer.
"""

from collections.abc import Iterable
from decimal import ROUND_CEILING, Decimal

from msgspec import Struct, structs

from schemas.control import Acknowledged, Beat, Control, Resolved, TargetRemoved, TargetSet
from schemas.incident import Votes
from schemas.result import CheckResult
from schemas.target import Target
from streams.records import Record


class Opened(Struct, frozen=True):
    target: str
    at: int
    votes: Votes
    first_failed_at: int


class Closed(Struct, frozen=True):
    target: str
    at: int
    votes: Votes
    first_failed_at: int
    because: str
    abandoned: tuple[str, ...] = ()


class Silent(Struct, frozen=True):
    region: str
    at: int
    last_beat_at: int


class Returned(Struct, frozen=True):
    region: str
    at: int
    last_beat_at: int


Told = Opened | Closed | Silent | Returned


class Clock:
    """Log time, and running time: the same without the gaps in which the broker was away."""

    def __init__(self) -> None:
        self.now = 0
        self.gaps: list[tuple[int, int]] = []

    def advance(self, append_time: int) -> None:
        if self.now and append_time - self.now > 15_000:
            self.gaps.append((self.now, append_time))
        self.now = max(self.now, append_time)

    def running(self, at: int) -> int:
        stood = sum(min(at, end) - begin for begin, end in self.gaps if at > begin)
        return at - stood


class Counted(Struct, frozen=True):
    """A result that counted: effective time in log and running time, and the policy of then."""

    effective: int
    running: int
    started: int
    up: bool
    policy: Target

    @property
    def fresh_until(self) -> int:
        return self.running + span(self.policy)


class Said(Struct, frozen=True):
    """What a region says, from all that counted for it.

    `row` are its failures since the last success, `successes` those since the last failure.
    """

    fresh: bool
    stale_for: int
    down: bool
    row: tuple[Counted, ...]
    successes: int


class Incident:
    def __init__(self, first_failed_at: int) -> None:
        self.first_failed_at = first_failed_at
        self.id = ""


class Watched:
    """A target, and per region all that counted since the region began (anew)."""

    def __init__(self, target: Target, floor: int) -> None:
        self.target = target
        self.floor = floor
        self.heard: dict[str, list[Counted]] = {region: [] for region in target.regions}
        self.incident: Incident | None = None
        self.held = False

    def said(self, running: int) -> dict[str, Said]:
        """What each region says that ever said anything."""
        return {
            region: listen(history, running) for region, history in self.heard.items() if history
        }

    @property
    def troubled(self) -> bool:
        failing = any(history and not history[-1].up for history in self.heard.values())
        return failing or self.held or self.incident is not None


def span(target: Target) -> int:
    """Rule 4: `2.5 × interval + timeout`."""
    return int(Decimal("2.5") * target.interval_ms + target.timeout_ms)


def late(target: Target) -> int:
    """What is appended so long after its start waited in a spool (decision 11)."""
    return min(span(target), target.timeout_ms + 15_000)


def majority(regions: int) -> int:
    return next(n for n in range(regions + 2) if 2 * n > regions)


def need(target: Target, fresh: int) -> int:
    """Rule 5: how many of the fresh regions must say down, by the target's consensus."""
    if target.consensus == "unanimous":
        share = Decimal(1)
    elif target.consensus == "quorum":
        share = Decimal("0.66")
    else:
        share = Decimal(str(target.consensus))
    return int((share * fresh).to_integral_value(ROUND_CEILING))


def listen(history: Iterable[Counted], running: int) -> Said:
    """Rules 2 and 4: goes through the results of a region, one after the other."""
    down = False
    row: list[Counted] = []
    apart: list[Counted] = []
    successes = 0
    fresh_until = 0
    for result in history:
        fresh_until = max(fresh_until, result.fresh_until)
        if result.up:
            down, row, apart = False, [], []
            if successes < result.policy.recover_after:
                successes += 1
            continue
        successes = 0
        row.append(result)
        delay = Decimal("0.8") * result.policy.retry_delay_ms
        if not apart or result.effective - apart[-1].effective >= delay:
            apart.append(result)
            if len(apart) >= result.policy.retries + 1:
                down = True
    return Said(running <= fresh_until, running - fresh_until, down, tuple(row), successes)


class Reference:
    """Takes the log record by record; each gives what is told of it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.targets: dict[str, Watched] = {}
        self.newest: dict[str, int] = {}
        self.beats: dict[str, int] = {}
        self.silent: set[str] = set()
        self.looked_at = 0
        self.told: list[Told] = []

    @property
    def now(self) -> int:
        return self.clock.now

    @property
    def running(self) -> int:
        return self.clock.running(self.clock.now)

    def name(self, target: str, incident_id: str) -> None:
        """Tells the id of the incident that is open."""
        incident = self.targets[target].incident
        assert incident is not None
        incident.id = incident_id

    def feed(self, record: Record) -> list[Told]:
        self.told = []
        self.clock.advance(record.append_time)
        for result in record.results:
            self._result(result)
        if record.control is not None:
            self._control(record.control)
            if self.running - self.looked_at >= 1000:
                self._look()
        return self.told

    # Rule 1

    def _result(self, result: CheckResult) -> None:
        watched = self.targets.get(result.target)
        if watched is None or not self._counts(watched, result):
            return
        troubled = watched.troubled
        before = self._seen_from_beside(watched)
        effective = min(result.started_at, self.now)
        watched.heard[result.region].append(
            Counted(
                effective,
                self.clock.running(effective),
                result.started_at,
                result.status == "up",
                watched.target,
            )
        )
        newest = self.newest.get(result.target, 0)
        self.newest[result.target] = max(newest, effective)
        self._judge(watched)
        # One more success of a healthy target is no news for its neighbours.
        news = troubled or result.status != "up"
        if news and self._seen_from_beside(watched) != before:
            for _, other in sorted(self.targets.items()):
                beside = other is not watched and other.target.host == watched.target.host
                if beside and other.incident is not None:
                    self._judge(other)

    def _counts(self, watched: Watched, result: CheckResult) -> bool:
        target = watched.target
        if result.status == "missed" or result.reason in {"prober_error", "address_blocked"}:
            return False
        if (result.kind, result.host, result.port) != (target.kind, target.host, target.port):
            return False
        if result.region not in watched.heard:
            return False
        effective = min(result.started_at, self.now)
        if self.now - effective >= late(target):
            return False
        history = watched.heard[result.region]
        return self._newer(result, history[-1]) if history else effective > watched.floor

    def _newer(self, result: CheckResult, newest: Counted) -> bool:
        effective = min(result.started_at, self.now)
        if effective <= newest.effective or result.started_at == newest.started:
            return False
        return result.started_at <= self.now or result.started_at > newest.started

    def _seen_from_beside(self, watched: Watched) -> str:
        """The status that the neighbours' diagnosis sees; one failed attempt counts there."""
        if not any(watched.heard.values()):
            return "pending"
        fresh = [said for said in watched.said(self.running).values() if said.fresh]
        votes = self._votes(watched)
        if votes.fresh < majority(votes.configured):
            return "unknown"
        return "down" if sum(bool(said.row) for said in fresh) >= votes.need else "up"

    # Rule 5

    def _votes(self, watched: Watched) -> Votes:
        fresh = [said for said in watched.said(self.running).values() if said.fresh]
        configured = len(watched.target.regions)
        return Votes(
            down=sum(said.down for said in fresh),
            need=max(need(watched.target, len(fresh)), majority(configured)),
            fresh=len(fresh),
            configured=configured,
        )

    # Rule 6

    def _judge(self, watched: Watched) -> None:
        votes = self._votes(watched)
        known = votes.fresh >= majority(votes.configured)
        down = known and votes.down >= votes.need
        if watched.incident is not None:
            self._close_if_recovered(watched)
        elif watched.held:
            if known and not down:
                watched.held = False
        elif down:
            began = self._began(watched, votes)
            if self.running - began.running >= watched.target.open_after_ms:
                watched.incident = Incident(began.effective)
                self.told.append(
                    Opened(watched.target.id, self.now, votes, watched.incident.first_failed_at)
                )

    def _began(self, watched: Watched, votes: Votes) -> Counted:
        """The first failure of the outage.

        The outage began when the region failed that made them enough; failures of other regions
        belong to it that came at most an interval and a timeout before.
        """
        firsts = sorted(
            (
                said.row[0]
                for said in watched.said(self.running).values()
                if said.fresh and said.down
            ),
            key=lambda first: (first.effective, first.running),
        )
        enough = firsts[votes.need - 1].effective
        reach = watched.target.interval_ms + watched.target.timeout_ms
        return next(first for first in firsts if enough - first.effective <= reach)

    def _close_if_recovered(self, watched: Watched) -> None:
        target = watched.target
        said = watched.said(self.running)
        abandoned = sorted(
            region
            for region, one in said.items()
            if not one.fresh and one.down and one.stale_for >= target.abandon_after_ms
        )
        asked = {region: one for region, one in said.items() if region not in abandoned}
        for one in asked.values():
            if one.down:
                return
            if one.fresh and one.successes < target.recover_after:
                return
        fresh = sum(one.fresh for one in asked.values())
        if fresh >= majority(len(target.regions) - len(abandoned)):
            self._close(watched, "recovered", tuple(abandoned))

    def _close(self, watched: Watched, because: str, abandoned: tuple[str, ...] = ()) -> None:
        if watched.incident is None:
            return
        self.told.append(
            Closed(
                watched.target.id,
                self.now,
                self._votes(watched),
                watched.incident.first_failed_at,
                because,
                abandoned,
            )
        )
        watched.incident = None

    # Control records

    def _control(self, control: Control) -> None:
        match control:
            case TargetSet(target):
                self._set(structs.replace(target, regions=tuple(dict.fromkeys(target.regions))))
            case TargetRemoved():
                watched = self.targets.get(control.target)
                if watched is not None and control.version >= watched.target.version:
                    removed = control.because == "removed"
                    self._close(watched, "target_removed" if removed else "target_changed")
                    del self.targets[control.target]
            case Resolved():
                if (watched := self._with_incident(control)) is not None:
                    self._close(watched, "resolved")
                    watched.held = True
            case Acknowledged():
                # It changes nothing here, but it is a moment to look at the incident.
                if (watched := self._with_incident(control)) is not None:
                    self._judge(watched)
            case Beat():
                self._beat(control)

    def _with_incident(self, control: Acknowledged | Resolved) -> Watched | None:
        watched = self.targets.get(control.target)
        if watched is None or watched.incident is None:
            return None
        return watched if watched.incident.id == control.incident_id else None

    def _set(self, target: Target) -> None:
        watched = self.targets.get(target.id)
        floor = self.newest.get(target.id, 0)
        if watched is None:
            self.targets[target.id] = Watched(target, floor)
            return
        old = watched.target
        if target.version < old.version or target == old:
            return
        if (target.kind, target.host, target.port) != (old.kind, old.host, old.port):
            self._close(watched, "target_changed")
            self.targets[target.id] = Watched(target, floor)
            return
        if set(old.regions) - set(target.regions):
            watched.floor = floor
        watched.heard = {region: watched.heard.get(region, []) for region in target.regions}
        watched.target = target
        self._judge(watched)

    # Rule 4, second half

    def _beat(self, beat: Beat) -> None:
        if beat.region in self.silent:
            self.silent.remove(beat.region)
            self.told.append(Returned(beat.region, self.now, self.beats[beat.region]))
        self.beats[beat.region] = self.now

    def _look(self) -> None:
        """Whatever time alone has made due."""
        self.looked_at = self.running
        for region, last in sorted(self.beats.items()):
            unheard = self.running - self.clock.running(last)
            if region not in self.silent and unheard >= 15_000:
                self.silent.add(region)
                self.told.append(Silent(region, self.now, last))
        for _, watched in sorted(self.targets.items()):
            self._judge(watched)
