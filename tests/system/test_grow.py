"""More partitions while something is down: people, events and tables before and after the move."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from foundation.settings import Settings
from portquorum.topic_growth.grow import planned
from schemas.partition import partition_for
from tests.system.conftest import REGIONS
from tests.system.ground import Listener, Mailbox
from tests.system.stack import Stack, eventually

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]

OF_REGIONS = ("a", "b", "c")
HOSTS = {f"gate-{number}": f"127.0.2.{number}" for number in range(1, 7)}
PORT = 7100


def inventory(mailbox: Mailbox) -> dict[str, Any]:
    return {
        "regions": {name: {"internal": True, "source": REGIONS[name]} for name in OF_REGIONS},
        "routes": {"mail": {"urls": [mailbox.url], "severities": ["critical"]}},
        "teams": {"ops": {"routes": ["mail"]}},
        "targets": [
            {
                "name": name,
                "host": host,
                "port": PORT,
                "regions": list(OF_REGIONS),
                "interval": "3s",
                "timeout": "1s",
                "criticality": "important",
                "team": "ops",
            }
            for name, host in HOSTS.items()
        ],
    }


@pytest.fixture
async def before(kafka: str, clickhouse: str, tmp_path: Path) -> AsyncIterator[Stack]:
    settings = Settings(
        kafka=kafka,
        clickhouse=f"{clickhouse.rpartition('/')[0]}/grow",
        topic_prefix="grow",
        partitions=2,
        data_dir=tmp_path,
    )
    stack = Stack(settings, tmp_path)
    yield stack
    await stack.close()


async def begins(stack: Stack) -> None:
    """All roles, in the order of an upgrade."""
    await stack.watch()
    stack.role("sink", "sink")
    stack.role("notify", "notify")
    stack.role("stream", "stream")
    for region in OF_REGIONS:
        stack.prober(region, REGIONS[region])


async def rows(stack: Stack, query: str) -> list[tuple[Any, ...]]:
    try:
        return await stack.sql(query)
    except DatabaseError:
        return []  # the sink has not made its tables yet


async def test_people_are_told_once_before_and_after(before: Stack, mailbox: Mailbox) -> None:
    listeners = {name: Listener(host, PORT) for name, host in HOSTS.items()}
    await begins(before)
    await before.apply(inventory(mailbox), "grow")
    ups = "SELECT uniqExact(target, region) FROM results WHERE status = 'up'"
    await eventually("all are up", lambda: _counts(before, ups, 3 * len(HOSTS)))
    listeners["gate-1"].close()
    listeners["gate-2"].close()
    down = ("gate-1", "gate-2")
    await eventually("people know", lambda: all(len(mailbox.about(name)) == 1 for name in down))
    opened = {name: before.events(name)[0].incident_id for name in down}

    refused = await asyncio.to_thread(
        before.command, *("topics", "grow", "--partitions", "8", "--to-prefix", "grow8", "--yes")
    )
    assert refused.returncode == 1
    assert "these roles run under grow: notify, probe, stream" in refused.stderr
    # The stream first. What the probers see of it meanwhile no stream has seen.
    before.roles["stream"].stop()
    listeners["gate-1"].open()
    listeners["gate-3"].close()
    begun = time.monotonic()
    ends = await before.result_ends()
    await eventually("more results", lambda: _grew(before, ends))
    for name in ("probe-a", "probe-b", "probe-c", "notify"):
        before.roles[name].stop()
    done = await asyncio.to_thread(
        before.command, *("topics", "grow", "--partitions", "8", "--to-prefix", "grow8", "--json")
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["targets"] == len(HOSTS)

    folder = before.folder / "after"
    folder.mkdir()
    after = Stack(planned(before.settings, "grow8", 8), folder, report["settings"])
    try:
        await begins(after)
        # The one that came back is told so, the other stays open, the third is told.
        await eventually(
            "people are told what is new",
            lambda: len(mailbox.about("gate-1")) == 2 and len(mailbox.about("gate-3")) == 1,
        )
        print(f"away for {time.monotonic() - begun:.1f} s")  # noqa: T201 - for whoever measures
        listeners["gate-2"].open()
        await eventually("it ends", lambda: len(mailbox.about("gate-2")) == 2)
        listeners["gate-4"].close()
        await eventually("a new one", lambda: len(mailbox.about("gate-4")) == 1)
        ended = {event.incident_id for name in down for event in after.events(name)}
        assert ended == set(opened.values())
        assert {name: after.told(name) for name in HOSTS} == {
            "gate-1": ["closed"],
            "gate-2": ["closed"],
            "gate-3": ["opened"],
            "gate-4": ["opened"],
            "gate-5": [],
            "gate-6": [],
        }
        await _tables(after)
        titles = [title for title, _ in mailbox.messages]
        assert not [title for title in titles if "silent" in title.lower()], titles
        assert len(mailbox.messages) == 6, titles
    finally:
        await after.close()
        for name in HOSTS.keys() - {"gate-3", "gate-4"}:
            listeners[name].close()


async def _tables(after: Stack) -> None:
    """Targets once, incidents once: what was copied is not stored again."""
    wanted = [("gate-1", 2), ("gate-2", 2), ("gate-3", 1), ("gate-4", 1)]
    told = (
        "SELECT target, count() FROM incidents WHERE event IN ('opened', 'closed') "
        "GROUP BY target ORDER BY target"
    )

    async def stored() -> bool:
        return await rows(after, told) == wanted

    await eventually("the events are stored once", stored)
    assert await rows(after, "SELECT count() FROM targets") == [(len(HOSTS),)]
    gaps = await rows(after, "SELECT count() FROM gaps")
    assert gaps == [(0,)]
    places = {name: partition_for(host, 8) for name, host in HOSTS.items()}
    newest = "SELECT target, argMax(log_partition, appended_at) FROM results GROUP BY target"
    assert dict(await rows(after, newest)) == places


async def _counts(stack: Stack, query: str, wanted: int) -> bool:
    return await rows(stack, query) == [(wanted,)]


async def _grew(stack: Stack, ends: dict[int, int]) -> bool:
    now = await stack.result_ends()
    return all(now[number] > end + 8 for number, end in ends.items())
