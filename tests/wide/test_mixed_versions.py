"""Roles of 0.1.0 beside today's in one cluster, under load, in the one order and in others.

The program of 0.1.0 is taken out of the history of this repository: without it (a shallow clone)
nothing of this runs. It runs on today's libraries, of which its pyproject.toml takes the same.
"""

import asyncio
import json
import os
import re
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from foundation.kafka.running_roles import running_roles
from foundation.settings import Settings
from foundation.upgrade_order import own_version
from tests.services import running_clickhouse, running_kafka
from tests.system.ground import Listener, Mailbox
from tests.system.stack import Role, Stack, eventually

pytestmark = [pytest.mark.wide, pytest.mark.timeout(0)]

FIRST: Final = "a644f42f"
"""Version 0.1.0: the commit that wrote tests/golden/0.1; schemas/released/0.1.0 are its schemas."""

REGIONS: Final = ("a", "b", "c")
STEPS: Final = ("sink", "notify", "stream", "probe")
PORT: Final = 7_130
LOAD: Final = int(os.environ.get("PORTQUORUM_MIXED_TARGETS", "150"))
INTERVAL_S: Final = 5
ROUNDS: Final = int(os.environ.get("PORTQUORUM_MIXED_ROUNDS", "12"))
"""Rounds of all targets that each step is held for."""

DEADLINE_S: Final = 300.0


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources of 0.1.0."""
    folder = tmp_path_factory.mktemp("first")
    root = Path(__file__).parents[2]
    packed = subprocess.run(
        ["git", "-C", str(root), "archive", FIRST], capture_output=True, check=False
    )
    if packed.returncode:
        pytest.skip(f"commit {FIRST} is not here: git fetch --unshallow")
    subprocess.run(["tar", "-x", "-C", str(folder)], input=packed.stdout, check=True)
    return folder


@contextmanager
def open_port(port: int) -> Iterator[None]:
    """A port of all loopback addresses that takes connections and closes them."""
    with socket.create_server(("0.0.0.0", port), backlog=1024) as server:

        def accept() -> None:
            while True:
                try:
                    server.accept()[0].close()
                except OSError:
                    return

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(10)


class Fleet(Stack):
    """Roles of both versions; `figures` are for docs/verification.md, in s after the outage."""

    def __init__(self, settings: Settings, folder: Path, first: Path, mailbox: Mailbox) -> None:
        super().__init__(settings, folder)
        self.first = first
        self.mailbox = mailbox
        self.outages = {step: Listener("127.0.4.1", PORT + 1 + n) for n, step in enumerate(STEPS)}
        self.figures: dict[str, Any] = {}

    def inventory(self) -> dict[str, Any]:
        base = {"regions": list(REGIONS), "interval": f"{INTERVAL_S}s", "timeout": "1s"}
        base |= {"retries": 1, "retry_delay": "1s", "team": "ops", "criticality": "critical"}
        load = [
            {**base, "name": f"load-{n}", "host": f"127.0.3.{n % 200 + 1}", "port": PORT}
            for n in range(LOAD)
        ]
        wrong = [
            {**base, "name": f"outage-{step}", "host": one.host, "port": one.port}
            for step, one in self.outages.items()
        ]
        return {
            "regions": {name: {"internal": True} for name in REGIONS},
            "routes": {"mail": {"urls": [self.mailbox.url]}},
            "teams": {"ops": {"routes": ["mail"]}},
            "targets": [*load, *wrong],
        }

    def start(self, name: str, *arguments: str, old: bool = False) -> Role:
        label = f"{name}-{'old' if old else 'new'}"
        return self.role(label, *arguments, sources=self.first if old else None)

    def all_of(self, step: str) -> list[tuple[str, tuple[str, ...]]]:
        """Names and arguments of the processes of a role."""
        if step == "probe":
            return [(f"probe-{name}", ("probe", "--region", name)) for name in REGIONS]
        return [(f"{step}-{n}", (step,)) for n in range(1 if step == "notify" else 2)]

    async def applied_by_first(self) -> None:
        path = self.folder / "inventory.yaml"
        path.write_bytes(msgspec.yaml.encode(self.inventory()))
        apply = self.start("apply", "inventory", "apply", str(path), "--yes", old=True)
        assert apply.process is not None
        assert await asyncio.to_thread(apply.process.wait, 120) == 0, apply.tail()

    async def held(self, rounds: int = ROUNDS) -> None:
        """Returns when so many rounds of all targets have come."""
        begin = sum((await self.result_ends()).values())
        started, wanted = time.monotonic(), rounds * INTERVAL_S

        async def passed() -> bool:
            grown = sum((await self.result_ends()).values()) > begin + rounds
            return grown and time.monotonic() - started > wanted

        await eventually(f"{rounds} rounds", passed, DEADLINE_S + 4 * wanted)

    async def outage_during(self, step: str, change: Callable[[], Awaitable[None]]) -> None:
        """An outage that begins, is told, and ends while a step is made and held."""
        target, wrong = f"outage-{step}", self.outages[step]
        wrong.close()
        closed_at = time.time()
        seconds: dict[str, float] = {}

        async def measured(name: str, work: Awaitable[object]) -> None:
            await work
            seconds[name] = round(time.time() - closed_at, 1)

        opened = eventually("opened", lambda: self.told(target) == ["opened"], DEADLINE_S)
        told = eventually("told", lambda: len(self.messages(target)) == 1, DEADLINE_S)
        await asyncio.gather(
            measured("replaced", change()), measured("opened", opened), measured("told", told)
        )
        await self.held()
        wrong.open()
        both = ["opened", "closed"]
        await eventually(f"{target} closed", lambda: self.told(target) == both, DEADLINE_S)
        await eventually(f"{target} well", lambda: len(self.messages(target)) == 2, DEADLINE_S)
        self.figures[step] = seconds

    def messages(self, target: str) -> list[str]:
        port = self.outages[target.removeprefix("outage-")].port
        return [title for title, body in self.mailbox.messages if f":{port}" in title + body]

    async def replaced(self, step: str) -> None:
        """Each process of a role by one of today's, one after the other."""
        for name, arguments in self.all_of(step):
            if step == "probe":
                # Its successor has the targets when it leaves.
                self.start(name, *arguments)
                await self.announced(step, name.removeprefix("probe-"))
                await asyncio.to_thread(self.roles[f"{name}-old"].stop)
            else:
                await asyncio.to_thread(self.roles[f"{name}-old"].stop)
                self.start(name, *arguments)
                await self.announced(step, "")

    async def announced(self, role: str, region: str) -> None:
        async def seen() -> bool:
            return (role, own_version(), region) in {
                (one.role, one.version, one.region) for one in await running_roles(self.settings)
            }

        await eventually(f"{role} {region} of today", seen, DEADLINE_S)

    async def refused(self, steps: Sequence[str], noun: str) -> None:
        """Today's roles of these steps end, each with one sentence about an older role."""
        started = [
            self.start(f"{step}-refused-beside-{noun}", *self.all_of(step)[0][1]) for step in steps
        ]
        for role in started:
            assert role.process is not None
            code = await asyncio.to_thread(role.process.wait, 120)
            assert code == 1, role.tail()
            said = role.tail(1)
            assert re.search(rf"does not start beside (a|\d) {noun}s? of an older version", said)
            assert "the order is sink, notifier, stream, prober" in said


