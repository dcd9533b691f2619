"""Logs in memory, processes of the page over them, and an apply; each step gives others a turn."""

import asyncio
import random
import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from portquorum.access.principal import Principal
from portquorum.editing.page_inventory import PageInventory
from portquorum.inventory.document import TargetEntry
from portquorum.inventory.plan import Removal, home
from portquorum.inventory.present import Placed, PolicyKept
from portquorum.journal.book import PageBook
from portquorum.journal.protocol import Outcome
from schemas import control, policy, web
from schemas.control import Control, TargetRemoved, TargetSet
from schemas.policy import WEB, Pause, Policy, Region, Team
from schemas.target import Target
from schemas.web import Claim, Single, Versioned, Web, WrittenTarget

PARTITIONS = 4
NOW = 1_700_000_000_000
ANN = Principal(name="ann", scope="admin", via="password")
FILE = "inventory"


def entry(host: str = "db1.example.com", **fields: object) -> TargetEntry:
    return TargetEntry(host=host, port=5432, **fields)  # type: ignore[arg-type]


@dataclass
class World:
    """The topics. `turn` is awaited wherever Kafka would be."""

    turn: Callable[[], Awaitable[None]] = lambda: asyncio.sleep(0)
    web_log: list[tuple[bytes, bytes | None]] = field(default_factory=list)
    targets: list[tuple[int, str, Target | None]] = field(default_factory=list)
    control: list[list[Control]] = field(default_factory=lambda: [[] for _ in range(PARTITIONS)])
    policy: dict[bytes, Policy] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for one in (
            Region(name="eu", internal=True),
            Region(name="public"),
            Team(name="db"),
            Team(name="net"),
        ):
            self.policy[policy.key(FILE, one)] = one

    def published(self) -> dict[str, Target]:
        """What [targets] says, a target in one partition each."""
        found: dict[tuple[int, str], Target] = {}
        for partition, name, target in self.targets:
            if target is None:
                found.pop((partition, name), None)
            else:
                found[partition, name] = target
        names = [name for _, name in found]
        assert len(names) == len(set(names)), f"in two partitions: {names}"
        for (partition, _), target in found.items():
            assert partition == home(target, PARTITIONS)
        return {name: target for (_, name), target in found.items()}

    def judged(self) -> dict[str, Target]:
        """What the stream has after the log; its rules for versions are those of set_target."""
        found: dict[str, Target] = {}
        for records in self.control:
            here: dict[str, Target] = {}
            for record in records:
                match record:
                    case TargetSet(target=target):
                        known = here.get(target.id)
                        if known is None or target.version >= known.version:
                            here[target.id] = target
                    case TargetRemoved(target=name, version=version):
                        known = here.get(name)
                        if known is not None and version >= known.version:
                            del here[name]
                    case _:
                        pass
            assert not here.keys() & found.keys(), "judged in two partitions"
            found |= here
        return found

    def book(self) -> PageBook:
        book = PageBook()
        for offset, (key, value) in enumerate(self.web_log):
            book.apply(key, value, offset, NOW + offset)
        return book


class FakeJournal:
    def __init__(self, world: World) -> None:
        self.world = world
        self.book = PageBook()
        self.is_present = asyncio.Event()
        self.is_present.set()
        self.read_to = 0
        self.outcomes: dict[bytes, Outcome] = {}

    def on_change(self, told: Callable[[Web | None, str], None]) -> None:
        self.told = told

    async def run(self) -> None:
        await asyncio.Event().wait()

    def read(self) -> None:
        while self.read_to < len(self.world.web_log):
            key, value = self.world.web_log[self.read_to]
            change = self.book.apply(key, value, self.read_to, NOW + self.read_to)
            if change is not None:
                self.told(change.record, change.identity)
            self.read_to += 1
            if key.count(b"/") > 1 and value is not None:
                version = self.book.version(WrittenTarget, key.decode().split("/")[1])
                self.outcomes[key] = Outcome(accepted=self.book.counts(key), version=version)

    async def caught_up(self) -> None:
        await self.world.turn()
        self.read()
        await self.world.turn()

    async def edit(self, edits: Sequence[Versioned]) -> tuple[Outcome, ...]:
        keys = [web.key(one, secrets.token_hex(8)) for one in edits]
        await self.world.turn()
        self.world.web_log += zip(keys, map(web.encode, edits), strict=True)
        await self.caught_up()
        return tuple(self.outcomes[key] for key in keys)

    async def put(self, records: Sequence[Single]) -> None:
        await self.world.turn()
        self.world.web_log += [(web.key(one), web.encode(one)) for one in records]
        await self.caught_up()

    async def drop(self, records: Iterable[tuple[type[Single], str]]) -> None:
        await self.world.turn()
        self.world.web_log += [
            (f"{kind.__struct_config__.tag}/{name}".encode(), None) for kind, name in records
        ]
        await self.caught_up()


