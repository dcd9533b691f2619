"""A fire drill on a real port, from its target's first check to the removal of all it made."""

import asyncio
import secrets
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final

import msgspec
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from msgspec import Struct, structs

from foundation import kafka
from foundation.kafka.closing import leave
from foundation.settings import Settings
from portquorum.drill import target as drill_target
from portquorum.drill.receiver import DrillListener, DrillReceiver
from portquorum.drill.stages import DrillPart, DrillStage, DrillWatch
from portquorum.inventory import present as presents
from portquorum.inventory.errors import ApplyError
from portquorum.inventory.plan import home
from portquorum.inventory.present import Present
from portquorum.inventory.publish import publish
from portquorum.inventory.resolve import Inventory
from schemas import batch, incident, topics
from schemas.incident import IncidentEvent
from schemas.policy import DrillDone, Region

CLEAN_UP_WITHIN_S: Final = 20.0
_LEAVE_S: Final = 0.5
_POLL_MS: Final = 100
_CONNECT_S: Final = 2.0

OnStage = Callable[[DrillStage], None]


class DrillError(Exception):
    """A drill can't begin; the text says what was expected and what was found."""


class DrillAsked(Struct, frozen=True, kw_only=True):
    """What a drill shall be.

    `listen` is the IP address of the port that is checked, `receiver` the one by which the notifier
    reaches this machine; both are of this machine. `regions` are those that check, empty: all that
    may reach the port. Each part has `within_s` seconds.
    """

    listen: str
    receiver: str
    regions: tuple[str, ...]
    within_s: float


class DrillOutcome(Struct, frozen=True, kw_only=True):
    """How a drill went. `overdue` is the stage that did not come in time, None: all came.

    `silent` are the regions that had not said what the overdue stage waits for. `at` is its
    beginning, UTC ms.
    """

    at: int
    target: str
    place: str
    regions: tuple[str, ...]
    within_s: float
    stages: tuple[DrillStage, ...]
    overdue: str | None = None
    silent: tuple[str, ...] = ()


async def drill(settings: Settings, asked: DrillAsked, on_stage: OnStage) -> DrillOutcome:
    """Runs one drill; on return, also by an error or when cancelled, nothing of it is left.

    Args:
        settings: of the cluster.
        asked: what it shall be.
        on_stage: called when a stage was reached.

    Raises:
        DrillError: it can't begin: another one runs, no region may reach the port, …
        aiokafka.errors.KafkaError: the cluster can't be reached.
    """
    present = await presents.read(settings)
    regions = _regions(present, asked)
    await _nobody_else(present)
    await _publish(settings, drill_target.nothing(present))
    try:
        listener = await DrillListener.start(asked.listen)
    except OSError as error:
        raise DrillError(
            f"expected an address of this machine for the port, found {asked.listen}: {error}"
        ) from error
    try:
        async with DrillReceiver(asked.receiver) as receiver:
            one = _Drill(settings, asked, present, listener, receiver)
            return await one.run(regions, on_stage)
    finally:
        await listener.close()


