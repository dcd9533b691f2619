"""A server in a process of its own, asked over pipes."""

import subprocess
import sys
from typing import TypeVar

import msgspec

from portquorum.bench.process import Usage, usage

T = TypeVar("T")


class Piped:
    """A process that answers each line with a line of JSON."""

    def __init__(self, *command: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.first_line = self._line()

    def ask(self, order: str, kind: type[T]) -> T:
        """The answer to an order."""
        if self.process.stdin is None:
            raise RuntimeError("the process has no input")
        self.process.stdin.write(f"{order}\n")
        self.process.stdin.flush()
        return msgspec.json.decode(self._line(), type=kind)

    def usage(self) -> Usage:
        """What the process has used so far."""
        return usage(self.process.pid)

    def close(self) -> None:
        """Ends it."""
        self.process.terminate()
        self.process.wait()

    def _line(self) -> str:
        if self.process.stdout is None:
            raise RuntimeError("the process has no output")
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the process has ended; see above")
        return line
