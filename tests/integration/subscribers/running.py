"""A subscriber that runs, and the lines it has printed."""

import asyncio
import fcntl
import os
import re
import signal
import struct
import termios
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

DEADLINE_S: Final = 150.0
_PIPE_BYTES: Final = 4_096
_LINE_BYTES: Final = 1_000
_ID: Final = re.compile(r"^(\S+) .* \[([0-9a-f-]{36})\]$")


class Running(asyncio.Protocol):
    """A program whose standard output and error are one pipe of 4 KiB, read as they come."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.process: asyncio.subprocess.Process
        self.pipe = -1
        self._transport: asyncio.ReadTransport
        self._rest = b""
        self._hold: Callable[[], bool] = lambda: False
        self._more = asyncio.Event()
        self._over = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.ReadTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        self.lines += [line.decode() for line in lines]
        if self._hold():
            self._transport.pause_reading()
        self._more.set()

    def connection_lost(self, _: Exception | None) -> None:
        self._over.set()
        self._more.set()

    def ids(self, *, at_start: bool = False) -> Counter[str]:
        """How often each event was printed; or, `at_start`, what was said to be open."""
        found = (match for line in self.lines if (match := _ID.match(line)))
        return Counter(match[2] for match in found if (match[1] == "open") == at_start)

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        try:
            async with asyncio.timeout(DEADLINE_S):
                while not condition() and not self._over.is_set():
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            pass
        ended = "it ended first" if self._over.is_set() else f"not within {DEADLINE_S:.0f} s"
        assert condition(), f"{what}: {ended}:\n" + "\n".join(self.lines[-50:])

    def hold(self, condition: Callable[[], bool]) -> None:
        """From when the condition holds, nothing more is read: what is printed fills the pipe."""
        self._hold = condition

    async def until_held(self) -> None:
        """Until the program waits in the middle of a line, because the pipe is full."""

        def waits() -> bool:
            (waiting,) = struct.unpack("i", fcntl.ioctl(self.pipe, termios.FIONREAD, b"\0" * 4))
            return self._hold() and waiting > _PIPE_BYTES - _LINE_BYTES

        async with asyncio.timeout(DEADLINE_S):
            while not waits():
                assert self.process.returncode is None, "it ended first"
                await asyncio.sleep(0.02)

    def send(self, number: signal.Signals) -> None:
        """Sends a signal to the program and to all that it has started."""
        os.killpg(self.process.pid, number)

    async def end(self, number: signal.Signals) -> int:
        """Sends a signal to the program alone; the exit code, once everything is read."""
        self.process.send_signal(number)
        return await self._ended()

    async def kill(self) -> None:
        """Kill -9."""
        self.send(signal.SIGKILL)
        self._hold = lambda: False
        self._transport.resume_reading()
        await self._ended()

    async def _ended(self) -> int:
        async with asyncio.timeout(DEADLINE_S):
            code = await self.process.wait()
            await self._over.wait()
        return code


@asynccontextmanager
async def running(command: Sequence[str], env: Mapping[str, str]) -> AsyncIterator[Running]:
    read_end, write_end = os.pipe()
    fcntl.fcntl(read_end, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    program = Running()
    program.pipe = read_end
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: program, os.fdopen(read_end, "rb", buffering=0))
    try:
        program.process = await asyncio.create_subprocess_exec(
            *command,
            env=os.environ | env,
            stdout=write_end,
            stderr=write_end,
            start_new_session=True,
        )
    finally:
        os.close(write_end)
    try:
        yield program
    finally:
        if program.process.returncode is None:
            await program.kill()
