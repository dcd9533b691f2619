"""Sends of this process: one thread each, so that a hanging channel holds nothing but its own.

How many run at once for a channel is the Desk's decision; there is no pool that they share. The
threads are daemons: one that hangs does not keep the process from ending.
"""

import asyncio
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator

from msgspec import Struct

from foundation import telemetry
from sinks.notifier import metrics
from sinks.notifier.model import Delivery, SendOutcome
from sinks.notifier.tenure import now_ms

Send = Callable[..., SendOutcome]
"""`send(delivery, may_send=…)`: blocks, never raises; `channels.send` is one."""

_log = telemetry.logger(__name__)


class FinishedSend(Struct, frozen=True):
    """A delivery whose attempt has ended, and how."""

    delivery: Delivery
    outcome: SendOutcome


class Sending:
    """Starts sends in threads of their own and collects what became of them.

    All methods belong to one event loop, and outlive the notifier that started a send: the next
    one in this process sees what is still on its way.
    """

    def __init__(self, send: Send, may_send: Callable[[], bool]) -> None:
        self._send = send
        self._may_send = may_send
        self._running: dict[str, Delivery] = {}
        self._begun: deque[tuple[Delivery, int]] = deque()
        self._finished: list[FinishedSend] = []
        self.on_finished: Callable[[], None] = lambda: None
        """Called in the loop after each end of a send."""

    @property
    def busy(self) -> bool:
        """True while a send is on its way, or has ended and nobody has taken its outcome."""
        return bool(self._running or self._finished)

    @property
    def running(self) -> int:
        """Number of sends on their way."""
        return len(self._running)

    def same(self, delivery: Delivery) -> Delivery | None:
        """A send on its way that tells the same channel of one of the same subjects."""
        entries = {news.entry for news in delivery.news}
        for other in self._running.values():
            if other.channel.id == delivery.channel.id and not entries.isdisjoint(
                news.entry for news in other.news
            ):
                return other
        return None

    def start(self, delivery: Delivery) -> None:
        """Starts a send; `take_finished` returns how it ended."""
        self._running[delivery.id] = delivery
        loop = asyncio.get_running_loop()
        thread = threading.Thread(target=self._run, args=(delivery, loop), name="send", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # the system gives no more threads
            _log.error("no thread for a send, trying again", error=repr(error))
            self._end(delivery, SendOutcome(kind="not_attempted", error=str(error)))

    def take_begun(self) -> Iterator[tuple[Delivery, int]]:
        """The sends whose requests went out since the last call, each with the time (UTC ms).

        One that makes several requests is among them with each.
        """
        while self._begun:
            yield self._begun.popleft()

    def take_finished(self) -> list[FinishedSend]:
        """The sends that ended since the last call, in this order."""
        finished, self._finished = self._finished, []
        return finished

    def _run(self, delivery: Delivery, loop: asyncio.AbstractEventLoop) -> None:
        def may_send() -> bool:
            allowed = self._may_send()
            if allowed:
                self._begun.append((delivery, now_ms()))
            return allowed

        try:
            outcome = self._send(delivery, may_send=may_send)
        except BaseException as error:  # noqa: BLE001 - without an outcome it would run for ever
            # Only where, not what: the text of an error may have the secrets of the URL.
            last = traceback.extract_tb(error.__traceback__)[-1]
            why = (
                f"a fault of portquorum: {type(error).__name__} in {last.name}, line {last.lineno}"
            )
            _log.error("a send failed in our own code; please report this", error=why)
            outcome = SendOutcome(kind="unreachable", error=why)
        try:
            loop.call_soon_threadsafe(self._end, delivery, outcome)
        except RuntimeError:
            return  # the loop is closed: the process ends

    def _end(self, delivery: Delivery, outcome: SendOutcome) -> None:
        metrics.SENDS.labels(outcome.kind, delivery.channel.scheme).inc()
        self._running.pop(delivery.id, None)
        self._finished.append(FinishedSend(delivery, outcome))
        self.on_finished()
