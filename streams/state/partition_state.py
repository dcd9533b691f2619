"""The state of one partition: a function of the log up to one offset.

It has two clocks. *Log time* is the broker's append time, UTC ms, which people see. *Running time*
is log time without the gaps in which the broker was away: all deadlines use it, so that a gap moves
every deadline by its length (docs/decisions/0007-the-brokers-clock.md). Effective times of results
are log time.
"""

import sys
from collections.abc import Collection, Sequence
from typing import Final
from weakref import WeakValueDictionary

from msgspec import Struct, field, structs

from schemas.target import Target
from streams.state.coverage import Coverage, WatchIndex
from streams.state.freshness import AHEAD_MS, LONGEST_LATE_MS
from streams.state.heartbeats import JobIndex, JobState, Receivers
from streams.state.host_view import Neighbours
from streams.state.latency_levels import NONE
from streams.state.pauses import PausedTarget, PauseEnds
from streams.state.policy import TargetPolicy, Terms, policy_of, terms_of
from streams.state.target_details import pack
from streams.state.target_state import TargetState, Trouble
from streams.state.windows import Endings, Slow, Window, WindowColumns

_PORTS: Final[dict[int, int]] = {}
"""Shared objects for port numbers, one for all targets."""


Gap = tuple[int, int]
"""The end of a gap (log time) and its length, both in ms."""


class ProberState(Struct, gc=False, array_like=True):
    """The last beat of one prober, in running time, and its report on its targets.

    `skewed`: an event has announced that its clock is off. `lacks_secrets`: its last beat named
    missing secrets of checks.
    """

    last_beat: int
    skewed: bool = False
    targets: int = 0
    failing: int = 0
    newly_failing: int = 0
    lacks_secrets: bool = False


class MissingSecrets(Struct, frozen=True, gc=False, array_like=True):
    """The secrets that probers of a region lack (rule 14); times are running time.

    `named` are the variables, each with some targets, `told` those that an event has named, the
    last one at `told_at`. `found_since`: no prober lacks one since then; None if one does.
    """

    since: int
    named: dict[str, tuple[str, ...]]
    told: tuple[str, ...] = ()
    told_at: int = 0
    found_since: int | None = None


class RegionState(Struct, gc=False, array_like=True):
    """The liveness of a region. `last_beat_at` is log time, `last_beat` running time.

    `suspect`: it is set aside (rule 8), since `aside_since` (running time). `wide_since` is the
    running time since when it begins to fail widely; None if it does not. `secrets`: see
    `MissingSecrets`; only the partition that speaks of the region has it.
    """

    last_beat: int
    last_beat_at: int
    silent: bool = False
    probers: dict[str, ProberState] = field(default_factory=dict)
    suspect: bool = False
    aside_since: int = 0
    wide_since: int | None = None
    secrets: MissingSecrets | None = None


class HostRecheck(Struct, frozen=True, gc=False, array_like=True):
    """The last recheck request of a host (running time), and whether one is queued.

    `asked_at` is None without a recent request. `waiting_since` is the effective time of the newest
    result that needs a request: regions that have answered since then need not be asked.
    """

    asked_at: int | None
    waiting_since: int | None = None


class DependencyRecheck(Struct, frozen=True, gc=False, array_like=True):
    """The last recheck request of a dependency's host (running time), and whether one is queued.

    `asked_at` is None without a recent request. `waits_for` is the dependent for which one is
    queued, None without.
    """

    asked_at: int | None
    waits_for: str | None = None


class Removed(Struct, frozen=True, gc=False, array_like=True):
    """The remains of a removed target, kept until (running time) no old result can count again."""

    floor: int
    until: int


