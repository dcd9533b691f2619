"""Turns what was applied into changes for viewers: each incident for itself, a flood as one.

A viewer sees an event within `WINDOW_S`. In a mass outage ten thousand events within a minute are
not ten thousand messages to each viewer: what comes in one window beyond `SINGLE` is told as one
change without a subject, and the page asks for what it shows.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from portquorum.web.answers import Change, ChangeKind
from portquorum.web.fleet import Fleet
from portquorum.web.fleet.position import Source
from portquorum.web.following.hub import Hub

WINDOW_S: Final = 0.1
SINGLE: Final = 20
"""Changes of a window that are told one by one."""


class Announcer:
    """Collects the changes of a window, then tells them. `now` gives UTC ms."""

    def __init__(self, fleet: Fleet, hub: Hub, now: Callable[[], int]) -> None:
        self._fleet = fleet
        self._hub = hub
        self._now = now
        self._steps: dict[tuple[Source, int], int] = {}
        """By topic and partition the offset behind the newest record."""
        self._changed: dict[tuple[ChangeKind, str], None] = {}
        self._waiting = asyncio.Event()

    def applied(self, source: Source, partition: int, offset: int) -> None:
        """A record was applied, be it news or not."""
        self._steps[source, partition] = offset + 1

    def changed(self, kind: ChangeKind, subject: str) -> None:
        """Something changed; `subject` is an incident's id, a target, a region, a policy's key."""
        self._changed[kind, subject] = None
        self._waiting.set()

    async def run(self) -> None:
        """Tells without end; cancel the task to stop."""
        while True:
            await self._waiting.wait()
            await asyncio.sleep(WINDOW_S)
            self.tell()

    def tell(self) -> None:
        """Tells all that was collected."""
        self._waiting.clear()
        changed, self._changed = list(self._changed), {}
        steps, self._steps = self._steps, {}
        if len(changed) > SINGLE:
            changed = [(kind, "") for kind in dict.fromkeys(kind for kind, _ in changed)]
        # Who breaks off within a moment gets all of it again: only the last change has a position.
        changes = [
            self._change(kind, subject, is_last=number == len(changed))
            for number, (kind, subject) in enumerate(changed, start=1)
        ]
        self._hub.publish(changes, [(*place, offset) for place, offset in steps.items()])

    def tell_sight(self) -> None:
        """Tells whether the page is blind, and how old the data are."""
        self._hub.publish([self._change("freshness", "", is_last=False)])

    def _change(self, kind: ChangeKind, subject: str, *, is_last: bool) -> Change:
        return Change(
            kind=kind,
            id=self._fleet.position if is_last else "",
            at=self._now(),
            subject=subject,
            counts=self._fleet.counts(),
            incident=self._fleet.incident_row(subject) if kind == "incident" else None,
            freshness=self._fleet.freshness() if kind == "freshness" else None,
        )
