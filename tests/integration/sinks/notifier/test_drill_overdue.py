"""A fire drill that is overdue, told by real notifiers of what [policy] has."""

import time
from pathlib import Path

from foundation.settings import Settings
from schemas.duration import HOUR_MS
from schemas.policy import DrillDone, DrillPlan, Route
from tests.integration.sinks.notifier.rig import (
    Hook,
    incident_event,
    notifier,
    publish,
    publish_drill,
    publish_policy,
    remove_policy,
    route,
    send_log,
    until,
)
from tests.integration.sinks.notifier.test_takeover import active_of, processes

PLAN = DrillPlan(name="drill", every_ms=HOUR_MS)
SOON_MS = 3_000


def done(at: int, stage: str = "") -> DrillDone:
    return DrillDone(name="last", at=at, overdue=stage)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def operators(channel: Hook) -> Route:
    return route(channel, operators=True)


def headings(channel: Hook) -> list[str]:
    return [subject.split(":")[0] for subject in channel.subjects]


async def test_it_is_told_in_time_once_whoever_is_active_and_over_with_a_good_drill(
    settings: Settings, channel: Hook, tmp_path: Path
) -> None:
    due = now_ms() + SOON_MS
    await publish_policy(settings, PLAN, operators(channel), route(channel, "rest", default=True))
    await publish_drill(settings, done(due - HOUR_MS))
    async with processes(settings, tmp_path, 2) as started:
        await until(lambda: channel.posts != [], "operators are told")
        assert now_ms() >= due, "not before"
        assert channel.subjects == ["Fire Drill Overdue: none for 60 min"]

        async def recorded() -> bool:
            return [(row.event, row.status) for row in await send_log(settings)] == [
                ("drill.overdue", "sent")
            ]

        await until(recorded, "the send log has it")
        await active_of(started).kill()
        await publish(settings, incident_event("web1"))
        await until(lambda: len(channel.posts) == 2, "the other one is active")
        await publish_drill(settings, done(now_ms()))
        await until(lambda: len(channel.posts) == 3, "operators are told of the end")
    assert headings(channel) == [
        "Fire Drill Overdue",
        "TCP Port Unreachable",
        "Fire Drill No Longer Overdue",
    ]
    assert {post["path"] for post in channel.posts} == {"/ops", "/rest"}
    assert [post["path"] for post in channel.posts][::2] == ["/ops", "/ops"]


async def test_a_failed_drill_is_told_by_its_stage_and_is_over_without_a_plan(
    settings: Settings, channel: Hook
) -> None:
    await publish_policy(settings, PLAN, operators(channel))
    await publish_drill(settings, done(now_ms()))
    async with notifier(settings) as running:
        await until(lambda: running.active, "it is active")
        await publish_drill(settings, done(now_ms(), "message"))
        await until(lambda: len(channel.posts) == 1, "the failure is told")
        # A drill of another source is none: this one would end it.
        await publish_policy(settings, done(now_ms() + 1_000))
        await publish_drill(settings, done(now_ms(), "quorum"))
        await until(lambda: len(channel.posts) == 2, "the other stage is told")
        await remove_policy(settings, PLAN)
        await until(lambda: len(channel.posts) == 3, "the end is told")
    assert channel.subjects == [
        "Fire Drill Failed: message did not come in time",
        "Fire Drill Failed: quorum did not come in time",
        "Fire Drill No Longer Overdue: none is planned any more",
    ]
