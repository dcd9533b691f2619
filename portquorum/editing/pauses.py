"""Pauses, as bulk changes need them."""

from collections.abc import Mapping
from typing import Protocol

from msgspec import structs

from foundation.settings import Settings
from portquorum.editing.published import Published
from portquorum.pausing import records
from schemas.policy import Pause


class Pauses(Protocol):
    """The pauses that there are, and how they are written."""

    def now(self) -> Mapping[str, Pause]:
        """By target id; those that are over may be among them."""

    async def write(self, pauses: Mapping[str, Pause | None], by: str, at: int) -> None:
        """Pauses targets from `at` (UTC ms) on, or ends their pauses (None).

        A pause that begins earlier is put back as it was.

        Raises:
            KafkaError, OSError, TimeoutError: some may be written.
        """


class KafkaPauses:
    """Pauses in [policy] and on the log."""

    def __init__(self, settings: Settings, published: Published) -> None:
        self._settings = settings
        self._published = published

    def now(self) -> Mapping[str, Pause]:
        return records.pauses_of(self._published.policy())

    async def write(self, pauses: Mapping[str, Pause | None], by: str, at: int) -> None:
        homes = {
            name: placed[0].partition for name in pauses if (placed := self._published.placed(name))
        }
        begun = [
            structs.replace(one, paused_at=min(one.paused_at, at))
            for one in pauses.values()
            if one is not None
        ]
        ended = [name for name, one in pauses.items() if one is None]
        if begun:
            await records.pause(self._settings, begun, homes)
        if ended:
            await records.resume(self._settings, ended, by, homes)
        await self._published.caught_up()
