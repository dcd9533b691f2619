"""What the notifier's tests share: a web hook that counts, events, and a notifier to run."""

import asyncio
import json
import os
import signal
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from aiokafka import TopicPartition

from foundation import kafka
from foundation.kafka import Follower
from foundation.settings import Settings
from schemas import incident, notification, policy
from schemas.incident import Event, IncidentEvent, RegionVerdict, Votes
from schemas.notification import Notification
from schemas.partition import partition_for
from schemas.policy import DRILLS, SILENCES, DrillDone, Policy, Route, Silence
from sinks.notifier.channels.problem import problem
from sinks.notifier.channels.send import send
from sinks.notifier.main import desk_maker
from sinks.notifier.model import Channel
from sinks.notifier.notifier import Notifier
from sinks.notifier.outbox import Outbox

DEADLINE_S = 100
STATES = ("active", "standing by")
"""What a notifier says of itself in its log."""


class Hook:
    """A real HTTP server for Apprise's `json://`; keeps the posts that it answered with 200."""

    def __init__(self) -> None:
        self.posts: list[dict[str, str]] = []
        self.refused: list[dict[str, str]] = []
        self.refuse: Callable[[dict[str, str]], bool] = lambda _post: False
        self.asked: list[dict[str, str]] = []
        self._hold = threading.Event()
        self._hold.set()
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                post = {"path": self.path, **body}
                hook.asked.append(post)
                if not self.path.startswith("/free"):
                    hook._hold.wait(DEADLINE_S)
                if hook.refuse(post):
                    hook.refused.append(post)
                    self.send_response(500)
                else:
                    hook.posts.append(post)
                    self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"json://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def hang(self) -> None:
        """Answers nothing from now on, but on paths that begin with `/free`."""
        self._hold.clear()

    def answer(self) -> None:
        """Answers what waits, and everything from now on."""
        self._hold.set()

    def close(self) -> None:
        self.answer()
        self._server.shutdown()
        self._server.server_close()

    @property
    def subjects(self) -> list[str]:
        return [post["title"] for post in self.posts]

    def counts(self) -> Counter[str]:
        return Counter(self.subjects)


@contextmanager
def hook() -> Iterator[Hook]:
    server = Hook()
    try:
        yield server
    finally:
        server.close()


def settings_for(bootstrap: str, **more: object) -> Settings:
    return Settings(
        kafka=bootstrap,
        topic_prefix=f"notify-{uuid.uuid4().hex[:12]}",
        metrics="127.0.0.1:0",
        # Each message at once, unless a test is about digests.
        **{"partitions": 4, "group_wait_s": 0.2, "group_interval_s": 0.0, **more},  # type: ignore[arg-type]
    )


def incident_event(target: str, event: str = "opened", **fields: object) -> IncidentEvent:
    at = time.time_ns() // 1_000_000
    closed = event == "closed"
    values: dict[str, object] = {
        "event_id": str(uuid.uuid5(incident.NAMESPACE, f"{target}/{event}/{uuid.uuid4()}")),
        "event": event,
        "incident_id": str(uuid.uuid5(incident.NAMESPACE, target)),
        "incident_type": "unreachable",
        "severity": "critical",
        "target": target,
        "name": target,
        "kind": "tcp",
        "host": f"{target}.example.com",
        "port": 5432,
        "team": None,
        "tags": (),
        "criticality": "critical",
        "depends_on": (),
        "regions": {
            "eu-west": RegionVerdict(verdict="down", reason="connection_refused", since=at),
            "us-east": RegionVerdict(verdict="up", since=at),
        },
        "votes": Votes(down=2, need=2, fresh=3, configured=3),
        "first_failed_at": at - 3000,
        "opened_at": at,
        "closed_at": at if closed else None,
        "closed_because": "recovered" if closed else None,
        "at": at,
        "host_targets": (),
        "summary": "The host answers, nothing listens on 5432.",
        "first_steps": ("Look whether the service runs",),
        "runbook": None,
        **fields,
    }
    return IncidentEvent(**values)  # type: ignore[arg-type]


async def publish_policy(settings: Settings, *entries: Policy) -> None:
    async with _producer(settings) as producer:
        for entry in entries:
            await producer.send_and_wait(
                settings.topic("policy"), policy.encode(entry), key=policy.key("test", entry)
            )


async def publish_silences(settings: Settings, *silences: Silence) -> None:
    """As `portquorum silence` does it."""
    async with _producer(settings) as producer:
        for one in silences:
            await producer.send_and_wait(
                settings.topic("policy"), policy.encode(one), key=policy.key(SILENCES, one)
            )


async def publish_drill(settings: Settings, done: DrillDone) -> None:
    """As `portquorum drill` does it."""
    async with _producer(settings) as producer:
        await producer.send_and_wait(
            settings.topic("policy"), policy.encode(done), key=policy.key(DRILLS, done)
        )


