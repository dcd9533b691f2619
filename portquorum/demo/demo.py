"""The stages of the demo, one after the other, each with a deadline."""

import asyncio
import contextlib
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

from foundation.lifecycle import cancelled
from foundation.settings import Settings
from portquorum.demo import answers
from portquorum.demo.errors import StageError
from portquorum.demo.inventory import SERVICE_ID, SOURCES
from portquorum.demo.page import DemoPage
from portquorum.demo.receiver import ReceivedMessage, Receiver
from portquorum.demo.rolelog import RoleLog
from portquorum.demo.service import DemoService
from portquorum.demo.stack import Stack, start_roles, start_services
from portquorum.demo.story import Story
from portquorum.demo.tap import Tap
from portquorum.embedded.service.reports import Progress
from portquorum.supervisor import Supervisor
from portquorum.supervisor.called import called
from portquorum.supervisor.page import Page, open_page
from portquorum.supervisor.services import ServiceListener
from schemas.notification import Notification
from schemas.result import CheckResult

T = TypeVar("T")

DEADLINE_S: Final = 60.0
"""Longest time for a stage, in s; a stage normally takes a few seconds at most."""

STOP_S: Final = 6.0
"""Longest time for the processes to end, in s; then their data is removed."""

LOOK_AGAIN_S: Final = 0.2

RESULTS_FIRST: Final = 3
"""Results of the service from each region before its port is closed."""

_TITLES: Final = {"down": "TCP Port Unreachable: ", "up": "TCP Port Reachable Again: "}
"""Begins of the subjects of both messages."""

HINTS: Final = (
    (f"{called()} up", "the same, to stay: your machine"),
    (f"{called()} target add HOST:PORT", "watch a port of yours"),
    (f"{called()} --help", "everything else"),
)


async def run(page: DemoPage) -> None:
    """Runs the demo; on return, also by an exception, every process has ended and its data is gone.

    Raises:
        StageError: a stage did not come in time; the last lines of its roles were shown.
            EmbeddedServiceError: a service can't start.
    """
    began = time.monotonic()
    page.title()
    folder = Path(tempfile.mkdtemp(prefix="portquorum-demo-"))
    log = RoleLog(page.trouble)
    try:
        async with _supervised(log, page) as (supervisor, services):
            try:
                await _Demo(page, supervisor, services, folder).stages()
            except StageError as error:
                for role, lines in log.last(error.roles).items():
                    page.log(role, lines)
                raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    page.note(f"{folder} is removed")
    page.end(time.monotonic() - began, HINTS)


@contextlib.asynccontextmanager
async def _supervised(
    log: RoleLog, page: DemoPage
) -> AsyncIterator[tuple[Supervisor, ServiceListener]]:
    steps: set[str] = set()

    def on_progress(_: str, progress: Progress) -> None:
        if progress.total and progress.step not in steps:  # a download, the first time only
            steps.add(progress.step)
            page.note(f"{progress.step} ({progress.total / 1e6:.0f} MB, kept for the next time)")

    services = ServiceListener(log, on_progress)
    supervisor = Supervisor(services, stop_budget_s=STOP_S)
    try:
        yield supervisor, services
    finally:
        count = len(supervisor.roles)
        began = time.monotonic()
        await supervisor.stop()
        page.console.print()
        page.done(f"{count} processes stopped", "", time.monotonic() - began)


