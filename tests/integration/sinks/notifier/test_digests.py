"""Digests of a channel, their pace, and that it survives the notifier that kept it."""

from pathlib import Path

from msgspec.structs import replace

from foundation.kafka import Follower
from foundation.settings import Settings
from schemas import notifier_state
from schemas.notifier_state import PACE_PREFIX, ChannelPace
from tests.integration.sinks.notifier.rig import (
    Hook,
    incident_event,
    notifier,
    publish,
    publish_policy,
    route,
    until,
)
from tests.integration.sinks.notifier.test_takeover import active_of, processes

INTERVAL_S = 20.0
"""Longer than a takeover: whoever takes over without the pace would send before it is over."""


async def paces(settings: Settings) -> list[ChannelPace]:
    """The newest pace of each channel that has one."""
    found: dict[bytes, ChannelPace] = {}
    async with Follower(settings, settings.topic("notifier-state")) as follower:
        async for record in follower.present():
            if record.key is None or not record.key.startswith(PACE_PREFIX):
                continue
            found.pop(record.key, None)
            if record.value is not None:
                one = notifier_state.decode(record.value)
                assert isinstance(one, ChannelPace)
                found[record.key] = one
    return list(found.values())


async def test_hosts_of_one_interval_are_one_message(settings: Settings, channel: Hook) -> None:
    settings = replace(settings, group_interval_s=2.0)
    await publish_policy(settings, route(channel))
    async with notifier(settings):
        await publish(settings, incident_event("db1"))
        await until(lambda: len(channel.posts) == 1, "the first is told at once")
        await publish(settings, *(incident_event(f"web{number}") for number in range(20)))
        await until(lambda: len(channel.posts) == 2, "a digest follows")
        assert channel.subjects[0].startswith("TCP Port Unreachable: db1 ")
        message = channel.posts[1]["message"] + channel.subjects[1]
        assert "20" in channel.subjects[1]
        assert all(f"web{number} " in message for number in range(20))


async def test_the_pace_of_a_channel_survives_a_kill_of_the_active_one(
    settings: Settings, channel: Hook, tmp_path: Path
) -> None:
    settings = replace(settings, group_interval_s=INTERVAL_S)
    await publish_policy(settings, route(channel))
    async with processes(settings, tmp_path, 2) as started:
        await publish(settings, incident_event("db1"))
        await until(lambda: len(channel.posts) == 1, "the first is told")

        async def recorded() -> bool:
            return any(one.sent_at for one in await paces(settings))

        await until(recorded, "its time is recorded")
        (pace,) = await paces(settings)
        await active_of(started).kill()
        await publish(settings, incident_event("web1"), incident_event("web2"))
        await until(lambda: len(channel.posts) == 2, "another tells the rest")
        (later,) = await paces(settings)
        assert later.term > pace.term
        assert len(channel.posts) == 2
        # By the notifiers' own clock, as the records have it: not before the interval was over.
        assert later.sent_at[-1] - pace.sent_at[-1] >= INTERVAL_S * 1000
        message = channel.posts[1]["message"] + channel.subjects[1]
        assert "web1" in message
        assert "web2" in message
