"""Runs a program in a process that does not outlive this one, and watches it from outside."""

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import psutil
from msgspec import Struct

from portquorum.embedded.service.lifeline import tie_to_parent

_STOP_S: Final = 20.0


class Usage(Struct, frozen=True, gc=False):
    """The usage of a process up to `at` (UTC, seconds): CPU seconds, user and system; bytes."""

    at: float
    cpu_s: float
    memory: int


def usage(pid: int) -> Usage:
    """The usage of a process so far, and its present resident memory."""
    process = psutil.Process(pid)
    at, times = time.time(), process.cpu_times()
    return Usage(at, times.user + times.system, process.memory_info().rss)


@contextlib.contextmanager
def started(
    command: Sequence[str], env: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Runs the program, ended by SIGTERM, with its output in `log`. Call it in the main thread."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            process_group=0,  # Ctrl-C is for us, who end it
            preexec_fn=tie_to_parent,  # noqa: PLW1509 - prctl(2) alone, loaded before the fork
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def end_at_signals() -> None:
    """On Ctrl-C and SIGTERM, ends this program quietly, after its children."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)


def _end(number: int, _frame: object) -> None:
    sys.exit(128 + number)


def say(text: str) -> None:
    """Reports progress to people."""
    print(text, file=sys.stderr, flush=True)
