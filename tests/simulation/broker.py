"""The broker: takes messages in the order in which they arrive, stamps them, may be away."""

from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple

from tests.simulation.faults import Faults
from tests.simulation.loop import Loop
from tests.simulation.scenario import Scenario
from tests.simulation.spans import Spans
from tests.simulation.stillness import Headers, Stillness

WAY_MOST_MS = 260.0
"""No message takes longer to or from the broker, while both are there."""

BACK_MOST_MS = 2_000.0
"""How long a client needs to find a broker that is back."""

AGAIN_MOST_MS = 3_000.0
"""A message that is appended twice comes the second time within this."""

Taken = Callable[[int, int, bytes, Headers], None]
"""Partition, append time, value and headers of a message that was appended."""


class Letter(NamedTuple):
    """A message from `region` to each of `partitions`.

    `confirmed` is called with the append time when the sender hears of it. A message whose sender
    is no longer `alive` while it waits is lost.
    """

    region: str
    partitions: Sequence[int]
    value: bytes
    headers: Headers
    alive: Callable[[], bool]
    confirmed: Callable[[int], None]


class Broker:
    """One broker. `taken` is called for each message, in the order of its partition."""

    def __init__(
        self, scenario: Scenario, faults: Faults, loop: Loop, rng: Random, taken: Taken
    ) -> None:
        self._loop = loop
        self._rng = rng
        self._taken = taken
        self._duplicates = scenario.duplicates
        self._set_back = (scenario.set_back_at, scenario.set_back_ms)
        self.paused = Spans((pause.begin, pause.end) for pause in faults.pauses)
        self.cut = {
            region: Spans(
                (loss.begin, loss.end)
                for loss in faults.losses
                if loss.cut and loss.region == region
            )
            for region in {loss.region for loss in faults.losses}
        }
        self.messages = 0
        self.stillness = [Stillness() for _ in range(scenario.partitions)]
        self.appended_at: dict[int, float] = {}

    def way_ms(self) -> float:
        """How long a message is on its way."""
        rng = self._rng
        return rng.uniform(1, 60) + (rng.uniform(0, 200) if rng.random() < 0.005 else 0)

    def away_until(self, region: str | None) -> float | None:
        """When a client in `region` can reach the broker again; None if it can now."""
        now = self._loop.now
        found = self.paused.at(now)
        if found is None and region is not None and region in self.cut:
            found = self.cut[region].at(now)
        return found[1] if found else None

    def send(self, letter: Letter) -> None:
        """Sends a message; it waits while the broker is away."""
        self._loop.after(self.way_ms(), self._arrive, letter)

    def append(self, partition: int, value: bytes, headers: Headers) -> None:
        """Appends at once; the broker must be there."""
        now = self._loop.now
        self.messages += 1
        self.appended_at[partition] = now
        self.stillness[partition].appended(int(now), headers)
        self._taken(partition, self.stamp(), value, headers)

    def stamp(self) -> int:
        """The append time of a message that is appended now."""
        at, back_ms = self._set_back
        return int(self._loop.now - (back_ms if self._loop.now >= at else 0))

    def _arrive(self, letter: Letter) -> None:
        until = self.away_until(letter.region)
        if until is not None:
            if letter.alive():
                self._loop.at(until + self._rng.uniform(0, BACK_MOST_MS), self._arrive, letter)
            return
        value, headers = letter.value, letter.headers
        for partition in letter.partitions:
            self.append(partition, value, headers)
            if self._rng.random() < self._duplicates:
                wait_ms = self._rng.uniform(10, AGAIN_MOST_MS)
                self._loop.after(wait_ms, self._again, partition, value, headers)
        self._loop.after(self.way_ms(), self._heard, letter, self.stamp())

    def _again(self, partition: int, value: bytes, headers: Headers) -> None:
        if self.away_until(None) is None:
            self.append(partition, value, headers)

    def _heard(self, letter: Letter, append_time: int) -> None:
        if not letter.alive():
            return
        until = self.away_until(letter.region)
        if until is None:
            letter.confirmed(append_time)
        else:
            wait_until = until + self._rng.uniform(0, BACK_MOST_MS)
            self._loop.at(wait_until, self._heard, letter, append_time)
