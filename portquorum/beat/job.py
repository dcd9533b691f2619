"""Runs a command: its output passes through at once, signals reach it, its end is known."""

import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

KEPT: Final = 16_000
"""Bytes of the output that are kept: the last ones."""
QUIET_S: Final = 0.5
"""Longest wait for the output after the end of a command, while others still hold it open, in s."""
NOT_FOUND: Final = 127
NOT_RUN: Final = 126
_CHUNK: Final = 65_536
_BY_KERNEL: Final = 0x80
"""`si_code` of a signal from the terminal (SI_KERNEL, sigaction(2)): all of its group have it."""
_PASSED_ON: Final = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
)


class Ended(NamedTuple):
    """How a command ended: its code as a shell has it (128 + signal), and the end of its output."""

    code: int
    output: bytes


def run(command: Sequence[str], begun: Callable[[], None], stopping: Callable[[], None]) -> Ended:
    """Runs a command to its end; its input and environment are ours.

    `begun` is called once it runs. After its end a signal calls `stopping`.
    """
    signals = {*_PASSED_ON, signal.SIGCHLD}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    pipes = _Pipes()
    try:
        process = subprocess.Popen(  # noqa: S603 - the caller's own command
            command,
            stdout=pipes.theirs(1),
            stderr=pipes.theirs(2),
            preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_SETMASK, before),  # noqa: PLW1509 - there is one thread
        )
    except OSError as error:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return _not_run(command[0], error)
    pipes.has_begun()
    begun()
    ended = _Waiting(process.pid, signals, stopping)
    threading.Thread(target=ended.run, daemon=True).start()
    output = pipes.passed_through(ended.told)
    return Ended(ended.code, output)


def _not_run(name: str, error: OSError) -> Ended:
    code = NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_RUN
    text = f"portquorum beat: {name}: {error.strerror or error}"
    print(text, file=sys.stderr, flush=True)  # noqa: T201
    return Ended(code, text.encode(errors="replace"))


class _Waiting:
    """Waits for signals and for the end of the command, in a thread."""

    def __init__(
        self, pid: int, signals: set[signal.Signals], stopping: Callable[[], None]
    ) -> None:
        self._pid = pid
        self._signals = signals
        self._stopping = stopping
        self.code = 0
        self.told, self._tell = os.pipe()
        """Readable once the command has ended."""
        self._has_ended = False

    def run(self) -> None:
        while True:
            found = signal.sigwaitinfo(self._signals)
            if found.si_signo == signal.SIGCHLD:
                self._look()
            elif self._has_ended:
                self._stopping()
            elif found.si_code != _BY_KERNEL:
                os.kill(self._pid, found.si_signo)

    def _look(self) -> None:
        if self._has_ended:
            return
        pid, status = os.waitpid(self._pid, os.WNOHANG)
        if pid:
            code = os.waitstatus_to_exitcode(status)
            self.code = code if code >= 0 else 128 - code
            self._has_ended = True
            os.write(self._tell, b"!")


class _Pipes:
    """Our stdout and stderr, each behind a pipe, or a terminal if it is one."""

    def __init__(self) -> None:
        self._reads: dict[int, int] = {}
        """By the end that we read, where it goes."""
        self._theirs: dict[int, int] = {}

    def theirs(self, number: int) -> int:
        """What the command has in the place of our descriptor."""
        ours, theirs = _terminal(number) if os.isatty(number) else os.pipe()
        self._reads[ours] = number
        self._theirs[number] = theirs
        return theirs

    def has_begun(self) -> None:
        """The command has its ends."""
        for one in self._theirs.values():
            os.close(one)

    def passed_through(self, told: int) -> bytes:
        """Copies all until the command has ended and nothing more comes; the end of it."""
        kept = b""
        ended = False
        while self._reads:
            wanted = [*self._reads, *(() if ended else (told,))]
            ready, _, _ = select.select(wanted, [], [], QUIET_S if ended else None)
            if ended and not ready:
                self._leave_to_another()
                break
            ended = ended or told in ready
            for one in ready:
                if one != told:
                    kept = (kept + self._copy(one))[-KEPT:]
        if not ended:
            select.select([told], [], [])
        return kept

    def _copy(self, one: int) -> bytes:
        try:
            part = os.read(one, _CHUNK)
        except OSError:  # a terminal whose other end is closed
            part = b""
        if not part or not _written(self._reads[one], part):
            os.close(one)
            del self._reads[one]
        return part

    def _leave_to_another(self) -> None:
        """What the command left behind writes on: a process goes on to copy, and this one ends.

        If it closed these ends, a service that was started by the command would die of its next
        word.
        """
        if os.fork():
            return
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        while self._reads:
            ready, _, _ = select.select(list(self._reads), [], [])
            for one in ready:
                self._copy(one)
        os._exit(0)


def _written(number: int, part: bytes) -> bool:
    """Whether all of it was taken; False: nobody reads any more, which the command is to notice."""
    try:
        while part:
            part = part[os.write(number, part) :]
    except BlockingIOError:
        select.select([], [number], [])
        return _written(number, part)
    except OSError:
        return False
    return True


def _terminal(number: int) -> tuple[int, int]:
    """A terminal for the command, as wide as ours, that changes no byte."""
    import fcntl
    import pty
    import termios

    ours, theirs = pty.openpty()
    attributes = termios.tcgetattr(theirs)
    attributes[1] &= ~termios.OPOST
    termios.tcsetattr(theirs, termios.TCSANOW, attributes)
    size = fcntl.ioctl(number, termios.TIOCGWINSZ, b"\0" * 8)
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, size)
    return ours, theirs
