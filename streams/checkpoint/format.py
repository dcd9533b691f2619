"""What checkpoint chunks are made of (msgpack); the first is a `Frame`, the others as they come.

What is kept of hosts and of removed targets is in notes, targets are in blocks, all in the state's
own order. A policy stands in the block of the first target that has it, and has a number from
there on. The windows of a block follow its rows as columns (`streams.planes`).
"""

from typing import Final

import msgspec
from msgspec import Struct

from streams.state.partition_state import HostRecheck, RegionState, Removed
from streams.state.policy import Terms
from streams.state.target_state import Trouble

NOTES: Final = 0
BLOCK: Final = 1
PIECE: Final = 2


class Frame(Struct, gc=False, array_like=True):
    """What of a state is no target."""

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


class Notes(Struct, gc=False, array_like=True, tag=NOTES):
    """Some of what is kept by host, or by the id of a target."""

    rechecks: dict[str, HostRecheck]
    removed: dict[str, Removed]
    news: dict[str, None] = {}
    woken: dict[str, None] = {}


class Piece(Struct, gc=False, array_like=True, tag=PIECE):
    """A stretch of a part that is too large for one message; `left` pieces follow."""

    left: int
    raw: bytes


class Row(Struct, gc=False, array_like=True):
    """A target without policy and windows; `ahead` is that of the columns, by position."""

    id: str
    kind: str
    host: str | None
    port: int | None
    floor: int
    definition: bytes
    ahead: dict[int, int] | None
    trouble: Trouble | None
    transitions: tuple[int, ...]


class Block(Struct, gc=False, array_like=True, tag=BLOCK):
    """Some targets (each row a `Row`), and the columns of their windows one after the other.

    `policies` are those that no block before had, `which` has the number of each target's. `reach`
    is `fresh_until` less `newest`: the same for most. `daily` is empty where none of them has one.
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
