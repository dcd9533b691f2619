"""Faust's consumer, with a shorter path for each message.

Faust hands a message over to its streams inside `wait_first`, which creates four tasks for each
message, so that a rebalance can end a handover that waits for room. Most handovers do not wait.
Here a handover begins at once, without a task; only one that must wait continues on the long path.

And when a stream's buffer is nearly full, Faust leaves the message's partition out of its next
fetches; when it has left out all of them, it sleeps for a second, whatever happens meanwhile. Here
the buffer's own limit delays a handover, and no partition is left out.

And a fetch of Faust's consumer may wait 1.5 s for records. A broker answers the requests of a
connection one after the other, so the first fetch after a rebalance waits behind the last one
before it: that long a partition without new records would stand still. Here it waits as long as
Kafka's own consumers do.
"""

import asyncio
import types
from collections.abc import Coroutine, Generator
from typing import Any

from aiokafka import AIOKafkaConsumer
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from mode.services import WaitResults

from foundation.kafka.clients import LATER_MS


class Consumer(driver.Consumer):
    """Faust's consumer, except for the path of a message from the fetch to the stream's buffer."""

    def _new_consumer_thread(self) -> driver.AIOKafkaConsumerThread:
        return _ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def on_buffer_full(self, tp: TP) -> None:
        """Does nothing: see the module."""

    def on_buffer_drop(self, tp: TP) -> None:
        """Does nothing: see the module."""

    async def wait_first(
        self,
        *coros: Any,
        timeout: Any = None,  # noqa: ASYNC109 - as the method that it takes the place of
    ) -> WaitResults:
        """Waits for a handover, or for the signal that ends it; returns which was first.

        Faust's message loop calls this with both; `wait` calls it with one, when that loop meets a
        suspended flow.
        """
        ending = self.suspend_flow.is_set() or self._stopped.is_set() or self._crashed.is_set()
        if len(coros) != 2 or ending:
            return await super().wait_first(*coros, timeout=timeout)
        handover, suspension = coros
        try:
            awaited = handover.send(None)
        except StopIteration as done:
            suspension.close()
            # The stream takes one message a turn of the loop: keep step, so that its buffer has
            # room for the next one.
            await asyncio.sleep(0)
            return WaitResults([handover], [done.value], False)
        except BaseException:
            suspension.close()
            raise
        begun = _go_on(handover, awaited)
        return await super().wait_first(begun, suspension, timeout=timeout)


class _ConsumerThread(driver.AIOKafkaConsumerThread):
    """Faust's thread of the consumer, which waits less for records."""

    def _create_worker_consumer(self, transport: driver.Transport) -> AIOKafkaConsumer:
        client = super()._create_worker_consumer(transport)
        # Read at its start; Faust has no setting for it.
        client._fetch_max_wait_ms = LATER_MS  # noqa: SLF001
        return client


class Transport(driver.Transport):
    """Faust's transport for Kafka, with the consumer above."""

    Consumer = Consumer


async def _go_on(begun: Coroutine[Any, Any, Any], awaited: Any) -> Any:
    """The rest of a started coroutine that waits for `awaited`, to run in a task."""
    return await _steps(begun, awaited)


@types.coroutine
def _steps(begun: Coroutine[Any, Any, Any], awaited: Any) -> Generator[Any, Any, Any]:
    try:
        while True:
            try:
                told = yield awaited
            except GeneratorExit:
                raise
            except BaseException as error:  # noqa: BLE001 - a cancellation among them
                awaited = begun.throw(error)
            else:
                awaited = begun.send(told)
    except StopIteration as done:
        return done.value
    finally:
        begun.close()
