"""The worker process of a judge: `python -m producers.judging.worker`, one job after the other.

A request is a frame on standard input, its answer a frame on standard output. The kernel kills the
process when a job exceeds its processor time, even while C code holds the interpreter; the end of
standard input (the prober has ended, also by SIGKILL) ends it as well.
"""

import contextlib
import os
import resource
import signal
from typing import Final

import msgspec
from msgspec import Struct

from producers.judging.jobs import Job, JudgingError, Verdict, take

NICENESS: Final = 10
"""Lower priority than the event loop of the prober."""

MOST_MEMORY_BYTES: Final = 1 << 30
LENGTH_BYTES: Final = 4


class Request(Struct, frozen=True):
    """A job and its limit of processor time (s)."""

    job: Job
    limit_s: float


class Answer(Struct, frozen=True):
    """The verdict; `beyond` is the cause if there can be none."""

    verdict: Verdict = None
    beyond: str | None = None


def framed(message: bytes) -> bytes:
    """A message with its length before it."""
    return len(message).to_bytes(LENGTH_BYTES, "big") + message


def main() -> None:
    """Serves until the end of standard input."""
    os.nice(NICENESS)
    with contextlib.suppress(OSError, ValueError):  # not every system has it
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY_BYTES, MOST_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    requests = msgspec.msgpack.Decoder(Request)
    while (length := _read(LENGTH_BYTES)) is not None:
        message = _read(int.from_bytes(length, "big"))
        if message is None:
            return
        request = requests.decode(message)
        # SIGPROF has its default action here: it ends the process.
        signal.setitimer(signal.ITIMER_PROF, request.limit_s)
        try:
            answer = Answer(verdict=take(request.job))
        except JudgingError as error:
            answer = Answer(beyond=str(error))
        encoded = memoryview(framed(msgspec.msgpack.encode(answer)))
        signal.setitimer(signal.ITIMER_PROF, 0)
        while encoded:
            encoded = encoded[os.write(1, encoded) :]


def _read(count: int) -> bytes | None:
    data = bytearray()
    while len(data) < count:
        more = os.read(0, count - len(data))
        if not more:
            return None
        data += more
    return bytes(data)


if __name__ == "__main__":
    main()
