"""The whole notifier as users start it, real receivers, and outages told by the stream's events."""

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from msgspec import structs

from foundation import kafka
from foundation.settings import Settings
from schemas import incident
from schemas.incident import Event, IncidentEvent, RegionVerdict, Votes
from schemas.notification import Notification
from schemas.policy import Route
from tests.integration.sinks.notifier.rig import publish, publish_policy, send_log
from tests.receivers import neighbourhood
from tests.receivers.neighbourhood import Neighbourhood

DEADLINE_S: Final = 100.0
"""Longest wait for anything that must come: longer than two read limits and their back-off."""

DOWN: Final = "TCP Port Unreachable"
AGAIN: Final = "TCP Port Unreachable Again"
UP: Final = "TCP Port Reachable Again"


class Outage:
    """One incident of one target; each method is its next event, as the stream would send it."""

    def __init__(self, name: str | None = None, *, host: str | None = None, **fields: Any) -> None:
        self.name = name or f"gate-{uuid.uuid4().hex[:8]}"
        self.began = time.time_ns() // 1_000_000
        self.episode = 1
        self.incident_id = str(uuid.uuid5(incident.NAMESPACE, self.name))
        self._count = 0
        self._fields = {"host": host or f"{self.name}.example.com", **fields}

    @property
    def key(self) -> str:
        """The key for on-call systems."""
        return f"{self.incident_id}/{self.episode}"

    def changes(self, **fields: Any) -> None:
        """The inventory gives the target other fields from here on."""
        self._fields |= fields

    def opened(self, **more: Any) -> IncidentEvent:
        return self._event("opened", **more)

    def improved(self) -> IncidentEvent:
        return self._event("improved", down=1)

    def worsened(self) -> IncidentEvent:
        self.episode += 1
        return self._event("worsened")

    def acknowledged(self, by: str = "ann") -> IncidentEvent:
        return self._event("updated", acknowledged_by=by)

    def closed(self, because: str = "recovered") -> IncidentEvent:
        return self._event("closed", down=0, closed_because=because)

    def _event(self, kind: str, *, down: int = 2, **more: Any) -> IncidentEvent:
        self._count += 1
        at = max(time.time_ns() // 1_000_000, self.began + self._count)
        verdicts = [
            RegionVerdict(verdict="down", reason="connection_refused", since=self.began)
            if number < down
            else RegionVerdict(verdict="up", since=at)
            for number in range(3)
        ]
        values: dict[str, Any] = {
            "event_id": str(uuid.uuid5(incident.NAMESPACE, f"{self.name}/{self._count}")),
            "event": kind,
            "incident_id": self.incident_id,
            "incident_type": "unreachable",
            "severity": "critical",
            "target": self.name,
            "name": self.name,
            "kind": "tcp",
            "port": 5432,
            "team": None,
            "tags": (),
            "criticality": "critical",
            "depends_on": (),
            "regions": dict(zip(("ap-south", "eu-west", "us-east"), verdicts, strict=True)),
            "votes": Votes(down=down, need=2, fresh=3, configured=3),
            "first_failed_at": self.began - 3_000,
            "opened_at": self.began,
            "closed_at": at if kind == "closed" else None,
            "closed_because": "recovered" if kind == "closed" else None,
            "at": at,
            "host_targets": (),
            "summary": "The host answers, nothing listens on 5432.",
            "first_steps": ("Look whether the service runs.",),
            "runbook": None,
        }
        if self.episode > 1:
            values |= {"episode": self.episode, "episode_began_at": self.began}
        return IncidentEvent(**(values | self._fields | more))


class RunningNotifier:
    """`portquorum notify` in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self.log = log

    def said(self) -> list[dict[str, Any]]:
        """The lines of its log."""
        lines = self.log.read_text(errors="replace").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    async def kill(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    async def terminate(self) -> int:
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self._process.wait(), 20)


class Scene:
    """Topics of its own, the receivers, and notifiers that find them."""

    def __init__(self, bootstrap: str, street: Neighbourhood, folder: Path) -> None:
        self.settings = Settings(
            kafka=bootstrap,
            topic_prefix=f"notify-{uuid.uuid4().hex[:12]}",
            partitions=4,
            metrics="127.0.0.1:0",
            group_wait_s=0.2,
            group_interval_s=0.0,
        )
        self.street = street
        self.folder = folder
        self._running: list[RunningNotifier] = []

    def waiting(self, group_wait_s: float) -> Settings:
        """The settings with another time in which ports of a host become one message."""
        return structs.replace(self.settings, group_wait_s=group_wait_s)

    async def begin(self, *routes: Route) -> RunningNotifier:
        """Topics, routes and one notifier."""
        await kafka.create_topics(self.settings)
        await self.publish_routes(*routes)
        return await self.start()

    async def start(self, **more: str) -> RunningNotifier:
        """Another notifier; `more` are further variables of its environment."""
        log = self.folder / f"notify-{len(self._running)}-{uuid.uuid4().hex[:6]}.log"
        env = os.environ | self.street.environment | more
        env |= {
            "PORTQUORUM_KAFKA": self.settings.kafka,
            "PORTQUORUM_TOPIC_PREFIX": self.settings.topic_prefix,
            "PORTQUORUM_PARTITIONS": str(self.settings.partitions),
            "PORTQUORUM_GROUP_WAIT_S": str(self.settings.group_wait_s),
            "PORTQUORUM_GROUP_INTERVAL_S": str(self.settings.group_interval_s),
            "PORTQUORUM_METRICS": "127.0.0.1:0",
            "PORTQUORUM_LOG_FORMAT": "json",
        }
        with log.open("ab") as file:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "portquorum", "notify", env=env, stdout=file, stderr=file
            )
        running = RunningNotifier(process, log)
        self._running.append(running)
        return running

    async def publish_routes(self, *routes: Route) -> None:
        """Publishes routes; one of a name that is there already is changed."""
        await publish_policy(self.settings, *routes)

    async def happens(self, *events: Event) -> None:
        """Publishes events of the stream."""
        await publish(self.settings, *events)

    async def rows(self) -> list[Notification]:
        """The send log."""
        return await send_log(self.settings)

    async def until(self, condition: Any, what: str, within_s: float = DEADLINE_S) -> None:
        """Waits for a condition; a failure shows what the notifiers said."""
        deadline = time.monotonic() + within_s
        while True:
            held = condition()
            if asyncio.iscoroutine(held):
                held = await held
            if held:
                return
            if time.monotonic() > deadline:
                said = [line for one in self._running for line in one.said()[-15:]]
                shown = "\n".join(map(str, said))
                raise AssertionError(f"not within {within_s:.0f} s: {what}\n{shown}")
            await asyncio.sleep(0.05)

    async def until_settled(self, event: Event) -> list[Notification]:
        """Waits until no row of `event` says that it is tried again; returns all rows."""

        async def settled() -> bool:
            rows = [row for row in await self.rows() if row.event_id == event.event_id]
            newest = {row.channel: row.status for row in rows}
            return bool(newest) and "retrying" not in newest.values()

        await self.until(settled, f"rows of {event.event}")
        return await self.rows()

    async def end(self) -> None:
        """Ends all notifiers."""
        for one in self._running:
            with contextlib.suppress(TimeoutError):
                await one.terminate()
            await one.kill()


@contextlib.asynccontextmanager
async def scene_of(bootstrap: str, street: Neighbourhood, folder: Path) -> AsyncIterator[Scene]:
    """A scene whose notifiers end with it."""
    made = Scene(bootstrap, street, folder)
    try:
        yield made
    finally:
        street.behave()
        await made.end()


async def side_by_side(
    bootstrap: str,
    folder: Path,
    act: Callable[[Scene, str], Awaitable[None]],
    names: Sequence[str],
) -> None:
    """Acts with each of `names` in a street of its own, at the same time: each mostly waits."""

    async def one(number: int, name: str) -> None:
        own = folder / str(number)
        own.mkdir()
        with Neighbourhood(own) as street:
            async with scene_of(bootstrap, street, own) as scene:
                await act(scene, name)
            assert street.tunnel.strangers == [], name

    async with asyncio.TaskGroup() as group:
        for number, name in enumerate(names):
            group.create_task(one(number, name), name=name)


def urls(street: Neighbourhood, read_s: int | None = None) -> dict[str, str]:
    """One URL for each receiver, by its name; `read_s` is a read limit below the usual one."""
    found = _urls(street)
    if read_s is None:
        return found
    return {
        name: f"{url}{'&' if '?' in url else '?'}rto={read_s}&cto={read_s}"
        for name, url in found.items()
    }


def _urls(street: Neighbourhood) -> dict[str, str]:
    webhook = f"webhook+http://127.0.0.1:{street.webhook.port}/hook?secret={street.webhook.secret}"
    return {
        "slack": neighbourhood.SLACK_URL,
        "slack_bot": neighbourhood.SLACK_BOT_URL,
        "telegram": neighbourhood.TELEGRAM_URL,
        "discord": neighbourhood.DISCORD_URL,
        "mattermost": street.mattermost_url,
        "json": street.json_url(),
        "smtp": street.smtp.url(),
        "pagerduty": f"pagerduty://{neighbourhood.PAGERDUTY_KEY}",
        "opsgenie": f"opsgenie://{neighbourhood.OPSGENIE_KEY}/",
        "webhook": webhook,
    }


PEOPLE: Final = ("slack", "slack_bot", "telegram", "discord", "mattermost", "json", "smtp")
ON_CALL: Final = ("pagerduty", "opsgenie", "webhook")


def routes(
    street: Neighbourhood, *names: str, read_s: int | None = None, **fields: Any
) -> list[Route]:
    """A route for each of the receivers (all by default)."""
    known = urls(street, read_s)
    return [Route(name=name, urls=(known[name],), **fields) for name in names or known]


def route(name: str, *urls: str, **fields: Any) -> Route:
    return Route(name=name, urls=urls, **fields)


def titles(street: Neighbourhood, name: str, outage: Outage) -> list[str]:
    """The first lines that people have read in a receiver, of one outage, in their order.

    Only the words before the colon: `TCP Port Unreachable`.
    """
    receiver = getattr(street, name)
    texts = (
        [f"{mail.subject}\n{mail.text}" for mail in receiver.told]
        if name == "smtp"
        else list(receiver.texts)
    )
    return [_words(text) for text in texts if outage.name in text]


def _words(text: str) -> str:
    first = text.strip().splitlines()[0]
    return first.partition(":")[0].strip("*_ ")


def without_doubles(found: Sequence[str]) -> list[str]:
    """The same without what is directly repeated."""
    return [one for number, one in enumerate(found) if not number or found[number - 1] != one]


def renamed(made: Route, **fields: Any) -> Route:
    return structs.replace(made, **fields)


def of_event(rows: Iterable[Notification], event: Event) -> list[Notification]:
    return [row for row in rows if row.event_id == event.event_id]
