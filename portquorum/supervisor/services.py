"""The embedded services as supervised roles, and their reports during the start."""

import asyncio
import os
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from portquorum.embedded.service import addresses, directory, lock
from portquorum.embedded.service.errors import EmbeddedServiceError
from portquorum.embedded.service.reports import (
    Notice,
    Progress,
    Ready,
    Report,
    ServiceFailed,
    decode,
)
from portquorum.supervisor.listener import Listener
from portquorum.supervisor.role import Role, Stage
from portquorum.supervisor.supervisor import Supervisor

KAFKA: Final = "kafka"
CLICKHOUSE: Final = "clickhouse"

SILENCE_S: Final = 90.0
"""Longest time without a report of progress during a start, in s."""

_LAST_LINES: Final = 5

OnProgress = Callable[[str, Progress], None]
"""Called with the service's name and its progress."""


def service_role(service: str, listen: str, data_dir: Path) -> Role:
    """The role of an embedded service, on a fixed port, so that a restart keeps its address.

    Raises:
        EmbeddedServiceError: the address is malformed, taken, or not this machine's; or the
            service's folder is in use.
    """
    folder = data_dir.absolute() / service
    owner = lock.held(folder / directory.LOCK)
    if owner and lock.alive(owner):
        raise directory.in_use(folder, service, owner)
    address = addresses.parse(listen)
    if not (owner and address.port):  # the children of an owner that died: the service waits
        address = addresses.reserve(address)
    return Role(
        name=service,
        argv=(
            *(sys.executable, "-m", f"portquorum.embedded.{service}.main"),
            *("--listen", str(address)),
            *("--data", str(data_dir.absolute())),
            *("--parent", str(os.getpid())),
        ),
        stage=Stage.SERVICES,
    )


class ServiceListener:
    """Handles the services' reports; passes everything else on to another listener."""

    def __init__(self, inner: Listener, on_progress: OnProgress) -> None:
        """`on_progress` is called in the event loop."""
        self._inner = inner
        self._on_progress = on_progress
        self._starting: dict[str, _Starting] = {}

    async def start(self, supervisor: Supervisor, role: Role) -> str:
        """Starts a service; returns its address when it answers.

        Raises:
            EmbeddedServiceError: it can't start, or was silent for `SILENCE_S`. The role may
                still be kept by the supervisor; stop it.
        """
        starting = self._starting[role.name] = _Starting()
        await supervisor.start(role)
        died = asyncio.create_task(supervisor.first_end(role.name))
        try:
            while not starting.outcome.done():
                starting.sign.clear()
                sign = asyncio.create_task(starting.sign.wait())
                signs: set[asyncio.Future[Any]] = {sign, died, starting.outcome}
                done, _ = await asyncio.wait(
                    signs,
                    timeout=SILENCE_S,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                sign.cancel()
                if starting.outcome.done():
                    break
                if died in done:
                    raise _ended(role, died.result(), starting.lines)
                if not done:
                    raise EmbeddedServiceError(
                        f"{role.name} did not answer for {SILENCE_S:g} s{_said(starting.lines)}"
                    )
            return starting.outcome.result()
        finally:
            died.cancel()
            del self._starting[role.name]

    def line(self, role: Role, text: str) -> None:
        """Handles a report; passes another line on."""
        starting = self._starting.get(role.name)
        if role.stage is Stage.SERVICES:
            try:
                report = decode(text.encode())
            except msgspec.MsgspecError:
                if starting:
                    starting.lines.append(text)
            else:
                if starting:
                    self._heard(role, starting, report)
                return
        self._inner.line(role, text)

    def _heard(self, role: Role, starting: "_Starting", report: Report) -> None:
        starting.sign.set()
        match report:
            case Progress():
                self._on_progress(role.name, report)
            case Notice(text):
                self._inner.line(role, text)
            case Ready(address) if not starting.outcome.done():
                starting.outcome.set_result(address)
            case ServiceFailed(message) if not starting.outcome.done():
                starting.outcome.set_exception(EmbeddedServiceError(message))

    def started(self, role: Role, pid: int) -> None:
        """Passes it on."""
        self._inner.started(role, pid)

    def died(self, role: Role, how: str, ran_s: float, restart_in_s: float) -> None:
        """Passes it on; during a start, the starter reports it."""
        if role.name not in self._starting:
            self._inner.died(role, how, ran_s, restart_in_s)

    def stopped(self, role: Role, how: str) -> None:
        """Passes it on."""
        self._inner.stopped(role, how)

    def killed(self, role: Role) -> None:
        """Passes it on."""
        self._inner.killed(role)


class _Starting:
    def __init__(self) -> None:
        self.outcome: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.sign = asyncio.Event()
        self.lines: deque[str] = deque(maxlen=_LAST_LINES)


def _ended(role: Role, how: str, lines: deque[str]) -> EmbeddedServiceError:
    return EmbeddedServiceError(f"{role.name} ended while it started ({how}){_said(lines)}")


def _said(lines: deque[str]) -> str:
    return f": {lines[-1].strip()[:300]}" if lines else ""
