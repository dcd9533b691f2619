"""`portquorum` as a process whose JSON lines a test reads."""

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import msgspec
import psutil

from tests.commands import Said, called
from tests.running import still_running
from tests.standstill import Standstill

DEADLINE_S = 120
TERMINATION_S = 10


def clean_environment(home: Path) -> dict[str, str]:
    """Nothing of the user's settings; temporary files and data below `home`."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PORTQUORUM_")}
    return kept | {"PORTQUORUM_DATA_DIR": str(home / "data"), "TMPDIR": str(home)}


def command(home: Path, *arguments: str) -> Said:
    """Runs a command to its end."""
    return called(home, clean_environment(home), *arguments)


class Program:
    """A `portquorum` that runs; its records come as they are written."""

    def __init__(self, home: Path, *arguments: str, **env: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "portquorum.cli", *arguments],
            env=clean_environment(home) | env,
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.records: list[dict[str, Any]] = []
        self.lines: list[str] = []
        self._new: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._new.put(line)
        self._new.put(None)

    def until(self, condition: Callable[[dict[str, Any]], bool], what: str) -> dict[str, Any]:
        """The next record that fulfils a condition."""
        deadline = time.monotonic() + DEADLINE_S
        while True:
            try:
                line = self._new.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                line = None
            assert line is not None, f"waited for {what}; last:\n{''.join(self.lines[-15:])}"
            self.lines.append(line)
            if line.startswith("{"):
                record: dict[str, Any] = msgspec.json.decode(line)
                self.records.append(record)
                if condition(record):
                    return record

    def event(self, role: str, event: str) -> dict[str, Any]:
        """The next record of a role whose event begins so."""
        return self.until(
            lambda record: record["role"] == role and record["event"].startswith(event),
            f"{event!r} of {role}",
        )

    def has_said(self, role: str, event: str) -> dict[str, Any]:
        """The first record of a role whose event begins so, also if it came before."""
        for record in self.records:
            if record["role"] == role and record["event"].startswith(event):
                return record
        return self.event(role, event)

    def rest(self) -> list[str]:
        """All lines that it wrote and nobody has read, once it has ended."""
        found: list[str] = []
        while (line := self._new.get(timeout=DEADLINE_S)) is not None:
            found.append(line)
        return found

    def family(self) -> list[psutil.Process]:
        """All processes below it."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self, number: int = signal.SIGINT) -> tuple[int, float]:
        """Sends a signal; the exit code, and the seconds until it had ended.

        Without those in which nothing could run.
        """
        with Standstill() as standstill:
            began = time.monotonic()
            self.process.send_signal(number)
            code = self.process.wait(DEADLINE_S)
            took_s = time.monotonic() - began
        return code, max(0.0, took_s - standstill.lost_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def all_gone(processes: list[psutil.Process]) -> bool:
    """Whether all have ended within the deadline."""
    return not still_running(processes, DEADLINE_S)


def eventually(condition: Callable[[], object], what: str) -> None:
    """Waits for a condition with a deadline."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited {DEADLINE_S} s for: {what}"
        time.sleep(0.2)
