"""Names that an entry uses, held against those that are defined."""

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from portquorum.inventory.decode import Entry
from portquorum.inventory.errors import Problem


def unknown(
    what: str, names: Iterable[str], known: Collection[str], entry: Entry[Any], *path: str | int
) -> Iterator[Problem]:
    """The problems of `names`, which stand in the list at `path` of `entry`: those not `known`."""
    for position, name in enumerate(names):
        if name not in known:
            expected = f"expected a {what} that is defined ({some(known)}), found {name!r}"
            yield Problem(entry.where(*path, position), expected)


def some(names: Iterable[str]) -> str:
    """Up to ten of the names, for a sentence."""
    listed = sorted(names)
    return (", ".join(listed[:10]) + (", …" if len(listed) > 10 else "")) or "there is none"
