"""Pauses of targets of any inventory."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from http import HTTPStatus
from typing import Any, Final

from portquorum.access.principal import Principal
from portquorum.changing.acts import PauseMade
from portquorum.changing.errors import ChangeError
from portquorum.pausing import records
from portquorum.web.acts.desk import AWAY, Desk, away, cleaned, wall_ms, wrong
from portquorum.web.acts.limits import must_touch
from portquorum.web.fleet.kept_target import KeptTarget
from schemas._types import MAX_MILLIS
from schemas.policy import Pause

MOST: Final = 10_000
WITHIN_S: Final = 30.0
"""Longest time of all writes."""
_MOST_REASON: Final = 500

PausesNow = Callable[[str], Pause | None]
"""The pause of a target as far as [policy] was read."""


class PauseDesk:
    """Pauses targets and ends their pauses."""

    def __init__(self, desk: Desk, pause_of: PausesNow) -> None:
        """`pause_of` knows the pauses that there are."""
        self._desk = desk
        self._pause_of = pause_of
        self._tasks: set[asyncio.Task[None]] = set()

    async def pause(
        self, who: Principal, targets: Sequence[str], until: int | None, reason: str
    ) -> tuple[PauseMade, ...]:
        """As of `Acts.pause`.

        Raises:
            ChangeError: 400, 403, 404, 503.
        """
        found = self._checked(who, targets)
        text = cleaned("reason", reason, _MOST_REASON)
        now = wall_ms()
        if until is not None and not now < until <= MAX_MILLIS:
            raise wrong("until", "expected a time in the future, found another one")
        pauses = [
            Pause(name=one.id, paused_at=now, until=until, reason=text, by=who.name)
            for one in found
        ]
        homes = {one.id: one.partition for one in found}
        await self._whole(records.pause(self._desk.settings, pauses, homes))
        last = pauses[-1] if pauses else None
        await self._desk.seen(lambda: last is None or self._pause_of(last.name) == last)
        names = [one.id for one in found]
        after = {"until": until or "resumed"}
        await self._desk.audit(who, "pause target", names, text, after=after)
        return tuple(
            PauseMade(target=one.id, paused=True, until=until, reason=text, by=who.name)
            for one in found
        )

    async def resume(self, who: Principal, targets: Sequence[str]) -> tuple[PauseMade, ...]:
        """As of `Acts.resume`.

        Raises:
            ChangeError: 403, 404, 503.
        """
        found = self._checked(who, targets)
        paused = [one for one in found if self._pause_of(one.id) is not None]
        names = [one.id for one in paused]
        if paused:
            homes = {one.id: one.partition for one in paused}
            await self._whole(records.resume(self._desk.settings, names, who.name, homes))
            await self._desk.seen(lambda: self._pause_of(names[-1]) is None)
            await self._desk.audit(who, "resume target", names)
        return tuple(PauseMade(target=one.id, paused=False, by=who.name) for one in found)

    async def _whole(self, writing: Coroutine[Any, Any, None]) -> None:
        """Waits for a write, which goes on to its end: half a pause would be one for nobody.

        Raises:
            ChangeError: 503, Kafka is away.
        """
        task = asyncio.create_task(writing)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await asyncio.wait({task}, timeout=WITHIN_S)
        if not task.done():
            raise away(TimeoutError(f"not confirmed within {WITHIN_S:.0f} s"))
        try:
            task.result()
        except AWAY as error:
            raise away(error) from error

    def _checked(self, who: Principal, targets: Sequence[str]) -> list[KeptTarget]:
        self._desk.must_be_read()
        if len(targets) > MOST:
            raise ChangeError(
                HTTPStatus.BAD_REQUEST, f"expected at most {MOST:,} targets, found {len(targets):,}"
            )
        found = [self._desk.target(one) for one in dict.fromkeys(targets)]
        for one in found:
            must_touch(who, f"the target {one.id!r}", one.shared.team, one.shared.tags)
        return found
