"""Ends each service with the process that started it, whatever the reason.

The chain has two links. A service process polls its parent's pid (`follow_parent`): it changes when
the whole parent process ends, by SIGKILL too, while PR_SET_PDEATHSIG would fire as soon as the
*thread* that forked ends. A program that can't poll (the JVM) is tied to its service process by
PR_SET_PDEATHSIG (`tie_to_parent`), which is safe there: the main thread forks it.
"""

import ctypes
import os
import signal
import sys
import threading
import time
from typing import Final

_LOOK_EVERY_S: Final = 0.2
_IN_ORDER_S: Final = 5.0
_PR_SET_PDEATHSIG: Final = 1
# Loaded before any fork: between fork and exec nothing may be loaded.
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def follow_parent(parent: int) -> None:
    """Ends this process when its parent ends: SIGTERM to itself, and 5 s later a hard end.

    Args:
        parent: the pid that the parent passed to us; asking for it here would miss a parent that
            ended before we got that far.
    """
    threading.Thread(target=_follow, args=(parent,), name="lifeline", daemon=True).start()


def _follow(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_EVERY_S)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_IN_ORDER_S)
    os._exit(1)


def tie_to_parent() -> None:
    """Sets SIGKILL for the end of the parent; for `preexec_fn`, in the child of the main thread.

    Does nothing without support in the kernel (not Linux); a clean end still stops the child there.
    """
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
