"""What counts of the records of [web].

Of an object (a user, a target, …) that is, among the records whose key has not been removed, the
one with the highest version, and of those of one version the first in the order of offsets. Of a
single record it is the newest of its key. Both depend on nothing but what compaction keeps, so a
reader of the whole log, one of a compacted log, and one that follows have the same book.
"""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, TypeVar, cast, get_args

import msgspec
from msgspec import Struct

from portquorum.journal.protocol import Place, S, V
from schemas import web
from schemas.web import Single, Versioned, Web

T = TypeVar("T", bound=Web)

_KINDS: Final[dict[str, type[Web]]] = {
    str(kind.__struct_config__.tag): kind for kind in get_args(Web)
}
_VERSIONED: Final[frozenset[type[Web]]] = frozenset(get_args(Versioned))


class Change(Struct, frozen=True):
    """A change of the book; `record` None: the object or record is gone."""

    identity: str
    record: Web | None


class _Kept(Struct, frozen=True, gc=False):
    """A record whose key has not been removed."""

    record: Web
    place: Place


class PageBook:
    """The Book (`portquorum.journal.protocol`), made by `apply` of one record after another."""

    def __init__(self) -> None:
        self.clock = 0
        self.bad = 0
        """Records that were none: they count as if their key had been removed."""
        # Identity → key → record, of versioned ones: of each key the newest record.
        self._live: dict[str, dict[bytes, _Kept]] = {}
        # Identity → key of the one that counts.
        self._current: dict[str, bytes] = {}
        # Kind → id → record that counts; versioned ones without removed objects.
        self._shown: dict[object, dict[str, Web]] = {kind: {} for kind in _KINDS.values()}
        self._single_places: dict[str, Place] = {}

    def get(self, kind: type[V], name: str) -> V | None:
        return self._of(kind).get(name)

    def version(self, kind: type[V], name: str) -> int:
        return self.version_of(f"{kind.__struct_config__.tag}/{name}")

    def all(self, kind: type[V]) -> Mapping[str, V]:
        return MappingProxyType(self._of(kind))

    def one(self, kind: type[S], name: str) -> S | None:
        return self._of(kind).get(name)

    def every(self, kind: type[S]) -> Mapping[str, S]:
        return MappingProxyType(self._of(kind))

    def place(self, kind: type[Web], name: str) -> Place | None:
        identity = f"{kind.__struct_config__.tag}/{name}"
        if kind not in _VERSIONED:
            return self._single_places.get(identity)
        found = self._counting(identity)
        return None if found is None else found.place

    def version_of(self, identity: str) -> int:
        """The newest version of an object; 0: nothing is known of it."""
        found = self._counting(identity)
        return 0 if found is None else cast(Versioned, found.record).version

    def counts(self, key: bytes) -> bool:
        """True if the edit with this key is the one that counts of its object."""
        return self._current.get(_split(key)[1]) == key

    def apply(self, key: bytes, value: bytes | None, offset: int, at: int) -> Change | None:
        """Takes the next record; what it changed, None: nothing.

        `at` is the broker's time. A record that is none is counted in `bad`.
        """
        self.clock = max(self.clock, at)
        kind, identity = _split(key)
        record = None if value is None else _decoded(key, value)
        if value is not None and record is None:
            self.bad += 1
        if kind is None:
            return None
        kept = None if record is None else _Kept(record, Place(offset=offset, at=at))
        if kind in _VERSIONED:
            return self._edit(kind, identity, key, kept)
        return self._single(kind, identity, kept)

    def contents(self) -> dict[str, Web]:
        """All that `get` and `one` give, by identity."""
        return {web.identity(one): one for shown in self._shown.values() for one in shown.values()}

    def changes_since(self, old: "PageBook") -> list[Change]:
        """What is different in this book from an older one."""
        before, after = old.contents(), self.contents()
        gone = [Change(identity, None) for identity in before if identity not in after]
        return gone + [
            Change(identity, record)
            for identity, record in after.items()
            if before.get(identity) != record
        ]

    def stale(self, identities: Iterable[str] | None = None) -> Iterator[bytes]:
        """Keys of edits that do not count (any more), of these objects; None: of all.

        Of each object those that were refused come first, then those that were replaced.
        """
        for identity in tuple(self._live) if identities is None else identities:
            current = self._current.get(identity)
            live = self._live.get(identity, {})
            refused: list[bytes] = []
            replaced: list[bytes] = []
            seen: set[int] = set()
            for key, kept in sorted(live.items(), key=lambda item: item[1].place.offset):
                version = cast(Versioned, kept.record).version
                if key != current:
                    (refused if version in seen else replaced).append(key)
                seen.add(version)
            yield from (*refused, *replaced)

    def counting(self) -> Iterator[tuple[bytes, Versioned, Place]]:
        """Key, record and place of each edit that counts, of removed objects too."""
        for identity, key in self._current.items():
            kept = self._live[identity][key]
            yield key, cast(Versioned, kept.record), kept.place

    def _edit(
        self, kind: type[Web], identity: str, key: bytes, kept: _Kept | None
    ) -> Change | None:
        live = self._live.setdefault(identity, {})
        if kept is None:
            live.pop(key, None)
        else:
            live[key] = kept
        if not live:
            del self._live[identity]
            self._current.pop(identity, None)
            return self._show(kind, identity, None)
        current = min(live, key=lambda one: _rank(live[one]))
        self._current[identity] = current
        record = cast(Versioned, live[current].record)
        return self._show(kind, identity, None if record.removed else record)

    def _single(self, kind: type[Web], identity: str, kept: _Kept | None) -> Change | None:
        if kept is None:
            self._single_places.pop(identity, None)
            return self._show(kind, identity, None)
        self._single_places[identity] = kept.place
        # To the end: in the order of offsets.
        before = self._shown[kind].pop(_name(identity), None)
        self._show(kind, identity, kept.record)
        return None if before == kept.record else Change(identity, kept.record)

    def _show(self, kind: type[Web], identity: str, record: Web | None) -> Change | None:
        shown, name = self._shown[kind], _name(identity)
        before = shown.get(name)
        if before == record:
            return None
        if record is None:
            del shown[name]
        else:
            shown[name] = record
        return Change(identity, record)

    def _counting(self, identity: str) -> _Kept | None:
        key = self._current.get(identity)
        return None if key is None else self._live[identity][key]

    def _of(self, kind: type[T]) -> dict[str, T]:
        return cast(dict[str, T], self._shown[kind])