class _Drill:
    """One drill whose port and receiver are open."""

    def __init__(
        self,
        settings: Settings,
        asked: DrillAsked,
        present: Present,
        listener: DrillListener,
        receiver: DrillReceiver,
    ) -> None:
        self._settings = settings
        self._asked = asked
        self._present = present
        self._listener = listener
        self._receiver = receiver
        self._id = f"{drill_target.NAME}-{secrets.token_hex(4)}"
        self._moved = asyncio.Condition()

    async def run(self, regions: list[str], on_stage: OnStage) -> DrillOutcome:
        at = time.time_ns() // 1_000_000
        self._on_stage = on_stage
        self._watch = DrillWatch(regions, time.monotonic())
        self._inventory = drill_target.wanted(
            self._present,
            self._id,
            (self._asked.listen, self._listener.port),
            regions,
            self._receiver.url,
        )
        client = kafka.consumer(self._settings, fetch_max_wait_ms=50)
        await client.start()
        followers: list[asyncio.Task[None]] = []
        overdue: str | None = None
        silent: tuple[str, ...] = ()
        done = False
        try:
            await self._seek(client)
            followers = [
                asyncio.create_task(self._follow(client)),
                asyncio.create_task(self._receive()),
            ]
            await _publish(self._settings, self._inventory)
            for part in ("watch", "outage", "recovery"):
                await self._begin(part)
                overdue = await self._reached(followers)
                if overdue is not None:
                    silent = self._watch.unheard if overdue in {"watched", "quorum"} else ()
                    break
            done = True
        finally:
            # Also when it is cancelled a second time: what is left behind is checked for ever.
            result = DrillDone(
                name="last",
                at=at,
                overdue=overdue or "",
                seconds={one.stage: one.seconds for one in self._watch.reached},
            )
            cleaning = asyncio.ensure_future(self._clean_up(result if done else None))
            await _to_its_end(cleaning)
            for follower in followers:
                follower.cancel()
            await asyncio.gather(*followers, return_exceptions=True)
            await leave(client, _LEAVE_S)
        return DrillOutcome(
            at=at,
            target=self._id,
            place=f"{self._asked.listen}:{self._listener.port}",
            regions=tuple(regions),
            within_s=self._asked.within_s,
            stages=tuple(self._watch.reached),
            overdue=overdue,
            silent=silent,
        )

    async def _begin(self, part: DrillPart) -> None:
        if part == "outage":
            await self._listener.close()
        elif part == "recovery":
            await self._listener.open()
        self._watch.begin(part, time.monotonic())

    async def _reached(self, followers: Iterable["asyncio.Task[None]"]) -> str | None:
        """Waits for all stages of the part; the one that is overdue, None if all came."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._asked.within_s), self._moved:
                while self._watch.missing is not None:
                    for follower in followers:
                        if follower.done():
                            follower.result()
                    await self._moved.wait()
        return self._watch.missing

    async def _seek(self, client: AIOKafkaConsumer) -> None:
        """From the present end on: the target's records come after it."""
        number = home(self._inventory.targets[0], self._settings.partitions)
        names = (topics.RESULTS.name, topics.INCIDENTS.name)
        parts = [TopicPartition(self._settings.topic(name), number) for name in names]
        client.assign(parts)
        for part, end in (await client.end_offsets(parts)).items():
            client.seek(part, end)

    async def _follow(self, client: AIOKafkaConsumer) -> None:
        try:
            while True:
                batches = await client.getmany(timeout_ms=_POLL_MS)
                stages = [
                    stage
                    for records in batches.values()
                    for record in records
                    for stage in self._read(record)
                ]
                await self._say(stages)
        finally:
            async with self._moved:
                self._moved.notify_all()

    def _read(self, record: ConsumerRecord) -> Iterable[DrillStage]:
        if not record.value or self._id.encode() not in record.value:
            return
        at = time.monotonic()
        if record.topic == self._settings.topic(topics.RESULTS.name):
            for result in batch.decode(record.value)[0]:
                if result.target == self._id:
                    yield from self._watch.result(result, at)
            return
        try:
            event = incident.decode(record.value)
        except msgspec.DecodeError:
            return  # the sink dead-letters it
        if isinstance(event, IncidentEvent) and event.target == self._id:
            yield from self._watch.event(event, at)

    async def _receive(self) -> None:
        while True:
            message = await self._receiver.messages.get()
            if message.target == self._id:
                at = time.monotonic()
                await self._say(self._watch.message(message.action, message.title, at))

    async def _say(self, stages: Iterable[DrillStage]) -> None:
        found = list(stages)
        for stage in found:
            self._on_stage(stage)
        if found:
            async with self._moved:
                self._moved.notify_all()

    async def _clean_up(self, result: DrillDone | None) -> None:
        """Removes target, team and route; `result` is how the drill went, None: it did not end."""
        left = drill_target.nothing(self._present)
        if result is not None:
            left = structs.replace(left, policy=(result,))
        async with asyncio.timeout(CLEAN_UP_WITHIN_S):
            await publish(self._settings, left)


async def _publish(settings: Settings, wanted: Inventory) -> None:
    """Publishes the drill's source.

    Raises:
        DrillError: another drill did so at the same time.
    """
    try:
        await publish(settings, wanted)
    except ApplyError as error:
        raise DrillError(
            "another drill began at the same time, and both may have ended by it; begin one again"
        ) from error


async def _to_its_end(work: "asyncio.Future[None]") -> None:
    """Waits for `work` although this task is cancelled meanwhile, and then passes that on."""
    cancelled: asyncio.CancelledError | None = None
    while not work.done():
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError as error:
            if work.done():
                break
            cancelled = error
        except Exception:  # noqa: BLE001 - `result` below raises it
            break
    work.result()
    if cancelled is not None:
        raise cancelled


def _regions(present: Present, asked: DrillAsked) -> list[str]:
    """The regions that check.

    Raises:
        DrillError: a region is not there or may not reach the port, or none may.
    """
    owner = drill_target.taken(present)
    if owner is not None:
        raise DrillError(f"expected the name {drill_target.NAME!r} to be free, found {owner}")
    there = [kept.entry for kept in present.policy.values() if isinstance(kept.entry, Region)]
    try:
        reaching = drill_target.reaching(there, asked.listen)
    except ValueError as error:
        raise DrillError(f"expected an IP address to listen on, found {asked.listen!r}") from error
    names = sorted(one.name for one in there)
    for name in asked.regions:
        if name not in names:
            raise DrillError(f"no region is {name!r}; there is {', '.join(names) or 'none'}")
        if name not in reaching:
            raise DrillError(f"the region {name!r} may not connect to {asked.listen}")
    if not reaching:
        raise DrillError(
            f"no region may connect to {asked.listen}: listen on an address that they may reach "
            "(--listen), or say `internal: true` or `allow:` of a region in the inventory"
        )
    return sorted(set(asked.regions)) or reaching


async def _nobody_else(present: Present) -> None:
    """Checks that no drill runs; what was left behind has no receiver that listens.

    Raises:
        DrillError: one runs.
    """
    place = drill_target.receiver_of(present)
    if place is None:
        return
    try:
        async with asyncio.timeout(_CONNECT_S):
            _, writer = await asyncio.open_connection(*place)
    except (OSError, TimeoutError):
        return
    writer.close()
    host, port = place
    raise DrillError(f"another drill runs: its receiver listens on {host}:{port}; wait for its end")
