"""The judges of a prober: small jobs in the event loop, all others in worker processes.

A thread is no solution: its Python code blocks the event loop and can't be killed. A worker starts
at the first need and serves many jobs; one that exceeds its time is killed.

Three lanes keep targets with expensive answers from delaying other targets: the first, with little
time for each job, for unknown targets; the second for targets that needed more the last time (their
retry gets it); the third for targets that needed too much again.
"""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from typing import Final

import msgspec
from msgspec import Struct

from producers.checks.errors import CheckFailedError
from producers.judging.jobs import Job, JudgingError, Verdict, take
from producers.judging.worker import LENGTH_BYTES, Answer, Request, framed


class _Lane(Struct, frozen=True):
    """`limit_s`: processor time of a job."""

    workers: int
    limit_s: float


LANES: Final = (_Lane(workers=2, limit_s=0.2), _Lane(workers=1, limit_s=1.0), _Lane(1, 1.0))
"""JSON of 900 kB (the longest body) needs 0.05 s with a singular path; 200,000 values that `$..*`
finds there take 1.2 s."""
_QUICK_S: Final = 0.1
"""A verdict within this time returns a target to the first lane."""

_LAST: Final = len(LANES) - 1


class _Seen(Struct, frozen=True):
    """The state of a target: its lane, and whether the last job had no verdict."""

    lane: int = 0
    overran: bool = False


SHARE: Final = 0.5
"""The largest share of a check's remaining time that a job gets as processor time. It distinguishes
a wait for the processor from a job that is too long."""

MOST_REMEMBERED: Final = 10_000
_IN_LOOP_S: Final = 0.005
"""After so much time of small jobs others have their turn."""

_LEAST_S: Final = 0.01  # 0 means no limit for the kernel
_END_S: Final = 2.0
_CHUNK: Final = 1 << 16
_ENVIRONMENT: Final = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "TZDIR", "SYSTEMROOT")


class _TooLongError(Exception):
    """The job needed more processor time than it was given."""


class Judges:
    """Runs jobs. Made inside a running loop, and only used by that loop."""

    def __init__(self) -> None:
        self._queues = [_Queue(lane.workers) for lane in LANES]
        self._seen: dict[str, _Seen] = {}
        self._in_loop_s = 0.0

    async def verdict(self, target: str, job: Job, left_s: float) -> Verdict:
        """The verdict on a job of this target, within about `left_s`.

        To be cancelled at the check's deadline; this ends a running job.

        Raises:
            CheckFailedError: `unexpected_response`, because of what the server sent: it can't be
                judged, or not in the processor time there is; `prober_error`: no worker can be
                started.
        """
        try:
            if job.small:
                began = time.monotonic()
                verdict = take(job)
                self._in_loop_s += time.monotonic() - began
                if self._in_loop_s > _IN_LOOP_S:
                    self._in_loop_s = 0.0
                    await asyncio.sleep(0)  # a check may have thousands of them
                return verdict
            return await self._by_worker(target, job, left_s)
        except JudgingError as error:
            text = f"the answer can't be judged: {error}"
            raise CheckFailedError("unexpected_response", text) from error

    def expects_too_much(self, target: str) -> bool:
        """Whether judging the last answer of this target exceeded its time."""
        return self._seen.get(target, _Seen()).overran

    def close(self) -> None:
        """Kills all workers."""
        for queue in self._queues:
            queue.close()

    async def _by_worker(self, target: str, job: Job, left_s: float) -> Verdict:
        lane = self._seen.get(target, _Seen()).lane
        limit_s = min(LANES[lane].limit_s, SHARE * max(_LEAST_S, left_s))
        began = time.monotonic()
        try:
            verdict = await self._queues[lane].verdict(job, limit_s)
        except _TooLongError:
            self._remember(target, _Seen(min(lane + 1, _LAST), overran=True))
            text = f"judging the answer took more than {limit_s * 1000:.0f} ms"
            raise CheckFailedError("unexpected_response", text) from None
        quick = time.monotonic() - began < _QUICK_S
        self._remember(target, _Seen(0 if quick else min(lane, 1)))
        return verdict

    def _remember(self, target: str, seen: _Seen) -> None:
        self._seen.pop(target, None)
        if seen.lane:
            if len(self._seen) >= MOST_REMEMBERED:
                del self._seen[next(iter(self._seen))]
            self._seen[target] = seen


