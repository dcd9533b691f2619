"""A service as a child process: starts it, waits until it answers, stops it."""

import asyncio
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

from portquorum.embedded.service.errors import EmbeddedServiceError, storage_error
from portquorum.embedded.service.reports import (
    Notice,
    OnProgress,
    Progress,
    Ready,
    ServiceFailed,
    decode,
)

START_TIMEOUT_S: Final = 90.0
"""Longest time from the last report of progress to the end of the start, in s."""
STOP_TIMEOUT_S: Final = 20.0
"""Time for an orderly end, in s; then the process is killed."""


class ServiceProcess:
    """A service module (`python -m module`) run as a child; `with` and `async with` both work.

    The child has its own process group, so that Ctrl-C in a terminal reaches only the parent, which
    ends its services last. It ends when the parent does (see `lifeline`).
    """

    def __init__(
        self,
        module: str,
        arguments: Sequence[str],
        log: Path,
        on_progress: OnProgress | None = None,
    ) -> None:
        """Starts nothing yet. What the child writes to standard error goes to the file `log`."""
        self._module = module
        self._arguments = list(arguments)
        self._log = log
        self._on_progress = on_progress or (lambda _progress: None)
        self._process: subprocess.Popen[bytes] | None = None
        self._address = ""
        self._given_up = False

    @property
    def address(self) -> str:
        """The address that the service reported when it was ready."""
        if not self._address:
            raise RuntimeError(f"{self._module} has not been started")
        return self._address

    @property
    def pid(self) -> int | None:
        """The service process, None before the start and after the stop."""
        return self._process.pid if self._process else None

    def start(self) -> Self:
        """Starts the service; returns when it answers.

        Raises:
            EmbeddedServiceError: the start failed; no process is left running.
        """
        self._spawn()
        try:
            self._address = self._await_ready()
        except BaseException:
            self.kill()
            raise
        return self

    def stop(self) -> None:
        """Stops the service in order and waits for its end; may be called twice."""
        process = self._process
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()
        else:
            self._forget(process)

    def kill(self) -> None:
        """Kills the service, like a crash."""
        if (process := self._process) is not None:
            process.send_signal(signal.SIGKILL)
            process.wait()
            self._forget(process)

    def _forget(self, process: subprocess.Popen[bytes]) -> None:
        if process.stdout is not None:
            process.stdout.close()
        self._process = None
        self._address = ""

    def _spawn(self) -> None:
        if self._process is not None:
            raise RuntimeError(f"{self._module} is started already")
        command = [sys.executable, "-m", self._module, *self._arguments]
        try:
            self._log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._log.open("wb") as log:
                self._process = subprocess.Popen(  # noqa: S603 (our own module)
                    [*command, "--parent", str(os.getpid())],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    process_group=0,
                )
        except OSError as error:
            raise storage_error(error, self._log) from error

    def _await_ready(self) -> str:
        if self._given_up:
            raise EmbeddedServiceError(f"the start of {self._module} was cancelled")
        process = self._process
        assert process is not None and process.stdout is not None  # noqa: S101, PT018 (just spawned)
        pending = b""
        deadline = time.monotonic() + START_TIMEOUT_S
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while True:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise EmbeddedServiceError(
                        f"{self._module} did not answer for {START_TIMEOUT_S:g} s; "
                        f"look into {self._log.parent}"
                    )
                data = os.read(process.stdout.fileno(), 65536)
                if not data:
                    raise self._died(process.wait())
                *lines, pending = (pending + data).split(b"\n")
                for line in lines:
                    if (address := self._heard(line)) is not None:
                        return address
                    deadline = time.monotonic() + START_TIMEOUT_S

    def _heard(self, line: bytes) -> str | None:
        try:
            report = decode(line)
        except msgspec.MsgspecError:
            return None  # a library that prints
        match report:
            case Progress():
                self._on_progress(report)
            case Ready(address):
                return address
            case ServiceFailed(message):
                raise EmbeddedServiceError(message)
            case Notice():
                pass  # a caller who starts a service by itself knows this machine
        return None

    def _died(self, code: int) -> EmbeddedServiceError:
        try:
            lines = self._log.read_text(errors="replace").strip().splitlines()
        except OSError:
            lines = []
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        said = f": {lines[-1].strip()[:300]}" if lines else ""
        return EmbeddedServiceError(
            f"{self._module} ended while it started ({how}){said}; look into {self._log.parent}"
        )

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        starting = asyncio.ensure_future(asyncio.to_thread(self.start))
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            # The thread can't be cancelled; without its child it ends. It has not begun the child
            # yet, or waits for its output, which only the thread may close: a closed file would
            # never wake it.
            self._given_up = True
            if (process := self._process) is not None:
                process.kill()
            await asyncio.wait([starting])
            if not starting.cancelled() and starting.exception() is None:
                self.kill()  # it was ready just then
            raise
        finally:
            self._given_up = False

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await asyncio.to_thread(self.stop)
