"""A service's folder inside the data directory: owned by one process at a time."""

import os
import shutil
import time
from pathlib import Path
from typing import Final

from portquorum.embedded.service import lock
from portquorum.embedded.service.errors import EmbeddedServiceError, disk_full, storage_error
from schemas.plain_text import plain

LEAST_FREE_BYTES: Final = 64 * 1024 * 1024
"""Least free space for a start: with less, a service would fail soon after with a worse message."""

LOCK: Final = "lock"
"""The name of the lock file in a service's folder."""

_GOING_DOWN_S: Final = 10.0


class ServiceDirectory:
    """`<data_dir>/<service>`, locked for this process and for the children that get `lock_fd`."""

    def __init__(self, data_dir: Path, service: str) -> None:
        """Creates the folder (readable only by its owner) and locks it.

        Raises:
            EmbeddedServiceError: in use (names the pid), not writable, a name that is not UTF-8, or
                hardly any room left.
        """
        check_name(data_dir)
        self.path = data_dir / service
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.logs = self.path / "logs"
            self.logs.mkdir(exist_ok=True)
            self.lock_fd = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
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
        try:
            while not lock.try_lock(self.lock_fd):
                owner = lock.owner(self.lock_fd)
                # An owner that is gone left children that are ending: worth a moment.
                if lock.alive(owner) or time.monotonic() > deadline:
                    raise in_use(self.path, service, owner)
                time.sleep(0.05)
        except OSError as error:
            raise storage_error(error, self.path) from error


def in_use(path: Path, service: str, owner: lock.LockOwner) -> EmbeddedServiceError:
    """The error text for a folder that belongs to another process."""
    return EmbeddedServiceError(
        f"{path} is in use by {owner}; stop that {service} or choose another folder with --data"
    )


def check_name(data_dir: Path) -> None:
    """Refuses a folder whose name Java and ClickHouse can't be told.

    Raises:
        EmbeddedServiceError: bytes that are no UTF-8.
    """
    try:
        os.fsencode(data_dir).decode()
    except UnicodeDecodeError as error:
        raise EmbeddedServiceError(
            f"expected a folder whose name is UTF-8, found {plain(str(data_dir))} with the byte "
            f"0x{error.object[error.start]:02x}; choose another folder with --data"
        ) from None


def _check_room(path: Path) -> None:
    if shutil.disk_usage(path).free < LEAST_FREE_BYTES:
        raise disk_full(path)
