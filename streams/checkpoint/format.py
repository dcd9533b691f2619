"""The parts of checkpoint chunks (msgpack): the first is a `Frame`, the others follow in any order.

Notes hold what is kept by host, of removed and of paused targets, and jobs that report themselves;
blocks hold the targets, both in
the state's own order. The block of the first target with a policy contains that policy; later
targets refer to it by number. The windows of a block follow its rows as columns
(`streams.checkpoint.byte_planes`).
"""

from typing import Final

import msgspec
from msgspec import Struct

from streams.state.coverage import Coverage
from streams.state.heartbeats import Down, Receivers, Report, Run
from streams.state.partition_state import (
    DependencyRecheck,
    Gap,
    HostRecheck,
    RegionState,
    Removed,
)
from streams.state.pauses import PausedTarget
from streams.state.policy import Terms
from streams.state.target_state import OpenIncident, Trouble

NOTES: Final = 0
BLOCK: Final = 1
PIECE: Final = 2


class Frame(Struct, gc=False, array_like=True):
    """The fields of a state outside of targets and notes."""

    partition: int
    partitions: int
    offset: int
    now: int
    gaps: int
    gap_end: int
    gap_ms: int
    looked_at: int
    respite_until: int
    respited: bool
    regions: dict[str, RegionState]
    rechecks_paid_us: int
    rechecks_wait: bool
    earlier_gaps: tuple[Gap, ...] = ()
    coverage: Coverage = msgspec.field(default_factory=Coverage)
    receivers: Receivers = msgspec.field(default_factory=Receivers)


class JobRow(Struct, gc=False, array_like=True):
    """A job that reports itself, without what follows from its definition; see `JobState`."""

    definition: bytes
    since: int
    due: int | None
    after: int | None
    held_until: int
    reported: int
    floor: int
    runs: tuple[Run, ...]
    counted: tuple[tuple[str, int, int], ...]
    last: Report | None
    down: Down | None
    incident: OpenIncident | None
    transitions: tuple[int, ...]


class Notes(Struct, gc=False, array_like=True, tag=NOTES):
    """Some entries that are kept by host or by target id."""

    rechecks: dict[str, HostRecheck]
    removed: dict[str, Removed]
    news: dict[str, None] = {}
    woken: dict[str, None] = {}
    dependency_rechecks: dict[str, DependencyRecheck] = {}
    paused: dict[str, PausedTarget] = {}
    jobs: dict[str, JobRow] = {}


class Piece(Struct, gc=False, array_like=True, tag=PIECE):
    """A piece of a part that is too large for one message; `left` pieces follow."""

    left: int
    raw: bytes


class TargetRow(Struct, gc=False, array_like=True):
    """A target without policy and windows; `ahead` is that of its columns, by position."""

    id: str
    kind: str
    host: str | None
    port: int | None
    floor: int
    definition: bytes
    ahead: dict[int, int] | None
    trouble: Trouble | None
    transitions: tuple[int, ...]


class TargetBlock(Struct, gc=False, array_like=True, tag=BLOCK):
    """Some targets (each row a `TargetRow`), and the columns of their windows one after the other.

    `policies` are those that no earlier block has, `which` the number of each target's policy.
    `reach` is `fresh_until` minus `newest`, equal for most windows. `daily` is empty if no window
    has one.
    """

    policies: list[Terms]
    which: bytes
    rows: list[msgspec.Raw]
    newest: bytes
    reach: bytes
    since: bytes
    successes: bytes
    lately: bytes
    usual: bytes
    daily: bytes
