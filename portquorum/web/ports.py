"""What pages and API ask of the fleet, of the live changes and of the history.

Protocols, so that the app is built from fakes in tests. Nothing here does I/O.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Literal, Protocol

import msgspec

ChangeName = Literal["incident", "target", "counts", "blind", "reload"]
"""What has changed. `reload`: the position is older than what is kept; ask for the page anew."""


class Change(msgspec.Struct, frozen=True, gc=False):
    """One change for those who watch live.

    `position` is the vector of offsets that the change leads to, as an opaque text of printable
    ASCII without a line's end: a viewer that reconnects, to this process or another, gives it back
    as `Last-Event-ID`. `data` is one JSON value in UTF-8 without a line's end.
    """

    position: str
    name: ChangeName
    data: bytes


class Hub(Protocol):
    """The changes, for any number of viewers."""

    @property
    def position(self) -> str:
        """The newest position; "" before anything was read."""

    def subscribe(
        self, since: str | None = None
    ) -> AbstractAsyncContextManager[AsyncIterator[Change]]:
        """All changes after `since`, or from now on.

        A position that is too old, of another log or no position at all gives one `reload` first.
        A viewer who is too slow gets a `reload` in place of what was dropped. The iterator ends
        when the process closes. Leaving the context forgets the viewer.
        """
