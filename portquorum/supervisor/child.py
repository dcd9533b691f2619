"""One run of a role: the process, its output, its end."""

import asyncio
import contextlib
import os
import signal
import time
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from typing import Final, Self

from portquorum.embedded.service.lifeline import follow_parent
from portquorum.supervisor.lines import LineCutter
from portquorum.supervisor.listener import Listener
from portquorum.supervisor.role import Role

PARENT: Final = "PORTQUORUM_PARENT"
"""The variable that tells a supervised process its supervisor, which it must not outlive."""

_CHUNK: Final = 64 * 1024
_LAST_WORDS_S: Final = 1.0


def follow_supervisor() -> None:
    """Ties this process to the supervisor that started it; does nothing without one.

    From now on it gets SIGTERM after the end of the supervisor's process, and ends hard 5 s later.
    """
    parent = os.environ.pop(PARENT, "")
    if parent.isdecimal():
        follow_parent(int(parent))


def how_it_ended(code: int) -> str:
    """`exit code 1`, or `killed by SIGKILL`."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


class Child:
    """A process with output lines that go to the listener.

    It has its own process group, so that Ctrl-C in a terminal reaches only the supervisor, which
    ends its children in order.
    """

    def __init__(self, role: Role, process: Process, listener: Listener) -> None:
        """For `spawn`."""
        self._process = process
        self._started = time.monotonic()
        self._pump = asyncio.create_task(_pump(role, process, listener), name=f"read {role.name}")

    @classmethod
    async def spawn(cls, role: Role, listener: Listener) -> Self:
        """Starts the role's process; on return the listener knows of it.

        Raises:
            OSError: the program can't be started.
        """
        process = await asyncio.create_subprocess_exec(
            *role.argv,
            env=os.environ | role.env | {PARENT: str(os.getpid())},
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
            process_group=0,
            pass_fds=role.fds,
        )
        listener.started(role, process.pid)
        return cls(role, process, listener)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def terminate(self) -> None:
        """Sends SIGTERM; does nothing if the process has ended."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()

    def kill(self) -> None:
        """Sends SIGKILL; does nothing if the process has ended."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def ended(self) -> tuple[int, float]:
        """Waits for the end; returns the code (negative: a signal) and the run's seconds.

        On return all of its output has reached the listener, unless a surviving child process holds
        the pipe open for more than a second.
        """
        code = await self._process.wait()
        ran_s = time.monotonic() - self._started
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._pump, _LAST_WORDS_S)
        return code, ran_s


async def _pump(role: Role, process: Process, listener: Listener) -> None:
    if process.stdout is None:  # asked for above
        return
    cutter = LineCutter()
    while chunk := await process.stdout.read(_CHUNK):
        for line in cutter.feed(chunk):
            listener.line(role, line)
    for line in cutter.end():
        listener.line(role, line)
