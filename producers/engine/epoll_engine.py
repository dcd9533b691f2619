"""The engine of Linux: an epoll set of its own inside the loop's, one timer for all deadlines.

The loop watches one descriptor, the epoll set's, which is readable while any check has an answer.
Deadlines are in slots of `TICK_S`, so that a check needs neither a task nor a timer, and leaves no
entry behind after its answer.
"""

import asyncio
import heapq
import math
import select
import time
from typing import Final

from producers.checks.model import Vantage
from producers.engine.tcp_attempt import TcpAttempt, WaitingEngine

BULK: Final = 128
"""The most answers that are processed before the event loop continues with other work."""

TICK_S: Final = 0.01
"""Resolution of deadlines: those of one slot are processed together, at its end."""

# One shot: no socket is reported twice, even if a forked child still holds it and its descriptor
# number is in use again here.
_ANSWER: Final = select.EPOLLOUT | select.EPOLLONESHOT


class EpollEngine(WaitingEngine):
    """See `producers.checks.model.Engine`. Made inside a running loop."""

    def __init__(self, vantage: Vantage) -> None:
        super().__init__(vantage)
        self._connecting: dict[int, TcpAttempt] = {}
        self._slots: dict[int, set[TcpAttempt]] = {}
        self._ticks: list[int] = []  # a heap of the slots
        self._timer: asyncio.TimerHandle | None = None
        self._timer_tick = 0
        self._epoll = select.epoll()
        self._loop.add_reader(self._epoll.fileno(), self._take_answers)

    def close(self) -> None:
        """Ends all checks in flight without an outcome. May be called again."""
        if self._epoll.closed:
            return
        super().close()
        if self._timer is not None:
            self._timer.cancel()
        self._loop.remove_reader(self._epoll.fileno())
        self._epoll.close()

    def wait(self, check: TcpAttempt) -> None:
        """Adds the check to the slot of its deadline, and its socket to the epoll set."""
        tick = math.ceil(check.due / TICK_S)
        slot = self._slots.get(tick)
        if slot is None:
            slot = self._slots[tick] = set()
            heapq.heappush(self._ticks, tick)
            self._set_timer()
        slot.add(check)
        check.place = slot
        if check.sock is not None:
            number = check.sock.fileno()
            self._epoll.register(number, _ANSWER)
            self._connecting[number] = check

    def release(self, check: TcpAttempt) -> None:
        """Removes the check from its slot, closes the socket."""
        if check.place is not None:
            check.place.discard(check)
            check.place = None
        if check.sock is not None:
            number = check.sock.fileno()
            if self._connecting.pop(number, None) is not None:
                self._epoll.unregister(number)
            check.sock.close()
            check.sock = None

    def _take_answers(self) -> None:
        connecting = self._connecting
        for number, events in self._epoll.poll(0, BULK):
            check = connecting.pop(number, None)
            if check is not None:
                check.answered(fine=events == select.EPOLLOUT)

    def _take_deadlines(self) -> None:
        self._timer = None
        now = time.monotonic()
        left = BULK
        while self._ticks and left:
            slot = self._slots[self._ticks[0]]
            if slot and self._ticks[0] * TICK_S > now:
                break
            while slot and left:
                left -= 1
                check = slot.pop()
                check.place = None
                check.overdue()
            if not slot:
                # Checks that were added meanwhile are not due earlier: this is still the first.
                del self._slots[heapq.heappop(self._ticks)]
        self._set_timer()

    def _set_timer(self) -> None:
        """Sets the timer to the first tick."""
        if not self._ticks or (self._timer is not None and self._timer_tick <= self._ticks[0]):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_tick = self._ticks[0]
        left_s = max(0.0, self._timer_tick * TICK_S - time.monotonic())
        self._timer = self._loop.call_later(left_s, self._take_deadlines)
