"""The interface to another program that checks ports, and the measurement of one."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final, Protocol, Self

from msgspec import Struct

from portquorum.bench.figures import ProbeFigures
from portquorum.bench.listener import Answering, address_of
from portquorum.bench.process import started, usage

READY_S: Final = 30.0
"""Time after which a peer with a changing rate is measured anyway, in s."""

ALIKE: Final = 0.08
"""Greatest relative difference between three seconds of a steady rate: less than the growth of a
starting peer in a second."""

_LOOK_S: Final = 1.0


class PeerLoad(Struct, frozen=True):
    """The work of a peer: `rate` checks a second, of targets on these loopback ports.

    `folder` is for its configuration and its output, `port` is a free loopback port for its pages.
    """

    rate: float
    ports: Sequence[int]
    folder: Path
    port: int

    @classmethod
    def of(cls, rate: float, ports: Sequence[int], folder: Path) -> Self:
        """With a port that is free at this moment."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            return cls(rate, ports, folder, int(free.getsockname()[1]))

    def places(self, count: int) -> list[tuple[str, int]]:
        """Host and port of the given number of targets."""
        return [(address_of(n), self.ports[n % len(self.ports)]) for n in range(count)]


class Peer(Protocol):
    """Another program that checks ports."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def programs(self) -> tuple[str, ...]:
        """Possible names of its executable."""

    @property
    def how_to_get(self) -> str:
        """The command that installs it."""

    def command(self, program: str, work: PeerLoad) -> tuple[list[str], Mapping[str, str]]:
        """Writes its configuration; returns its command line and further environment variables."""

    def driven(self, work: PeerLoad) -> AbstractContextManager[None]:
        """The driver that requests its checks, if it does not check by itself."""

    def failed(self, work: PeerLoad, log: Path) -> int:
        """Number of checks that failed by its own report."""


def found(peer: Peer, folder: Path | None) -> str | None:
    """The path of its executable: in `folder`, else on the PATH."""
    path = os.pathsep.join([*([str(folder)] if folder else []), os.environ.get("PATH", "")])
    for name in peer.programs:
        place = shutil.which(name, path=path)
        if place is not None:
            return place
    return None


def measure(
    peer: Peer, program: str, work: PeerLoad, seconds: float, listener: Answering
) -> ProbeFigures:
    """One run of a peer: CPU time of its process only, checks by the listener's count."""
    command, variables = peer.command(program, work)
    log = work.folder / "log"
    with contextlib.ExitStack() as stack:
        process = stack.enter_context(started(command, dict(os.environ) | dict(variables), log))
        stack.enter_context(peer.driven(work))
        _until_steady(listener, process)
        if process.poll() is not None:
            words = log.read_text(encoding="utf-8", errors="replace")[-3000:]
            raise SystemExit(f"{peer.name} has ended: {words}")
        before, first = listener.count(), usage(process.pid)
        time.sleep(seconds)
        after, last = listener.count(), usage(process.pid)
    checks = after - before
    return ProbeFigures(
        checks=checks,
        seconds=round(last.at - first.at, 3),
        cpu_us=round((last.cpu_s - first.cpu_s) / max(1, checks) * 1e6, 3),
        timed_out=0,
        failed=peer.failed(work, log),
        memory_mb=round(last.memory / 1e6, 1),
    )


def _until_steady(listener: Answering, process: subprocess.Popen[bytes]) -> None:
    """Waits for three seconds with about the same number of checks, or for `READY_S`."""
    end = time.monotonic() + READY_S
    seen: list[int] = []
    before = listener.count()
    while time.monotonic() < end and process.poll() is None:
        time.sleep(_LOOK_S)
        count = listener.count()
        seen.append(count - before)
        before = count
        last = seen[-3:]
        if len(last) == 3 and min(last) and max(last) - min(last) <= ALIKE * max(last):
            return
