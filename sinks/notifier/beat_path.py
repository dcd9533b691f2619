"""Whether a beat went prober → stream → notifier, judged for the dead man's switch. Pure; no I/O.

No clock of two machines is compared. What is known of a log is where it ended at an earlier moment
of this process: whatever lies behind that end is younger than the moment.
"""

from collections import deque
from collections.abc import Collection, Mapping
from typing import Final, Literal

from msgspec import Struct

BEAT_WITHIN_S: Final = 120.0
"""Largest age of the beat that the stream has passed."""

INCIDENTS_WITHIN_S: Final = 60.0
"""Largest age of the end of [incidents] up to which the notifier has decided."""

_MOST_NAMED: Final = 5

Partition = int


class LogEnds(Struct, frozen=True):
    """The ends of [results] and [incidents] at `at` (seconds, this process's clock)."""

    at: float
    results: Mapping[Partition, int]
    incidents: Mapping[Partition, int]


class EndsHistory:
    """The ends of the last minutes."""

    def __init__(self, keep_s: float = BEAT_WITHIN_S) -> None:
        self._keep_s = keep_s
        self._ends: deque[LogEnds] = deque()

    def add(self, ends: LogEnds) -> None:
        """Takes the newest ends, and forgets those that are too old for every question."""
        self._ends.append(ends)
        while ends.at - self._ends[0].at > self._keep_s:
            self._ends.popleft()

    def oldest(self, now: float, within_s: float) -> LogEnds | None:
        """The oldest ends that are at most `within_s` old; None if there are none."""
        return next((ends for ends in self._ends if now - ends.at <= within_s), None)


class BeatSearch(Struct, frozen=True):
    """What was found of [results].

    `behind`: partitions in which the stream has not passed the old end, `beatless`: in which it
    passed it, and no beat lies between.
    """

    behind: Collection[Partition] = ()
    beatless: Collection[Partition] = ()


Cause = Literal["starting", "stream", "prober", "notifier"]


class Interruption(Struct, frozen=True):
    """Why no beat went the whole way; `text` is for people."""

    cause: Cause
    text: str


def stretches(
    ends: Mapping[Partition, int], committed: Mapping[Partition, int]
) -> tuple[dict[Partition, tuple[int, int]], list[Partition]]:
    """The offsets in which a beat is to be looked for, and the partitions that have none.

    `committed` has the next offset that the stream will read; a stretch is from the old end
    (inclusive) to it (exclusive).
    """
    found = {
        part: (end, committed[part]) for part, end in ends.items() if committed.get(part, -1) > end
    }
    return found, [part for part in ends if part not in found]


def interruption(
    beats: BeatSearch | None,
    incidents: LogEnds | None,
    decided: Mapping[Partition, int],
    *,
    beat_within_s: float = BEAT_WITHIN_S,
    incidents_within_s: float = INCIDENTS_WITHIN_S,
) -> Interruption | None:
    """What interrupts the way; None: a beat went all of it.

    Args:
        beats: what was found of [results]; None: too little is known of the past.
        incidents: ends that are at most `incidents_within_s` old; None as above.
        decided: the next offset that the notifier will decide, for each partition.
        beat_within_s: for the text.
        incidents_within_s: for the text.
    """
    if beats is None or incidents is None:
        return Interruption("starting", "the ends of the logs are not known for long enough")
    if beats.behind:
        return Interruption(
            "stream",
            f"the stream has committed nothing of the last {beat_within_s:g} s "
            f"in {_named(beats.behind)}",
        )
    if beats.beatless:
        return Interruption(
            "prober",
            f"no beat of a prober is in the last {beat_within_s:g} s of {_named(beats.beatless)}",
        )
    late = [part for part, end in incidents.incidents.items() if decided.get(part, 0) < end]
    if late:
        return Interruption(
            "notifier",
            f"the notifier has not decided the incidents that are older than "
            f"{incidents_within_s:g} s in {_named(late)}",
        )
    return None


def _named(partitions: Collection[Partition]) -> str:
    first = ", ".join(str(part) for part in sorted(partitions)[:_MOST_NAMED])
    more = len(partitions) - _MOST_NAMED
    of = "partition" if len(partitions) == 1 else "partitions"
    return f"{of} {first}" + (f" and {more} more" if more > 0 else "")
