"""Runs a module of ours as on a kernel without Landlock: `python no_landlock.py MODULE ARGUMENTS…`.

A seccomp filter answers the three calls with ENOSYS, as an older kernel does; it stays for all
that the module starts.
"""

import ctypes
import errno
import os
import sys

from portquorum.embedded.clickhouse import seccomp

LANDLOCK = (444, 445, 446)


def without_landlock() -> None:
    found = [seccomp._instruction(seccomp._LOAD, k=seccomp._NUMBER)]
    for number in LANDLOCK:
        found.append(seccomp._instruction(seccomp._EQUAL, 0, 1, number))
        found.append(seccomp._return(seccomp._ERRNO | errno.ENOSYS))
    found.append(seccomp._return(seccomp._ALLOW))
    program = seccomp._Program(len(found), b"".join(found))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(seccomp._PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    filtering = (seccomp._PR_SET_SECCOMP, seccomp._SECCOMP_MODE_FILTER)
    assert libc.prctl(*filtering, ctypes.byref(program), 0, 0) == 0


if __name__ == "__main__":
    without_landlock()
    os.execv(sys.executable, [sys.executable, "-m", *sys.argv[1:]])  # noqa: S606
