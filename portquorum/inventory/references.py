"""Names that an entry uses, held against those that are defined."""

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from portquorum.inventory.decode import Entry
from portquorum.inventory.errors import Problem
from portquorum.inventory.explain import placeholder
from portquorum.inventory.suggest import did_you_mean


class AnyName(frozenset[str]):
    """The names of a section that could not be read: whatever is named may be one of them."""

    def __contains__(self, name: object) -> bool:
        """Always true."""
        return True

    def __bool__(self) -> bool:
        """Always true, even without a known name."""
        return True


def unknown(
    what: str, names: Iterable[str], known: Collection[str], entry: Entry[Any], *path: str | int
) -> Iterator[Problem]:
    """The problems of `names`, which stand in the list at `path` of `entry`: those not `known`."""
    for position, name in enumerate(names):
        if name not in known:
            yield Problem(entry.where(*path, position), not_defined(what, name, known))


def not_defined(what: str, name: str, known: Collection[str]) -> str:
    """The sentence for a name that is none of those that are known."""
    hint = placeholder(name) or did_you_mean(name, known)
    return f"expected a {what} that is defined ({some(known)}), found {name!r}{hint}"


def no_target(name: str, ids: Collection[str], expected: str = "the id of a target") -> str:
    """The sentence for an id that no target has."""
    return f"expected {expected}, found {name!r}{placeholder(name) or did_you_mean(name, ids)}"


def some(names: Iterable[str]) -> str:
    """Up to ten of the names, for a sentence."""
    listed = sorted(names)
    return (", ".join(listed[:10]) + (", …" if len(listed) > 10 else "")) or "there is none"
