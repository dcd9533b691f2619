"""Whether a channel works, and when it may be tried again. Pure: the jitter comes of a seed."""

import hashlib
from typing import Final

from msgspec import Struct

from sinks.notifier.model import SendOutcome

FIRST_WAIT_MS: Final = 2_000
LONGEST_WAIT_MS: Final = 60_000
LONGEST_ASKED_MS: Final = 3_600_000
"""The longest `Retry-After` that is heeded."""

MOST_IN_FLIGHT: Final = 4
"""Deliveries on their way through a channel that works; one while it fails."""

JITTER: Final = 0.2
ERROR_LENGTH: Final = 300


class ChannelCondition(Struct, kw_only=True):
    """The condition of one channel. `not_before` is UTC ms; `wait_ms` is the wait that led to it.

    `error` is that of the last failure.

    `asked`: the other side asked for a wait, until `asked_until` (UTC ms).
    """

    seed: str
    failures: int = 0
    not_before: int = 0
    wait_ms: int = 0
    asked: bool = False
    asked_until: int = 0
    in_flight: int = 0
    error: str = ""

    def may_start(self, now: int) -> bool:
        """True if one more delivery may start."""
        return self.has_room and not self.waits(now)

    @property
    def has_room(self) -> bool:
        """True if not too many deliveries are on their way."""
        return self.in_flight < (1 if self.failures else MOST_IN_FLIGHT)

    def waits(self, now: int) -> bool:
        """True during a back-off.

        A wait that is longer than it was when it began comes of a clock that was set back, and is
        over.
        """
        return now < self.not_before <= now + self.wait_ms

    def worked(self, now: int) -> None:
        """The channel answered. A wait that it asked for stays."""
        self.failures = 0
        if self.asked:
            self.not_before = min(self.not_before, self.asked_until)
        if not (self.asked and self.waits(now)):
            self.not_before = self.wait_ms = 0
            self.asked = False

    def failed(self, outcome: SendOutcome, now: int) -> None:
        """The channel did not answer, or can't. Several that fail in one wait count once."""
        self.error = (outcome.error or outcome.kind)[:ERROR_LENGTH]
        asked_ms = min(max(outcome.retry_after_s or 0.0, 0.0) * 1000, LONGEST_ASKED_MS)
        if self.failures and self.waits(now):
            if now + asked_ms > self.not_before:
                self.not_before, self.wait_ms, self.asked = now + int(asked_ms), int(asked_ms), True
                self.asked_until = self.not_before
            return
        self.failures += 1
        longest = outcome.kind == "misconfigured"
        wait_ms = LONGEST_WAIT_MS if longest else doubled(FIRST_WAIT_MS, self.failures)
        own_ms = jittered(wait_ms, f"{self.seed}|{self.failures}|{now}")
        self.asked, self.asked_until = asked_ms > 0, now + int(asked_ms)
        self.wait_ms = max(own_ms, int(asked_ms))
        self.not_before = now + self.wait_ms


def doubled(first_ms: int, failures: int) -> int:
    """The wait after so many failures: doubled each time, 60 s at most."""
    return int(min(first_ms * 2 ** min(failures - 1, 20), LONGEST_WAIT_MS))


def jittered(wait_ms: int, seed: str) -> int:
    """The wait, up to 20 % shorter or longer; the same for the same seed."""
    part = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:4], "big") / 2**32
    return round(wait_ms * (1 - JITTER + 2 * JITTER * part))
