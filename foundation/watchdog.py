"""The watchdog kills a process that does not end in time after a signal.

It is a process of its own (foundation/watchdog_process.py), since nothing in a hanging process is
reliable: a thread needs the interpreter's lock (GIL), which a long call in C may hold, and Python's
signal handlers wait for the main thread. The watchdog learns of a signal by
`faulthandler.register`, whose handler runs in C whatever the interpreter does: it writes the main
thread's stack to a pipe, and calls Python's handler (`chain`). The pipe closes at the end of the
watched process, however it ended, and the watchdog ends, too.

A killed process has acknowledged no unfinished work: every role survives `kill -9`
(docs/architecture.md).
"""

import asyncio
import contextlib
import faulthandler
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, NoReturn

from foundation import watchdog_process

LIMIT_S: Final = 9.0
"""Seconds after the first signal; every role ends by itself before, whatever its broker does."""

LONGER_S: Final = 9.3
"""The limit of processes that stop others first (`up`, `demo`)."""

STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)

_PROGRAM: Final = Path(watchdog_process.__file__)


class _Watched:
    """The pipe of the C signal handlers, and the watchdog process that reads it."""

    asked: int | None = None
    process: "subprocess.Popen[bytes] | None" = None


def start(limit_s: float = LIMIT_S) -> None:
    """Starts the watchdog: it kills this process `limit_s` after a signal handled by `on_signals`.

    Does nothing if the watchdog runs already. Costs one small process; without it (it can't be
    started) everything else works as before.
    """
    if _Watched.asked is not None:
        return
    asked, told = os.pipe()
    stacks, shown = os.pipe()
    try:
        _Watched.process = subprocess.Popen(  # noqa: S603 (our own program)
            # Isolated and without site packages: it starts in milliseconds and needs few MB.
            [sys.executable, "-IS", str(_PROGRAM), str(asked), str(stacks), str(limit_s)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=(asked, stacks),
        )
    except OSError:
        os.close(told)
        os.close(shown)
        return
    finally:
        os.close(asked)
        os.close(stacks)
    faulthandler.register(watchdog_process.SHOW, shown, all_threads=True)
    _Watched.asked = told


def count_down() -> None:
    """Starts the countdown as after a signal, at the end of all work."""
    if _Watched.asked is not None:
        os.write(_Watched.asked, b"\n")


def leave(code: int = 0) -> NoReturn:
    """Ends the process now, without waiting for its threads; written output is flushed."""
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(code)


def on_signals(callback: Callable[[], object], numbers: Iterable[int] = STOP_SIGNALS) -> None:
    """The running loop calls `callback` at each of these signals; the first starts the countdown.

    Does nothing outside of the main thread: only the main thread handles signals.
    """
    loop = asyncio.get_running_loop()
    for number in numbers:
        with contextlib.suppress(ValueError, RuntimeError, NotImplementedError):
            loop.add_signal_handler(number, callback)
            if _Watched.asked is not None:
                # After asyncio's handler, which this handler calls.
                faulthandler.register(number, _Watched.asked, all_threads=False, chain=True)


def off_signals(numbers: Iterable[int] = STOP_SIGNALS) -> None:
    """Removes the handlers of `on_signals`; a running countdown continues."""
    loop = asyncio.get_running_loop()
    for number in numbers:
        with contextlib.suppress(ValueError, RuntimeError, NotImplementedError):
            faulthandler.unregister(number)
            loop.remove_signal_handler(number)
