"""A service's folder inside the data directory: owned by one process at a time."""

import fcntl
import os
import shutil
import time
from pathlib import Path
from typing import Final

from portquorum.embedded.service.errors import EmbeddedServiceError, disk_full, storage_error

LEAST_FREE_BYTES: Final = 64 * 1024 * 1024
"""Least free space for a start: with less, a service would fail soon after with a worse message."""

_GOING_DOWN_S: Final = 10.0


class ServiceDirectory:
    """`<data_dir>/<service>`, locked for this process and for the children that get `lock_fd`.

    The lock is the kernel's (flock): it ends with the last process that holds it, however that
    one ends, so nothing is left behind to remove by hand.
    """

    def __init__(self, data_dir: Path, service: str) -> None:
        """Creates the folder (readable only by its owner) and locks it.

        Raises:
            EmbeddedServiceError: in use (names the pid), not writable, or hardly any room left.
        """
        self.path = data_dir / service
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.logs = self.path / "logs"
            self.logs.mkdir(exist_ok=True)
            self.lock_fd = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise storage_error(error, self.path) from error
        try:
            self._lock(service)
            _check_room(self.path)
        except BaseException:
            os.close(self.lock_fd)
            raise

    def close(self) -> None:
        """Unlocks the folder, unless a child still holds the lock."""
        os.close(self.lock_fd)

    def _lock(self, service: str) -> None:
        deadline = time.monotonic() + _GOING_DOWN_S
        while True:
            try:
                fcntl.flock(self.lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                owner = os.pread(self.lock_fd, 32, 0).decode(errors="replace").strip()
                # An owner that is gone left children that are ending: worth a moment.
                if _alive(owner) or time.monotonic() > deadline:
                    raise EmbeddedServiceError(
                        f"{self.path} is in use by process {owner or '(unknown)'}; stop that "
                        f"{service} or choose another folder with --data"
                    ) from None
                time.sleep(0.05)
        try:
            os.ftruncate(self.lock_fd, 0)
            os.pwrite(self.lock_fd, f"{os.getpid()}\n".encode(), 0)
        except OSError as error:
            raise storage_error(error, self.path) from error


def _check_room(path: Path) -> None:
    if shutil.disk_usage(path).free < LEAST_FREE_BYTES:
        raise disk_full(path)


def _alive(pid: str) -> bool:
    if not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
