"""The state of one partition: a function of the log up to one offset.

Two clocks stand in it. *Log time* is the broker's append time, UTC ms, what people see. *Running
time* is log time without the gaps in which the broker was away: all deadlines are kept in it, so
that a gap moves every deadline by its length (section 4 of the design). Effective times of
results are log time.
"""

from msgspec import Struct, field

from schemas.partition import host_key
from schemas.result import Reason
from schemas.target import Target


class Failing(Struct, gc=False, array_like=True):
    """A row of failures of one target in one region.

    `count` failures were counted, the last at `counted_at` (effective time); the row began at
    `since` (effective time), which was `running_since` in running time.
    """

    count: int
    counted_at: int
    since: int
    running_since: int
    reason: Reason
    detail: str | None


class Window(Struct, gc=False, array_like=True):
    """What the rules keep of the last results of one target in one region.

    `newest` is the effective time of the newest counted result, `started` its own time of start
    (which may lie ahead of the log's); the region is fresh until `fresh_until` (running time).
    `since` is when it last turned up (0: never was). `successes` counts in a row, up to the
    target's `recover_after`. `down` is the confirmed verdict; `failing` is the row of failures so
    far, None after a success.
    """

    newest: int
    started: int
    fresh_until: int
    since: int = 0
    successes: int = 0
    down: bool = False
    failing: Failing | None = None


class OpenIncident(Struct, gc=False, array_like=True):
    """An incident that is open; `seen` and `diagnosis` are what the last event told."""

    incident_id: str
    opened_at: int
    first_failed_at: int
    seen: dict[str, tuple[str, Reason | None]]
    diagnosis: str
    recovery_asked: bool = False
    acknowledged_by: str | None = None


class TargetState(Struct, gc=False, array_like=True):
    """A target and its windows, one a region in the order of `target.regions`.

    `held`: an incident was resolved by hand; none opens until consensus has said "not down" once.
    `floor`: the newest effective time when windows were last dropped; to a window that begins
    anew, what is not newer was seen.
    """

    target: Target
    windows: list[Window | None]
    incident: OpenIncident | None = None
    held: bool = False
    floor: int = 0

    @property
    def newest(self) -> int:
        """The newest effective time of all windows, those that were dropped included."""
        return max(self.floor, *(window.newest for window in self.windows if window), 0)

    @property
    def hot(self) -> bool:
        """Whether a deadline could change something here."""
        if self.incident is not None or self.held:
            return True
        return any(window is not None and window.failing is not None for window in self.windows)


class ProberState(Struct, gc=False, array_like=True):
    """The last beat of one prober, in running time; `skewed`: its clock was told to be off."""

    last_beat: int
    skewed: bool = False


class RegionState(Struct, gc=False, array_like=True):
    """The liveness of a region. `last_beat_at` is log time, `last_beat` running time."""

    last_beat: int
    last_beat_at: int
    silent: bool = False
    probers: dict[str, ProberState] = field(default_factory=dict)


class HostRecheck(Struct, gc=False, array_like=True):
    """The last recheck request of a host (running time), and whether one waits for its turn.

    `waiting_since` is the effective time of the newest result that asked for one meanwhile: who
    has spoken since then need not be asked.
    """

    asked_at: int
    waiting_since: int | None = None


class Removed(Struct, gc=False, array_like=True):
    """What is kept of a removed target until (running time) no old result could count again."""

    floor: int
    until: int


class PartitionState(Struct, gc=False):
    """Everything the rules know of one partition after the record at `offset` (-1: none yet).

    `now` is the newest append time, `gaps` the sum of the gaps; the last one ended at `gap_end`
    (log time) and lasted `gap_ms`. `looked_at` is the running time at which deadlines were last
    looked at. `hosts` and `hot` are indexes, not saved: `hot` has the targets where time alone
    could change something, and the running time before which it does not.
    """

    partition: int
    partitions: int
    offset: int = -1
    now: int = 0
    gaps: int = 0
    gap_end: int = 0
    gap_ms: int = 0
    looked_at: int = 0
    targets: dict[str, TargetState] = field(default_factory=dict)
    regions: dict[str, RegionState] = field(default_factory=dict)
    rechecks: dict[str, HostRecheck] = field(default_factory=dict)
    removed: dict[str, Removed] = field(default_factory=dict)
    hosts: dict[str, list[str]] = field(default_factory=dict)
    hot: dict[str, int] = field(default_factory=dict)

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

    def add(self, entry: TargetState) -> None:
        """Puts a target in, or in the place of the one with its id, and indexes it."""
        target_id = entry.target.id
        old = self.targets.get(target_id)
        if old is not None:
            self._unindex(old)
        self.targets[target_id] = entry
        others = self.hosts.setdefault(host_key(entry.target.host, target_id), [])
        others.append(target_id)
        others.sort()
        self.note_heat(entry, 0)

    def remove(self, target_id: str) -> None:
        """Takes a target out; it must be there."""
        self._unindex(self.targets.pop(target_id))

    def note_heat(self, entry: TargetState, deadline: int) -> None:
        """Keeps the index `hot` true after a change of `entry`.

        `deadline` is the running time before which time alone changes nothing; 0 if unknown.
        """
        if entry.hot:
            self.hot[entry.target.id] = deadline
        else:
            self.hot.pop(entry.target.id, None)

    def _unindex(self, entry: TargetState) -> None:
        target_id = entry.target.id
        self.hot.pop(target_id, None)
        key = host_key(entry.target.host, target_id)
        others = self.hosts[key]
        others.remove(target_id)
        if not others:
            del self.hosts[key]


def new_state(partition: int, partitions: int) -> PartitionState:
    """The state before the first record of partition `partition` of `partitions`."""
    return PartitionState(partition, partitions)
