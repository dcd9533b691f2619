"""Which processes still run."""

from collections.abc import Iterable

import psutil


def still_running(processes: Iterable[psutil.Process], within_s: float) -> list[psutil.Process]:
    """Those that have not ended after `within_s`.

    A zombie has ended: that nobody waits for it is the fault of its new parent, the first process
    of a container for instance.
    """
    _, left = psutil.wait_procs(list(processes), timeout=within_s)
    return [one for one in left if not _ended(one)]


def _ended(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
