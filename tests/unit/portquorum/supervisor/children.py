"""Small child processes for the tests of the supervisor."""

import asyncio
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from portquorum.supervisor import Role, Stage

DEADLINE_S = 100


class Heard:
    """A listener that remembers."""

    def __init__(self) -> None:
        self.events: list[tuple[Any, ...]] = []

    def line(self, role: Role, text: str) -> None:
        self.events.append(("line", role.name, text))

    def started(self, role: Role, pid: int) -> None:
        self.events.append(("started", role.name, pid))

    def died(self, role: Role, how: str, ran_s: float, restart_in_s: float) -> None:
        assert ran_s >= 0
        self.events.append(("died", role.name, how, restart_in_s))

    def stopped(self, role: Role, how: str) -> None:
        self.events.append(("stopped", role.name, how))

    def killed(self, role: Role) -> None:
        self.events.append(("killed", role.name))

    def of(self, kind: str) -> list[tuple[Any, ...]]:
        return [event[1:] for event in self.events if event[0] == kind]


def script(name: str, text: str, stage: Stage = Stage.READERS) -> Role:
    return Role(name=name, argv=(sys.executable, "-c", textwrap.dedent(text)), stage=stage)


async def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited {DEADLINE_S} s for: {what}"
        await asyncio.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
