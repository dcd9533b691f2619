"""`make soak ARGS=tests/soak/test_notifier_kills.py`; its short form runs with every other test.

`PORTQUORUM_SOAK_KILLS` changes how long it is: about 15 s a kill.
"""

import asyncio
import os
import shutil
import uuid
from pathlib import Path
from typing import Final

import pytest

from foundation.kafka import Follower, create_topics
from foundation.settings import Settings
from schemas import incident, topics
from schemas.incident import IncidentEvent
from schemas.topics import Topic
from tests.soak.notifier_kills import Outcome, Plan, World, encode, going_on, run
from tests.soak.notifier_receivers import Receivers

FAILOVER_S: Final = 15.0


def holds(outcome: Outcome) -> None:
    judged = outcome.judgement
    assert judged.wrong == []
    assert outcome.ended == []
    assert outcome.critical == []
    assert set(outcome.exit_codes) == {0}
    assert judged.counts["incidents"] > outcome.plan.kills
    doubles = [one for one in judged.doubles if one.because.startswith("kill")]
    assert len(doubles) <= judged.counts["sends in flight at kills"]
    # The lease is asked for when a request's connection stands: who is woken there sends nothing.
    assert [one for one in judged.doubles if one.because.startswith("woken")] == []
    assert outcome.failovers, "no failover was measured"


@pytest.mark.timeout(600)
async def test_a_few_kills(kafka: str, tmp_path: Path) -> None:
    # Two stops and two kills; the third comes before its notifier has done anything.
    outcome = await run(Plan(seed=20, kills=4, targets=20, pace_s=0.4), kafka, tmp_path)
    print(outcome.report)  # noqa: T201 - pytest shows it beside a failure
    holds(outcome)


async def test_the_story_is_what_the_broker_has_whenever_it_ends(
    kafka: str, tmp_path: Path
) -> None:
    settings = Settings(kafka=kafka, topic_prefix=f"soak-{uuid.uuid4().hex[:10]}", partitions=2)
    await create_topics(settings)
    with Receivers(tmp_path) as receivers:
        world = World(Plan(seed=1, kills=0, pace_s=1e-6, edit_s=1e-6), settings, receivers)
        await world.start()
        for _ in range(20):
            async with going_on(world):
                await asyncio.sleep(0.01)  # both have a message on its way
        await world.close()
    events = [incident.decode(value) for value in await _values(settings, topics.INCIDENTS)]
    names = [event.name for event in events if isinstance(event, IncidentEvent)]
    assert sorted(names) == sorted(f"{one.incident}x{one.seq}" for one in world.story.steps)
    entries = len(world.inventory.entries()) + len(world.inventory.versions) - 1
    assert len(await _values(settings, topics.POLICY)) == entries


async def _values(settings: Settings, topic: Topic) -> list[bytes]:
    """All values that lie on a topic."""
    async with Follower(settings, settings.topic(topic.name)) as follower:
        return [record.value async for record in follower.present()]


@pytest.mark.soak
async def test_a_hundred_kills_of_the_active_notifier(
    kafka: str, tmp_path: Path, soak_seed: int, soak_reports: Path
) -> None:
    kills = int(os.environ.get("PORTQUORUM_SOAK_KILLS", "100"))
    outcome = await run(Plan(seed=soak_seed, kills=kills), kafka, tmp_path)
    report = soak_reports / f"notifier-kills-{soak_seed}"
    report.with_suffix(".txt").write_text(outcome.report + "\n", encoding="utf-8")
    report.with_suffix(".json").write_bytes(encode(outcome))
    shutil.copyfile(tmp_path / "evidence.json", report.with_suffix(".evidence.json"))
    print(outcome.report)  # noqa: T201 - soak tests tell
    holds(outcome)
    assert outcome.failovers[-1] <= FAILOVER_S
