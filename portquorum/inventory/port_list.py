"""`ports:` of a target: one target for each. Pure."""

from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from portquorum.inventory.document import TargetEntry

MOST_PORTS: Final = 1_000
"""Most ports of one entry."""

MOST_IN_ALL: Final = 100_000
"""Most targets that the entries of an inventory make by their ports together."""

_LONGEST_ID: Final = 122
_LONGEST_NAME: Final = 194


class PortListError(ValueError):
    """A list of ports that is none; `position` is that of the wrong item, None: of all."""

    def __init__(self, message: str, position: int | None = None) -> None:
        super().__init__(message)
        self.position = position


def ports_of(written: tuple[int | str, ...]) -> dict[int, int]:
    """The ports of a list with ranges, each with its position in the list; each port once.

    Raises:
        PortListError: a range that goes down or too far, or too many ports.
    """
    found: dict[int, int] = {}
    for position, one in enumerate(written):
        first, _, last = str(one).partition("-")
        begin, end = int(first), int(last or first)
        if not 1 <= begin <= end <= 65535:
            expected = "expected ports from 1 to 65535, the lower one first"
            raise PortListError(f"{expected}, found {one!r}", position)
        if end - begin >= MOST_PORTS:
            expected = f"expected at most {MOST_PORTS:,} ports"
            raise PortListError(f"{expected}, found {end - begin + 1:,}", position)
        for port in range(begin, end + 1):
            found.setdefault(port, position)
    if len(found) > MOST_PORTS:
        raise PortListError(f"expected at most {MOST_PORTS:,} ports, found {len(found):,}")
    return found


def too_long(entry: TargetEntry) -> tuple[str, str] | None:
    """The field that leaves no room for `-65535` behind it, and a sentence; None: there is room."""
    if entry.id is not None and len(entry.id) > _LONGEST_ID:
        return "id", f"expected at most {_LONGEST_ID} characters beside ports, for a port follows"
    if entry.name is not None and len(entry.name) > _LONGEST_NAME:
        return "name", f"expected at most {_LONGEST_NAME} characters beside ports"
    return None


def for_each(entry: TargetEntry, ports: dict[int, int]) -> Iterator[tuple[int, TargetEntry]]:
    """The target of each port, with the position of the port in the list."""
    for port, position in ports.items():
        made = replace(
            entry,
            port=port,
            id=None if entry.id is None else f"{entry.id}-{port}",
            name=None if entry.name is None else f"{entry.name} {port}",
        )
        yield position, made
