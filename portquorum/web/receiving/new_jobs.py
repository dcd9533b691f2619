"""Makes heartbeats for their first reports (`create=1` of Healthchecks' pinging API)."""

import time
from collections import deque
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from portquorum.access.principal import Principal
from portquorum.changing.edits import Edits
from portquorum.changing.errors import ChangeError
from portquorum.inventory.document import TargetEntry
from portquorum.receiver import answers
from portquorum.receiver.answers import RefusedError, TakenError
from portquorum.receiver.report import Job
from portquorum.receiver.request import NewJob
from schemas.target import Target

MOST_AN_HOUR: Final = 200
"""Jobs that are made by reports: whoever has a key must not fill the inventory."""
INTERVAL: Final = "1d"
GRACE: Final = "1h"
"""As Healthchecks makes them; to be changed on the page."""
_HOUR_S: Final = 3600.0
_TAKEN: Final = frozenset({HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED})


class NewJobs:
    """See `portquorum.receiver.app.JobMaker`: in the page's own inventory, within the key's limits.

    A job has the first team and the first tag that its key is limited to.
    """

    def __init__(self, edits: Edits, now: Callable[[], float] = time.monotonic) -> None:
        """`now` gives seconds."""
        self._edits = edits
        self._now = now
        self._made: deque[float] = deque()

    async def make(self, wanted: NewJob) -> Job:
        """Returns the job once it is in [targets].

        Raises:
            TakenError: something has this id.
            RefusedError: 404: it can't be made by this key; 503: not now.
        """
        key = wanted.key
        who = Principal(name=key.owner, scope="admin", via="token", teams=key.teams, tags=key.tags)
        entry = TargetEntry(
            kind="heartbeat",
            name=wanted.id,
            interval=INTERVAL,
            grace=GRACE,
            team=key.teams[0] if key.teams else None,
            tags=key.tags[:1] or None,
        )
        if not self._has_room():
            raise RefusedError(answers.NOT_FOUND)
        # Before the edit: a thousand requests at once would all find room.
        begun = self._now()
        self._made.append(begun)
        try:
            written = await self._edits.put(who, wanted.id, entry, 0)
        except ChangeError as error:
            self._made.remove(begun)
            if error.status in _TAKEN:
                raise TakenError from None
            is_later = error.status == HTTPStatus.SERVICE_UNAVAILABLE
            raise RefusedError(answers.NOT_CONFIRMED if is_later else answers.NOT_FOUND) from None
        return _job(written.target)

    def _has_room(self) -> bool:
        while self._made and self._made[0] <= self._now() - _HOUR_S:
            self._made.popleft()
        return len(self._made) < MOST_AN_HOUR


def _job(target: Target) -> Job:
    return Job(
        id=target.id,
        name=target.name,
        team=target.team,
        tags=target.tags,
        version=target.version,
        enabled=target.enabled,
    )
