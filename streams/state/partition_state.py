"""The state of one partition: a function of the log up to one offset.

It has two clocks. *Log time* is the broker's append time, UTC ms, which people see. *Running time*
is log time without the gaps in which the broker was away: all deadlines use it, so that a gap moves
every deadline by its length (docs/decisions/0007-the-brokers-clock.md). Effective times of results
are log time.
"""

import sys
from collections.abc import Sequence
from typing import Final
from weakref import WeakValueDictionary

from msgspec import Struct, field, structs

from schemas.target import Target
from streams.state.host_view import Neighbours
from streams.state.latency_levels import NONE
from streams.state.policy import TargetPolicy, Terms, policy_of, terms_of
from streams.state.target_details import pack
from streams.state.target_state import TargetState, Trouble
from streams.state.windows import Columns, Slow, Window

_PORTS: Final[dict[int, int]] = {}
"""One object a port number, for all targets."""


class ProberState(Struct, gc=False, array_like=True):
    """The last beat of one prober, in running time, and what it said of its targets.

    `skewed`: its clock was told to be off.
    """

    last_beat: int
    skewed: bool = False
    targets: int = 0
    failing: int = 0
    newly_failing: int = 0


class RegionState(Struct, gc=False, array_like=True):
    """The liveness of a region. `last_beat_at` is log time, `last_beat` running time.

    `suspect`: it is set aside (rule 8).
    """

    last_beat: int
    last_beat_at: int
    silent: bool = False
    probers: dict[str, ProberState] = field(default_factory=dict)
    suspect: bool = False


class HostRecheck(Struct, frozen=True, gc=False, array_like=True):
    """The last recheck request of a host (running time), and whether one waits for its turn.

    `asked_at` is None when none was asked for of late. `waiting_since` is the effective time of the
    newest result that asks for one: who has spoken since then need not be asked.
    """

    asked_at: int | None
    waiting_since: int | None = None


class Removed(Struct, frozen=True, gc=False, array_like=True):
    """What is kept of a removed target until (running time) no old result could count again."""

    floor: int
    until: int


