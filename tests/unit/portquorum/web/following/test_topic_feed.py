"""Records that come at once are applied in steps, between which viewers are answered."""

import asyncio
from itertools import pairwise

from aiokafka import ConsumerRecord, TopicPartition

from foundation.settings import Settings
from portquorum.bench import page_fleet
from portquorum.web.fleet import Fleet
from portquorum.web.following.announcer import Announcer
from portquorum.web.following.hub import Hub
from portquorum.web.following.topic_feed import STEP, TopicFeed
from schemas import topics

NOW = 1_800_000_000_000


async def test_a_whole_inventory_at_once_holds_nobody_for_long() -> None:
    settings, fleet, count = Settings(), Fleet(), 5 * STEP
    feed = TopicFeed(settings, fleet, Announcer(fleet, Hub(), lambda: NOW), lambda: NOW)
    topic = settings.topic(topics.TARGETS.name)
    records = [
        ConsumerRecord(topic, 0, offset, NOW, 0, one.key, one.value, 0, 0, 0, ())
        for offset, one in enumerate(map(page_fleet.target_record, page_fleet.targets(count, NOW)))
    ]
    seen = [0]
    applying = asyncio.create_task(feed._take({TopicPartition(topic, 0): records}))
    while not applying.done():
        await asyncio.sleep(0)
        seen.append(len(fleet.inventory))
    await applying
    assert seen[-1] == count
    assert max(after - before for before, after in pairwise(seen)) <= STEP
