"""The bytes of a file that somebody named: of a file, and not of whatever may stand there."""

import errno
import os
import stat
from pathlib import Path
from typing import Final

_OF_THE_SHELL: Final = ("/dev/fd/", "/proc/self/fd/", "/dev/stdin")
"""Pipes that the shell opened, such as those of `<(kubectl …)`: they have an end."""


def read_bytes(path: Path, most: int) -> bytes:
    """At most `most` bytes from its beginning.

    Raises:
        OSError: it can't be read; a pipe or a terminal, for which one might wait for ever, neither.
    """
    named = str(path)
    waits = named.startswith(_OF_THE_SHELL)
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | (0 if waits else os.O_NONBLOCK)
    with os.fdopen(os.open(path, flags), "rb") as file:
        is_pipe = stat.S_ISFIFO(os.fstat(file.fileno()).st_mode)
        if not waits and (is_pipe or file.isatty()):
            raise OSError(errno.EINVAL, "it is a pipe or a terminal, and no file", named)
        return file.read(most) or b""
