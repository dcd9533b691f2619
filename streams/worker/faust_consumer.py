"""Faust's consumer, with a short way for each message.

Faust hands a message over to its streams inside `wait_first`, which makes four tasks a message, so
that a rebalance can end a handover that waits for room. Most do not wait. Here a handover begins at
once, without a task; only one that has to wait goes the long way from there on.

And when a stream's buffer is nearly full Faust leaves the message's partition out of its next
fetches; when it has left out all of them it sleeps for a second, whatever happens meanwhile. Here
the buffer's own limit holds a handover back, and no partition is left out.
"""

import asyncio
import types
from collections.abc import Coroutine, Generator
from typing import Any

from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from mode.services import WaitResults


class Consumer(driver.Consumer):
    """As Faust's, save how a message gets from the fetched ones into the stream's buffer."""

    def on_buffer_full(self, tp: TP) -> None:
        """Nothing: see above."""

    def on_buffer_drop(self, tp: TP) -> None:
        """Nothing: see above."""

    async def wait_first(
        self,
        *coros: Any,
        timeout: Any = None,  # noqa: ASYNC109 - as the method that it takes the place of
    ) -> WaitResults:
        """A handover, and the signal that ends it: which was done first.

        Faust's loop of messages calls this with the two; with one thing it is called by `wait`,
        when that loop comes upon a suspended flow.
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


class Transport(driver.Transport):
    """Faust's transport for Kafka, with the consumer above."""

    Consumer = Consumer


async def _go_on(begun: Coroutine[Any, Any, Any], awaited: Any) -> Any:
    """The rest of a coroutine that has begun and waits for `awaited`, to be run in a task."""
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
