"""What fails inside: nothing is told twice for it, nothing is dropped, nothing freezes unseen."""

import asyncio
import threading

import pytest
from aiokafka.errors import KafkaError

from foundation.settings import Settings
from schemas.notification import Notification
from sinks.notifier.notifier import Notifier
from sinks.notifier.outbox import Outbox
from sinks.notifier.policy_follower import PolicyFollower
from sinks.notifier.send_log import SendLog
from tests.integration.sinks.notifier.rig import (
    DEADLINE_S,
    Hook,
    all_committed,
    incident_event,
    notifier,
    opened,
    publish,
    publish_policy,
    route,
    send_log,
    until,
)

PATIENT = "?rto=60&cto=60"
"""Apprise waits so long for an answer."""


class Stumbles(SendLog):
    """A send log that raises once before it knows of a send, and once after."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.asked = self.recorded = 0

    def done(self, event_id: str, channel: str) -> bool:
        self.asked += 1
        if self.asked == 1:
            raise AssertionError("Unrecognized partition")
        return super().done(event_id, channel)

    async def record(self, notifications: list[Notification]) -> None:
        await super().record(notifications)
        self.recorded += 1
        if self.recorded == 1:
            raise AssertionError("Unrecognized partition")


class Dies(PolicyFollower):
    """Follows until the routes are there, and then no more."""

    async def run(self) -> None:
        following = asyncio.create_task(super().run())
        await self.present()
        following.cancel()
        raise ZeroDivisionError


async def test_a_lane_in_which_something_fails_goes_on(settings: Settings, channel: Hook) -> None:
    await publish_policy(settings, route(channel))
    outbox = Outbox(settings)
    outbox.log = log = Stumbles(settings)
    events = [incident_event("db1", event) for event in ("opened", "closed", "opened")]
    async with notifier(settings, outbox=outbox):
        await publish(settings, *events)
        await until(lambda: len(channel.posts) >= 3, "all is told")
        await until(lambda: all_committed(settings), "all is committed")
    assert log.recorded == 3
    assert [subject.split(":")[0] for subject in channel.subjects] == [
        "TCP Port Unreachable",
        "TCP Port Reachable Again",
        "TCP Port Unreachable",
    ]


async def test_a_send_that_outlives_its_notifier_is_recorded_and_not_made_again(
    settings: Settings, channel: Hook
) -> None:
    asked, answer = threading.Event(), threading.Event()

    def wait(_post: dict[str, str]) -> bool:
        asked.set()
        answer.wait(DEADLINE_S)
        return False

    channel.refuse = wait
    await publish_policy(settings, route(channel, more=PATIENT))
    async with opened(settings) as outbox:
        first = Notifier(settings, outbox)
        running = asyncio.create_task(first.run(asyncio.Event()))
        await publish(settings, incident_event("db1"))
        await until(asked.is_set, "the channel is asked")
        first._broken = KafkaError("the cluster went away")
        with pytest.raises(KafkaError, match="went away"):
            await asyncio.wait_for(running, 30)
        async with notifier(settings, outbox=outbox) as second:
            await until(lambda: second._lanes._tasks != {}, "the next one has the event in hand")
            answer.set()
            await until(lambda: all_committed(settings), "all is committed")
    assert len(channel.posts) == 1
    assert [record.status for record in await send_log(settings)] == ["sent"]


async def test_partitions_move_when_a_slow_channel_has_answered(
    settings: Settings, channel: Hook
) -> None:
    answer = threading.Event()
    channel.refuse = lambda _post: not answer.wait(DEADLINE_S)
    await publish_policy(settings, route(channel, more=PATIENT))
    async with notifier(settings) as first:
        await until(lambda: first._placed, "the first has all partitions")
        await publish(settings, *[incident_event(f"x{n}") for n in range(4)])
        await until(lambda: len(first._lanes._tasks) == 4, "four sends are under way")
        lanes = first._lanes
        async with notifier(settings) as second:
            await until(lanes._stop.is_set, "partitions are to move")
            # Longer than the session timeout, after which the broker would wait no more.
            await asyncio.sleep(7)
            answer.set()
            await until(lambda: second._placed, "the second has its share")
            await until(lambda: all_committed(settings), "all is committed")
    assert len(channel.posts) == 4
    assert set(channel.counts().values()) == {1}


async def test_without_anybody_who_follows_the_routes_it_ends(settings: Settings) -> None:
    async with opened(settings) as outbox:
        running = Notifier(settings, outbox)
        running._policy = Dies(settings)
        with pytest.raises(ZeroDivisionError):
            await asyncio.wait_for(running.run(asyncio.Event()), DEADLINE_S)
