"""The whole line on services of its own, whose broker goes away, and whose targets change then."""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Final, Literal, NamedTuple, Self

import psutil
from msgspec import Struct

from foundation.settings import Settings
from portquorum.embedded.kafka.main import EmbeddedKafka
from schemas import incident
from schemas.incident import IncidentEvent
from tests.integration.streams import ground
from tests.soak.prober_ground import Door, Prober, doors, free_ports
from tests.system.stack import Stack

REGION: Final = "here"
ROLES: Final = ("stream", "sink")
PORTS_A_HOST: Final = 5
OPEN_PORTS: Final = 2

Group = Literal["up", "down", "blip", "falls", "rises"]
"""`blip` fails only while the broker is away; `falls` fails from then on, `rises` until then."""

SHARES: Final[dict[Group, float]] = {"down": 0.01, "blip": 0.1, "falls": 0.01, "rises": 0.01}

BLIP: Final = (0.2, 0.45)
"""The part of each absence in which `blip` fails."""
TURN: Final = 0.5
"""After this part of the first absence `falls` and `rises` turn."""

DEADLINE_S: Final = 240.0
_LOOK_S: Final = 0.5


class Away(Struct, frozen=True, kw_only=True):
    """How the broker goes away, and for how long at least."""

    how: Literal["stopped", "killed"]
    seconds: float


class Plan(Struct, frozen=True, kw_only=True):
    """`targets` every `interval_ms`; the broker is `away` one time after the other.

    Before and after each, `calm_s` seconds in which nothing is done.
    """

    seed: int
    targets: int
    interval_ms: int
    timeout_ms: int
    retry_delay_ms: int
    away: tuple[Away, ...]
    calm_s: float
    in_memory: int
    partitions: int = 16


class Spooled(Struct, kw_only=True):
    """The most that waited while the broker was away, and how long it took to drain."""

    results: int = 0
    file_mb: float = 0.0
    memory_mb: float = 0.0
    drained_s: float = 0.0