class _Queue:
    """Workers that run jobs in the order of their arrival."""

    def __init__(self, most: int) -> None:
        self._room = asyncio.Semaphore(most)
        self._idle: list[_Worker] = []
        self._busy: set[_Worker] = set()
        self._ended: list[_Worker] = []

    async def verdict(self, job: Job, limit_s: float) -> Verdict:
        async with self._worker() as worker:
            return await worker.verdict(job, limit_s)

    @contextlib.asynccontextmanager
    async def _worker(self) -> AsyncIterator["_Worker"]:
        """A worker; an exception or cancellation inside the context kills it."""
        async with self._room:
            self._ended = [worker for worker in self._ended if not worker.gone]
            try:
                worker = self._idle.pop() if self._idle else _Worker()
            except OSError as error:
                text = f"no process to judge the answer can be started: {error}"
                raise CheckFailedError("prober_error", text) from error
            self._busy.add(worker)
            try:
                yield worker
            except BaseException:
                worker.kill()
                self._ended.append(worker)
                raise
            else:
                self._idle.append(worker)
            finally:
                self._busy.discard(worker)

    def close(self) -> None:
        for worker in (*self._idle, *self._busy, *self._ended):
            worker.kill()
            worker.wait()
        self._idle.clear()


class _Worker:
    """One process, and the connection that is its standard input and output."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ours, theirs = socket.socketpair()
        try:
            with theirs:
                self._process = subprocess.Popen(
                    # -P: not from the folder in which the prober happens to run.
                    [sys.executable, "-P", "-m", "producers.judging.worker"],
                    stdin=theirs.fileno(),
                    stdout=theirs.fileno(),
                    stderr=subprocess.DEVNULL,
                    # Only what it needs: the settings have passwords.
                    env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
                    start_new_session=True,
                )
        except BaseException:
            self._ours.close()
            raise
        self._ours.setblocking(False)

    async def verdict(self, job: Job, limit_s: float) -> Verdict:
        request = framed(msgspec.msgpack.encode(Request(job, limit_s)))
        try:
            await self._loop.sock_sendall(self._ours, request)
            length = int.from_bytes(await self._read(LENGTH_BYTES), "big")
            answer = msgspec.msgpack.decode(await self._read(length), type=Answer)
        except OSError as error:
            raise self._ended() from error
        if answer.beyond is not None:
            raise JudgingError(answer.beyond)
        return answer.verdict

    @property
    def gone(self) -> bool:
        """Whether the process has ended and was reaped."""
        return self._process.poll() is not None

    def kill(self) -> None:
        """Kills the process; it takes no more jobs."""
        self._ours.close()
        self._process.kill()

    def wait(self) -> None:
        """Returns when the killed process has ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_S)

    async def _read(self, count: int) -> bytes:
        data = bytearray()
        while len(data) < count:
            more = await self._loop.sock_recv(self._ours, min(_CHUNK, count - len(data)))
            if not more:
                raise ConnectionResetError
            data += more
        return bytes(data)

    def _ended(self) -> Exception:
        """The cause of the process's end; its connection has closed, so it ends at least soon."""
        self.wait()
        status = self._process.poll()
        if status == -signal.SIGPROF:
            return _TooLongError()
        if status in {-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS}:
            return JudgingError("the process that judged it crashed")
        text = f"the process that judges answers ended with {status}"
        return CheckFailedError("prober_error", text)
