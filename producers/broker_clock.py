"""The broker's clock in a prober, independent of the machine's clock.

It has one anchor, the monotonic clock, and an offset from produce acknowledgements. A message is
enqueued at local time `e`, the broker stamps it with `a`, the acknowledgement arrives at local time
`s`. The stamp was made between the two, so the true offset (broker minus local) lies in
`[a - s, a - e]`. Delays of a message (our queue, the network, a frozen broker) only increase
`a - e`: the smallest `a - e` of many samples is the best estimate.
"""

import time
from collections import deque
from collections.abc import Callable
from typing import Final

WINDOW_S: Final = 60.0
"""The offset is the smallest sample of this time."""

GOOD_ROUND_TRIP_S: Final = 1.0
"""A slower acknowledgement is too imprecise as a sample."""

SLEW: Final = 0.1
"""Rate of a correction (s/s): time never runs backwards, and a retry after `d` is reported after
`0.9 d` at least (the rules need `0.8 d`)."""

STEP_MS: Final = 5_000.0
"""Larger forward corrections (after a suspend) are made at once; they keep the order."""

SET_BACK_MS: Final = 10_000.0
"""Larger backward corrections are a broker's clock that was set back: what is published is stamped
by it, since the rules count no start that is 15 s ahead of its append time."""

SET_BACK_S: Final = 10.0
"""A clock that was set back stays so: brokers whose clocks differ contradict each other sooner."""

_TOLERANCE_MS: Final = 20.0


class Clock:
    """Broker time in ms since 1970 (UTC). Times of events come from `monotonic`.

    `wall` (seconds since 1970) is read once for the anchor, and in `raw_offset_ms` to report a
    machine whose clock is wrong. Nothing else in `producers` reads the wall clock.
    """

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.monotonic = monotonic
        self._wall = wall
        self._anchor_ms = wall() * 1000 - monotonic() * 1000
        self._samples: deque[tuple[float, float]] = deque()
        self._poor_ms: float | None = None
        self._wanted_ms: float | None = None
        self._offset_ms = 0.0
        self._slewed_at = 0.0
        self._behind_since: float | None = None

    @property
    def known(self) -> bool:
        """Whether `learn` and `settle` have set an offset. Before that no time is broker time."""
        return self._wanted_ms is not None

    def learn(self, enqueued_at: float, acknowledged_at: float, append_ms: int) -> None:
        """Takes one acknowledgement. Both local times are monotonic seconds.

        Only for stamps that the broker made (`timestamp_type` 1). The first offset is set by
        `settle`; later ones change the time slowly.
        """
        poor = acknowledged_at - enqueued_at > GOOD_ROUND_TRIP_S
        if poor and self.known:
            return
        most = append_ms - self._local_ms(enqueued_at)
        least = append_ms - self._local_ms(acknowledged_at)
        if poor:
            self._poor_ms = most if self._poor_ms is None else min(self._poor_ms, most)
            return
        # A sample that contradicts an older one: the offset has changed, older samples are void.
        while self._samples and self._samples[0][1] < least - _TOLERANCE_MS:
            self._samples.popleft()
        # A deque of increasing offsets: the first is the smallest of the window.
        while self._samples and self._samples[-1][1] >= most:
            self._samples.pop()
        self._samples.append((acknowledged_at, most))
        while self._samples[0][0] < acknowledged_at - WINDOW_S:
            self._samples.popleft()
        if self._wanted_ms is not None:
            self._slew(acknowledged_at)
            self._wanted_ms = self._samples[0][1]
            if self._offset_ms - self._wanted_ms <= SET_BACK_MS:
                self._behind_since = None
            elif self._behind_since is None:
                self._behind_since = acknowledged_at

    def settle(self, *, anyhow: bool = False) -> bool:
        """Makes the best sample so far the first offset; returns whether the offset is known.

        `anyhow` accepts a sample with a slow round trip.
        """
        if self._wanted_ms is None:
            if self._samples:
                self._wanted_ms = self._samples[0][1]
            elif anyhow:
                self._wanted_ms = self._poor_ms
            self._offset_ms = self._wanted_ms or 0.0
            self._slewed_at = self.monotonic()
        return self.known

    def at_ms(self, moment: float) -> float:
        """The broker time of a moment (monotonic seconds), by the present offset."""
        self._slew(self.monotonic())
        return self._local_ms(moment) + self._offset_ms

    def now_ms(self) -> float:
        """The broker time now. Never runs backwards once the offset is known."""
        return self.at_ms(self.monotonic())

    def ahead_ms(self) -> float:
        """By how much this time, which never runs backwards, is ahead of the broker's; mostly 0.

        Above 0 for as long as it takes to follow a broker's clock that was set back (hours): take
        it off from what is published, and from what is compared with times of others.
        """
        now = self.monotonic()
        self._slew(now)
        since = self._behind_since
        if since is None or self._wanted_ms is None or now - since < SET_BACK_S:
            return 0.0
        ahead_ms = self._offset_ms - self._wanted_ms
        return ahead_ms if ahead_ms > SET_BACK_MS else 0.0

    def moment_of(self, time_ms: float) -> float:
        """The moment (monotonic seconds) of a broker time, by the present offset."""
        self._slew(self.monotonic())
        return (time_ms - self._offset_ms - self._anchor_ms) / 1000

    def raw_offset_ms(self) -> int | None:
        """Broker time minus the machine's time at this moment, not slewed; None if not known."""
        if self._wanted_ms is None:
            return None
        return round(self._local_ms(self.monotonic()) + self._wanted_ms - self._wall() * 1000)

    def _local_ms(self, moment: float) -> float:
        return self._anchor_ms + moment * 1000

    def _slew(self, now: float) -> None:
        if self._wanted_ms is None:
            return
        elapsed_ms = max(0.0, now - self._slewed_at) * 1000
        self._slewed_at = max(self._slewed_at, now)
        change = self._wanted_ms - self._offset_ms
        if change > STEP_MS:
            self._offset_ms = self._wanted_ms
        else:
            most = SLEW * elapsed_ms
            self._offset_ms += min(most, max(-most, change))
