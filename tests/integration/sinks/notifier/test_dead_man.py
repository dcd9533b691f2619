"""The dead man's switch over real Kafka and stream: each part that stops ends the calls."""

import asyncio
import contextlib
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from msgspec import structs
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from foundation import kafka as kafka_clients
from foundation.settings import Settings
from schemas import control, topics
from schemas.control import Beat
from sinks.notifier.channels.problem import problem
from sinks.notifier.channels.send import send
from sinks.notifier.dead_man import DeadMansSwitch
from sinks.notifier.main import again_and_again
from sinks.notifier.outbox import Outbox
from tests.integration.streams import ground
from tests.integration.streams.ground import Log, Worker

EVERY_S = 2.5
"""A minute of the switch."""

DEADLINE_S = 100.0
PATH = "/ping/0a1b2c3d"


class Service:
    """A dead man's service: when it was called."""

    def __init__(self) -> None:
        self.calls: list[float] = []
        self.paths: set[str] = set()
        self.status = 200
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                service.calls.append(time.monotonic())
                service.paths.add(self.path)
                self.send_response(service.status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    async def is_called(self, times: int = 2) -> None:
        """Waits for further calls."""
        wanted = len(self.calls) + times
        await until(lambda: len(self.calls) >= wanted)

    async def falls_silent(self) -> None:
        """No call comes later than three periods after now; the switch says so itself."""
        stopped = time.monotonic()
        await until(lambda: value("flowing") == 0)
        await until(lambda: time.monotonic() > stopped + 4 * EVERY_S)
        late = [at - stopped for at in self.calls if at > stopped + 3 * EVERY_S]
        assert late == []


@contextmanager
def service() -> Iterator[Service]:
    made = Service()
    try:
        yield made
    finally:
        made.close()


async def until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not reached():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"portquorum_notifier_watchdog_{name}", labels) or 0.0


class Stack:
    """What the switch watches: beats, and what a notifier would know."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.beating = True
        self.active = True
        self.decided: dict[int, int] = {}
        self._sequence = 0

    async def beat(self) -> None:
        """A prober's beats, to every partition."""
        while True:
            if self.beating:
                record = Beat(
                    region="eu",
                    prober="eu-1",
                    sequence=self._sequence,
                    started_at=1,
                    targets=0,
                    failing=0,
                    newly_failing=0,
                    connectivity=True,
                    lag_ms=0,
                    spool=0,
                    clock_offset_ms=0,
                )
                self._sequence += 1
                for number in range(self.log.settings.partitions):
                    await self.log.raw(number, b"", control.headers(record))
            else:
                # As the stream does for an idle partition: the log moves on without a prober.
                for number in range(self.log.settings.partitions):
                    await self.log.empty(number, 1)
            await asyncio.sleep(EVERY_S / 12)

    async def incident(self) -> int:
        """Appends something to [incidents]; the offset after it."""
        name = self.log.settings.topic(topics.INCIDENTS.name)
        async with kafka_clients.producer(self.log.settings) as producer:
            sent = await producer.send_and_wait(name, b"{}", partition=0)
        return int(sent.offset) + 1


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Stack]:
    async with Log(settings) as log:
        stack = Stack(log)
        switch = DeadMansSwitch(settings, every_s=EVERY_S, call_limit_s=EVERY_S)
        tasks = [
            asyncio.create_task(stack.beat()),
            asyncio.create_task(switch.run(lambda: stack.active, lambda: stack.decided)),
        ]
        try:
            yield stack
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
def settings(kafka: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Settings, Service]]:
    with service() as called:
        monkeypatch.setenv("WATCHDOG_PATH", PATH)
        plain = ground.fresh(kafka)
        yield structs.replace(plain, watchdog=called.address + "${WATCHDOG_PATH}"), called


@pytest.mark.timeout(300)
async def test_each_part_that_stands_still_ends_the_calls(
    settings: tuple[Settings, Service], tmp_path: Path
) -> None:
    made, called = settings
    with capture_logs() as said, contextlib.ExitStack() as workers:
        stream = workers.enter_context(Worker(made, tmp_path, checkpoint_s=0.3))
        async with running(made) as stack:
            await called.is_called()
            assert called.paths == {PATH}
            begun = len(said)

            stack.beating = False  # every prober is gone; the log still moves
            await called.falls_silent()
            stack.beating = True
            await called.is_called()

            stream.send(signal.SIGSTOP)
            await called.falls_silent()
            await stream.killed()
            workers.enter_context(Worker(made, tmp_path, checkpoint_s=0.3))
            await called.is_called()

            decided = await stack.incident()  # which the notifier does not take
            await called.falls_silent()
            stack.decided = {0: decided}
            await called.is_called()

            stack.active = False  # its lease has ended
            await called.falls_silent()
            stack.active = True
            await called.is_called()

    why = [line["why"] for line in said[begun:] if line["log_level"] == "error"]
    assert len(why) == 3, why  # once each, not each minute
    assert "no beat of a prober" in why[0]
    assert "the stream has committed nothing" in why[1]
    assert "the notifier has not decided" in why[2]
    assert PATH not in str(said)


async def test_a_service_that_fails_is_called_on_and_named_once(
    settings: tuple[Settings, Service], tmp_path: Path
) -> None:
    made, called = settings
    failed = value("calls_total", outcome="failed")
    called.status = 503
    with capture_logs() as said, Worker(made, tmp_path, checkpoint_s=0.3):
        async with running(made):
            await called.is_called(3)  # nothing of it is called before the stream runs
            called.status = 200
            await called.is_called(2)

    errors = [line for line in said if "error" in line]
    assert [line["event"] for line in errors] == ["the watchdog does not answer; calling on"]
    assert "503" in errors[0]["error"]
    assert value("calls_total", outcome="failed") >= failed + 2
    assert any(line["event"] == "the watchdog answers again" for line in said)
    assert PATH not in str(said)


async def test_the_role_itself_calls_and_decides_meanwhile(
    settings: tuple[Settings, Service], tmp_path: Path
) -> None:
    made, called = settings
    stop = asyncio.Event()
    outbox = Outbox(made, send, problem)
    with Worker(made, tmp_path, checkpoint_s=0.3):
        async with Log(made) as log:
            beating = asyncio.create_task(Stack(log).beat())
            role = asyncio.create_task(
                again_and_again(made, outbox, stop, watchdog_every_s=EVERY_S)
            )
            try:
                await called.is_called()
                # The log of incidents goes on, so the calls must follow what is decided.
                names = ground.hosts(made, 4)
                await log.targets(names)
                await log.outage(names)
                await ground.opened(made, len(names))
                await called.is_called(4)
                stop.set()
                await called.falls_silent()
            finally:
                stop.set()
                await asyncio.wait_for(role, 60)
                await outbox.close()
                beating.cancel()


async def test_without_its_secret_nothing_is_called_and_the_log_says_why(kafka: str) -> None:
    made = structs.replace(ground.fresh(kafka), watchdog="${NOT_SET_ANYWHERE}")
    with capture_logs() as said:
        await DeadMansSwitch(made).run(lambda: True, dict)
    assert [line["event"] for line in said] == ["the watchdog is never called"]
    assert "NOT_SET_ANYWHERE" in said[0]["why"]