class PartitionState(Struct, gc=False):
    """Everything the rules know of one partition after the record at `offset` (-1: none yet).

    `now` is the newest append time, `gaps` the sum of the gaps; the last one ended at `gap_end`
    (log time) and lasted `gap_ms`. `looked_at` is the running time at which deadlines were last
    looked at (all that were due). Until `respite_until` (running time) no region is told to be
    silent; `respited`: no beat has come since. `rechecks_paid_us` is the running time (µs) until
    which the requests that were made use up what may be asked; `transitions` are those of a target
    within the last hour (rule 9), in running time.

    `rechecks`, `removed`, `transitions` and `news` stand in the order of time: what was asked for
    (or has waited), removed, turned or was noted longest ago stands first. `rechecks_wait`: some
    requests wait because what may be asked was used up, and none goes before them. `news` has the
    hosts (by `host_key`) whose targets turned since their incidents were last looked at, `woken`
    the targets that are to be judged since the guard turned.

    `hosts`, `hot` and `set_aside` are indexes, not saved: `hot` has the targets where time alone
    could change something, and the running time before which it does not; `hosts` the targets of
    a host, a single one without a list around it; `set_aside` the suspect regions. `around` has
    what was seen of hosts of late; nothing while nothing is hot.
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
    set_aside: set[str] = field(default_factory=set)
    hosts: dict[str, str | list[str]] = field(default_factory=dict)
    hot: dict[str, int] = field(default_factory=dict)
    around: dict[str, Neighbours] = field(default_factory=dict)
    columns: Columns = field(default_factory=Columns)
    policies: WeakValueDictionary[Terms, TargetPolicy] = field(default_factory=WeakValueDictionary)

    @property
    def running(self) -> int:
        """The rules' clock: log time without the gaps."""
        return self.now - self.gaps

    def running_at(self, at: int) -> int:
        """Running time at log time `at`, right back to the beginning of the last gap.

        Within a gap the running clock stood still.
        """
        running = at - self.gaps
        if at >= self.gap_end:
            return running
        return min(running + self.gap_ms, self.gap_end - self.gaps)

    def log_at(self, running: int) -> int:
        """Log time at running time `running`, right back to the beginning of the last gap."""
        at = running + self.gaps
        return at - self.gap_ms if at < self.gap_end else at

    def window(self, entry: TargetState, position: int) -> Window | None:
        """The window of the region at `position`, None if none of its results ever counted."""
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
        )

    def windows(self, entry: TargetState) -> list[Window | None]:
        """The windows of a target in the order of its regions."""
        return [self.window(entry, position) for position in range(len(entry.policy.regions))]

    def newest(self, entry: TargetState) -> int:
        """The newest effective time of all windows, those that were dropped included."""
        end = entry.slot + len(entry.policy.regions)
        return max(entry.floor, *self.columns.newest[entry.slot : end])

    def on_host(self, key: str) -> Sequence[str]:
        """The ids of the targets of a host (see `host_key`), sorted."""
        found = self.hosts.get(key, ())
        return (found,) if isinstance(found, str) else found

    def put(
        self, target: Target, *, floor: int = 0, kept: TargetState | None = None
    ) -> TargetState:
        """Puts a target in, or in the place of the one with its id.

        Its windows begin anew; with `kept` (what the target was) those of the regions that stay
        go on, and so does its trouble.
        """
        # Whatever may fail comes before the first change.
        policy, definition = self.policy(terms_of(target)), pack(target)
        slot = self.columns.allocate(len(policy.regions))
        trouble = None if kept is None else self._carry(kept, policy, slot)
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
        """Puts an entry in, or in the place of the one with its id, and indexes it."""
        old = self.targets.get(entry.id)
        if old is not None:
            self._forget(old)
        self._share(entry, old)
        self.targets[entry.id] = entry
        key = entry.host_key
        self.around.pop(key, None)
        others = self.hosts.get(key)
        if others is None:
            self.hosts[key] = entry.id
        else:
            self.hosts[key] = sorted((*self.on_host(key), entry.id))
        self.note_heat(entry, 0)

    def remove(self, target_id: str) -> None:
        """Takes a target out; it must be there."""
        self._forget(self.targets.pop(target_id))

    def policy(self, terms: Terms) -> TargetPolicy:
        """The policy with these terms, the same object for all targets that have it."""
        policy = self.policies.get(terms)
        if policy is None:
            policy = self.policies[terms] = policy_of(terms)
        return policy

    def note_heat(self, entry: TargetState, deadline: int) -> None:
        """Keeps the index `hot` true after a change of `entry`, and drops a trouble that is over.

        `deadline` is the running time before which time alone changes nothing, known when `entry`
        was judged; 0 if unknown.
        """
        if entry.hot:
            self.hot[entry.id] = deadline
            if deadline and self.woken:
                self.woken.pop(entry.id, None)
        else:
            entry.trouble = None
            self._cool(entry)

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
        )

    def _share(self, entry: TargetState, old: TargetState | None) -> None:
        """Lets `entry` use the strings and numbers that are here already."""
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
        self.columns.free(entry.slot, len(entry.policy.regions))
        key = entry.host_key
        self.around.pop(key, None)
        others = [other for other in self.on_host(key) if other != entry.id]
        if not others:
            del self.hosts[key]
        else:
            self.hosts[key] = others[0] if len(others) == 1 else others


def _goes_on(row: Slow, old: TargetPolicy, new: TargetPolicy) -> bool:
    """Whether a row of slow successes is carried over: new limits begin the rows anew."""
    if new.latency != old.latency:
        row.count = 0
        return row.slow and new.latency is not None
    return True


def new_state(partition: int, partitions: int) -> PartitionState:
    """The state before the first record of partition `partition` of `partitions`."""
    return PartitionState(partition, partitions)
