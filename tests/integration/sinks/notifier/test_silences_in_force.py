"""The active notifier says which silences it heeds, and removes those that ended long ago."""

import asyncio
import time
from contextlib import suppress
from pathlib import Path

from foundation import kafka
from foundation.kafka import Follower
from foundation.settings import Settings
from schemas import notifier_state, policy
from schemas.duration import DAY_MS
from schemas.notifier_state import SILENCES_KEY, SilencesInForce
from schemas.policy import SILENCES, Silence
from sinks.notifier.expired_silences import ExpiredSilences, expired
from sinks.notifier.policy_follower import PolicyFollower
from tests.integration.sinks.notifier.rig import (
    Hook,
    incident_event,
    notifier,
    publish,
    publish_policy,
    publish_silences,
    route,
    send_log,
    until,
)
from tests.integration.sinks.notifier.test_takeover import active_of, processes

HOUR_MS = 3_600_000


def silence(name: str, *, ends_in_ms: int = HOUR_MS, **more: object) -> Silence:
    now = time.time_ns() // 1_000_000
    values: dict[str, object] = {
        "name": name,
        "begins_at": now - 3 * DAY_MS,
        "ends_at": now + ends_in_ms,
        "reason": "a disk is replaced",
        "by": "ann",
        "created_at": now - 3 * DAY_MS,
    }
    return Silence(**(values | more))  # type: ignore[arg-type]


async def in_force(settings: Settings) -> list[SilencesInForce]:
    """Every record of the silences in force, in their order."""
    found = []
    async with Follower(settings, settings.topic("notifier-state")) as follower:
        async for record in follower.present():
            if record.key == SILENCES_KEY:
                one = notifier_state.decode(record.value)
                assert isinstance(one, SilencesInForce)
                found.append(one)
    return found


async def confirmed(settings: Settings, *silences: Silence, term: int = 1) -> None:
    """Waits until a notifier of `term` or later says that it heeds exactly these."""
    wanted = {one.name: one.ends_at for one in silences}

    async def said() -> bool:
        records = await in_force(settings)
        return bool(records) and records[-1].silences == wanted and records[-1].term >= term

    await until(said, f"{sorted(wanted)} are in force")


async def test_a_silence_is_confirmed_when_it_begins_and_when_it_ends(
    settings: Settings, channel: Hook
) -> None:
    first, second = silence("first"), silence("second", teams=("database",))
    await publish_policy(settings, route(channel))
    async with notifier(settings) as running:
        await until(lambda: running.active, "it is active")
        assert await in_force(settings) == [], "nobody waits for the word that there is none"
        await publish_silences(settings, first)
        await confirmed(settings, first)
        await publish_silences(settings, second)
        await confirmed(settings, first, second)
        over = silence("first", ends_in_ms=-1, ended_by="bob")
        await publish_silences(settings, over)
        await confirmed(settings, over, second)
        # The notifier of another source's inventory has none.
        await publish_policy(settings, silence("stray"))
        third = silence("third")
        await publish_silences(settings, third)
        await confirmed(settings, over, second, third)
        terms = {one.term for one in await in_force(settings)}
    assert terms == {1}


async def test_a_silence_in_force_survives_a_kill_of_the_active_one(
    settings: Settings, channel: Hook, tmp_path: Path
) -> None:
    one = silence("one", targets=("db*",))
    await publish_policy(settings, route(channel))
    async with processes(settings, tmp_path, 2) as started:
        await publish_silences(settings, one)
        await confirmed(settings, one)
        term = (await in_force(settings))[-1].term
        await publish(settings, incident_event("db1"))
        await until(lambda: not_told(settings, "db1"), "the first is silenced")
        await active_of(started).kill()
        await confirmed(settings, one, term=term + 1)
        await publish(settings, incident_event("db2"), incident_event("web1"))
        await until(lambda: not_told(settings, "db2"), "who took over silences, too")
        await until(lambda: len(channel.posts) == 1, "the other one is told")
    assert channel.subjects[0].startswith("TCP Port Unreachable: web1 ")


async def not_told(settings: Settings, target: str) -> bool:
    """Whether the send log says that nobody was told of it, because of the silence."""
    rows = [row for row in await send_log(settings) if row.target == target]
    return bool(rows) and all(
        row.status == "not_sent" and "silence one by ann" in (row.why or "") for row in rows
    )


async def test_silences_that_ended_a_day_ago_are_removed(settings: Settings) -> None:
    old, ended, active = (
        silence("old", ends_in_ms=-DAY_MS - 1),
        silence("ended", ends_in_ms=-HOUR_MS),
        silence("active"),
    )
    await kafka.topics_ready(settings)
    await publish_silences(settings, old, ended, active)
    follower = PolicyFollower(settings)
    cleaner = ExpiredSilences(
        settings,
        lambda: expired(follower.entries, time.time_ns() // 1_000_000),
        every_s=0.05,
    )
    running = [asyncio.create_task(follower.run()), asyncio.create_task(cleaner.run())]
    try:
        await asyncio.wait_for(follower.present(), 60)
        kept = {policy.key(SILENCES, one) for one in (ended, active)}
        await until(lambda: follower.entries.keys() == kept, "the old one is gone")
        assert set(follower.routes.silences) == {ended, active}
    finally:
        for task in running:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await cleaner.close(5)
