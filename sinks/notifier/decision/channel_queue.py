"""What waits for one channel: groups of subjects, each with the time from which it may go. Pure."""

from collections.abc import Iterable
from typing import Final

from sinks.notifier.decision.channel_condition import ChannelCondition
from sinks.notifier.decision.subjects import CHANNEL_GROUP, MASS_GROUP
from sinks.notifier.decision.waiting_groups import WaitingGroups
from sinks.notifier.model import Channel, ChannelClass

REFRESH_MS: Final = 60_000
"""Interval at which a system that forgets is told again of what is open."""

_AT_ONCE: Final = (MASS_GROUP, CHANNEL_GROUP)


class ChannelQueue:
    """The queue of one channel.

    `open_keys` are the subjects with an open key in a system that forgets; `refresh_first`: the
    last failure was that of news, so that it is the turn of a refresh.
    """

    def __init__(
        self, channel: Channel, kind: ChannelClass, condition: ChannelCondition, *, refreshes: bool
    ) -> None:
        self.channel = channel
        self.id = channel.id
        self.kind = kind
        self.condition = condition
        self.refreshes = refreshes
        self.open_keys: dict[str, None] = {}
        self.refresh_at = 0
        self.refreshing: list[str] = []
        self.refresh_first = False
        self.flights: set[str] = set()
        self._groups = WaitingGroups()
        self._at_once = WaitingGroups()

    def add(self, group: str, key: str, ready_at: int) -> None:
        """Adds a subject to a group; the earliest subject of a group decides when it is ready."""
        self._of(group).add(group, key, ready_at)

    def discard(self, group: str, key: str) -> None:
        """Removes a subject from its group."""
        self._of(group).discard(group, key)

    def take(self, now: int, *, at_once: bool = False) -> tuple[str, list[str]] | None:
        """Removes and returns a group that is ready, with its subjects in their order.

        What does not wait for the channel's pace comes first; `at_once`: nothing else comes.
        """
        found = self._at_once.take(now)
        return found if found is not None or at_once else self._groups.take(now)

    def next_at(self, paced_at: int = 0, free_at: int = 0) -> int | None:
        """When the channel has something to do next, None if nothing waits for time.

        `paced_at` is from when its pace lets a message through, `free_at` from when one of what
        does not wait for the pace.
        """
        times = []
        if (ready_at := self._groups.first()) is not None:
            times.append(max(ready_at, paced_at))
        if (ready_at := self._at_once.first()) is not None:
            times.append(max(ready_at, min(paced_at, free_at)))
        if self.refreshes and (self.open_keys or self.refreshing):
            times.append(0 if self.refreshing else self.refresh_at)
        return max(min(times), self.condition.not_before) if times else None

    def waiting(self) -> Iterable[str]:
        """The subjects that wait."""
        return (key for _, key in self.waiting_in_groups())

    def waiting_in_groups(self) -> list[tuple[str, str]]:
        """The subjects that wait, each with its group."""
        return [*self._at_once.waiting(), *self._groups.waiting()]

    def not_later_than(self, at: int) -> None:
        """Nothing waits longer than until `at` from here on, for a clock that was set back."""
        self.condition.not_before = min(self.condition.not_before, at)
        self.refresh_at = min(self.refresh_at, at)
        self._groups.not_later_than(at)
        self._at_once.not_later_than(at)

    def _of(self, group: str) -> WaitingGroups:
        return self._at_once if waits_for_nothing(group) else self._groups


def waits_for_nothing(group: str) -> bool:
    """True for a group that goes before the channel's pace lets other messages through."""
    return group.startswith(_AT_ONCE)
