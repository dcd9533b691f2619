"""The watchdog process of foundation/watchdog.py: waits for its parent's signal, then for its end.

`python watchdog_process.py ASKED STACKS LIMIT_S`: the file descriptors of two pipes, and seconds.
It imports none of our modules and few of Python's, so that it starts fast and stays small.
"""

import contextlib
import os
import select
import signal
import sys
import time
from typing import Final

SHOW: Final = int(getattr(signal, "SIGRTMIN", signal.SIGUSR2 - 5)) + 5
"""The parent's C handler of this signal writes the stacks of all its threads. A real-time signal
has no other use; where there are none it is SIGUSR2."""

_SHOWN_S: Final = 0.2
_CALLS: Final = 4
"""Stack frames shown of each thread, the innermost ones."""
_LONGEST: Final = 4000


def main(asked: int, stacks: int, limit_s: float) -> int:
    """Returns when the parent has ended; 1 if it had to be killed."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        # A signal to the whole process group must not end the watchdog first.
        signal.signal(number, signal.SIG_IGN)
    parent = os.getppid()
    if not os.read(asked, 1 << 16):
        return 0
    deadline = time.monotonic() + limit_s
    while (left := deadline - time.monotonic()) > 0:
        if select.select([asked], [], [], left)[0] and not os.read(asked, 1 << 16):
            return 0
    if os.getppid() != parent:
        return 0
    text = _stacks(parent, stacks)
    try:
        os.kill(parent, signal.SIGKILL)
    except ProcessLookupError:
        return 0
    _say(parent, limit_s, text)
    return 1


def _stacks(parent: int, stacks: int) -> str:
    """The stack of every thread of the parent, the innermost calls first."""
    try:
        os.kill(parent, SHOW)
    except ProcessLookupError:
        return ""
    text = b""
    while select.select([stacks], [], [], _SHOWN_S)[0]:
        read = os.read(stacks, 1 << 16)
        if not read:
            break
        text += read
    threads = [
        [line.strip() for line in thread.splitlines()[: 1 + _CALLS]]
        for thread in text.decode(errors="replace").split("\n\n")
    ]
    # The main thread comes last.
    return " | ".join(" ".join(thread) for thread in reversed(threads))[:_LONGEST]


def _say(parent: int, limit_s: float, text: str) -> None:
    """Writes one log line in the format of the role."""
    event = (
        f"expected the process {parent} to end within {limit_s:g} s of a signal, found it running; "
        "it is killed, what it had not confirmed will be done again"
    )
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    form = os.environ.get("PORTQUORUM_LOG_FORMAT", "auto")
    if form == "pretty" or (form != "json" and os.isatty(2)):
        line = f"{at} [critical] {event} still_open={text}"
    else:
        import json  # noqa: PLC0415 (only now)

        found = {"event": event, "still_open": text, "level": "critical", "timestamp": at}
        line = json.dumps({**found, "logger": "foundation.watchdog"})
    with contextlib.suppress(OSError):  # the reader of the log may be gone
        os.write(2, f"{line}\n".encode())


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
