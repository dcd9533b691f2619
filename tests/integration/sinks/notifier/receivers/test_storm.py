"""An outage of thousands of targets, and one behind a gateway, through the whole notifier.

https://github.com/louislam/uptime-kuma/issues/4779: 2,800 of 3,230 monitors fail at once, each of
ten people gets 2,800 text messages, and nobody reads them.
"""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec
import pytest
from msgspec.structs import replace

from foundation import kafka
from foundation.kafka import Follower
from schemas import incident, notification, notifier_state
from schemas.incident import IncidentEvent
from schemas.notifier_state import PACE_PREFIX, ChannelPace
from schemas.partition import host_key, partition_for
from schemas.target import Target
from tests.integration.sinks.notifier.receivers.scene import Outage, Scene, route, urls
from tests.receivers.http_receiver import Arrival
from tests.receivers.webhook import JsonWebhook

pytestmark = pytest.mark.timeout(400)

TARGETS: Final = 2_800
GATEWAYS: Final = 4
PEOPLE: Final = tuple(f"person{number}" for number in range(10))
GATEWAY_APART_S: Final = 0.2
GROUP_WAIT_S: Final = 2.0
INTERVAL_S: Final = 2.0
FIRST_MS: Final = 3_000
GAP_MS: Final = 2 * int(INTERVAL_S * 1000)
"""Between the first two messages of a person, on a machine that is not behind."""
BEHIND_BY: Final = 3
"""What on-call systems wait for is one step of a machine that is behind; people's messages have to
wait for so many: the grouping, the message before theirs, and their own."""
MOST: Final = 5
SAMPLE: Final = 100
"""One target in so many is told to an on-call system, too, which waits for nothing."""

BEHIND: Final = 58
OTHERS: Final = 300
"""So many targets are well that those behind the gateway are no outage of many."""


@asynccontextmanager
async def publisher(scene: Scene) -> AsyncIterator[Callable[[Iterable[IncidentEvent]], Any]]:
    """Publishes many events at once, as streams do."""
    async with kafka.producer(scene.settings) as producer:

        async def publish(events: Iterable[IncidentEvent]) -> None:
            sent = [
                await producer.send(
                    scene.settings.topic("incidents"),
                    incident.encode(event),
                    key=str(event.host).encode(),
                    partition=partition_for(str(event.host), scene.settings.partitions),
                    headers=incident.headers(event),
                )
                for event in events
            ]
            await asyncio.gather(*sent)

        yield publish


async def publish_targets(scene: Scene, *targets: Target) -> None:
    async with kafka.producer(scene.settings) as producer:
        for one in targets:
            await producer.send(
                scene.settings.topic("targets"),
                msgspec.json.encode(one),
                key=one.id.encode(),
                partition=partition_for(host_key(one.host, one.id), scene.settings.partitions),
            )
        await producer.flush()


def target(name: str, *on: str) -> Target:
    """What is checked every 2 s, with a time-out of 0.5 s and no retry."""
    return Target(
        id=name,
        name=name,
        kind="tcp",
        host=f"{name}.example.com",
        port=5432,
        regions=("eu-west",),
        interval_ms=2_000,
        timeout_ms=500,
        retries=0,
        depends_on=on,
        version=1,
        source="test",
    )


async def no_pace(scene: Scene) -> bool:
    """Whether each channel has been quiet for so long that its next message waits for nothing."""
    ends: dict[bytes, int] = {}
    async with Follower(scene.settings, scene.settings.topic("notifier-state")) as follower:
        async for record in follower.present():
            if record.key is not None and record.key.startswith(PACE_PREFIX):
                pace = notifier_state.decode(record.value) if record.value else None
                ends[record.key] = pace.next_at if isinstance(pace, ChannelPace) else 0
    now = time.time_ns() // 1_000_000
    return all(now > end + INTERVAL_S * 1000 for end in ends.values())


def by_person(receiver: JsonWebhook, since_ms: int) -> dict[str, list[Arrival]]:
    """What each path of a receiver was told since then."""
    found: dict[str, list[Arrival]] = defaultdict(list)
    for one in receiver.told:
        if one.at_ms >= since_ms:
            found[one.request.path.strip("/")].append(one)
    return found


class Storm:
    """An outage of everything behind four gateways that fail one after another."""

    def __init__(self, scene: Scene, publish: Callable[[Iterable[IncidentEvent]], Any]) -> None:
        self.scene, self._publish = scene, publish
        self.outages = [
            Outage(f"t{number:04d}", tags=("sample",) if number % SAMPLE == 0 else ())
            for number in range(TARGETS)
        ]

    async def all(self, kind: Callable[[Outage], IncidentEvent]) -> list[IncidentEvent]:
        """The event of each of them."""
        events: list[IncidentEvent] = []
        begun = time.monotonic()
        for gateway in range(GATEWAYS):
            await asyncio.sleep(max(0.0, begun + gateway * GATEWAY_APART_S - time.monotonic()))
            events += (now := [kind(one) for one in self.outages[gateway::GATEWAYS]])
            await self._publish(now)
        return events

    async def told(self, events: list[IncidentEvent]) -> dict[str, Counter[str]]:
        """Waits for the rows of all events and people; returns the messages of each person."""
        wanted = {(event.event_id, name) for event in events for name in PEOPLE}
        groups: dict[str, Counter[str]] = {name: Counter() for name in PEOPLE}
        sent: Counter[tuple[str, str]] = Counter()
        topic = self.scene.settings.topic("notifications")
        async with Follower(self.scene.settings, topic) as follower:

            async def whole() -> bool:
                async for record in follower.present():
                    row = notification.decode(record.value or b"")
                    if row.status == "sent" and (row.event_id, row.route) in wanted:
                        sent[row.event_id, row.route] += 1
                        groups[row.route][row.group] += 1
                return len(sent) == len(wanted)

            await self.scene.until(whole, "a row of each event for each person", 120)
        assert set(sent.values()) == {1}
        return groups


