"""What is paused or disabled, through the whole line: three regions, a stream, a sink, people."""

import asyncio
import json
from typing import Any

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from tests.commands import Said
from tests.system.conftest import REGIONS
from tests.system.ground import Listener, Mailbox
from tests.system.stack import Stack, eventually

pytestmark = pytest.mark.timeout(600)

HOST, PORT = "127.0.1.30", 5433
OF_REGIONS = ["a", "b", "c"]


def inventory(mailbox: Mailbox, **of_db: Any) -> dict[str, Any]:
    base = {
        "host": HOST,
        "regions": OF_REGIONS,
        "interval": "5s",
        "timeout": "1s",
        "criticality": "important",
        "team": "ops",
        "tags": ["rack-7"],
    }
    return {
        "regions": {name: {"internal": True, "source": REGIONS[name]} for name in OF_REGIONS},
        "routes": {"mail": {"urls": [mailbox.url], "severities": ["critical"]}},
        "teams": {"ops": {"routes": ["mail"]}},
        "targets": [
            {**base, "name": "db", "port": PORT, **of_db},
            {**base, "name": "beside", "port": PORT + 1},
        ],
    }


async def command(stack: Stack, *arguments: str, code: int = 0) -> Said:
    done = await asyncio.to_thread(stack.command, "target", *arguments)
    assert done.returncode == code, done.stderr + done.stdout
    return done


async def status_of(stack: Stack, target: str) -> str:
    """Empty: the sink has not written it, or not made its tables yet."""
    try:
        rows = await stack.sql(f"SELECT status FROM status_now WHERE target = '{target}'")  # noqa: S608
    except DatabaseError:
        return ""
    return str(rows[0][0]) if rows else ""


async def rounds_of(stack: Stack, target: str, least: int = 3) -> None:
    """So many further results of each region of a target have come."""
    ends = await stack.result_ends()

    async def came() -> bool:
        found = [one.region for one in await stack.results(since=ends) if one.target == target]
        return all(found.count(region) >= least for region in OF_REGIONS)

    await eventually(f"{least} rounds of {target}", came, 90)


async def test_pauses_and_enabled(stack: Stack, mailbox: Mailbox) -> None:
    beside = Listener(HOST, PORT + 1)
    await stack.apply(inventory(mailbox), "pauses")
    await eventually("db is down", lambda: stack.told("db") == ["opened"], 90)
    await eventually("people are told", lambda: mailbox.about("db"), 60)
    await paused_until_resumed(stack, mailbox)
    await paused_for_a_while(stack)
    await disabled_by_its_file(stack, mailbox)
    await moved_while_it_is_paused(stack, mailbox)
    beside.close()


async def paused_until_resumed(stack: Stack, mailbox: Mailbox) -> None:
    """The incident closes, people are told who did it, and nothing opens meanwhile."""
    await command(stack, "pause", "db", "--reason", "the disk is replaced", "--by", "ann")
    await eventually("it closes", lambda: stack.told("db") == ["opened", "closed"], 30)
    closed = stack.events("db")[-1]
    assert (closed.closed_because, closed.paused_by) == ("target_paused", "ann")
    assert closed.paused_note == "the disk is replaced"
    title = f"TCP Port Paused, Nobody Checks It: db ({HOST}:{PORT})"
    await eventually("people are told of it", lambda: title in mailbox.about("db"), 60)
    await eventually("the sink says so", lambda: paused(stack), 60)
    listed = json.loads((await command(stack, "list", "--paused", "--json")).stdout)
    assert [(one["id"], one["state"]) for one in listed["targets"]] == [("db", "paused")]
    said = await asyncio.to_thread(stack.command, "status", "db")
    assert "paused" in said.stdout
    assert "by ann until it is resumed: the disk is replaced" in " ".join(said.stdout.split())
    why = await asyncio.to_thread(stack.command, "explain", "db")
    assert why.returncode == 0, why.stdout
    assert "paused by ann until it is resumed: the disk is replaced" in " ".join(why.stdout.split())
    before = await stack.result_ends()
    await rounds_of(stack, "beside")
    assert [one for one in await stack.results(since=before) if one.target == "db"] == []
    assert stack.told("db") == ["opened", "closed"]

    await command(stack, "resume", "db", "--by", "bob")
    await eventually("it opens", lambda: stack.told("db")[2:] == ["opened"], 60)


async def paused_for_a_while(stack: Stack) -> None:
    """By tag, both targets, after a look; it ends by itself."""
    looked = await command(stack, "pause", "--tag", "rack-7", "--reason", "power", "--dry-run")
    assert "beside, db" in looked.stdout
    refused = await command(stack, "pause", "--tag", "rack-7", "--reason", "power", code=2)
    assert "expected --yes" in refused.stderr
    assert stack.told("db")[2:] == ["opened"]
    await command(stack, "pause", "--tag", "rack-7", "--for", "12s", "--reason", "power", "--yes")
    await eventually("it closes", lambda: stack.told("db")[2:] == ["opened", "closed"], 30)
    until = stack.events("db")[-1].paused_until
    await eventually("it opens by itself", lambda: stack.told("db")[4:] == ["opened"], 90)
    again = stack.events("db")[-1]
    assert isinstance(until, int)
    assert again.first_failed_at >= until - 1_000
    await rounds_of(stack, "beside", 1)
    assert stack.told("beside") == []


async def disabled_by_its_file(stack: Stack, mailbox: Mailbox) -> None:
    await stack.apply(inventory(mailbox, enabled=False), "pauses")
    await eventually("it closes", lambda: stack.told("db")[4:] == ["opened", "closed"], 30)
    assert stack.events("db")[-1].closed_because == "target_paused"
    await eventually("the sink says so", lambda: paused(stack), 60)
    await rounds_of(stack, "beside")
    assert stack.told("db")[4:] == ["opened", "closed"]
    listener = Listener(HOST, PORT)
    await stack.apply(inventory(mailbox), "pauses")
    await eventually("it is up", lambda: up(stack), 90)
    assert stack.told("db")[4:] == ["opened", "closed"]
    listener.close()


async def moved_while_it_is_paused(stack: Stack, mailbox: Mailbox) -> None:
    """To another host, and so perhaps to another partition."""
    await command(stack, "pause", "db", "--for", "1h", "--reason", "moves")
    await stack.apply(inventory(mailbox, host="127.0.1.31"), "pauses")
    await rounds_of(stack, "beside")
    assert stack.told("db")[6:] == []
    await command(stack, "resume", "db")
    await eventually("it opens", lambda: stack.told("db")[6:] == ["opened"], 60)
    assert stack.events("db")[-1].host == "127.0.1.31"


async def paused(stack: Stack) -> bool:
    return await status_of(stack, "db") == "paused"


async def up(stack: Stack) -> bool:
    return await status_of(stack, "db") == "up"