class PartitionState(Struct, gc=False):
    """Everything the rules know of one partition after the record at `offset` (-1: none yet).

    `now` is the newest append time, `gaps` the sum of the gaps, less what the broker's clock was
    set back by. The last gap ended at `gap_end` (log time) and lasted `gap_ms`; `earlier_gaps` are
    those before it in which a result may have started that still counts, the newest first.
    `looked_at` is the running time of the last
    complete check of the deadlines. Until `respite_until` (running time) no region is reported
    silent; `respited`: no beat has come since. `rechecks_paid_us` is the running time (µs) until
    which the requests so far use up the budget; `transitions` are those of a target within the last
    6 hours (rule 9), in running time.

    `rechecks`, `dependency_rechecks`, `removed`, `transitions` and `news` are sorted by time, the
    oldest first: of the request (or of its queueing), the removal, the last transition, the note.
    The hosts of `dependency_rechecks` may lie in any partition. `rechecks_wait`:
    requests are queued because the budget was used up, and no later request overtakes them. `news`
    has the hosts (by `host_key`) with changed targets since the last check of their incidents,
    `woken` the targets to judge since a region began or ceased to count. `coverage` is what
    rule 12 knows, `paused` has the targets that are not judged (rule 15), by id, `jobs` those that
    report themselves (rule 16), `receivers` who hears them. A target is in one of the three only.

    `hosts`, `hot`, `set_aside` and `silent` are indexes, not saved: `hot` has the targets that time
    alone could change, with the running time before which it does not; `hosts` the targets of a
    host, a single one without a list around it; `set_aside` the suspect regions, `silent` the
    silent ones; `watch` when to look for unwatched targets; `pause_ends` when pauses end;
    `job_index` when to look at which job. `around` caches host views; it is empty while no target
    is hot.
    """

    partition: int
    partitions: int
    offset: int = -1
    now: int = 0
    gaps: int = 0
    gap_end: int = 0
    gap_ms: int = 0
    looked_at: int = 0
    respite_until: int = 0
    respited: bool = False
    targets: dict[str, TargetState] = field(default_factory=dict)
    regions: dict[str, RegionState] = field(default_factory=dict)
    rechecks: dict[str, HostRecheck] = field(default_factory=dict)
    removed: dict[str, Removed] = field(default_factory=dict)
    transitions: dict[str, tuple[int, ...]] = field(default_factory=dict)
    rechecks_paid_us: int = 0
    rechecks_wait: bool = False
    news: dict[str, None] = field(default_factory=dict)
    woken: dict[str, None] = field(default_factory=dict)
    earlier_gaps: tuple[Gap, ...] = ()
    coverage: Coverage = field(default_factory=Coverage)
    dependency_rechecks: dict[str, DependencyRecheck] = field(default_factory=dict)
    paused: dict[str, PausedTarget] = field(default_factory=dict)
    jobs: dict[str, JobState] = field(default_factory=dict)
    receivers: Receivers = field(default_factory=Receivers)
    set_aside: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    hosts: dict[str, str | list[str]] = field(default_factory=dict)
    hot: dict[str, int] = field(default_factory=dict)
    around: dict[str, Neighbours] = field(default_factory=dict)
    watch: WatchIndex = field(default_factory=WatchIndex)
    pause_ends: PauseEnds = field(default_factory=PauseEnds)
    job_index: JobIndex = field(default_factory=JobIndex)
    columns: WindowColumns = field(default_factory=WindowColumns)
    policies: WeakValueDictionary[Terms, TargetPolicy] = field(default_factory=WeakValueDictionary)

    @property
    def running(self) -> int:
        """The rules' clock: log time without the gaps."""
        return self.now - self.gaps

    def running_at(self, at: int) -> int:
        """Running time at log time `at`, correct back to the beginning of the first known gap.

        Within a gap the running clock stands still.
        """
        running = at - self.gaps
        if at >= self.gap_end:
            return running
        for end, lasted in self._known_gaps():
            if at >= end:
                break
            running += min(lasted, end - at)
        return running

    def log_at(self, running: int) -> int:
        """Log time at running time `running`, correct back to the beginning of the first gap."""
        at = running + self.gaps
        for end, lasted in self._known_gaps():
            if at >= end:
                break
            at -= lasted
        return at

    def note_gap(self, end: int, lasted: int) -> None:
        """Records that the log was silent for `lasted` ms until `end` (log time)."""
        self.earlier_gaps = tuple(
            gap for gap in self._known_gaps() if gap[0] > end - LONGEST_LATE_MS
        )
        self.gaps += lasted
        self.gap_end, self.gap_ms = end, lasted

    def _known_gaps(self) -> tuple[Gap, ...]:
        return ((self.gap_end, self.gap_ms), *self.earlier_gaps)

    def window(self, entry: TargetState, position: int) -> Window | None:
        """The window of the region at `position`, None before its first counted result."""
        columns, at = self.columns, entry.slot + position
        newest = columns.newest[at]
        if not newest:
            return None
        trouble = entry.trouble
        return Window(
            newest,
            columns.ahead.get(at, newest),
            columns.fresh_until[at],
            columns.since[at],
            columns.successes[at],
            None if trouble is None else trouble.failing.get(position),
            None if trouble is None else trouble.pace.get(position),
            columns.lately[at],
            columns.usual[at],
            columns.daily[at],
            None if trouble is None else trouble.endings.get(position),
        )

    def windows(self, entry: TargetState) -> list[Window | None]:
        """The windows of a target in the order of its regions."""
        return [self.window(entry, position) for position in range(len(entry.policy.regions))]

    def newest(self, entry: TargetState) -> int:
        """The latest start of all results that counted, in dropped windows, too.

        A start too far ahead is that of a time before the broker's clock was set back.
        """
        columns, slot, farthest = self.columns, entry.slot, self.now + AHEAD_MS
        places = range(slot, slot + len(entry.policy.regions))
        starts = (columns.ahead.get(at, 0) for at in places)
        known = (entry.floor, *columns.newest[slot : slot + len(places)], *starts)
        return max(start for start in (0, *known) if start <= farthest)

    def on_host(self, key: str) -> Sequence[str]:
        """The ids of the targets of a host (see `host_key`), sorted."""
        found = self.hosts.get(key, ())
        return (found,) if isinstance(found, str) else found

    def put(
        self, target: Target, *, floor: int = 0, kept: TargetState | None = None
    ) -> TargetState:
        """Adds a target, or replaces the one with its id.

        Its windows restart; with `kept` (its previous state) the remaining regions keep theirs, and
        the target keeps its trouble.
        """
        # Whatever may fail comes before the first change.
        policy, definition = self.policy(terms_of(target)), pack(target)
        slot = self.columns.allocate(len(policy.regions))
        trouble = None if kept is None else self._carry(kept, policy, slot)
        fresh_until = self.columns.fresh_until
        for at in range(slot, slot + len(policy.regions)):
            fresh_until[at] = fresh_until[at] or self.running
        entry = TargetState(
            target.id,
            target.kind,
            target.host,
            target.port,
            policy,
            slot,
            trouble,
            floor,
            definition,
        )
        self.add(entry)
        return entry

    def add(self, entry: TargetState) -> None:
        """Adds an entry, or replaces the one with its id, and indexes it."""
        old = self.targets.get(entry.id)
        if old is not None:
            self._forget(old)
        self._share(entry, old)
        self.targets[entry.id] = entry
        self.watch.add(entry)
        key = entry.host_key
        self.around.pop(key, None)
        others = self.hosts.get(key)
        if others is None:
            self.hosts[key] = entry.id
        else:
            self.hosts[key] = sorted((*self.on_host(key), entry.id))
        self.note_heat(entry, 0)

    def remove(self, target_id: str) -> None:
        """Removes a target, which must exist."""
        self._forget(self.targets.pop(target_id))

    def policy(self, terms: Terms) -> TargetPolicy:
        """The policy with these terms, one shared object for all targets."""
        policy = self.policies.get(terms)
        if policy is None:
            policy = self.policies[terms] = policy_of(terms)
        return policy

    def note_heat(self, entry: TargetState, deadline: int) -> None:
        """Updates the index `hot` after a change of `entry`, and drops a trouble that is over.

        `deadline` is the running time before which time alone changes nothing, known after a
        judgement of `entry`; 0 if unknown.
        """
        if entry.hot:
            self.hot[entry.id] = deadline
            if deadline and self.woken:
                self.woken.pop(entry.id, None)
        else:
            entry.trouble = None
            self._cool(entry)

    def wake(self, regions: Collection[str]) -> None:
        """The votes of `regions` begin or cease to count: their troubled targets are judged next.

        The next check of deadlines does it.
        """
        self.around.clear()
        for target_id in sorted(self.hot):  # the index has no stable order: it is rebuilt
            if not self.targets[target_id].policy.positions.keys().isdisjoint(regions):
                self.hot[target_id] = 0
                self.woken[target_id] = None

    def _carry(self, kept: TargetState, policy: TargetPolicy, slot: int) -> Trouble | None:
        positions = {
            before: policy.positions[region]
            for region, before in kept.policy.positions.items()
            if region in policy.positions
        }
        for before, position in positions.items():
            self.columns.copy(kept.slot + before, slot + position)
            if not (kept.policy.daily_shift and policy.daily_shift):
                self.columns.daily[slot + position] = NONE
            if kept.policy.of_total != policy.of_total:
                self.columns.unlearn(slot + position, self.now)
        trouble = kept.trouble
        if trouble is None:
            return None
        return structs.replace(
            trouble,
            failing={
                positions[before]: row
                for before, row in trouble.failing.items()
                if before in positions
            },
            pace={
                positions[before]: row
                for before, row in trouble.pace.items()
                if before in positions and _goes_on(row, kept.policy, policy)
            },
            endings={
                positions[before]: row
                for before, row in trouble.endings.items()
                if before in positions
                and (policy.warn_ms == kept.policy.warn_ms or _still_near(row, policy.warn_ms))
            },
        )

    def _share(self, entry: TargetState, old: TargetState | None) -> None:
        """Replaces strings and numbers of `entry` by equal shared ones."""
        if old is not None:
            entry.id = old.id
        entry.kind = sys.intern(entry.kind)
        if entry.port is not None:
            entry.port = _PORTS.setdefault(entry.port, entry.port)
        if entry.host is not None:
            for other in self.on_host(entry.host)[:1]:
                shared = self.targets[other].host
                if shared == entry.host:
                    entry.host = shared

    def _cool(self, entry: TargetState) -> None:
        self.woken.pop(entry.id, None)
        if self.hot.pop(entry.id, None) is not None and not self.hot:
            self.around.clear()

    def _forget(self, entry: TargetState) -> None:
        self._cool(entry)
        self.watch.forget(entry)
        self.columns.free(entry.slot, len(entry.policy.regions))
        key = entry.host_key
        self.around.pop(key, None)
        others = [other for other in self.on_host(key) if other != entry.id]
        if not others:
            del self.hosts[key]
        else:
            self.hosts[key] = others[0] if len(others) == 1 else others


def _goes_on(row: Slow, old: TargetPolicy, new: TargetPolicy) -> bool:
    """True if a row of slow successes continues: new limits restart the rows."""
    if new.latency != old.latency:
        row.count = 0
        return row.slow and new.latency is not None
    return True


def _still_near(row: Endings, warn_ms: int) -> bool:
    """True if a look saw an end that is near under another `warn_days`, too."""
    row.looks = [(at, end if warn_ms and end - at < warn_ms else 0) for at, end in row.looks]
    return any(end for _, end in row.looks)


def new_state(partition: int, partitions: int) -> PartitionState:
    """The state before the first record of partition `partition` of `partitions`."""
    return PartitionState(partition, partitions)
