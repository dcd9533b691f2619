"""The engine for platforms without epoll: the asyncio loop waits, with one timer a check."""

import time

from producers.engine.tcp_attempt import TcpAttempt, WaitingEngine


class AsyncioEngine(WaitingEngine):
    """See `producers.checks.model.Engine`. Made inside a running loop."""

    def wait(self, check: TcpAttempt) -> None:
        """One timer, and one writer if there is a socket."""
        left_s = max(0.0, check.due - time.monotonic())
        check.place = self._loop.call_later(left_s, check.overdue)
        if check.sock is not None:
            self._loop.add_writer(check.sock.fileno(), check.answered)

    def release(self, check: TcpAttempt) -> None:
        """Cancels the timer, closes the socket."""
        if check.place is not None:
            check.place.cancel()
            check.place = None
        if check.sock is not None:
            self._loop.remove_writer(check.sock.fileno())
            check.sock.close()
            check.sock = None