def single_key(kind: type[Single], name: str) -> bytes:
    """The key of a single record by kind and id."""
    return f"{kind.__struct_config__.tag}/{name}".encode()


def identity_of(key: bytes) -> str:
    """`KIND/ID` of a key that a reader knows, else an empty text."""
    return _split(key)[1]


def _rank(kept: _Kept) -> tuple[int, int]:
    return -cast(Versioned, kept.record).version, kept.place.offset


def _name(identity: str) -> str:
    return identity.partition("/")[2]


def _split(key: bytes) -> tuple[type[Web] | None, str]:
    """Kind and identity; (None, "") if this is no key of ours, or of a later version."""
    text = key.decode(errors="replace")
    tag, _, rest = text.partition("/")
    kind = _KINDS.get(tag)
    if kind is None or not rest:
        return None, ""
    if kind not in _VERSIONED:
        return kind, text
    name, _, _ = rest.rpartition("/")[0].rpartition("/")
    return (kind, f"{tag}/{name}") if name else (None, "")


def _decoded(key: bytes, value: bytes) -> Web | None:
    """The record; None: it is none, or lies under a key that is not its own."""
    try:
        record = web.decode(value)
    except msgspec.DecodeError:
        return None
    nonce = key.rpartition(b"/")[2].decode(errors="replace")
    return record if web.key(record, nonce) == key else None
