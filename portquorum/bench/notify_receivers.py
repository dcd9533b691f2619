"""The receiving end of the notifier's benches: `notify_channels` in a process of its own."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from typing import IO

import msgspec


class Channels:
    """The receiving end, in a process of its own."""

    def __init__(self, to: IO[bytes], told: IO[bytes]) -> None:
        self._to = to
        self._told = told
        self.port = int(told.readline())

    def noted(self) -> dict[str, tuple[int, int, int]]:
        """First, last (UTC ms) and number of the messages for each path."""
        self._to.write(b"\n")
        self._to.flush()
        return msgspec.json.decode(self._told.readline(), type=dict[str, tuple[int, int, int]])

    def times(self) -> dict[str, list[int]]:
        """When the first messages of each path were read (UTC ms)."""
        self._to.write(b"t")
        self._to.flush()
        return msgspec.json.decode(self._told.readline(), type=dict[str, list[int]])


@contextlib.contextmanager
def channels() -> Iterator[Channels]:
    """The receiving end, ended afterwards."""
    with subprocess.Popen(
        [sys.executable, "-m", "portquorum.bench.notify_channels"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None  # noqa: S101 - both are pipes
        assert process.stdout is not None  # noqa: S101
        try:
            yield Channels(process.stdin, process.stdout)
        finally:
            process.stdin.close()
