"""The first start after version 0.1, with what it left: its send log and its group's commits."""

from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest
from aiokafka import TopicPartition

import tests.golden
from foundation import kafka
from foundation.kafka import create_topics
from foundation.settings import Settings
from schemas import incident, notification, policy, topics
from schemas.policy import Route
from tests.golden.container import Message, read
from tests.integration.sinks.notifier.rig import (
    Hook,
    all_committed,
    incident_event,
    name_of,
    notifier,
    publish,
    send_log,
    settings_for,
    until,
)

LEFT = Path(tests.golden.__file__).parent / "0.1"
TAKEN_OVER = "the state of version 0.1 is taken over"


@pytest.fixture
async def settings(kafka: str) -> Settings:
    made = settings_for(kafka, partitions=3)
    await create_topics(made)
    return made


async def write(settings: Settings, name: str, messages: Iterable[Message]) -> None:
    async with kafka.producer(settings) as producer:
        for one in messages:
            await producer.send(
                settings.topic(name),
                one.value,
                key=one.key,
                partition=one.partition,
                headers=list(one.headers),
            )


async def commit(settings: Settings, places: dict[int, int]) -> None:
    """Commits as the group of 0.1 did."""
    client = kafka.consumer(settings, group_id=settings.group("notify"))
    await client.start()
    topic = settings.topic("incidents")
    parts = {TopicPartition(topic, number): offset for number, offset in places.items()}
    client.assign(list(parts))
    await client.commit(parts)
    await client.stop()


def routes(policies: Iterable[Message]) -> dict[str, Route]:
    """The routes that these entries leave."""
    entries = {one.key: one.value for one in policies}
    found = [policy.decode(value) for value in entries.values() if value is not None]
    return {one.name: one for one in found if isinstance(one, Route)}


def shown(capfd: pytest.CaptureFixture[str]) -> str:
    said = capfd.readouterr()
    return said.out + said.err


async def test_nobody_is_told_again_and_what_was_given_up_is_told_as_long_as_it_is_open(
    settings: Settings,
    channel: Hook,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("GOLDEN_HOOK", channel.url.removeprefix("json://"))
    monkeypatch.setenv("GOLDEN_MISSING", "127.0.0.1:1")
    incidents = read(LEFT / "expected" / "0.1" / "incidents.ndjson.xz")
    policies = read(LEFT / "policy.ndjson.xz")
    sends = read(LEFT / "notifications.ndjson.xz")
    await write(settings, topics.POLICY.name, policies)
    await write(settings, topics.INCIDENTS.name, incidents)
    await write(settings, topics.NOTIFICATIONS.name, sends)
    await commit(settings, {one.partition: one.offset + 1 for one in incidents})
    left, known = [notification.decode(one.value or b"") for one in sends], routes(policies)
    events = [incident.decode(one.value or b"") for one in incidents]
    closed = {event.incident_id for event in events if event.event == "closed"}
    given_up = {
        (row.incident_id, name_of(known[row.route], int(row.channel.split("/")[1])))
        for row in left
        if row.status == "dead" and row.incident_id not in closed
    }
    assert given_up
    # Who was told by a route that is there no more would not hear of the end: today's routes do.
    heard: dict[str, set[str]] = {}
    for row in left:
        if row.status == "sent":
            heard.setdefault(row.incident_id, set()).add(row.route)
    lost = {name for name, by in heard.items() if not by & known.keys() and name not in closed}
    assert lost

    async def told() -> set[tuple[str, str]]:
        new = (await send_log(settings))[len(left) :]
        return {(row.incident_id, row.channel) for row in new if row.status == "sent"}

    async def all_are_told() -> bool:
        now = await told()
        return given_up <= now and lost <= {name for name, _ in now}

    async with notifier(settings):
        await until(all_are_told, "what was given up is told")
        await until(lambda: all_committed(settings), "all is committed")
    # What no route took is in the notifier's own log now: nothing is told to nobody.
    others = await told() - given_up
    assert {name for name, by in others if name in lost or not by.startswith("console/")} == lost
    assert TAKEN_OVER in shown(capfd)
    before = len(channel.posts)
    assert before == sum(not by.startswith("console/") for _, by in await told())
    async with notifier(settings):
        await publish(settings, incident_event("db1", team="platform"))
        await until(lambda: "db1" in channel.subjects[-1], "the next one is told")
    assert TAKEN_OVER not in shown(capfd)
    assert len({post["title"] for post in channel.posts[before:]}) == 1


async def test_what_the_first_version_had_not_handled_is_told(
    settings: Settings, channel: Hook
) -> None:
    ops = Route(name="ops", urls=(f"{channel.url}/one", f"{channel.url}/two"))
    key = policy.key("test", ops)
    entry = Message(partition=0, offset=0, at=0, key=key, headers=(), value=policy.encode(ops))
    await write(settings, topics.POLICY.name, [entry])
    # One channel was slow: the commit stays before its event, those behind it are told already.
    slow = incident_event("slow")
    others = [incident_event(f"o{number}") for number in range(3)]
    new = incident_event("new")
    await publish(settings, slow, *others, new)
    rows = [
        earlier(slow, "ops/0/json", "sent"),
        earlier(slow, "ops/1/json", "retrying"),
        *[earlier(one, f"ops/{at}/json", "sent") for one in others for at in (0, 1)],
    ]
    await write(settings, topics.NOTIFICATIONS.name, rows)
    await commit(settings, dict.fromkeys(range(3), 0))
    async with notifier(settings):
        await until(lambda: len(channel.posts) >= 3, "what was not told is told")
        await until(lambda: all_committed(settings), "all is committed")
    told = sorted((post["path"], post["title"].split()[3]) for post in channel.posts)
    assert told == [("/one", "new"), ("/two", "new"), ("/two", "slow")]


def earlier(event: incident.IncidentEvent, channel: str, status: str) -> Message:
    """A row as 0.1 wrote it."""
    row = notification.Notification(
        event_id=event.event_id,
        incident_id=event.incident_id,
        event=event.event,
        target=event.target,
        team=None,
        route="ops",
        channel=channel,
        severity="critical",
        status=status,  # type: ignore[arg-type]
        attempt=1,
        at=event.at,
        event_at=event.at,
        subject="",
        group="g",
    )
    value = msgspec.json.encode(row)
    return Message(partition=0, offset=0, at=0, key=row.key, headers=(), value=value)
