"""Keeps roles running as child processes, and stops them in order."""

import asyncio
import time
from collections.abc import Iterable
from typing import Final

from foundation.backoff import Backoff
from foundation.lifecycle import set_within
from portquorum.supervisor.child import Child, how_it_ended
from portquorum.supervisor.listener import Listener
from portquorum.supervisor.role import Role, Stage

STOP_BUDGET_S: Final = 8.0
"""Time for all children to end, in s; then the rest is killed."""

RESERVED_S: Final = {Stage.PROBERS: 0.0, Stage.STREAM: 2.0, Stage.READERS: 1.5, Stage.SERVICES: 2.0}
"""The part of the budget that an earlier stage must leave to later ones, in s."""


class Supervisor:
    """Starts roles, restarts those that die, stops all of them.

    Each role is one child process that dies with this process, whatever the reason. A role that
    ends by itself, with any code, is restarted after its back-off, and the listener is called. All
    methods belong to one event loop.
    """

    def __init__(
        self,
        listener: Listener,
        *,
        backoff: Backoff | None = None,
        stop_budget_s: float = STOP_BUDGET_S,
    ) -> None:
        """`stop_budget_s` bounds `stop`."""
        self._listener = listener
        self._backoff = backoff or Backoff()
        self._budget_s = stop_budget_s
        self._kept: dict[str, _Kept] = {}

    @property
    def roles(self) -> tuple[Role, ...]:
        """The roles that are kept running, in the order of starting."""
        return tuple(kept.role for kept in self._kept.values())

    def pid(self, name: str) -> int | None:
        """The process of a role, None while it waits for its restart or is unknown."""
        kept = self._kept.get(name)
        return kept.child.pid if kept and kept.child else None

    async def start(self, role: Role) -> None:
        """Starts a role; its process exists on return.

        Raises:
            OSError: its program can't be started. ValueError: a role of that name exists already.
        """
        if role.name in self._kept:
            raise ValueError(f"a role named {role.name!r} is already running")
        kept = _Kept(role, await Child.spawn(role, self._listener))
        self._kept[role.name] = kept
        kept.task = asyncio.create_task(self._keep(kept), name=f"keep {role.name}")

    async def first_end(self, name: str) -> str:
        """Waits for a role's first death; returns its end, for example "exit code 1"."""
        kept = self._kept[name]
        await kept.died.wait()
        return kept.last_end

    async def stop_roles(self, names: Iterable[str]) -> None:
        """Stops some roles, like `stop`; they are not restarted."""
        kept = [self._kept[name] for name in names if name in self._kept]
        await self._stop(kept, self._budget_s)

    async def stop(self) -> None:
        """Stops all roles by SIGTERM, stage by stage, and by SIGKILL what is left at the deadline.

        On return no child is left. May be called again, and concurrently with `kill`.
        """
        await self._stop(list(self._kept.values()), self._budget_s)

    def kill(self) -> None:
        """Kills every child at once with SIGKILL; `stop` returns soon after."""
        for kept in self._kept.values():
            kept.stopping = True
            if kept.child:
                kept.child.kill()

    async def _stop(self, all_kept: list["_Kept"], budget_s: float) -> None:
        deadline = time.monotonic() + budget_s
        for kept in all_kept:
            kept.stopping = True
        for stage in Stage:
            group = [kept for kept in all_kept if kept.role.stage is stage]
            if group:
                reserved = sum(
                    RESERVED_S[kept.role.stage] for kept in _one_a_stage(all_kept, later_than=stage)
                )
                await self._stop_group(group, deadline - reserved)

    async def _stop_group(self, group: list["_Kept"], deadline: float) -> None:
        for kept in group:
            kept.wake.set()
            if kept.child:
                kept.child.terminate()
        tasks = [kept.task for kept in group if kept.task]
        _, late = await asyncio.wait(tasks, timeout=max(0.1, deadline - time.monotonic()))
        for kept in group:
            if kept.task in late and kept.child:
                self._listener.killed(kept.role)
                kept.child.kill()
        await asyncio.gather(*tasks)
        for kept in group:
            self._kept.pop(kept.role.name, None)

    async def _keep(self, kept: "_Kept") -> None:
        wait_s: float | None = None
        while True:
            if kept.child:
                code, ran_s = await kept.child.ended()
                kept.child = None
                kept.last_end = how_it_ended(code)
            else:  # it could not even be started
                ran_s = 0.0
            if kept.stopping:
                self._listener.stopped(kept.role, kept.last_end)
                return
            wait_s = self._backoff.next(wait_s, ran_s)
            self._listener.died(kept.role, kept.last_end, ran_s, wait_s)
            kept.died.set()
            if await set_within(wait_s, kept.wake):
                self._listener.stopped(kept.role, kept.last_end)
                return
            try:
                kept.child = await Child.spawn(kept.role, self._listener)
            except OSError as error:
                kept.last_end = f"can't be started: {error}"
            if kept.child and kept.stopping:  # asked to stop while it was being started
                kept.child.terminate()


class _Kept:
    """A supervised role, its process, and the task that restarts it."""

    def __init__(self, role: Role, child: Child) -> None:
        self.role = role
        self.child: Child | None = child
        self.task: asyncio.Task[None] | None = None
        self.stopping = False
        self.wake = asyncio.Event()
        self.died = asyncio.Event()
        self.last_end = ""


def _one_a_stage(all_kept: list[_Kept], later_than: Stage) -> list[_Kept]:
    stages = {kept.role.stage: kept for kept in all_kept if kept.role.stage > later_than}
    return list(stages.values())
