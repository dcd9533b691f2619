"""Asks on-call systems which of our open alerts somebody has in hand there.

Only the active notifier asks, and only while something is open there that nobody has acknowledged.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Final, Protocol

from msgspec import Struct

from foundation import telemetry
from foundation.log_throttle import LogThrottle
from foundation.settings import Settings
from schemas.incident import IncidentEvent
from schemas.notifier_state import SUBJECT_PREFIX
from sinks.notifier.channels.address import ChannelUrlError
from sinks.notifier.channels.classes import ALERTMANAGER, scheme_of, usable
from sinks.notifier.decision.subjects import INCIDENT
from sinks.notifier.links.by_alertmanager import silenced
from sinks.notifier.links.by_opsgenie import acknowledged
from sinks.notifier.links.desk_view import LinkMemory, decoded
from sinks.notifier.links.fetching import Fetch, FetchError, fetch, in_thread
from sinks.notifier.links.returned import ReturnedWord
from sinks.notifier.links.spoken import NotWrittenError, SpokenWords, note_of, who
from sinks.notifier.model import Channel
from sinks.notifier.secrets import MissingSecretError

EVERY_S: Final = 15.0
"""Between two looks, in s."""

SAID_FOR_S: Final = 300.0
"""So long a word that was written is not written again, in s: the stream may be away."""

MOST_URLS: Final = 20
_INCIDENTS: Final = SUBJECT_PREFIX + INCIDENT.encode()
_BREATH: Final = 50
_WARNED_EVERY_S: Final = 600.0
_CLOSE_WITHIN_S: Final = 0.5

_log: Final = telemetry.logger(__name__)


class _Ask(Protocol):
    def __call__(
        self, url: str, keys: Mapping[str, IncidentEvent], fetch: Fetch
    ) -> dict[str, ReturnedWord]: ...


class _System(Struct, frozen=True):
    """`name` goes before the person's; every so many looks it is asked."""

    name: str
    ask: _Ask
    looks: int


_ALERTMANAGER: Final = _System("alertmanager", silenced, 1)
SYSTEMS: Final[dict[str, _System]] = {
    **dict.fromkeys(ALERTMANAGER, _ALERTMANAGER),
    "opsgenie": _System("opsgenie", acknowledged, 4),
}
"""By the scheme of the channel's URL."""

_MARKS: Final = (b"alertmanager+", b"opsgenie:", b"${")
"""What a record has that names such a channel: the others are not decoded."""


class AcknowledgementPolls:
    """The looks of one process. `every_s` is for tests."""

    def __init__(
        self,
        settings: Settings,
        current: Callable[[], LinkMemory | None],
        active: Callable[[], bool],
        every_s: float = EVERY_S,
    ) -> None:
        """`current` gives the memory of the present notifier, `active` whether it may send."""
        self._current = current
        self._active = active
        self._every_s = every_s
        self._spoken = SpokenWords(settings)
        self._said: dict[tuple[str, str], float] = {}
        self._warned = LogThrottle[str](_WARNED_EVERY_S)

    async def run(self) -> None:
        """Looks until it is cancelled."""
        look = 0
        try:
            while True:
                await asyncio.sleep(self._every_s)
                known = self._current()
                if known is None or not self._active():
                    continue
                try:
                    await self._look(known, look)
                except Exception:  # noqa: BLE001 - no answer may end the role
                    _log.exception("acknowledgements can't be asked for; please report")
                look += 1
        finally:
            await self._spoken.close(_CLOSE_WITHIN_S)

    async def _look(self, known: LinkMemory, look: int) -> None:
        wanted: dict[str, dict[str, IncidentEvent]] = defaultdict(dict)
        channels: dict[str, Channel] = {}
        async for channel, key, event in _unacknowledged(known):
            wanted[channel.url][key] = event
            channels[channel.url] = channel
        due = [url for url in wanted if look % SYSTEMS[scheme_of(url)].looks == 0]
        await asyncio.gather(*(self._ask(channels[url], wanted[url]) for url in due[:MOST_URLS]))

    async def _ask(self, channel: Channel, keys: Mapping[str, IncidentEvent]) -> None:
        system = SYSTEMS[scheme_of(channel.url)]
        try:
            url = usable(channel.url)
            found = await in_thread(lambda: system.ask(url, keys, fetch))
        except (MissingSecretError, ChannelUrlError, FetchError) as error:
            if self._warned.times(channel.name, time.monotonic()):
                _log.warning(
                    "a channel can't be asked for acknowledgements",
                    channel=channel.name,
                    error=str(error),
                )
            return
        for key, word in found.items():
            event = keys.get(key)
            if event is not None and self._active():
                await self._acknowledge(system.name, event, key, word)

    async def _acknowledge(
        self, system: str, event: IncidentEvent, key: str, word: ReturnedWord
    ) -> None:
        by = f"{system}: {who(word.by, 'somebody')}"
        mark, now = (key, by), time.monotonic()
        self._said = {one: at for one, at in self._said.items() if at + SAID_FOR_S > now}
        if mark in self._said:
            return
        try:
            await self._spoken.acknowledge(event, by, note_of(word.note))
        except NotWrittenError as error:
            _log.warning("an acknowledgement is not written", key=key, by=by, error=str(error))
            return
        self._said[mark] = now
        _log.info("acknowledged in an on-call system", incident_id=event.incident_id, by=by)


async def _unacknowledged(known: LinkMemory) -> AsyncIterator[tuple[Channel, str, IncidentEvent]]:
    """Channel, key and event of each open alert that nobody has in hand."""
    for number, raw in enumerate(list(_candidates(known))):
        if number % _BREATH == 0:
            await asyncio.sleep(0)
        found = decoded(raw)
        if found is None or not found.open or found.event.acknowledged_by is not None:
            continue
        for member in found.subject.audience:
            if member.open_key and scheme_of(member.url) in SYSTEMS:
                yield Channel(member.route, member.url), member.open_key, found.event


def _candidates(known: LinkMemory) -> Iterator[bytes]:
    for key, raw in known.values.items():
        if key.startswith(_INCIDENTS) and any(mark in raw for mark in _MARKS):
            yield raw
