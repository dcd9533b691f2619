"""Finds keys by the digest of their text, in memory."""

from portquorum.journal.protocol import Journal
from schemas.web import ShareKey, Web

_KIND = "share_key/"


class KeyIndex:
    """The keys of a journal by digest; follows each change of them.

    Of two with one digest, which two processes made at the same time, the one that is first in the
    topic counts for every reader.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._ids: dict[str, list[str]] = {}
        self._digests: dict[str, str] = {}
        self._is_filled = False
        journal.on_change(self._changed)

    def find(self, digest: str) -> ShareKey | None:
        """The key with this digest that counts; None: there is none."""
        self._fill()
        book = self._journal.book
        found = [key for name in self._ids.get(digest, ()) if (key := book.get(ShareKey, name))]
        return min(found, key=self._offset, default=None)

    def _offset(self, key: ShareKey) -> int:
        place = self._journal.book.place(ShareKey, key.id)
        return 0 if place is None else place.offset

    def _fill(self) -> None:
        """Once, as soon as the topic was read up: what it had then is told to nobody."""
        if self._is_filled or not self._journal.is_present.is_set():
            return
        self._is_filled = True
        for key in self._journal.book.all(ShareKey).values():
            self._put(key)

    def _changed(self, record: Web | None, identity: str) -> None:
        if not identity.startswith(_KIND):
            return
        self._forget(identity.removeprefix(_KIND))
        if isinstance(record, ShareKey):
            self._put(record)

    def _put(self, key: ShareKey) -> None:
        self._forget(key.id)
        self._digests[key.id] = key.secret
        self._ids.setdefault(key.secret, []).append(key.id)

    def _forget(self, name: str) -> None:
        digest = self._digests.pop(name, None)
        if digest is None:
            return
        left = [one for one in self._ids[digest] if one != name]
        if left:
            self._ids[digest] = left
        else:
            del self._ids[digest]
