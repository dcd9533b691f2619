"""Which version has decided the records of a partition, and since which one. Pure."""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from foundation.upgrade_order import own_version, series
from schemas.checkpoint import CheckpointHead


class Judged(Struct, frozen=True):
    """`version` has decided all records from offset `since` on; empty if that is not known."""

    version: str
    since: int


NOT_KNOWN: Final = Judged("", 0)


def judged_now(heads: Iterable[CheckpointHead], offset: int) -> Judged:
    """What holds when this program goes on from the checkpoint at `offset` (-1: from nothing)."""
    own = own_version()
    for head in heads:
        if head.offset == offset and same_rules(head):
            return Judged(own, head.judged_from)
    return Judged(own, offset + 1)


def same_rules(head: CheckpointHead) -> bool:
    """True if a version of this program's series wrote it: these have the same rules."""
    return bool(head.version) and series(head.version) == series(own_version())
