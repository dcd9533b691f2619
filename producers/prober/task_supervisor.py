"""Supervises the background tasks of a role: when one of them ends, the role ends.

A role without one of its tasks would look healthy and do nothing: only a role that ends can be
restarted by its supervisor.
"""

import asyncio
import traceback
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Final, Self

from foundation.lifecycle import cancelled
from foundation.telemetry import logger
from producers.prober import check_loop
from producers.publishing import publisher

_CALLED_BACK: Final = frozenset({publisher.__name__, check_loop.__name__})
"""Modules whose callbacks are supervised, too: a failed one would stop a partition or a target.
Libraries recover from failures of their own callbacks."""


class TaskEndedError(Exception):
    """A background task of a role ended before the role; the text has its name and the cause."""


class TaskSupervisor:
    """Background tasks that must not end. A context manager; made inside a running loop.

    Inside of it an exception in a supervised callback counts as the end of a task.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._tasks: list[asyncio.Task[None]] = []
        self._ended = asyncio.Event()
        self._error: TaskEndedError | None = None
        self._closing = False

    def __enter__(self) -> Self:
        self._handler = self._loop.get_exception_handler()
        self._loop.set_exception_handler(self._called_back)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.set_exception_handler(self._handler)

    def start(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Starts a task."""
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._task_done)
        self._tasks.append(task)
        return task

    async def unless(self, stop: asyncio.Event, work: Coroutine[Any, Any, object]) -> bool:
        """Whether `work` ended before `stop` was set; passes on its exception.

        Raises:
            TaskEndedError: a task ended before.
        """
        task = asyncio.ensure_future(work)
        others = [asyncio.ensure_future(stop.wait()), asyncio.ensure_future(self._ended.wait())]
        try:
            await asyncio.wait((task, *others), return_when=asyncio.FIRST_COMPLETED)
            if stop.is_set():
                return False
            if self._error is not None:
                raise self._error
            task.result()
            return True
        finally:
            await cancelled(task, *others)

    async def watch(self, stop: asyncio.Event) -> None:
        """Returns when `stop` is set.

        Raises:
            TaskEndedError: a task ended before.
        """
        await self.unless(stop, asyncio.Event().wait())

    async def cancel(self, *, but: asyncio.Task[None] | None = None) -> None:
        """Cancels all tasks except `but`; from now on each may end by itself."""
        self._closing = True
        await cancelled(*(task for task in self._tasks if task is not but))

    def _task_done(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if not self._closing:
            how = "was cancelled" if task.cancelled() else "returned"
            self._fail(task.get_name(), repr(error) if error else how, error)

    def _called_back(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if "handle" in context and isinstance(error, Exception) and _ours(error):
            self._fail("a callback", repr(error), error)
        elif self._handler is not None:
            self._handler(loop, context)
        else:
            loop.default_exception_handler(context)

    def _fail(self, part: str, why: str, error: BaseException | None) -> None:
        if self._error is not None:
            return
        where = _where(error)
        logger(__name__).error("a part ended, and the role with it", part=part, why=why, at=where)
        self._error = TaskEndedError(f"{part} ended, and the role with it: {why} at {where}")
        self._error.__cause__ = error
        self._ended.set()


def _ours(error: Exception) -> bool:
    frames = traceback.walk_tb(error.__traceback__)
    return any(frame.f_globals.get("__name__") in _CALLED_BACK for frame, _ in frames)


def _where(error: BaseException | None) -> str:
    frames = traceback.extract_tb(error.__traceback__) if error is not None else []
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "no place of ours"