class FakePublished:
    """[targets] up to `read_to`."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.read_to = 0
        self.is_present = True
        self.there: dict[tuple[int, str], Target] = {}

    @property
    def version(self) -> int:
        return self.read_to

    async def caught_up(self) -> None:
        end = len(self.world.targets)
        await self.world.turn()
        for partition, name, target in self.world.targets[self.read_to : end]:
            if target is None:
                self.there.pop((partition, name), None)
            else:
                self.there[partition, name] = target
        self.read_to = max(end, self.read_to)

    def placed(self, target: str) -> Sequence[Placed]:
        found = [Placed(one, part) for (part, name), one in self.there.items() if name == target]
        return sorted(found, key=lambda one: one.target.version, reverse=True)

    def ids_of(self, source: str) -> Iterable[str]:
        return {name for (_, name), one in self.there.items() if one.source == source}

    def dependents(self, target: str) -> Iterable[Target]:
        return [one for one in self.there.values() if target in one.depends_on]

    def policy(self) -> Iterable[PolicyKept]:
        for key, one in self.world.policy.items():
            yield PolicyKept(key.decode().partition("/")[0], one, 0)


class FakeWrites:
    def __init__(self, world: World) -> None:
        self.world = world

    async def targets(
        self, removals: Sequence[Removal], targets: Iterable[Target], pauses: Mapping[str, Pause]
    ) -> None:
        world = self.world
        for one in removals:
            await world.turn()
            because = "target_changed" if one.moved else "removed"
            world.control[one.partition].append(
                TargetRemoved(target=one.target.id, version=one.version, because=because)  # type: ignore[arg-type]
            )
        for target in (listed := list(targets)):
            await world.turn()
            if target.id in pauses:
                world.control[home(target, PARTITIONS)].append(control.paused(pauses[target.id]))
            world.control[home(target, PARTITIONS)].append(TargetSet(target))
        for one in removals:
            await world.turn()
            world.targets.append((one.partition, one.target.id, None))
        for target in listed:
            await world.turn()
            world.targets.append((home(target, PARTITIONS), target.id, target))

    async def close(self) -> None:
        pass


class FakePauses:
    def __init__(self, world: World) -> None:
        self.world = world

    def now(self) -> Mapping[str, Pause]:
        return {one.name: one for one in self.world.policy.values() if isinstance(one, Pause)}

    async def write(self, pauses: Mapping[str, Pause | None], by: str, at: int) -> None:  # noqa: ARG002
        await self.world.turn()
        for name, one in pauses.items():
            key = f"pause/pause/{name}".encode()
            if one is None:
                self.world.policy.pop(key, None)
            else:
                self.world.policy[key] = one


class Process:
    """A process of the page."""

    def __init__(self, world: World, now: Callable[[], int] = lambda: NOW) -> None:
        self.journal = FakeJournal(world)
        self.published = FakePublished(world)
        self.writes = FakeWrites(world)
        self.inventory = PageInventory(
            self.journal,
            self.published,
            self.writes,
            FakePauses(world),
            PARTITIONS,
            now=now,
        )

    async def read(self) -> None:
        await self.journal.caught_up()
        await self.published.caught_up()


async def apply_file(world: World, target: Target) -> bool:
    """An apply that adds a target, in the steps of portquorum.inventory; False: refused."""
    published = FakePublished(world)
    await published.caught_up()
    if published.placed(target.id):
        return False
    claim = Claim(id=secrets.token_hex(8), source=FILE, targets=(target.id,))
    key = web.key(claim)
    await world.turn()
    world.web_log.append((key, web.encode(claim)))
    await world.turn()
    book = world.book()
    pages = [one for one in book.every(Claim).values() if one.source == WEB]
    free = book.get(WrittenTarget, target.id) is None
    free = free and not any(target.id in one.targets for one in pages)
    if free and book.version(WrittenTarget, target.id):
        await published.caught_up()
        free = not published.placed(target.id)
    if free:
        await FakeWrites(world).targets((), (target,), {})
    await world.turn()
    world.web_log.append((key, None))
    return free


def turns(seed: int) -> Callable[[], Awaitable[None]]:
    """A turn that takes any time, the same ones for a seed."""
    chance = random.Random(seed)  # noqa: S311 - no secret

    async def turn() -> None:
        for _ in range(chance.choice((0, 1, 2, 5, 17, 60, 120))):
            await asyncio.sleep(0)

    return turn


__all__ = ["ANN", "FILE", "NOW", "Process", "World", "apply_file", "control", "entry", "turns"]
