"""The address of a page with other filters: all state of a page is in its URL."""

from collections.abc import Iterable
from functools import cached_property
from typing import Final
from urllib.parse import parse_qsl, urlencode

from msgspec import Struct

MOST_PAIRS: Final = 100
LONGEST_QUERY: Final = 4_096
"""Bounds of a page's query, in parameters and bytes: each of hundreds of links has all of it."""

TABLE: Final = "table"
"""The drawing that a page shows as a table, too."""

DONE: Final = "done"
"""What was done just now: a word that the page says, and no link of it has."""

_PLACE: Final = "cursor"
"""Where one is in a list: another question begins at its beginning."""


class Address(Struct, frozen=True, dict=True):
    """Path and query of a page; `pairs` in the order of the query, names may come again."""

    path: str
    pairs: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, text: str) -> "Address":
        """The address of a path with its query."""
        path, _, query = text.partition("?")
        return cls(path, tuple(parse_qsl(query, keep_blank_values=True)))

    def __str__(self) -> str:
        return _joined(self.path, self.pairs)

    def values(self, name: str) -> tuple[str, ...]:
        """All values of a parameter."""
        return tuple(value for key, value in self.pairs if key == name)

    def value(self, name: str) -> str:
        """The last value of a parameter, empty if there is none."""
        return (self.values(name) or ("",))[-1]

    def others(self, *names: str) -> tuple[tuple[str, str], ...]:
        """All pairs but those of `names`, the place in the list, and what was done."""
        return tuple(pair for pair in self.pairs if pair[0] not in {*names, _PLACE, DONE})

    def toggled(self, name: str, value: str) -> str:
        """With this value too, or without it if it is there."""
        others = self._written
        if (name, value) in self.pairs:
            parts = [written for pair, written in others if pair != (name, value)]
        else:
            parts = [*(written for _, written in others), urlencode([(name, value)])]
        return f"{self.path}?{'&'.join(parts)}" if parts else self.path

    @cached_property
    def _written(self) -> list[tuple[tuple[str, str], str]]:
        """The pairs but for the place in the list, each with its text: many links have them."""
        return [(pair, urlencode([pair])) for pair in self.others()]

    def replaced(self, name: str, value: str) -> str:
        """With this as the only value of the parameter; an empty one takes it away."""
        others = self.others(name)
        return _joined(self.path, (*others, (name, value)) if value else others)

    def without(self, names: Iterable[str]) -> str:
        """Without some parameters, from the beginning of the list."""
        return _joined(self.path, self.others(*names))

    def beginning(self) -> str:
        """The same question, from the beginning of the list."""
        return _joined(self.path, self.others())

    def again(self) -> str:
        """The same page, which does not say again what was done."""
        return _joined(self.path, (pair for pair in self.pairs if pair[0] != DONE))

    def at(self, cursor: str) -> str:
        """The same question, from a place in the list on."""
        return _joined(self.path, (*self.others(), (_PLACE, cursor)))

    def with_path(self, path: str) -> str:
        """The same question at another path, without the page's table."""
        return _joined(path, (pair for pair in self.pairs if pair[0] not in {TABLE, DONE}))


def local_path(text: str) -> str:
    """`text` if it is a path on this server, else the overview's.

    Two slashes of either kind and what a browser makes of tabs and line feeds lead elsewhere.
    """
    is_local = text.startswith("/") and not text.startswith(("//", "/\\"))
    return text if is_local and text.isascii() and text.isprintable() else "/"


def _joined(path: str, pairs: Iterable[tuple[str, str]]) -> str:
    query = urlencode(list(pairs))
    return f"{path}?{query}" if query else path
