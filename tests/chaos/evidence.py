"""What lies on the topics, in the tables and at the receiver when a run is over."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import closing
from typing import Any, Final

import msgspec
from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaError
from clickhouse_connect.driver.exceptions import ClickHouseError
from msgspec import Struct

from foundation import clickhouse, kafka
from schemas import incident, topics
from schemas.incident import IncidentEvent
from schemas.result import CheckResult
from sinks.clickhouse.block import build
from streams.replay.compare import ReplayComparison, compare
from tests.chaos.world import Done, Down, Looked, World

_SETTLED_S: Final = 240.0


class Message(Struct, frozen=True):
    """A message that the receiver took. `mass` is one of an outage of many."""

    id: str
    at_ms: int
    key: str
    action: str
    mass: bool


class Evidence(Struct, frozen=True):
    """All that a run has left."""

    downs: list[Down]
    faults: list[Done]
    looks: list[Looked]
    events: list[IncidentEvent]
    """Each once; those of an incident in the order of their partition."""
    rewritten: int
    """Events that are on [incidents] with different bytes: none may be."""
    copies: int
    """Events that are there again with the same bytes."""
    lines: int
    identities: int
    letters: set[str]
    """The dead letters that must be."""
    result_rows: tuple[int, int]
    """Rows, and different ones."""
    event_rows: tuple[int, int]
    letter_rows: list[str]
    messages: list[Message]
    copies_of_messages: int
    comparison: ReplayComparison
    page: Any


async def settled(world: World) -> None:
    """Returns when nothing is on its way any more.

    Raises:
        AssertionError: something still is after 4 min; it says what.
    """
    async with asyncio.timeout(_SETTLED_S + 60):
        end = asyncio.get_running_loop().time() + _SETTLED_S
        while waits := await _known_to_wait(world):
            assert asyncio.get_running_loop().time() < end, f"not over: {waits}"
            await asyncio.sleep(1)


async def _known_to_wait(world: World) -> str:
    try:
        return await _on_its_way(world)
    except (KafkaError, ClickHouseError, OSError) as error:  # one of them is only just back
        return f"{type(error).__name__} {error}"


async def _on_its_way(world: World) -> str:
    events = {one.event_id: one for one in await _events(world)}.values()
    closed = {one.incident_id for one in events if one.event == "closed"}
    opened = {one.incident_id for one in events} - closed
    if opened:
        return f"{len(opened)} incidents are open"
    pending = _open_keys(_messages(world))
    if pending:
        return f"{len(pending)} keys are open at the receiver"
    status, page = await asyncio.to_thread(world.overview)
    if status != 200 or page["freshness"]["blind_since"] or page["open_incidents"]:
        return f"the page is not calm: {status}"
    lines = len(await world.stack.results())
    rows = (await _rows(world, "SELECT count() FROM results"))[0][0]
    # Checks go on: a run is over for the sink when it is no further behind than their pace.
    return "" if rows >= 0.9 * lines else f"{rows} rows of {lines} lines"


async def gathered(world: World) -> Evidence:
    """Reads all of it. The probers must have ended."""
    results = [one async for one in _results(world)]
    found = [one async for one in _records(world, topics.RESULTS.name)]
    found += [one async for one in _records(world, topics.INCIDENTS.name)]
    letters = {letter for one in found for letter in _letters(one)}
    versions: dict[str, list[bytes]] = defaultdict(list)
    events: dict[str, IncidentEvent] = {}
    for event, raw in await _read_events(world):
        versions[event.event_id].append(raw)
        events.setdefault(event.event_id, event)
    await _stored(world, len(results))
    told = [one for one in world.receiver.arrivals if one.told]
    messages = _messages(world)
    return Evidence(
        downs=world.downs,
        faults=world.faults,
        looks=world.looks,
        events=list(events.values()),
        rewritten=sum(len(set(values)) > 1 for values in versions.values()),
        copies=sum(len(values) - 1 for values in versions.values()),
        lines=len(results),
        identities=len({one.identity for one in results}),
        letters=letters,
        result_rows=await _count(world, "results", "(target, region, prober, started_at, attempt)"),
        event_rows=await _count(world, "incidents", "event_id"),
        letter_rows=[row[0] for row in await _rows(world, "SELECT id FROM deadletter")],
        messages=messages,
        copies_of_messages=len(told) - len(messages),
        comparison=await compare(world.settings, start="beginning", acknowledged=True),
        page=(await asyncio.to_thread(world.overview))[1],
    )


async def _stored(world: World, lines: int) -> None:
    end = asyncio.get_running_loop().time() + _SETTLED_S
    while (rows := await _count(world, "results", "1"))[0] < lines:
        assert asyncio.get_running_loop().time() < end, f"{rows[0]} rows of {lines} lines"
        await asyncio.sleep(0.5)


async def _count(world: World, table: str, identity: str) -> tuple[int, int]:
    sql = f"SELECT count(), uniqExact({identity}) FROM {table}"  # noqa: S608 - our own words
    ((rows, different),) = await _rows(world, sql)
    return rows, different


async def _rows(world: World, sql: str) -> list[tuple[Any, ...]]:
    def ask() -> list[tuple[Any, ...]]:
        with closing(clickhouse.connect(world.settings)) as client:
            return [tuple(row) for row in client.query(sql).result_rows]

    return await asyncio.to_thread(ask)


async def _events(world: World) -> list[IncidentEvent]:
    return [event for event, _ in await _read_events(world)]


async def _read_events(world: World) -> list[tuple[IncidentEvent, bytes]]:
    found = []
    async for record in _records(world, topics.INCIDENTS.name):
        try:
            event = incident.decode(record.value or b"")
        except msgspec.DecodeError:
            continue  # garbage of ours
        if isinstance(event, IncidentEvent):
            found.append((event, record.value))
    return found


async def _records(world: World, name: str) -> AsyncIterator[ConsumerRecord]:
    async with kafka.Follower(world.settings, world.settings.topic(name)) as follower:
        async for record in follower.present():
            yield record


async def _results(world: World) -> AsyncIterator[CheckResult]:
    for one in await world.stack.results():
        yield one


def _letters(record: ConsumerRecord) -> set[str]:
    (topic,) = (one for one in topics.ALL if record.topic.endswith(f".{one.name}"))
    return {letter.id for letter in build(topic, [record]).letters}


def _messages(world: World) -> list[Message]:
    """Each once, in the order in which they came."""
    found: dict[str, Message] = {}
    for one in world.receiver.arrivals:
        if one.told:
            name, data = one.request.headers["webhook-id"], one.request.json()["data"]
            found.setdefault(
                name, Message(name, one.at_ms, data["key"], data["action"], "mass" in data)
            )
    return list(found.values())


def _open_keys(messages: list[Message]) -> set[str]:
    last = {one.key: one.action for one in messages}
    return {key for key, action in last.items() if action != "resolve"}