class Broker:
    """The Kafka that goes away and comes back, with its data, where it was."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._service = EmbeddedKafka(folder, "127.0.0.1:0")
        self.address = ""

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self._service.start)
        self.address = self._service.bootstrap_servers
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self._service.stop)

    @asynccontextmanager
    async def away(self, how: Literal["stopped", "killed"]) -> AsyncIterator[None]:
        """It is away until the end of the block, and answers again after it."""
        if how == "killed":
            await asyncio.to_thread(self._kill)
            yield
            self._service = EmbeddedKafka(self._folder, self.address)
            await asyncio.to_thread(self._service.start)
            return
        brokers = self._processes()
        for broker in brokers:
            broker.suspend()
        try:
            yield
        finally:
            for broker in brokers:
                broker.resume()

    def _processes(self) -> list[psutil.Process]:
        found = psutil.Process(self._service.pid).children(recursive=True)
        assert found
        return found

    def _kill(self) -> None:
        brokers = self._processes()
        for broker in brokers:
            broker.send_signal(signal.SIGKILL)
        self._service.kill()
        psutil.wait_procs(brokers, timeout=30)


class Scene:
    """The line, its targets, and what is done to them."""

    def __init__(self, plan: Plan, settings: Settings, folder: Path) -> None:
        self.plan = plan
        self.settings = settings
        self.stack = Stack(settings, folder)
        self.restarts: Counter[str] = Counter()
        open_ports = free_ports(OPEN_PORTS + len(SHARES))
        self._ports: dict[Group, list[int]] = {"up": open_ports[: -len(SHARES)]}
        self._ports |= {
            group: [port] for group, port in zip(SHARES, open_ports[-len(SHARES) :], strict=True)
        }
        self.groups: dict[Group, list[str]] = {group: [] for group in self._ports}
        self._doors: dict[Group, Door] = {}

    def open_doors(self, stack: ExitStack) -> None:
        """All but `down` and `rises`."""
        for group, ports in self._ports.items():
            door = self._doors[group] = stack.enter_context(doors(*ports))
            if group in {"down", "rises"}:
                door.close()

    async def apply(self) -> None:
        """Writes the inventory."""
        plan = self.plan
        counts = {group: round(share * plan.targets) for group, share in SHARES.items()}
        order: list[Group] = [group for group, count in counts.items() for _ in range(count)]
        order += ["up"] * (plan.targets - len(order))
        # Each host has some of everything: no host is down as a whole.
        step = next(number for number in (7919, 7907, 7901) if plan.targets % number)
        targets = []
        for number in range(plan.targets):
            group = order[number * step % plan.targets]
            ports, name = self._ports[group], f"{group}-{number}"
            self.groups[group].append(name)
            targets.append(
                {
                    "id": name,
                    "name": name,
                    "host": _host(number // PORTS_A_HOST),
                    "port": ports[number % len(ports)],
                    "interval": f"{plan.interval_ms}ms",
                    "timeout": f"{plan.timeout_ms}ms",
                    "retries": 1,
                    "retry_delay": f"{plan.retry_delay_ms}ms",
                }
            )
        await self.stack.apply(
            {"regions": {REGION: {"internal": True}}, "targets": targets}, "outage"
        )

    def look_after(self) -> None:
        """Starts again what ended by itself, as a supervisor does."""
        for name in ROLES:
            if not self.stack.roles[name].alive:
                self.restarts[name] += 1
                self.stack.roles[name].start()

    async def until(self, what: str, look: Callable[[], Awaitable[bool]]) -> None:
        """Waits for a condition."""
        deadline = time.monotonic() + DEADLINE_S
        while not await look():
            self.look_after()
            assert time.monotonic() < deadline, f"not within {DEADLINE_S:.0f} s: {what}"
            await asyncio.sleep(_LOOK_S)

    async def absence(self, number: int, away: Away, broker: Broker, prober: Prober) -> Spooled:
        """The broker is away; returns when nothing waits any more."""
        spooled = Spooled()
        async with broker.away(away.how):
            began = time.monotonic()
            turns = [
                (BLIP[0], self._doors["blip"].close),
                (BLIP[1], self._doors["blip"].open),
            ]
            if number == 0:
                turns += [(TURN, self._doors["falls"].close), (TURN, self._doors["rises"].open)]
            for share, turn in sorted(turns, key=_share):
                await self._watch(prober, spooled, began + share * away.seconds)
                await asyncio.to_thread(turn)
            await self._watch(prober, spooled, began + away.seconds)
        back = time.monotonic()
        in_two_seconds = 2 * self.plan.targets * 1000 / self.plan.interval_ms

        async def drained() -> bool:
            await self._note(prober, spooled)
            return (
                await prober.tells("portquorum_spool_results") < in_two_seconds
                and await prober.tells("portquorum_spool_file_bytes") == 0
            )

        await self.until("the spool is drained", drained)
        spooled.drained_s = time.monotonic() - back
        spooled.memory_mb = prober.most_memory_mb
        return spooled

    async def _watch(self, prober: Prober, spooled: Spooled, until: float) -> None:
        while time.monotonic() < until:
            self.look_after()
            await self._note(prober, spooled)
            await asyncio.sleep(max(0.0, min(_LOOK_S, until - time.monotonic())))

    async def _note(self, prober: Prober, spooled: Spooled) -> None:
        waiting = await prober.tells("portquorum_spool_results")
        file_mb = await prober.tells("portquorum_spool_file_bytes") / 1e6
        spooled.results = max(spooled.results, int(waiting))
        spooled.file_mb = max(spooled.file_mb, file_mb)

    # What was told

    async def events(self) -> list[IncidentEvent]:
        """All events of incidents, each once, in the order of their partitions."""
        found: dict[str, IncidentEvent] = {}
        for record in await ground.incidents(self.settings):
            event = incident.decode(record.value)
            if isinstance(event, IncidentEvent):
                found.setdefault(event.event_id, event)
        return list(found.values())

    async def region_events(self) -> list[str]:
        """What was told of regions."""
        found = [incident.decode(one.value) for one in await ground.incidents(self.settings)]
        return [one.event for one in found if not isinstance(one, IncidentEvent)]

    async def told(self, **counts: int) -> bool:
        """Whether there are so many `opened` and `closed`."""
        seen: Counter[str] = Counter(event.event for event in await self.events())
        return all(seen[kind] >= count for kind, count in counts.items())

    def false_events(self, events: list[IncidentEvent], times: "Times") -> list[str]:
        """What they say otherwise than what was true, in words."""
        said: dict[str, list[str]] = {name: [] for names in self.groups.values() for name in names}
        wrong = []
        for event in events:
            if event.event in {"updated", "improved"}:
                continue
            said[event.target].append(event.event)
            began, back = times
            # By the log's time: the broker was away, nothing can have been appended.
            if event.target.startswith(("falls", "rises")) and began < event.at < back:
                wrong.append(f"{event.target}: {event.event} at {event.at}, broker away")
        truth_of: dict[Group, list[str]] = {
            "up": [],
            "blip": [],
            "down": ["opened"],
            "falls": ["opened"],
            "rises": ["opened", "closed"],
        }
        wrong += [
            f"{name}: {said[name]}, {truth_of[group]} were true"
            for group, names in self.groups.items()
            for name in names
            if said[name] != truth_of[group]
        ]
        return wrong


class Times(NamedTuple):
    """When the broker went away for the first time, and was back (UTC ms)."""

    began_ms: int
    back_ms: int


def _host(number: int) -> str:
    """An address of loopback."""
    return f"127.9.{number // 250}.{number % 250 + 1}"


def _share(turn: tuple[float, Callable[[], None]]) -> float:
    return turn[0]
