"""The short way for messages leaves Faust's other waits as they are."""

import asyncio

from foundation.kafka.clients import LATER_MS
from foundation.settings import Settings
from streams.worker.faust_app import StreamApp
from streams.worker.faust_consumer import Consumer


async def test_the_loop_of_messages_waits_while_the_flow_is_suspended() -> None:
    """As it does in each rebalance that comes between two fetches."""
    consumer = StreamApp(Settings()).consumer
    assert isinstance(consumer, Consumer)
    consumer.stop_flow()
    waiting = asyncio.create_task(consumer.wait(consumer.can_resume_flow))
    await asyncio.wait({waiting}, timeout=0.1)
    assert not waiting.done()
    consumer.resume_flow()
    assert not (await waiting).stopped


async def test_a_fetch_waits_no_longer_than_one_of_kafkas_consumers() -> None:
    """The first fetch after a rebalance waits behind the last one before it."""
    consumer = StreamApp(Settings()).consumer
    assert isinstance(consumer, Consumer)
    thread = consumer._new_consumer_thread()
    client = thread._create_consumer(loop=asyncio.get_running_loop())
    assert client._fetch_max_wait_ms == LATER_MS
