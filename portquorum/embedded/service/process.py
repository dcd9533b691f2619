"""The life of a service process: its reports, its signals, its exit code."""

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Final

from rich.progress import BarColumn, DownloadColumn, TaskID, TextColumn
from rich.progress import Progress as ProgressBar

from foundation import watchdog
from foundation.lifecycle import stop_on_signals
from portquorum.embedded.service import lifeline
from portquorum.embedded.service.errors import EmbeddedServiceError
from portquorum.embedded.service.reports import (
    Notice,
    Progress,
    Ready,
    Report,
    Reporter,
    ServiceFailed,
    encode,
)
from portquorum.presentation.plain_console import PlainConsole
from schemas.plain_text import plain

EXIT_FINE: Final = 0
EXIT_TROUBLE: Final = 1
EXIT_INTERRUPTED: Final = 128 + signal.SIGINT

Serve = Callable[[Reporter], Coroutine[Any, Any, None]]
"""A service: reports when it answers, returns in order soon after its `stop_signal`."""


class ToParent:
    """Reports to the parent process."""

    def progress(self, progress: Progress) -> None:
        self._send(progress)

    def notice(self, text: str) -> None:
        self._send(Notice(plain(text)))

    def ready(self, address: str) -> None:
        self._send(Ready(address))

    def failed(self, message: str) -> None:
        self._send(ServiceFailed(plain(message)))
        # Also to the log, which outlives the parent.
        print(message, file=sys.stderr, flush=True)  # noqa: T201 (standard error is the log)

    @staticmethod
    def _send(report: Report) -> None:
        # A parent that is gone reads nothing, and the lifeline deals with that.
        with contextlib.suppress(BrokenPipeError):
            os.write(sys.stdout.fileno(), encode(report))


class ToTerminal:
    """Reports to a person; `how_to_connect` are the lines for a service that answers."""

    def __init__(self, name: str, how_to_connect: Callable[[str], Sequence[str]]) -> None:
        self._name = name
        self._how_to_connect = how_to_connect
        self._console = PlainConsole(stderr=True)
        self._bar: ProgressBar | None = None
        self._task = TaskID(0)
        self._step = ""

    def progress(self, progress: Progress) -> None:
        if not progress.total:
            self._finish_bar()
            if progress.step != self._step:
                self._console.print(f"{self._name}: {progress.step} …")
        elif self._bar is None:
            columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
            self._bar = ProgressBar(*columns, console=self._console)
            self._task = self._bar.add_task(progress.step, total=progress.total)
            self._bar.start()
        self._step = progress.step
        if self._bar is not None:
            self._bar.update(self._task, completed=progress.done)

    def notice(self, text: str) -> None:
        self._finish_bar()
        self._console.print(f"{self._name}: {text}", markup=False, soft_wrap=True)

    def ready(self, address: str) -> None:
        self._finish_bar()
        for line in self._how_to_connect(address):
            self._console.print(line, soft_wrap=True)

    def failed(self, message: str) -> None:
        self._finish_bar()
        self._console.print(f"{self._name}: {message}", soft_wrap=True)

    def _finish_bar(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def run(serve: Serve, reporter: Reporter, parent: int | None) -> int:
    """Runs a service until SIGTERM, SIGINT or SIGHUP, or until the process `parent` has ended.

    Returns:
        The exit code: 0 after an end in order, 1 if the service could not start or go on.
    """
    if parent is not None:
        lifeline.follow_parent(parent)
    watchdog.start()
    try:
        asyncio.run(serve(reporter))
    except EmbeddedServiceError as error:
        reporter.failed(str(error))
        return EXIT_TROUBLE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    return EXIT_FINE


def stop_signal() -> asyncio.Event:
    """An event that SIGTERM, SIGINT and SIGHUP (a closed terminal) set from now on.

    Before this call these signals end the process at once: no orderly end is needed yet, and Ctrl-C
    must not wait for a long fetch.
    """
    numbers = (*watchdog.STOP_SIGNALS, signal.SIGHUP)
    # Under nohup SIGHUP is ignored, and stays so.
    heeded = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]
    return stop_on_signals(heeded)


def arguments(module: str, listen: str) -> argparse.Namespace:
    """The command line arguments of both service modules."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}")
    parser.add_argument("--listen", default=listen, metavar="HOST:PORT")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--parent", type=int, metavar="PID", help="report to this process")
    return parser.parse_args()
