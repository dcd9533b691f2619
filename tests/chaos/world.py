"""The whole system of a run: services, roles that are started again, ports, a receiver."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final
from urllib.request import urlopen

import msgspec
from msgspec import Struct

from foundation.settings import Settings
from tests.chaos import services
from tests.chaos.plan import REGIONS
from tests.receivers.webhook import SignedWebhook
from tests.system.ground import Listener
from tests.system.stack import Role, Stack

PORT: Final = 7600
INTERVAL_S: Final = 4
TIMEOUT_S: Final = 1
SECRET: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - of this test alone
PREFIX: Final = "chaos"
SOURCES: Final = {name: f"127.0.0.{31 + number}" for number, name in enumerate(REGIONS)}
_START_AGAIN_S: Final = 1.0
_LOOK_S: Final = 2.0


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def host_of(number: int) -> str:
    return f"127.0.5.{number + 1}"


def target_of(number: int) -> str:
    return f"host-{number:03}"


class Down(Struct, frozen=True):
    """A target refused connections from `began_ms` to `ended_ms`, UTC."""

    target: str
    began_ms: int
    ended_ms: int


class Done(Struct, frozen=True):
    """A fault as it was: from its beginning to the moment when all that it took was back."""

    what: str
    began_ms: int
    ended_ms: int


class Looked(Struct, frozen=True):
    """What somebody found who looked at the page's API."""

    at_ms: int
    status: int
    """0: nobody answered."""


class World:
    """What a run works on. `downs` and `faults` are the truth, as they come to pass."""

    def __init__(self, folder: Path, hosts: int, data_dir: Path, clock: Path) -> None:
        """Starts the services. `data_dir` is of all roles, `clock` the file of the false clock."""
        self.folder, self.hosts, self.data_dir, self.clock = folder, hosts, data_dir, clock
        self.kafka = services.kafka(folder / "services")
        self.clickhouse = services.clickhouse(folder / "services")
        self.settings = Settings(
            kafka=self.kafka.address,
            clickhouse=f"{self.clickhouse.address.rpartition('/')[0]}/{PREFIX}",
            topic_prefix=PREFIX,
            partitions=4,
            data_dir=data_dir,
        )
        self.receiver = SignedWebhook(SECRET)
        self.stack = Stack(
            self.settings,
            folder,
            {"PORTQUORUM_DATA_DIR": str(data_dir), "CHAOS_SECRET": SECRET},
        )
        self.listeners = [Listener(host_of(number), PORT) for number in range(hosts)]
        self.page_port = 0
        self.downs: list[Down] = []
        self.faults: list[Done] = []
        self.looks: list[Looked] = []
        self.ended: Counter[str] = Counter()
        self.held: set[str] = set()
        """Roles that a fault has, and that nobody starts again."""

    def inventory(self, interval_s: int = INTERVAL_S) -> dict[str, Any]:
        hook = f"webhook+http://127.0.0.1:{self.receiver.port}/?secret=${{CHAOS_SECRET}}"
        return {
            "regions": {name: {"internal": True} for name in REGIONS},
            "routes": {"hook": {"urls": [hook]}},
            "teams": {"ops": {"routes": ["hook"]}},
            "targets": [
                {
                    "id": target_of(number),
                    "name": target_of(number),
                    "host": host_of(number),
                    "port": PORT,
                    "regions": list(REGIONS),
                    "interval": f"{interval_s}s",
                    "timeout": f"{TIMEOUT_S}s",
                    "retries": 1,
                    "retry_delay": "1s",
                    "team": "ops",
                }
                for number in range(self.hosts)
            ],
        }

    async def start(self, page_port: int, shim: dict[str, str]) -> None:
        """Starts the roles and applies the inventory; `shim` is the environment of a false clock.

        That is the clock of the last region's prober.
        """
        self.page_port = page_port
        stack = self.stack
        await stack.apply(self.inventory(), PREFIX)
        for number in (1, 2):
            for role in ("sink", "stream", "notify"):
                stack.role(f"{role}-{number}", role)
        for name, source in SOURCES.items():
            stack.prober(name, source, **(shim if name == REGIONS[-1] else {}))
        stack.role("web", "web", "--listen", f"127.0.0.1:{page_port}")

    async def look_after(self) -> None:
        """Starts again what has ended by itself, as a supervisor does; until it is cancelled."""
        while True:
            for name, role in list(self.stack.roles.items()):
                if name not in self.held and not role.alive:
                    self.ended[name] += 1
                    await asyncio.sleep(_START_AGAIN_S)
                    if name not in self.held:
                        role.start()
            await asyncio.sleep(0.1)

    async def look_at_the_page(self) -> None:
        """Asks the page's API again and again; until it is cancelled."""
        while True:
            self.looks.append(Looked(now_ms(), (await asyncio.to_thread(self.overview))[0]))
            await asyncio.sleep(_LOOK_S)

    def overview(self) -> tuple[int, Any]:
        """Status and body of an answer; 0 if there was none."""
        url = f"http://127.0.0.1:{self.page_port}/api/v1/overview"
        try:
            with urlopen(url, timeout=20) as answer:
                return answer.status, msgspec.json.decode(answer.read())
        except OSError as error:
            return getattr(error, "code", 0), None

    def role(self, name: str) -> Role:
        return self.stack.roles[name]

    async def down(self, hosts: tuple[int, ...], lasts_s: float) -> None:
        """The ports of `hosts` refuse connections for a while."""
        began_ms = now_ms()
        for host in hosts:
            self.listeners[host].close()
        try:
            await asyncio.sleep(lasts_s)
        finally:
            for host in hosts:
                self.listeners[host].open()
            self.downs += [Down(target_of(host), began_ms, now_ms()) for host in hosts]

    async def close(self) -> None:
        await self.stack.close()
        for listener in self.listeners:
            listener.close()
        self.receiver.close()
        for service in (self.clickhouse, self.kafka):
            await asyncio.to_thread(service.stop)


@contextlib.asynccontextmanager
async def a_world(folder: Path, hosts: int, data_dir: Path, clock: Path) -> AsyncIterator[World]:
    """A world, and its end."""
    world = World(folder, hosts, data_dir, clock)
    try:
        yield world
    finally:
        await world.close()
