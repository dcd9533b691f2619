"""A seccomp filter: system calls that a process gives up permanently.

Each denied call fails with EPERM; nothing is killed. The filter is written here because the
wrappers of libseccomp on PyPI need a library of the system that not every system has
(docs/dependencies.md).

Sources: seccomp(2); Linux, Documentation/userspace-api/seccomp_filter.rst; the call numbers are
those of the kernel's arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h.
"""

import ctypes
import errno
import os
import platform
import struct
import sys
from typing import Final, NamedTuple

_PR_SET_NO_NEW_PRIVS: Final = 38
_PR_SET_SECCOMP: Final = 22
_SECCOMP_MODE_FILTER: Final = 2
_ALLOW: Final = 0x7FFF0000
_ERRNO: Final = 0x00050000
_X32: Final = 0x40000000
"""The bit of x32 calls on x86_64, which are the same calls with other numbers."""
_CLONE_THREAD: Final = 0x00010000

# Classic BPF (linux/filter.h): load a word, compare, return.
_LOAD: Final = 0x20
_EQUAL: Final = 0x15
_AT_LEAST: Final = 0x35
_HAS_BITS: Final = 0x45
_RETURN: Final = 0x06
# Offsets in struct seccomp_data; both machines are little-endian.
_NUMBER: Final = 0
_ARCHITECTURE: Final = 4
_FIRST_ARGUMENT: Final = 16


class _Machine(NamedTuple):
    """The differences between instruction sets."""

    architecture: int
    """AUDIT_ARCH_* of linux/audit.h."""
    column: int
    """The column of `_CALLS` with the numbers."""


_MACHINES: Final = {"x86_64": _Machine(0xC000003E, 0), "aarch64": _Machine(0xC00000B7, 1)}

# Numbers on x86_64 and on aarch64; None where the machine does not have the call.
_CALLS: Final[dict[str, tuple[int | None, int | None]]] = {
    # Sockets: to any host, by any protocol, and to other processes of this machine.
    "socket": (41, 198),
    "socketpair": (53, 199),
    "connect": (42, 203),
    "bind": (49, 200),
    "listen": (50, 201),
    "accept": (43, 202),
    "accept4": (288, 242),
    # io_uring does what other calls do, past this filter.
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    # Programs and processes; threads are made by clone, which is looked at below.
    "execve": (59, 221),
    "execveat": (322, 281),
    "fork": (57, None),
    "vfork": (58, None),
    # Other processes: their memory, files and lives.
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "kcmp": (312, 272),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "kill": (62, 129),
    "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    # What Landlock does not see of files: owners, attributes, handles. (Times and modes stay: the
    # engine sets those of its own files.)
    "chown": (92, None),
    "fchown": (93, 55),
    "lchown": (94, None),
    "fchownat": (260, 54),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "setxattrat": (463, 463),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "removexattrat": (466, 466),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    # Mounts, namespaces and other roots.
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "unshare": (272, 97),
    "setns": (308, 268),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    # The kernel and the whole machine; a service may run as root.
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "fanotify_init": (300, 262),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "acct": (163, 89),
    "syslog": (103, 116),
    "ioperm": (173, None),
    "iopl": (172, None),
    # Memory and queues that other processes could see.
    "msgget": (68, 186),
    "semget": (64, 190),
    "shmget": (29, 194),
    "mq_open": (240, 180),
}
_CLONE: Final = (56, 220)
_CLONE3: Final = (435, 435)
_TGKILL: Final = (234, 131)


class SeccompError(Exception):
    """The kernel, the machine or the system has no seccomp filters; the text says which."""


class _Program(ctypes.Structure):
    """struct sock_fprog of linux/filter.h."""

    _fields_ = (("len", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def deny() -> None:
    """Gives up the calls for this thread, its future threads and its child programs.

    Call it while the process has a single thread. Implies no_new_privs.

    Raises:
        SeccompError: not Linux, another instruction set than x86_64 and aarch64, or a kernel
            without seccomp filters.
    """
    machine = _MACHINES.get(platform.machine())
    if sys.platform != "linux" or machine is None:
        raise SeccompError(f"no filter for {platform.system()} on {platform.machine()}")
    instructions = _filter(machine, os.getpid())
    code = b"".join(instructions)
    program = _Program(len(instructions), code)
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in (
        (_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
        (_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0),
    ):
        if libc.prctl(*arguments) != 0:
            raise SeccompError(f"the kernel refused: {os.strerror(ctypes.get_errno())}")


def _filter(machine: _Machine, pid: int) -> list[bytes]:
    """The instructions; each comparison skips those of other calls."""
    denied = _return(_ERRNO | errno.EPERM)
    found = [
        _instruction(_LOAD, k=_ARCHITECTURE),
        _instruction(_EQUAL, 1, 0, machine.architecture),
        denied,
        _instruction(_LOAD, k=_NUMBER),
        _instruction(_AT_LEAST, 0, 1, _X32),
        denied,
    ]
    for numbers in _CALLS.values():
        number = numbers[machine.column]
        if number is not None:
            found += [_instruction(_EQUAL, 0, 1, number), denied]
    # The flags of clone3 are in memory, which a filter can't read: without it the C library
    # takes clone, whose flags say whether it makes a thread.
    found += [
        _instruction(_EQUAL, 0, 1, _CLONE3[machine.column]),
        _return(_ERRNO | errno.ENOSYS),
        _instruction(_EQUAL, 0, 4, _CLONE[machine.column]),
        _instruction(_LOAD, k=_FIRST_ARGUMENT),
        _instruction(_HAS_BITS, 0, 1, _CLONE_THREAD),
        _return(_ALLOW),
        denied,
        # Signals to threads of this process alone (abort and profilers need them).
        _instruction(_EQUAL, 0, 4, _TGKILL[machine.column]),
        _instruction(_LOAD, k=_FIRST_ARGUMENT),
        _instruction(_EQUAL, 0, 1, pid),
        _return(_ALLOW),
        denied,
        _return(_ALLOW),
    ]
    return found


def _return(value: int) -> bytes:
    return _instruction(_RETURN, k=value)


def _instruction(code: int, then: int = 0, otherwise: int = 0, k: int = 0) -> bytes:
    """The bytes of a `struct sock_filter` (linux/filter.h); jumps count skipped instructions."""
    return struct.pack("<HBBI", code, then, otherwise, k)
