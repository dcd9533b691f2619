"""Answers as bytes, packed once for each coding, and given to all who ask for the same."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final

from portquorum.web.packing import NOT_PACKED, PACKED_FROM, packed

MOST_BYTES: Final = 32 << 20


class Answer:
    """The bytes of an answer, its type and its tag; `token` says of what state it is."""

    def __init__(self, kind: str, body: bytes, token: Hashable) -> None:
        self.kind = kind.encode()
        self.token = token
        self._plain = body
        self._packed: dict[str, bytes] = {}
        self.etag = f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'

    @property
    def size(self) -> int:
        """Bytes in all codings."""
        return len(self._plain) + sum(map(len, self._packed.values()))

    def coded(self, encoding: str) -> tuple[str, bytes]:
        """The bytes, and the coding that they have in fact: small ones have none."""
        if encoding == NOT_PACKED or len(self._plain) < PACKED_FROM:
            return NOT_PACKED, self._plain
        found = self._packed.get(encoding)
        if found is None:
            found = self._packed[encoding] = packed(self._plain, encoding)
        return encoding, found


class KeptAnswers:
    """The answers that were asked for last, up to `MOST_BYTES` together."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._kept: OrderedDict[Hashable, Answer] = OrderedDict()

    def get(
        self, key: Hashable, token: Hashable, make: Callable[[], tuple[str, bytes] | None]
    ) -> Answer | None:
        """The answer of a key at a state; `make` gives type and bytes, None: there is none.

        What is not there is not remembered: strangers would fill the memory with it.
        """
        found = self._kept.get(key)
        if found is not None and found.token == token:
            self._kept.move_to_end(key)
            return found
        made = make()
        if made is None:
            return None
        answer = self._kept[key] = Answer(*made, token)
        self._kept.move_to_end(key)
        self._shrink()
        return answer

    def _shrink(self) -> None:
        size = sum(one.size for one in self._kept.values())
        while size > self._most and len(self._kept) > 1:
            size -= self._kept.popitem(last=False)[1].size
