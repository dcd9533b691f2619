"""The sandbox of the ClickHouse engine: it limits the process whatever its SQL says.

Landlock (Linux 5.19 and newer) limits it to its own folder and, for reading, its libraries; seccomp
denies sockets, programs and other processes. Both hold for every thread, and can't be revoked.

Source: https://docs.kernel.org/userspace-api/landlock.html.
"""

import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from py_landlock import AccessFs, Landlock, LandlockError

from portquorum.embedded.clickhouse import seccomp

_LEAST_ABI: Final = 2
"""Landlock 1 refuses every rename from one directory into another, which a MergeTree needs."""

_READ: Final = AccessFs.READ_FILE | AccessFs.READ_DIR
_OWN: Final = (
    _READ
    | AccessFs.WRITE_FILE
    | AccessFs.TRUNCATE
    | AccessFs.MAKE_DIR
    | AccessFs.MAKE_REG
    | AccessFs.MAKE_SYM
    | AccessFs.REMOVE_DIR
    | AccessFs.REMOVE_FILE
    | AccessFs.REFER
)
# Shared libraries, what the loader reads to find them, and time zones. Nothing here is secret.
_SYSTEM: Final = (
    *("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache"),
    *("/usr/share/zoneinfo", "/etc/localtime", "/etc/timezone"),
    *("/dev/null", "/dev/urandom", "/dev/random"),
    # How much memory and how many cores a container has.
    *("/sys/fs/cgroup/cgroup.controllers", "/sys/fs/cgroup/cpu.max", "/sys/fs/cgroup/memory.max"),
    *("/sys/fs/cgroup/memory.stat", "/sys/fs/cgroup/memory/memory.stat"),
    *("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/cpu/cpu.cfs_quota_us"),
    "/sys/fs/cgroup/cpu/cpu.cfs_period_us",
)


def enter(own: Sequence[Path], libraries: Sequence[Path]) -> str | None:
    """Activates the sandbox for this process, which must have a single thread.

    Args:
        own: folders to read and write.
        libraries: folders to read, beside the system's libraries and Python's own.

    Returns:
        Why there are no walls, for people; None when they stand. Whatever can be had of them is
        there all the same.
    """
    missing = [reason for reason in (_landlock(own, libraries), _seccomp()) if reason]
    return " and ".join(missing) or None


def _landlock(own: Sequence[Path], libraries: Sequence[Path]) -> str | None:
    walls = Landlock(strict=False)
    try:
        if walls.abi_version < _LEAST_ABI:
            return f"Landlock is too old (version {walls.abi_version}, {_LEAST_ABI} is needed)"
        walls.add_path_rule(*own, access=_OWN)
        for path in (*map(Path, (*_SYSTEM, *_python())), *libraries):
            if path.exists():
                walls.add_path_rule(path, access=_READ if path.is_dir() else AccessFs.READ_FILE)
        walls.apply()
    except (LandlockError, OSError) as error:
        return f"this kernel has no Landlock ({error})"
    return None


def _seccomp() -> str | None:
    try:
        seccomp.deny()
    except seccomp.SeccompError as error:
        return f"there is no seccomp ({error})"
    return None


def _python() -> list[str]:
    """The standard library: Python loads modules on first use."""
    return [sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")]
