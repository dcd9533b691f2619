"""The Acts of `portquorum.changing.acts` over the fleet, the journal and Kafka."""

from collections.abc import Sequence

from foundation.settings import Settings
from portquorum.access.principal import Principal
from portquorum.changing.acts import PauseMade, Said, SilenceMade, WantedSilence, WindowMade
from portquorum.inventory.document import MaintenanceEntry
from portquorum.journal.protocol import Journal
from portquorum.web.acts.desk import Desk
from portquorum.web.acts.note_book import NoteBook
from portquorum.web.acts.pause_desk import PauseDesk
from portquorum.web.acts.silence_desk import SilenceDesk
from portquorum.web.acts.window_desk import WindowDesk
from portquorum.web.acts.word_desk import WordDesk
from portquorum.web.fleet import Fleet
from portquorum.web.ports import History, Hub
from schemas.control import Acknowledged, Resolved
from schemas.web import IncidentNote


class PageActs:
    """See `portquorum.changing.acts.Acts`; `run` it beside the app, and it ends its clients."""

    def __init__(
        self, settings: Settings, fleet: Fleet, hub: Hub, history: History, journal: Journal
    ) -> None:
        """Connects to nothing yet."""
        self._desk = Desk(settings, fleet, hub, journal)
        self._words = WordDesk(self._desk)
        self._notes = NoteBook(self._desk, history)
        self._silences = SilenceDesk(self._desk)
        self._windows = WindowDesk(self._desk)
        self._pauses = PauseDesk(self._desk, fleet.policy.pause_of)

    async def run(self) -> None:
        """Repairs what is published of windows, without end; cancel the task to stop."""
        try:
            await self._windows.publisher.run()
        finally:
            await self._desk.close()

    async def acknowledge(
        self, who: Principal, incidents: Sequence[str], note: str
    ) -> tuple[Said, ...]:
        return await self._words.say(Acknowledged, who, incidents, note)

    async def resolve(
        self, who: Principal, incidents: Sequence[str], note: str
    ) -> tuple[Said, ...]:
        return await self._words.say(Resolved, who, incidents, note)

    async def note(self, who: Principal, incident: str, text: str) -> IncidentNote:
        return await self._notes.write(who, incident, text)

    def notes(self, incident: str) -> Sequence[IncidentNote]:
        return self._notes.of(incident)

    async def silence(
        self, who: Principal, wanted: WantedSilence, *, dry_run: bool = False
    ) -> SilenceMade:
        return await self._silences.make(who, wanted, dry_run=dry_run)

    async def end_silence(self, who: Principal, silence: str) -> SilenceMade:
        return await self._silences.end(who, silence)

    def window(self, name: str) -> WindowMade | None:
        return self._windows.get(name)

    async def put_window(
        self, who: Principal, name: str, entry: MaintenanceEntry, if_version: int | None
    ) -> WindowMade:
        return await self._windows.put(who, name, entry, if_version)

    async def remove_window(self, who: Principal, name: str, if_version: int | None) -> None:
        await self._windows.remove(who, name, if_version)

    async def pause(
        self, who: Principal, targets: Sequence[str], until: int | None, reason: str
    ) -> tuple[PauseMade, ...]:
        return await self._pauses.pause(who, targets, until, reason)

    async def resume(self, who: Principal, targets: Sequence[str]) -> tuple[PauseMade, ...]:
        return await self._pauses.resume(who, targets)
