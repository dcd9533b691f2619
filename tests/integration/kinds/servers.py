"""Real servers, each started by the test that needs it, on a free port with files of its own."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from tests.installed import missing

START_S = 90
END_S = 2


def program(name: str, *places: str) -> str:
    """The path of a program, wherever the system keeps it; without it the test is skipped."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        held = (path for place in places for path in sorted(Path("/").glob(place.lstrip("/"))))
        found = next(map(str, held), None)
    if found is None:
        missing(name)
    return found


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def as_user(name: str) -> list[str]:
    """What makes a program run as `name` if we are root, and such a program refuses root."""
    if os.geteuid():
        return []
    return [program("runuser"), "-u", name, "--"]


@contextlib.contextmanager
def folder(owner: str | None = None) -> Iterator[Path]:
    """A folder with a short path (sockets lie in it) that `owner` may write to."""
    path = Path(tempfile.mkdtemp(prefix="pq-", dir="/tmp"))
    try:
        if owner is not None and not os.geteuid():
            shutil.chown(path, owner, owner)
        path.chmod(0o755)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def open_for_connections(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@contextlib.contextmanager
def running(
    command: Sequence[str],
    port: int,
    log: Path,
    *,
    env: Mapping[str, str] | None = None,
    ready: Callable[[int], bool] = open_for_connections,
) -> Iterator[subprocess.Popen[bytes]]:
    """The server while it runs; it has begun to answer on `port`. It ends with all its children."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + START_S
        while not ready(port):
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(
                    f"{command[0]} did not start:\n{log.read_text(errors='replace')[-2000:]}"
                )
            time.sleep(0.02)
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(END_S)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(END_S)
