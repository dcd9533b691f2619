"""How the components of a status page are now, before it is saved."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from portquorum.changing.status_edits import WantedGroup
from portquorum.web.answers import STATES, State
from portquorum.web.ports import Fleet

MOST_SHOWN: Final = 200
"""Components that are shown."""
_MOST_ASKED: Final = 2_000
_MOST_NAMED: Final = 5


class PreviewRow(Struct, frozen=True, kw_only=True):
    """A component: its public name, the worst state of its targets, and their names.

    `state` None: none of its targets is there.
    """

    group: str
    name: str
    state: State | None
    targets: tuple[str, ...]
    more: int
    gone: tuple[str, ...]


class Preview(Struct, frozen=True):
    """The first components; `left` are not shown."""

    rows: tuple[PreviewRow, ...]
    left: int


def preview_of(fleet: Fleet, groups: Sequence[WantedGroup]) -> Preview:
    """The components of a page as they are now."""
    rows = []
    components = [(group.name, one) for group in groups for one in group.components]
    left = _MOST_ASKED
    for name, one in components[:MOST_SHOWN]:
        asked = one.targets[: max(1, left)]
        left -= len(asked)
        found = {target: fleet.target(target) for target in asked}
        there = [answer.row for answer in found.values() if answer is not None]
        states = {row.state for row in there}
        rows.append(
            PreviewRow(
                group=name,
                name=one.name,
                state=next((state for state in STATES if state in states), None),
                targets=tuple(row.name for row in there[:_MOST_NAMED]),
                more=max(0, len(there) - _MOST_NAMED),
                gone=tuple(target for target, answer in found.items() if answer is None),
            )
        )
    return Preview(tuple(rows), max(0, len(components) - MOST_SHOWN))