async def remove_policy(settings: Settings, *entries: Policy) -> None:
    async with _producer(settings) as producer:
        for entry in entries:
            key = policy.key("test", entry)
            await producer.send_and_wait(settings.topic("policy"), None, key=key)


async def publish(
    settings: Settings, *events: Event | bytes, timestamp_ms: int | None = None
) -> None:
    async with _producer(settings) as producer:
        for event in events:
            garbage = isinstance(event, bytes)
            subject = "x" if garbage else incident.subject(event)
            host = subject if garbage else getattr(event, "host", None) or subject
            await producer.send_and_wait(
                settings.topic("incidents"),
                event if garbage else incident.encode(event),
                key=host.encode(),
                partition=partition_for(host, settings.partitions),
                headers=[] if garbage else incident.headers(event),
                timestamp_ms=timestamp_ms,
            )


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Outbox]:
    """An outbox for several notifiers, one after another."""
    outbox = Outbox(settings, send, problem)
    try:
        yield outbox
    finally:
        await outbox.close()


@asynccontextmanager
async def _producer(settings: Settings) -> AsyncIterator[object]:
    producer = kafka.producer(settings)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def send_log(settings: Settings) -> list[Notification]:
    """All records of [notifications], in their order."""
    async with Follower(settings, settings.topic("notifications")) as follower:
        return [notification.decode(r.value) async for r in follower.present()]


@asynccontextmanager
async def notifier(settings: Settings, outbox: Outbox | None = None) -> AsyncIterator[Notifier]:
    """A notifier in this process; begins at the first `await` and ends cleanly at the end."""
    stop = asyncio.Event()
    outbox = outbox or Outbox(settings, send, problem)
    running = Notifier(settings, outbox, desk_maker(settings))
    task = asyncio.create_task(running.run(stop))
    try:
        yield running
    finally:
        stop.set()
        await asyncio.wait_for(task, 60)
        await outbox.close()


class NotifierProcess:
    """`portquorum notify` as a process of its own, as users start it."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self._log = log

    @classmethod
    async def start(cls, settings: Settings, log: Path, **variables: str) -> "NotifierProcess":
        env = os.environ | {
            "PORTQUORUM_KAFKA": settings.kafka,
            "PORTQUORUM_TOPIC_PREFIX": settings.topic_prefix,
            "PORTQUORUM_PARTITIONS": str(settings.partitions),
            "PORTQUORUM_GROUP_WAIT_S": str(settings.group_wait_s),
            "PORTQUORUM_GROUP_INTERVAL_S": str(settings.group_interval_s),
            "PORTQUORUM_METRICS": "127.0.0.1:0",
            "PORTQUORUM_LOG_FORMAT": "json",
            **variables,
        }
        with log.open("ab") as file:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "portquorum.cli", "notify", env=env, stderr=file
            )
        return cls(process, log)

    def lines(self) -> list[dict[str, object]]:
        """The lines of its log so far."""
        lines = self._log.read_bytes().splitlines() if self._log.exists() else []
        # The last line may be half written, and Python writes lines of its own.
        return [json.loads(line) for line in lines if line[:1] == b"{" and line[-1:] == b"}"]

    def logged(self, event: str) -> list[dict[str, object]]:
        return [line for line in self.lines() if line.get("event") == event]

    @property
    def is_active(self) -> bool:
        """Whether it has become the active one, and has not said that it stands by again."""
        said = [line["event"] for line in self.lines() if line.get("event") in STATES]
        return said[-1:] == ["active"]

    def has_joined(self) -> bool:
        """Whether it has a part in the group: it is active or stands by."""
        return any(line.get("event") in STATES for line in self.lines())

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    async def kill(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    async def terminate(self) -> int:
        self._process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self._process.wait(), 10)


async def until(condition: Callable[[], bool | Awaitable[bool]], what: str) -> None:
    """Waits until `condition` holds; fails with `what` after a deadline."""
    deadline = time.monotonic() + DEADLINE_S
    while True:
        held = condition()
        if not isinstance(held, bool):
            held = await held
        if held:
            return
        assert time.monotonic() < deadline, f"not within {DEADLINE_S} s: {what}"
        await asyncio.sleep(0.05)


async def all_committed(settings: Settings) -> bool:
    """Whether the group has committed all of [incidents]."""
    client = kafka.consumer(settings, group_id=settings.group("notify"))
    await client.start()
    try:
        parts = [TopicPartition(settings.topic("incidents"), n) for n in range(settings.partitions)]
        ends = await client.end_offsets(parts)
        return all([await client.committed(part) == ends[part] for part in parts])
    finally:
        await client.stop()


def name_of(route: Route, position: int = 0) -> str:
    """The name in the send log of a channel of `route`."""
    return Channel(route.name, route.urls[position]).name


def route(channel: Hook, name: str = "ops", more: str = "", **fields: object) -> Route:
    """A route to `channel`; `more` is what follows the path."""
    return Route(name=name, urls=(f"{channel.url}/{name}{more}",), **fields)  # type: ignore[arg-type]
