"""What a server that runs leaves for a test to read."""

import contextlib
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

Counters = Callable[[], dict[str, int] | None]


def _no_counters() -> None:
    return None


class Logging(Struct, frozen=True):
    """A server that runs: its port, the files that it logs into, and its counters."""

    port: int
    logs: tuple[Path, ...]
    counters: Counters = _no_counters


Start = Callable[[], contextlib.AbstractContextManager[Logging]]
