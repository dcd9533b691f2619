"""Collects the events of one host for a short time, so that ten ports give one message."""

from collections.abc import Iterator
from itertools import groupby

from aiokafka import TopicPartition
from msgspec import Struct

from schemas.incident import Event, IncidentEvent, RegionEvent, TargetsEvent
from schemas.partition import host_key


class ReceivedEvent(Struct, frozen=True, gc=False):
    """An event and the record that carried it."""

    event: Event
    partition: TopicPartition
    offset: int


def group_key(event: Event) -> str:
    """The key of events that may share a message: those of a host, a region, or a cause."""
    match event:
        case IncidentEvent():
            return f"host:{host_key(event.host, event.target)}"
        case RegionEvent():
            return f"region:{event.region}"
        case TargetsEvent():
            return f"targets:{event.cause_id}"


class Groups:
    """Open groups, each with its closing time (of any monotonic clock, s)."""

    def __init__(self, wait_s: float) -> None:
        self._wait_s = wait_s
        self._open: dict[str, tuple[float, list[ReceivedEvent]]] = {}

    def add(self, taken: ReceivedEvent, now: float) -> None:
        """Adds an event to its host's group; the group's first event sets the closing time."""
        key = group_key(taken.event)
        if key not in self._open:
            self._open[key] = (now + self._wait_s, [])
        self._open[key][1].append(taken)

    def next_end(self) -> float | None:
        """The closing time of the next group, None without groups."""
        return min((end for end, _ in self._open.values()), default=None)

    def closed(self, now: float) -> Iterator[tuple[str, list[ReceivedEvent]]]:
        """Removes and returns the groups whose closing time has come."""
        for key in [key for key, (end, _) in self._open.items() if end <= now]:
            yield key, self._open.pop(key)[1]


def runs(group: list[ReceivedEvent]) -> list[list[ReceivedEvent]]:
    """The messages of a group: consecutive events of the same type.

    An incident that opened and closed within the wait gives two messages, in that order.
    """
    return [list(run) for _, run in groupby(group, key=lambda taken: taken.event.event)]
