"""The short way for messages leaves Faust's other waits as they are."""

import asyncio

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
