"""The lock of a file for one process at a time, and who holds it.

The lock is the kernel's (flock): it ends with the last process that holds it, however that one
ends, so nothing is left behind to remove by hand. The file holds the pid; the time of its change is
the owner's start.
"""

import fcntl
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple


class LockOwner(NamedTuple):
    """The process that holds a lock. `pid` is None if the file does not say it (yet)."""

    pid: int | None
    since: str

    def __str__(self) -> str:
        """`process 123, since 2026-11-29 13:00:00 UTC`."""
        return f"process {self.pid or '(unknown)'}, since {self.since} UTC"


def try_lock(descriptor: int) -> bool:
    """Locks an open file and writes the pid of this process to it; False if another one holds it.

    Raises:
        OSError: it can't be written.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return True


def owner(descriptor: int) -> LockOwner:
    """The owner that the open file tells."""
    text = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
    since = datetime.fromtimestamp(int(os.fstat(descriptor).st_mtime), tz=UTC)
    return LockOwner(int(text) if text.isdecimal() else None, f"{since:%Y-%m-%d %H:%M:%S}")


def held(path: Path) -> LockOwner | None:
    """The owner of the lock of a file; None if it is free, or can't be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return owner(descriptor)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return None


def alive(found: LockOwner) -> bool:
    """True if the owner's process runs."""
    if found.pid is None:
        return False
    try:
        os.kill(found.pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