@asynccontextmanager
async def fleet(first: Path, folder: Path) -> AsyncIterator[Fleet]:
    mailbox = Mailbox()
    with (
        running_kafka(folder / "kafka") as kafka,
        running_clickhouse(folder / "clickhouse") as clickhouse,
        open_port(PORT),
    ):
        settings = Settings(kafka=kafka, clickhouse=clickhouse, partitions=8)
        made = Fleet(settings, folder, first, mailbox)
        try:
            yield made
        finally:
            await made.close()
            mailbox.close()
            for one in made.outages.values():
                one.close()


async def test_the_one_order_is_held_and_any_other_is_refused(first: Path, tmp_path: Path) -> None:
    async with fleet(first, tmp_path) as made:
        for step in STEPS:
            for name, arguments in made.all_of(step):
                made.start(name, *arguments, old=True)
        await made.applied_by_first()
        await made.watch()
        await made.held(3)
        nouns = iter(("sink", "notifier", "stream"))
        for place, step in enumerate(STEPS):
            if place < 3:
                await made.refused(STEPS[place + 1 :], next(nouns))
            if step == "stream":
                judged_from = time.time()
            await made.outage_during(step, partial(made.replaced, step))
        assert {one.version for one in await running_roles(made.settings)} == {own_version()}
        await nothing_is_lost(made)
        await replay_is_identical(made, judged_from)
        await no_way_back_out_of_order(made)
        print(json.dumps(made.figures))  # noqa: T201 - docs/verification.md has them


async def nothing_is_lost(made: Fleet) -> None:
    """Each line of [results] is a row; nobody was told of anything but the outages, once each."""
    for name, _ in made.all_of("probe"):
        await asyncio.to_thread(made.roles[f"{name}-new"].stop)
    lines = Counter((one.target, one.region, one.started_at) for one in await made.results())
    query = "SELECT target, region, toUnixTimestamp64Milli(started_at) FROM results"

    async def all_stored() -> bool:
        rows = Counter(tuple(row) for row in await made.sql(query))
        made.figures["lines"], made.figures["rows"] = lines.total(), rows.total()
        return rows == lines

    await eventually("each line is a row", all_stored, DEADLINE_S)
    told = {event.target for event, _ in made.records}
    assert told == {f"outage-{step}" for step in STEPS}
    for step in STEPS:
        events = made.events(f"outage-{step}")
        assert len({event.incident_id for event in events}) == 1
        assert made.told(f"outage-{step}") == ["opened", "closed"]
        assert len(made.messages(f"outage-{step}")) == 2, made.mailbox.messages
    assert len(made.mailbox.messages) == 2 * len(STEPS), made.mailbox.messages
    made.figures["messages"] = len(made.mailbox.messages)
    made.figures["dead_letters"] = (await made.sql("SELECT count() FROM deadletter"))[0][0]


async def replay_is_identical(made: Fleet, judged_from: float) -> None:
    """From the first of today's checkpoints on, also where an earlier time is asked for."""
    for since in (judged_from - 3600, time.time() - 30):
        at = datetime.fromtimestamp(since, UTC).isoformat()
        done = await asyncio.to_thread(made.command, "replay", "--from", at, "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        found = json.loads(done.stdout)
        assert found["identical"]
        made.figures["replayed"] = found["records"]


async def no_way_back_out_of_order(made: Fleet) -> None:
    """What 0.1.0 can't do any more it says; it is told nothing, and tells nobody."""
    sink = made.start("sink-back", "sink", old=True)
    assert sink.process is not None
    assert await asyncio.to_thread(sink.process.wait, 120) != 0
    assert "upgrade portquorum" in sink.tail(), sink.tail()
