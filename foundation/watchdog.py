"""The last resort: a process that was asked to end, and does not, is killed.

A process of its own (foundation/watchdog_process.py) waits, since nothing in this one can be relied
upon: a thread needs the interpreter's lock (GIL), which a long call in C may hold, and Python's
signal handlers wait for the main thread. What tells the watchdog of a signal is therefore
`faulthandler.register`, whose handler runs in C whatever the interpreter does: it writes the main
thread's stack to a pipe, and calls Python's handler (`chain`). When the pipe closes, this process
has ended, by whatever way, and so does the watchdog.

A process that ends thus has acknowledged nothing that it had not done: it is `kill -9`, which every
role survives (docs/architecture.md).
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
"""After the first signal; every role ends by itself before, whatever its broker does."""

LONGER_S: Final = 9.3
"""For what ends others (`up`, `demo`), and needs a moment when these are gone."""

STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)

_PROGRAM: Final = Path(watchdog_process.__file__)


class _Watched:
    """Where the C handlers of this process write."""

    asked: int | None = None
    process: "subprocess.Popen[bytes] | None" = None


def start(limit_s: float = LIMIT_S) -> None:
    """From now on this process is killed `limit_s` after a signal that `on_signals` handles.

    Does nothing if it is watched already. Costs one small process; if that can't be started there
    is no last resort, and everything else goes on.
    """
    if _Watched.asked is not None:
        return
    asked, told = os.pipe()
    stacks, shown = os.pipe()
    try:
        _Watched.process = subprocess.Popen(  # noqa: S603 (our own program)
            # Isolated and without site packages: it starts in milliseconds, on few MB.
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
    """The process has nothing to do any more: the countdown starts, as after a signal."""
    if _Watched.asked is not None:
        os.write(_Watched.asked, b"\n")


def leave(code: int = 0) -> NoReturn:
    """Ends the process now, without waiting for its threads; what was written is out."""
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(code)


def on_signals(callback: Callable[[], object], numbers: Iterable[int] = STOP_SIGNALS) -> None:
    """The running loop calls `callback` at each of these signals; the first starts the countdown.

    In a thread that is not the main one there are no signals to handle, and nothing is done.
    """
    loop = asyncio.get_running_loop()
    for number in numbers:
        with contextlib.suppress(ValueError, RuntimeError, NotImplementedError):
            loop.add_signal_handler(number, callback)
            if _Watched.asked is not None:
                # After asyncio's handler, which is called by this one.
                faulthandler.register(number, _Watched.asked, all_threads=False, chain=True)


def off_signals(numbers: Iterable[int] = STOP_SIGNALS) -> None:
    """Takes the handlers of `on_signals` away; a countdown that has begun goes on."""
    loop = asyncio.get_running_loop()
    for number in numbers:
        with contextlib.suppress(ValueError, RuntimeError, NotImplementedError):
            faulthandler.unregister(number)
            loop.remove_signal_handler(number)
