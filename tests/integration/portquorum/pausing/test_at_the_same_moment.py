"""Somebody pauses a target while somebody else ends its pause: both logs agree in the end.

A target that the stream believes to be paused and [policy] does not is checked, and nobody is told
what is found.
"""

import asyncio
from collections.abc import Mapping, Sequence

import pytest
from msgspec import structs

from foundation.kafka import Follower, create_topics
from foundation.settings import Settings
from portquorum.editing.writes import KafkaWrites
from portquorum.inventory.plan import home
from portquorum.inventory.present import pauses_of, read_policy
from portquorum.pausing import records
from schemas import control, topics
from schemas.control import Control, TargetPaused, TargetResumed
from schemas.policy import Pause
from tests.integration.streams import ground

HOMES = {"db": 0}
PAUSE = Pause(name="db", paused_at=1, until=None, reason="it moves", by="ann")


class Halting(records._Writer):
    """Waits before or after a step, until the other one has gone on."""

    before: Mapping[tuple[type[Control], int], asyncio.Event] = {}
    """By kind of the control records and the number of the write: what is waited for."""
    after: Mapping[type[Control], asyncio.Event] = {}

    async def control(self, records: Sequence[tuple[int, Control]]) -> None:
        kinds = {type(record) for _, record in records}
        self.times = getattr(self, "times", 0) + 1
        for (kind, time), event in self.before.items():
            if kind in kinds and time == self.times:
                await event.wait()
        await super().control(records)
        for kind in kinds & self.after.keys():
            self.after[kind].set()


@pytest.fixture(scope="module")
async def settings(kafka: str) -> Settings:
    made = ground.fresh(kafka)
    await create_topics(made)
    return made


async def is_paused_for(settings: Settings, name: str = "db") -> tuple[bool, bool]:
    """For the stream, by the last record of the log; and for everybody else."""
    async with Follower(settings, settings.topic(topics.RESULTS.name)) as follower:
        bodies = [control.body(one.headers) async for one in follower.present()]
    said = [control.decode(one) for one in bodies if one is not None]
    pauses = [one for one in said if isinstance(one, TargetPaused | TargetResumed)]
    last = [one for one in pauses if one.target == name][-1]
    there = pauses_of((await read_policy(settings)).values())
    return isinstance(last, TargetPaused), name in there


async def test_an_end_between_the_two_records_of_a_pause(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    resumed = asyncio.Event()
    monkeypatch.setattr(Halting, "before", {(TargetPaused, 1): resumed})
    monkeypatch.setattr(records, "_Writer", Halting)
    pausing = asyncio.create_task(records.pause(settings, [PAUSE], HOMES))
    await ground.eventually(lambda: read_policy(settings), bool)
    await records.resume(settings, ["db"], "bob", HOMES)
    resumed.set()
    await pausing
    assert await is_paused_for(settings) == (False, False)


async def test_a_pause_between_the_records_of_its_end(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy_ended = asyncio.Event()
    said = asyncio.Event()
    write_policy = records._Writer.policy

    async def policy(self: records._Writer, entries: Mapping[bytes, bytes | None]) -> None:
        if None in entries.values():
            await policy_ended.wait()
        await write_policy(self, entries)

    monkeypatch.setattr(Halting, "policy", policy)
    monkeypatch.setattr(Halting, "after", {TargetResumed: said})
    monkeypatch.setattr(records, "_Writer", Halting)
    await records.pause(settings, [PAUSE], HOMES)
    resuming = asyncio.create_task(records.resume(settings, ["db"], "bob", HOMES))
    await said.wait()
    await records.pause(settings, [PAUSE], HOMES)
    policy_ended.set()
    await resuming
    assert await is_paused_for(settings) == (False, False)


async def test_alone_it_is_what_was_asked_for(settings: Settings) -> None:
    await records.pause(settings, [PAUSE], HOMES)
    assert await is_paused_for(settings) == (True, True)
    await records.resume(settings, ["db"], "bob", HOMES)
    assert await is_paused_for(settings) == (False, False)


async def test_an_end_while_the_page_publishes_a_target_of_that_pause(settings: Settings) -> None:
    moved = ground.target("moved")
    homes = {"moved": home(moved, settings.partitions)}
    one = structs.replace(PAUSE, name="moved")
    writes = KafkaWrites(settings)
    try:
        # What was known of [policy] before somebody ended the pause.
        await writes.targets([], [moved], {"moved": one})
        assert await is_paused_for(settings, "moved") == (False, False)
        await records.pause(settings, [one], homes)
        await writes.targets([], [moved], {"moved": one})
        assert await is_paused_for(settings, "moved") == (True, True)
    finally:
        await writes.close()
