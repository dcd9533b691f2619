"""The records of bulk changes: in as many parts as their size needs."""

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct, structs

from portquorum.journal.protocol import Book
from schemas.web import Bulk

PART_CHARS: Final = 300_000
"""Most characters of one record's entries."""


class Line(Struct, frozen=True):
    """One target of a bulk change; see `schemas.web.Bulk`."""

    target: str
    made: int
    before: str


def parts_of(head: Bulk, lines: Iterable[Line]) -> list[Bulk]:
    """The records of a change; `head` has what they have in common."""
    parts: list[list[Line]] = [[]]
    size = 0
    for line in lines:
        size += len(line.before) + len(line.target)
        if parts[-1] and size > PART_CHARS:
            parts.append([])
            size = 0
        parts[-1].append(line)
    return [
        structs.replace(
            head,
            targets=tuple(one.target for one in some),
            made=tuple(one.made for one in some),
            before=tuple(one.before for one in some),
            part=number,
            parts=len(parts),
        )
        for number, some in enumerate(parts)
    ]


def found(book: Book, bulk: str) -> Sequence[Bulk]:
    """The records of a change by its id; empty if there is none, or not all of it."""
    first = book.one(Bulk, f"{bulk}.0")
    if first is None:
        return ()
    parts = [book.one(Bulk, f"{bulk}.{number}") for number in range(first.parts)]
    whole = [one for one in parts if one is not None]
    return whole if len(whole) == len(parts) else ()


def whole(parts: Sequence[Bulk]) -> Bulk | None:
    """The change as one record; None: there is none."""
    if not parts:
        return None
    return structs.replace(
        parts[0],
        targets=tuple(target for one in parts for target in one.targets),
        made=tuple(made for one in parts for made in one.made),
        before=tuple(before for one in parts for before in one.before),
        parts=1,
    )


def lines_of(change: Bulk) -> list[Line]:
    """The targets of a change."""
    return [
        Line(target, made, before)
        for target, made, before in zip(change.targets, change.made, change.before, strict=True)
    ]