class _Demo:
    def __init__(
        self, page: DemoPage, supervisor: Supervisor, services: ServiceListener, folder: Path
    ) -> None:
        self._page = page
        self._supervisor = supervisor
        self._services = services
        self._folder = folder
        self._position = 0
        self._following: asyncio.Future[None] | None = None

    async def stages(self) -> None:
        page = self._page
        page.chapter("Real Apache Kafka and the real ClickHouse engine start on this machine")
        stack = await start_services(self._supervisor, self._services, self._folder, page.done)
        service = await DemoService.start()
        page.done("the service", f"127.0.0.1:{service.port}, a small TCP service that we close")
        tap = Tap(stack.settings)
        shown = open_page(Settings().web_listen, "the page", or_any_port=True)
        try:
            async with Receiver() as receiver, _background(tap.follow()) as self._following:
                await self._watched(stack, service, receiver, tap, shown)
                incident = await self._half(service, receiver, tap, "down")
                await self._goes_on(tap)
                await self._half(service, receiver, tap, "up")
                await self._answers(stack, incident)
        finally:
            if shown.listening is not None:
                shown.listening.close()
            await service.close()

    async def _watched(
        self, stack: Stack, service: DemoService, receiver: Receiver, tap: Tap, shown: Page
    ) -> None:
        page = self._page
        page.chapter("Three regions watch three ports")
        began = time.monotonic()
        names = await start_roles(
            self._supervisor,
            stack,
            self._folder,
            service_port=service.port,
            channel=receiver.url,
            page=shown.listening,
        )
        roles = [name for name in names if name not in {"kafka", "clickhouse"}]
        page.done("roles", ", ".join(roles), time.monotonic() - began)
        if shown.address:
            page.done("page", f"{shown.address} shows it live, until the demo ends")
        places = ", ".join(f"{name} {source}" for name, source in SOURCES.items())
        page.done("regions", f"told apart by source address: {places}")
        counts = dict.fromkeys(SOURCES, 0)

        async def until_watched() -> None:
            async for seen in tap.since(0):
                what = seen.what
                if isinstance(what, CheckResult) and what.target == SERVICE_ID:
                    counts[what.region] += what.status == "up"
                    if min(counts.values()) >= RESULTS_FIRST:
                        return

        await self._within(
            "the first results",
            until_watched(),
            lambda: f"of {RESULTS_FIRST} a region came {counts}",
            ("probe", "stream"),
        )
        page.done("results", f"{sum(counts.values())} checks of the service, all up", None)
        self._position = len(tap.seen)

    async def _half(
        self, service: DemoService, receiver: Receiver, tap: Tap, way: Literal["down", "up"]
    ) -> str:
        """One half of the outage; returns the incident's id."""
        page = self._page
        down = way == "down"
        page.chapter(f"The port {'closes' if down else 'opens again'}")
        if down:
            await service.close()
        else:
            await service.open()
        began_at = time.time_ns() // 1_000_000
        what = "stops listening" if down else "listens again"
        page.moment(0, "service", f"127.0.0.1:{service.port} {what}")
        story = Story(way, began_at)

        async def tell(done: Callable[[], object]) -> None:
            async for seen in tap.since(self._position):
                self._position += 1
                for moment in story.take(seen):
                    seconds = max(0, moment.at - began_at) / 1000
                    page.moment(seconds, moment.who, moment.what, moment.topic)
                if done():
                    return

        stage = "the first failed check" if down else "the first successful check"
        await self._within(stage, tell(lambda: story.turn), "no region published one", ("probe",))
        stage = "the incident" if down else "the end of the incident"
        why = "no event came on [incidents]"
        await self._within(stage, tell(lambda: story.event), why, ("stream", "probe"))
        if story.event is None:
            raise StageError(stage, why, ("stream",))
        page.note("")
        page.note(f"“{story.event.summary}”")
        page.note("")
        stage = "the notification"
        why = "nothing arrived at the receiver"
        message = await self._within(stage, _told(receiver, way), why, ("notify",))
        await self._within(
            stage, tell(lambda: story.sent), "nothing came on [notifications]", ("notify",)
        )
        page.message(message.title, message.message, "red" if down else "green")
        return story.event.incident_id

    async def _goes_on(self, tap: Tap) -> None:
        """Waits for another failed check of each region, which must have no consequences."""
        failed: set[str] = set()
        events = 0

        async def until_failed() -> None:
            nonlocal events
            async for seen in tap.since(self._position):
                self._position += 1
                match seen.what:
                    case CheckResult(target=target, status="down", region=region):
                        failed.update({region} if target == SERVICE_ID else ())
                    case Notification(status="sent"):
                        events += 1
                if len(failed) == len(SOURCES):
                    return

        await self._within("further checks", until_failed(), f"only {failed} failed", ("probe",))
        told = "nobody is told twice" if not events else f"{events} more messages went out"
        self._page.note(f"Every region goes on checking and failing; {told}.")

    async def _answers(self, stack: Stack, incident_id: str) -> None:
        page = self._page
        page.chapter("ClickHouse has all of it: ask")

        async def until_stored() -> None:
            while not await asyncio.to_thread(  # noqa: ASYNC110 (a database calls nobody back)
                answers.stored, stack.settings, incident_id, 2
            ):
                await asyncio.sleep(LOOK_AGAIN_S)

        await self._within("the rows", until_stored(), "the sink stored no end of it", ("sink",))
        for question in answers.QUESTIONS:
            columns, rows = await asyncio.to_thread(answers.ask, stack.settings, question.sql)
            page.answer(question.text, question.sql, columns, rows)

    async def _within(
        self, stage: str, work: Awaitable[T], why: str | Callable[[], str], roles: tuple[str, ...]
    ) -> T:
        task = asyncio.ensure_future(work)
        waited_for: set[asyncio.Future[Any]] = {task}
        if self._following:
            waited_for.add(self._following)
        try:
            await asyncio.wait(waited_for, timeout=DEADLINE_S, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            if self._following and self._following.done():
                self._following.result()  # raises: without the consumer there is nothing to show
        finally:
            task.cancel()
        reason = why if isinstance(why, str) else why()
        raise StageError(stage, f"{reason} within {DEADLINE_S:g} s", roles)


async def _told(receiver: Receiver, way: Literal["down", "up"]) -> ReceivedMessage:
    """The message of the outage's begin or end; that it is better may be told in between."""
    while True:
        message = await receiver.messages.get()
        if message.title.startswith(_TITLES[way]):
            return message


@contextlib.asynccontextmanager
async def _background(work: Awaitable[None]) -> AsyncIterator["asyncio.Future[None]"]:
    task = asyncio.ensure_future(work)
    try:
        yield task
    finally:
        await cancelled(task)
