"""What the log [notifier-state] says, record by record. Pure.

One notifier writes at a time, by its term; the log's order decides. A record whose term is lower
than one before it comes from a notifier that is no longer active and changes nothing here. For the
topic's compaction it is the newest of its key all the same: it would outlive the valid record
before it. So its key is `overwritten` until the active notifier has written it again.
"""

from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec import Struct

from schemas._types import Count, Name
from schemas.json_decoder import JsonDecoder
from schemas.notifier_state import (
    OFFSETS_KEY,
    PACE_PREFIX,
    SILENCES_KEY,
    SUBJECT_PREFIX,
    TERM_KEY,
)

TERM_HEADER: Final = "term"
"""The header of a removal that has its writer's term in decimal; a value has the term itself."""

_KEYS: Final = frozenset({TERM_KEY, OFFSETS_KEY, SILENCES_KEY})
_PREFIXES: Final = (SUBJECT_PREFIX, PACE_PREFIX)
_MOST_DIGITS: Final = 10


class _Peek(Struct):
    term: Count
    owner: Name = ""


_peek: JsonDecoder[_Peek] = JsonDecoder(_Peek)


class StateView:
    """The newest valid value of each key, as bytes, and whose term it is."""

    def __init__(self) -> None:
        self.term = 0
        """The newest term; 0 if there is none."""
        self.owner = ""
        """Who began this term first."""
        self.values: dict[bytes, bytes] = {}
        """The newest valid value of each key, without the term's."""
        self.overwritten: set[bytes] = set()
        """Keys whose newest record in the log is not the valid one."""
        self.ignored = 0
        """Number of records that changed nothing: of an ended term, or unreadable."""

    def take(
        self, key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes]] = ()
    ) -> None:
        """Takes in the next record of the log. Never raises, whatever is in it."""
        if key is None or not (key in _KEYS or key.startswith(_PREFIXES)):
            self.ignored += 1
            return
        if value is None:
            # The term itself is never removed.
            written_by = None if key == TERM_KEY else _removal(headers)
        else:
            written_by = _written_by(value)
        if written_by is None or written_by.term < self.term:
            self.ignored += 1
            self.overwritten.add(key)
            return
        if key == TERM_KEY:
            self._begin(written_by)
            return
        if written_by.term > self.term:
            # The Term itself was written again later, and compaction removed this one.
            self.term, self.owner = written_by.term, ""
        self.overwritten.discard(key)
        if value is None:
            self.values.pop(key, None)
        else:
            self.values[key] = value

    def _begin(self, begun: _Peek) -> None:
        if begun.term > self.term or not self.owner:
            self.term, self.owner = begun.term, begun.owner
        if begun.owner == self.owner:
            self.overwritten.discard(TERM_KEY)
        else:
            self.overwritten.add(TERM_KEY)


def _written_by(value: bytes) -> _Peek | None:
    try:
        return _peek.decode(value)
    except msgspec.DecodeError:
        return None


def _removal(headers: Iterable[tuple[str, bytes]]) -> _Peek | None:
    for name, text in headers:
        if name == TERM_HEADER and text.isdigit() and len(text) <= _MOST_DIGITS:
            return _Peek(int(text))
    return None
