"""Sends reports from a thread of its own, and again while the receiver is away."""

import threading
import time
from typing import TYPE_CHECKING, Final

from portquorum.beat.sent import Sent

if TYPE_CHECKING:
    from collections.abc import Callable

TRY_S: Final = 10.0
"""Longest wait for one answer."""
LAST_S: Final = 60.0
"""How long the last report is tried, from the end of the job on."""
_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 15.0
_AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504})


class Sender:
    """Sends one report after the other.

    A begin that nobody took when the end is there is left out: the end says how long it took.
    """

    def __init__(self, post: "Callable[[Sent, float], tuple[int, float]] | None" = None) -> None:
        """`post` sends once: status and seconds to wait; it raises OSError. None: HTTP."""
        self._post = post
        self._lock = threading.Condition()
        self._waiting: Sent | None = None
        self._last_at: float | None = None
        self._stopped = False
        self.problem = ""
        """Why the last report was not taken; "" if it was."""
        self._thread: threading.Thread | None = None

    def send(self, report: Sent) -> None:
        """Hands a report over; one that still waits is replaced."""
        with self._lock:
            self._waiting = report
            self._lock.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True)
                self._thread.start()

    def finish(self, report: Sent, within_s: float = LAST_S) -> bool:
        """Sends the last report; returns whether it was taken, at the latest after `within_s`."""
        with self._lock:
            self._last_at = time.monotonic() + within_s
        self.send(report)
        thread = self._thread
        if thread is not None:
            # An answer that is waited for has its own time.
            thread.join(within_s + TRY_S)
            if thread.is_alive():
                self.problem = self.problem or "no answer"
        return not self.problem

    def stop(self) -> None:
        """Gives up what waits: the caller must end now."""
        with self._lock:
            self._stopped = True
            self.problem = self.problem or "a signal ended it before"
            self._lock.notify()

    def _run(self) -> None:
        post = self._post or _over_http()
        pause_s = _FIRST_PAUSE_S
        while True:
            with self._lock:
                while self._waiting is None and not self._stopped:
                    self._lock.wait()
                report, last_at = self._waiting, self._last_at
                if report is None or self._stopped:
                    return
            self.problem, wait_s = _tried(post, report)
            with self._lock:
                is_newest = self._waiting is report
                if wait_s is None:
                    pause_s = _FIRST_PAUSE_S
                    if is_newest:
                        self._waiting = None
                    if is_newest and last_at is not None:
                        return
                    continue
                if not is_newest:
                    pause_s = _FIRST_PAUSE_S
                    continue
                pause_s, now_s = min(pause_s * 2, _LONGEST_PAUSE_S), max(pause_s, wait_s)
                if last_at is not None and time.monotonic() + now_s > last_at:
                    return
                self._lock.wait(now_s)


def _over_http() -> "Callable[[Sent, float], tuple[int, float]]":
    from portquorum.beat.posting import post

    return post


def _tried(
    post: "Callable[[Sent, float], tuple[int, float]]", report: Sent
) -> tuple[str, float | None]:
    """Why it was not taken ("": it was), and after how long to try again (None: not at all)."""
    try:
        status, wait_s = post(report, TRY_S)
    except (OSError, ValueError) as error:
        return str(error) or type(error).__name__, 0.0
    if 200 <= status < 300:
        return "", None
    return f"the receiver answered {status}", wait_s if status in _AGAIN else None
