"""What breaks while the line runs: killed roles, wrong clocks, a zombie, garbage."""

import asyncio
import signal
import time
from pathlib import Path

import pytest

from foundation import kafka
from schemas import batch
from schemas.control import HEADER
from schemas.topics import read_by
from streams.replay.compare import compare
from tests.system.conftest import REGIONS
from tests.system.ground import Listener, Mailbox
from tests.system.stack import Stack, eventually

pytestmark = [pytest.mark.root, pytest.mark.timeout(600)]

PORT = 7100
LIBFAKETIME = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
HOUR_MS = 3_600_000


@pytest.fixture(scope="module", autouse=True)
async def ground(stack: Stack, mailbox: Mailbox) -> None:
    """What all targets here share, applied under a source of its own."""
    await stack.apply(
        {
            "regions": {name: {"internal": True} for name in [*REGIONS, "ahead", "steps"]},
            "routes": {"mail": {"urls": [mailbox.url]}},
            "teams": {"ops": {"routes": ["mail"]}},
        },
        "ground",
    )


def inventory(name: str, host: str, regions: list[str]) -> dict[str, object]:
    return {
        "targets": [
            {
                "name": name,
                "host": host,
                "port": PORT,
                "regions": regions,
                "interval": "10s",
                "team": "ops",
            }
        ]
    }


async def seen_up(stack: Stack, target: str, regions: list[str]) -> bool:
    results = await stack.results()
    found = {one.region for one in results if one.target == target and one.status == "up"}
    return found == set(regions)


def assert_once(stack: Stack, target: str) -> None:
    """One incident, opened and closed once; what was sent again has the same bytes."""
    assert stack.told(target) == ["opened", "closed"]
    assert len({event.incident_id for event in stack.events(target)}) == 1
    by_id: dict[str, set[bytes]] = {}
    for event, raw in stack.records:
        by_id.setdefault(event.event_id, set()).add(raw)
    assert all(len(versions) == 1 for versions in by_id.values())


async def test_every_role_is_killed_within_an_incident(stack: Stack, mailbox: Mailbox) -> None:
    regions = ["a", "b", "c"]
    listener = Listener("127.0.2.1", PORT)
    try:
        await stack.apply(inventory("kills", "127.0.2.1", regions), "kills")
        await eventually("all up", lambda: seen_up(stack, "kills", regions), 60)
        listener.close()
        await eventually("opened", lambda: stack.told("kills"), 60)
        for role in ("stream", "notify", "sink", "probe-a", "probe-b", "probe-c"):
            stack.roles[role].kill()
            stack.roles[role].start()
        ends = await stack.result_ends()

        async def checked_again() -> bool:
            fresh = await stack.results(since=ends)
            return {r.region for r in fresh if r.target == "kills"} == set(regions)

        await eventually("every region checks again", checked_again, 90)
        await eventually("opened is told", lambda: mailbox.about("kills"), 60)
        listener.open()
        await eventually("closed", lambda: "closed" in stack.told("kills"), 90)
        await eventually("closed is told", lambda: len(mailbox.about("kills")) == 2, 60)
        assert_once(stack, "kills")
        assert [title.split(":")[0] for title in mailbox.about("kills")] == [
            "TCP Port Unreachable",
            "TCP Port Reachable Again",
        ]
        await eventually("the table has both", lambda: in_table(stack, "kills"), 60)
    finally:
        listener.close()


async def in_table(stack: Stack, target: str) -> bool:
    rows = await stack.sql(
        "SELECT target, event, count() FROM incidents "
        "WHERE event IN ('opened', 'worsened', 'closed') GROUP BY target, event ORDER BY event"
    )
    ours = [(event, count) for name, event, count in rows if name == target]
    return ours == [("closed", 1), ("opened", 1)]


