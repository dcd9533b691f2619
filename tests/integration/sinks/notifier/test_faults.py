"""What fails inside: nothing is told twice for it, nothing is dropped, nothing freezes unseen."""

import asyncio

import pytest
from aiokafka.errors import KafkaError

from foundation.settings import Settings
from schemas.incident import Event
from sinks.notifier.channels.classes import class_of, needs_refresh
from sinks.notifier.channels.problem import problem
from sinks.notifier.channels.send import send
from sinks.notifier.decision.desk import Desk
from sinks.notifier.main import desk_maker
from sinks.notifier.model import Delivery, SendOutcome
from sinks.notifier.notifier import Notifier
from sinks.notifier.outbox import Outbox
from sinks.notifier.policy_follower import PolicyFollower
from sinks.notifier.target_directory import TargetDirectory
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


class Dies(PolicyFollower):
    """Follows until the routes are there, and then no more."""

    async def run(self) -> None:
        following = asyncio.create_task(super().run())
        await self.present()
        following.cancel()
        raise ZeroDivisionError


class CannotDecide(Desk):
    """A Desk with a fault for an event of one target, and one for the outcome of another."""

    def finished(self, delivery: Delivery, outcome: SendOutcome, now: int) -> None:
        if any(getattr(news.event, "target", "") == "unrecorded" for news in delivery.news):
            raise ZeroDivisionError
        super().finished(delivery, outcome, now)

    def take(self, event: Event, now: int) -> None:
        if getattr(event, "target", "") == "odd":
            raise ZeroDivisionError
        super().take(event, now)


async def test_an_event_on_which_the_decision_fails_is_skipped_and_the_others_are_told(
    settings: Settings, channel: Hook, capfd: pytest.CaptureFixture[str]
) -> None:
    await publish_policy(settings, route(channel))
    async with opened(settings) as outbox:
        stop = asyncio.Event()

        def make(_: TargetDirectory) -> Desk:
            return CannotDecide(group_wait_ms=0, class_of=class_of, needs_refresh=needs_refresh)

        running = asyncio.create_task(Notifier(settings, outbox, make).run(stop))
        odd = [incident_event(name) for name in ("odd", "unrecorded")]
        await publish(settings, *odd, incident_event("db1"))
        await until(lambda: len(channel.posts) == 2, "the others are told")
        await until(lambda: all_committed(settings), "all is committed")
        stop.set()
        await asyncio.wait_for(running, 60)
    shown = capfd.readouterr()
    assert "can't be decided" in shown.out + shown.err
    assert "can't be recorded" in shown.out + shown.err
    assert {subject.split()[3] for subject in channel.subjects} == {"unrecorded", "db1"}


async def test_a_send_that_outlives_its_notifier_is_recorded_and_not_made_again(
    settings: Settings, channel: Hook
) -> None:
    channel.hang()
    await publish_policy(settings, route(channel, more=PATIENT))
    async with opened(settings) as outbox:
        first = Notifier(settings, outbox, desk_maker(settings))
        running = asyncio.create_task(first.run(asyncio.Event()))
        await publish(settings, incident_event("db1"))
        await until(lambda: len(channel.asked) == 1, "the channel is asked")
        broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        broken.set_exception(KafkaError("the cluster went away"))
        first._place._committing = broken  # type: ignore[assignment]
        with pytest.raises(KafkaError, match="went away"):
            await asyncio.wait_for(running, 60)
        async with notifier(settings, outbox) as second:
            await until(lambda: second.active, "the next one is active")
            await until(lambda: len(second._held) == 1, "it would tell the same")
            channel.answer()

            async def recorded() -> bool:
                return [row.status for row in await send_log(settings)] == ["sent"]

            await until(recorded, "the send is recorded")
            await publish(settings, incident_event("db1", "closed"))
            await until(lambda: len(channel.posts) == 2, "the end is told to who confirmed")
    assert len(channel.asked) == 2


async def test_a_fault_in_a_send_is_an_outcome_and_the_next_attempt_tells(
    settings: Settings, channel: Hook
) -> None:
    failed: list[Delivery] = []

    def fails_once(delivery: Delivery, **more: object) -> SendOutcome:
        if not failed:
            failed.append(delivery)
            raise ZeroDivisionError
        return send(delivery, **more)  # type: ignore[arg-type]

    await publish_policy(settings, route(channel))
    outbox = Outbox(settings, fails_once, problem)
    async with notifier(settings, outbox):
        await publish(settings, incident_event("db1"))
        await until(lambda: len(channel.posts) == 1, "the second attempt tells")
        await until(lambda: all_committed(settings), "all is committed")
    rows = await send_log(settings)
    assert [row.status for row in rows] == ["retrying", "sent"]
    assert "ZeroDivisionError" in (rows[0].error or "")


async def test_without_anybody_who_follows_the_routes_it_ends(settings: Settings) -> None:
    async with opened(settings) as outbox:
        running = Notifier(settings, outbox, desk_maker(settings))
        running._policy = Dies(settings)
        with pytest.raises(ZeroDivisionError):
            await asyncio.wait_for(running.run(asyncio.Event()), DEADLINE_S)
