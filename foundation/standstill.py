"""What stands still though there is work: partitions that are read, and topics that are written."""

import time
from collections.abc import Callable
from typing import Final

from prometheus_client import Gauge

PARTITION_IDLE: Final = Gauge(
    "portquorum_partition_idle_seconds",
    "Time since this process last got on with a partition that has more for it; 0: all is done",
    ["topic", "partition"],
)
WRITE_WAIT: Final = Gauge(
    "portquorum_write_wait_seconds",
    "Time that a message has waited for the broker's confirmation, tries made again included",
    ["topic"],
)

GIVEN_UP_S: Final = 90.0
"""Time without another try after which a failed write counts as given up by whoever wanted it."""


class PartitionProgress:
    """How far a reader has come with each partition, and since when it stands still.

    One for each reader of a process; `show` belongs to one thread.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        """`now` gives seconds."""
        self._now = now
        self._seen: dict[tuple[str, int], tuple[int, float]] = {}

    def show(self, topic: str, partition: int, done: int, end: int) -> float:
        """Sets the gauge, and returns it: seconds without progress, 0 if nothing is left to do.

        `done` is the first offset that is not done, `end` the one after the last of the log.
        """
        now, key = self._now(), (topic, partition)
        before, since = self._seen.get(key, (done, now))
        if done >= end or done != before:
            since = now
        self._seen[key] = done, since
        PARTITION_IDLE.labels(topic, str(partition)).set(now - since)
        return now - since

    def forget(self, topic: str, partition: int) -> None:
        """Removes the gauge of a partition that is another reader's now."""
        if self._seen.pop((topic, partition), None) is not None:
            PARTITION_IDLE.remove(topic, str(partition))


class Write:
    """One message, or several at once, on the way to a partition; end it once."""

    def __init__(self, waits: "WriteWaits", key: tuple[str, int | None]) -> None:
        self._waits = waits
        self._key = key
        self._ended = False

    def confirmed(self) -> None:
        """The broker has it."""
        self._end(confirmed=True)

    def failed(self) -> None:
        """It was not confirmed; whoever wants it tries again."""
        self._end(confirmed=False)

    def _end(self, *, confirmed: bool) -> None:
        if not self._ended:
            self._ended = True
            self._waits.ended(self._key, confirmed=confirmed)


class WriteWaits:
    """Since when each partition of a topic has confirmed nothing of what was to be written."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        """`now` gives seconds."""
        self._now = now
        # Since when, how many are on their way, and when the last of them ended.
        self._waiting: dict[tuple[str, int | None], tuple[float, int, float]] = {}

    def begin(self, topic: str, partition: int | None = None) -> Write:
        """A write begins; without `partition` all of the topic count as one."""
        key, now = (topic, partition), self._now()
        since, count, ended = self._waiting.get(key, (now, 0, now))
        if count == 0 and now - ended > GIVEN_UP_S:
            since = now
        self._waiting[key] = since, count + 1, ended
        return Write(self, key)

    def ended(self, key: tuple[str, int | None], *, confirmed: bool) -> None:
        """One of the writes of a partition has ended."""
        now = self._now()
        since, count, _ = self._waiting.get(key, (now, 1, now))
        if confirmed and count <= 1:
            self._waiting.pop(key, None)
        else:
            self._waiting[key] = now if confirmed else since, max(count - 1, 0), now

    def longest(self, topic: str) -> float:
        """The longest wait of a partition of `topic`, in s; 0 if none waits."""
        now = self._now()
        return max(
            (
                now - since
                for (name, _), (since, count, ended) in list(self._waiting.items())
                if name == topic and (count or now - ended <= GIVEN_UP_S)
            ),
            default=0.0,
        )


_writes: Final = WriteWaits()
_shown: Final[set[str]] = set()


def write_begins(topic: str, partition: int | None = None) -> Write:
    """A write of this process, by the topic's name without a prefix; its metric is kept."""
    if topic not in _shown:
        _shown.add(topic)
        WRITE_WAIT.labels(topic).set_function(lambda: _writes.longest(topic))
    return _writes.begin(topic, partition)