async def test_a_clock_that_is_off_or_steps_changes_nothing(stack: Stack, tmp_path: Path) -> None:
    assert LIBFAKETIME, "apt install libfaketime"
    regions = ["ahead", "steps"]
    clock = tmp_path / "clock"
    clock.write_text("+0s", encoding="ascii")
    shim = {
        "LD_PRELOAD": str(LIBFAKETIME[0]),
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_NO_CACHE": "1",
    }
    listener = Listener("127.0.2.2", PORT)
    ahead = stack.role("probe-ahead", "probe", "--region", "ahead", **shim, FAKETIME="+1h")
    steps = stack.role(
        "probe-steps", "probe", "--region", "steps", **shim, FAKETIME_TIMESTAMP_FILE=str(clock)
    )
    try:
        await stack.apply(inventory("clocks", "127.0.2.2", regions), "clocks")
        await eventually("both up", lambda: seen_up(stack, "clocks", regions), 60)
        clock.write_text("+1h", encoding="ascii")
        await eventually("checked on", lambda: checks_of(stack, "clocks", "steps", 4), 120)
        clock.write_text("-1h", encoding="ascii")
        await eventually("checked on", lambda: checks_of(stack, "clocks", "steps", 7), 120)
        assert stack.told("clocks") == []
        assert max(await distances_from_broker(stack, "clocks")) < 10_000
        listener.close()
        await eventually("opened", lambda: stack.told("clocks"), 60)
        listener.open()
        await eventually("closed", lambda: len(stack.told("clocks")) == 2, 60)
        opened = stack.events("clocks")[0]
        assert opened.opened_at - opened.first_failed_at < 10_000
    finally:
        listener.close()
        for role in (ahead, steps):
            await asyncio.to_thread(role.stop)


async def checks_of(stack: Stack, target: str, region: str, count: int) -> bool:
    results = await stack.results()
    return sum(one.target == target and one.region == region for one in results) >= count


async def distances_from_broker(stack: Stack, target: str) -> list[int]:
    """How far each result's start is from the broker's stamp of its message, in ms."""
    name = stack.settings.topic("results")
    found = []
    async with kafka.Follower(stack.settings, name) as follower:
        async for record in follower.present():
            found += [
                abs(record.timestamp - result.started_at)
                for result in batch.decode(record.value or b"")[0]
                if result.target == target
            ]
    return found


async def test_a_stopped_stream_worker_wakes_as_a_zombie(stack: Stack) -> None:
    regions = ["a", "b", "c"]
    listener = Listener("127.0.2.3", PORT)
    other = stack.role("stream-2", "stream")
    try:
        await stack.apply(inventory("zombie", "127.0.2.3", regions), "zombie")
        await eventually("all up", lambda: seen_up(stack, "zombie", regions), 60)
        for number in range(2):
            sleeper = stack.roles["stream" if number == 0 else "stream-2"]
            sleeper.signal(signal.SIGSTOP)
            stopped = time.monotonic()
            listener.close()
            await eventually("opened", lambda n=number: len(stack.told("zombie")) > 2 * n, 90)
            # Once longer than everything that times out, once longer than its place in the group.
            slept_s = (60, 15)[number]
            await eventually(
                f"{slept_s} s", lambda s=stopped, n=slept_s: time.monotonic() - s >= n, 120
            )
            sleeper.signal(signal.SIGCONT)
            listener.open()
            await eventually("closed", lambda n=number: len(stack.told("zombie")) > 2 * n + 1, 90)
        assert stack.told("zombie") == ["opened", "closed", "opened", "closed"]
        await eventually("a worker is alive", lambda: stack.roles["stream"].alive or other.alive)
    finally:
        listener.close()
        if other.alive:
            await asyncio.to_thread(other.stop)
        if not stack.roles["stream"].alive:
            stack.roles["stream"].start()


async def test_a_replay_gives_the_same_bytes(stack: Stack) -> None:
    assert stack.records
    comparison = await compare(stack.settings, start="beginning")
    assert comparison.agrees, comparison
    assert comparison.same >= len({event.event_id for event, _ in stack.records})


async def test_garbage_is_one_row_in_deadletter(stack: Stack) -> None:
    before = await stack.sql("SELECT count() FROM deadletter")
    assert before == [(0,)]
    sent: dict[str, tuple[int, int]] = {}
    async with kafka.producer(stack.settings) as producer:
        # What is on [incidents.open] the stream repairs (test_open_incidents.py).
        for topic in read_by("sink"):
            name = topic.full_name(stack.settings.topic_prefix)
            done = await producer.send_and_wait(name, b"\xff{garbage", key=b"garbage", partition=0)
            sent[name] = (done.partition, done.offset)
        results = stack.settings.topic("results")
        done = await producer.send_and_wait(
            results, b"", partition=0, headers=[(HEADER, b"garbage")]
        )
    expected = {(name, *where) for name, where in sent.items()}
    expected.add((results, done.partition, done.offset))

    async def each_is_a_row() -> bool:
        found = await stack.sql("SELECT topic, partition, offset FROM deadletter")
        assert len(found) == len(set(found))
        return set(found) == expected

    await eventually(f"{len(expected)} rows", each_is_a_row, 60)
    for role in stack.roles.values():
        assert role.alive or role.name in {"probe-ahead", "probe-steps", "stream-2"}, role.tail()