def on_call_took_ms(scene: Scene, events: list[IncidentEvent], since_ms: int) -> int:
    """How late an on-call system was told at most: what this machine takes when nothing waits."""
    at = {event.incident_id: event.at for event in events}
    arrived = {
        one.request.json()["data"]["incident"]["incident_id"]: one.at_ms
        for one in scene.street.webhook.told
        if one.at_ms >= since_ms
    }
    assert len(arrived) == TARGETS / SAMPLE
    return max(when - at[name] for name, when in arrived.items())


async def test_2800_targets_of_ten_people(scene: Scene) -> None:
    """Five messages a person or fewer, each target in one, the first at once; so its end."""
    street, sample = scene.street, urls(scene.street)["webhook"]
    scene.settings = replace(scene.settings, group_wait_s=GROUP_WAIT_S, group_interval_s=INTERVAL_S)
    await kafka.create_topics(scene.settings)
    await publish_targets(scene, *(target(f"t{number:04d}") for number in range(TARGETS)))
    await scene.begin(
        *(route(name, street.json_url(name), default=True) for name in PEOPLE),
        route("operators", street.json_url("operators"), operators=True),
        route("on-call", sample, default=True, tags=("sample",)),
    )
    async with publisher(scene) as publish:
        await publish([Outage("before", tags=("sample",)).opened()])
        await scene.until(lambda: street.webhook.told, "the notifier is active")
        await scene.until(lambda: len(street.json.told) == len(PEOPLE), "and tells people")
        storm = Storm(scene, publish)
        for kind, heading in ((Outage.opened, "Unreachable"), (Outage.closed, "Reachable Again")):
            await scene.until(lambda: no_pace(scene), "the channels are quiet")
            since = time.time_ns() // 1_000_000
            events = await storm.all(kind)
            groups = await storm.told(events)
            # A machine that is behind by whole intervals makes an outage longer than it was.
            late_ms = on_call_took_ms(scene, events, since)
            most = MOST + int(late_ms / 1000 / INTERVAL_S)
            messages = by_person(street.json, since)
            for name in PEOPLE:
                arrivals = messages[name]
                assert len(arrivals) == len(groups[name]) <= most
                assert sum(groups[name].values()) == TARGETS
                assert all(heading in one.text for one in arrivals)
                assert arrivals[0].at_ms <= events[0].at + FIRST_MS + BEHIND_BY * late_ms
                gap_ms = arrivals[1].at_ms - arrivals[0].at_ms
                assert gap_ms <= GAP_MS + BEHIND_BY * late_ms
            # The operators were told of the whole before its people had half of it.
            (mass,) = messages["operators"]
            assert "Mass Outage" in mass.text
        assert not street.json.refused


@pytest.mark.parametrize("first", ["the gateway", "the others"])
async def test_a_gateway_and_58_behind_it(scene: Scene, first: str) -> None:
    """One message, whoever fails first; it comes back and five do not: these five are told."""
    street = scene.street
    names = [f"d{number:02d}" for number in range(BEHIND)]
    await kafka.create_topics(scene.settings)
    await publish_targets(scene, target("gw"), *(target(name, "gw") for name in names))
    await publish_targets(scene, *(target(f"w{number}") for number in range(OTHERS)))
    gateway, others = Outage("gw"), [Outage(name, depends_on=("gw",)) for name in names]
    await scene.begin(route("chat", street.json_url("chat"), default=True))
    order = [[gateway], others] if first == "the gateway" else [others, [gateway]]
    async with publisher(scene) as publish:
        for some in order:
            await publish([one.opened() for one in some])

        async def held() -> bool:
            whys = [row.target for row in await scene.rows() if row.status == "not_sent"]
            return len(set(whys)) == BEHIND

        await scene.until(held, "whoever is behind it is spared")
        await scene.until(lambda: street.json.told, "the gateway is told")
        assert ["gw" in text for text in street.json.texts] == [True]
        reasons = {row.why for row in await scene.rows() if row.status == "not_sent"}
        assert reasons == {"dependency: gw (gw.example.com:5432) is down"}
        await publish([gateway.closed(), *(one.closed() for one in others[5:])])

        def late() -> list[str]:
            return [text for text in street.json.texts if "gw (" not in text.splitlines()[0]]

        await scene.until(lambda: len(late()) == 5, "the five that are not back")
        assert sorted(name for name in names for text in late() if f" {name} " in text) == names[:5]
        await publish([one.closed() for one in others[:5]])
        await scene.until(lambda: len(street.json.told) == 12, "their end")
    headings = Counter(text.splitlines()[0].partition(":")[0] for text in street.json.texts)
    assert headings == {"TCP Port Unreachable": 6, "TCP Port Reachable Again": 6}
