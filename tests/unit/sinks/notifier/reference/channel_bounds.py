"""When a channel may be tried, at the earliest and at the latest: the bounds of the back-off."""

from dataclasses import dataclass, field
from typing import Final

from sinks.notifier.model import Delivery, SendOutcome

MOST_IN_FLIGHT: Final = 4
FIRST_MS: Final = 2_000
LONGEST_MS: Final = 60_000
JITTER: Final = 0.2
MOST_RETRY_AFTER_MS: Final = 3_600_000
REFRESH_MS: Final = 60_000
NEVER: Final = -(2**62)


@dataclass
class Condition:
    """What attempts told of a channel since this notifier began.

    `fewest` and `most` failures one after another: of several sends at once the rules don't say
    how many count.
    """

    fewest: int = 0
    most: int = 0
    doubled: int = 0
    """`fewest` without those of a wrong configuration, which has a wait of its own."""
    earliest: int = NEVER
    latest: int = NEVER
    asked: int = NEVER
    asked_latest: int = NEVER
    """The end of what `Retry-After` asked for, at the earliest and with jitter."""
    failed_at: int = NEVER
    failed: int = 0
    confirmed: int = 0
    in_flight: list[tuple[Delivery, int, int]] = field(default_factory=list)
    """Delivery, time of its start, number of failures before it."""
    refreshed_at: int = NEVER
    refresh_began_at: int = NEVER
    posted: dict[str, int] = field(default_factory=dict)
    """When each key was last confirmed as open."""
    free_since: int | None = None
    """Since when nothing keeps a refresh from being sent."""

    def may_start(self, now: int) -> str | None:
        """None, or why no attempt may start now."""
        if now < self.asked:
            return f"Retry-After asked for {self.asked - now} ms more"
        if now < self.earliest:
            return f"back-off after {self.most} failures lasts {self.earliest - now} ms more"
        if len(self.in_flight) >= MOST_IN_FLIGHT:
            return "four are in flight"
        since = [one for one in self.in_flight if one[2] == self.failed]
        if self.fewest and since:
            return "one is in flight, and the channel fails"
        return None

    def must_start(self, now: int) -> bool:
        """True if nothing of the channel's own holds an attempt."""
        most = 1 if self.most else MOST_IN_FLIGHT
        return now >= max(self.latest, self.asked_latest) and len(self.in_flight) < most

    def end(self, delivery: Delivery, outcome: SendOutcome, now: int) -> None:
        started = next(one for one in self.in_flight if one[0] is delivery)
        self.in_flight.remove(started)
        match outcome.kind:
            case "confirmed":
                self.fewest = self.most = self.doubled = 0
                self.earliest = NEVER
                self.latest = min(self.latest, now)
                self.confirmed += 1
            case "refused":
                # It answered: the rules don't say whether that ends the back-off.
                self.fewest = self.doubled = 0
                self.earliest = NEVER
            case "not_attempted":
                pass
            case _:
                self._fail(outcome, now, started[2])

    def _fail(self, outcome: SendOutcome, now: int, failed_before: int) -> None:
        counts = failed_before == self.failed or not self.fewest
        if counts:
            self.fewest += 1
            self.doubled += outcome.kind != "misconfigured"
        self.failed += 1
        self.most += 1
        self.failed_at = now
        least = min(LONGEST_MS, FIRST_MS * 2 ** max(0, self.doubled - 1))
        longest = min(LONGEST_MS, FIRST_MS * 2 ** (self.most - 1))
        if outcome.kind == "misconfigured":
            least = longest = LONGEST_MS
        if counts:
            # One that was under way at the first failure needs no wait of its own.
            self.earliest = max(self.earliest, now + int(least * (1 - JITTER)))
        self.latest = max(self.latest, now + int(longest * (1 + JITTER)) + 1)
        if outcome.retry_after_s is not None:
            asked = min(MOST_RETRY_AFTER_MS, int(outcome.retry_after_s * 1000))
            if outcome.kind != "misconfigured":
                self.asked = max(self.asked, now + asked)
            self.asked_latest = max(self.asked_latest, now + int(asked * (1 + JITTER)) + 1)

    def clock_set_back(self, now: int) -> None:
        """Waits that lie further ahead than they can be long count as over."""
        self.earliest = self.asked = NEVER
        self.asked_latest = min(self.asked_latest, now + MOST_RETRY_AFTER_MS)
        self.latest = min(self.latest, now + MOST_RETRY_AFTER_MS + int(LONGEST_MS * JITTER))
        self.refreshed_at = self.refresh_began_at = NEVER
        self.posted = dict.fromkeys(self.posted, now + LONGEST_MS)
