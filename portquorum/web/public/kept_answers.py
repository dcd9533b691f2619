"""Answers as bytes, packed once for each coding, and given to all who ask for the same."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final

from portquorum.web.packing import NOT_PACKED, PACKED_FROM, packed

MOST_BYTES: Final = 32 << 20
MOST: Final = 5_000


class Answer:
    """The bytes of an answer, its type and its tag; `token` says of what state it is."""

    def __init__(self, kind: str, body: bytes, token: Hashable) -> None:
        self.kind = kind.encode()
        self.token = token
        self.grown: Callable[[int], None] = lambda _by: None
        """Is told by how many bytes it has grown."""
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
            self.grown(len(found))
        return encoding, found


class KeptAnswers:
    """The answers that were asked for last, up to `MOST_BYTES` and `MOST` together."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._kept: OrderedDict[Hashable, Answer] = OrderedDict()

    @property
    def kept_bytes(self) -> int:
        """Bytes of all answers that are kept, in all their codings."""
        return self._bytes

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
        self._drop(key)
        answer = self._kept[key] = Answer(*made, token)
        answer.grown = lambda by: self._grown(answer, key, by)
        self._grown(answer, key, answer.size)
        return answer

    def _grown(self, answer: Answer, key: Hashable, by: int) -> None:
        if self._kept.get(key) is not answer:
            return
        self._bytes += by
        while (self._bytes > self._most_bytes or len(self._kept) > MOST) and len(self._kept) > 1:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: Hashable) -> None:
        found = self._kept.pop(key, None)
        if found is not None:
            self._bytes -= found.size
