"""Notes beside incidents, in the journal."""

import secrets
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from portquorum.access.principal import Principal
from portquorum.changing.errors import ChangeError
from portquorum.web.acts.desk import AWAY, Desk, away, cleaned, wall_ms
from portquorum.web.acts.limits import must_touch
from portquorum.web.ports import History
from schemas.web import IncidentNote, Web

MOST_CHARS: Final = 10_000
MOST_NOTES: Final = 1_000
"""Notes of one incident."""
_PREFIX: Final = "note/"


class NoteBook:
    """Writes notes, and finds those of an incident."""

    def __init__(self, desk: Desk, history: History) -> None:
        """`history` knows incidents that closed long ago."""
        self._desk = desk
        self._history = history
        self._by_incident: dict[str, list[IncidentNote]] | None = None
        desk.journal.on_change(self._told)

    def of(self, incident: str) -> Sequence[IncidentNote]:
        """The notes of an incident, the oldest first."""
        found = self._indexed().get(incident, ())
        return sorted(found, key=lambda one: one.at)

    async def write(self, who: Principal, incident: str, text: str) -> IncidentNote:
        """As of `Acts.note`.

        Raises:
            ChangeError: 400, 403, 404, 409 (it has very many), 503.
        """
        self._desk.must_be_read()
        words = cleaned("text", text, MOST_CHARS, needed=True)
        team, tags = await self._whose(incident)
        must_touch(who, f"the incident {incident!r}", team, tags)
        if len(self._indexed().get(incident, ())) >= MOST_NOTES:
            raise ChangeError(
                HTTPStatus.CONFLICT, f"the incident {incident!r} has {MOST_NOTES} notes already"
            )
        note = IncidentNote(
            id=secrets.token_hex(8), incident_id=incident, at=wall_ms(), by=who.name, text=words
        )
        try:
            await self._desk.journal.put([note])
        except AWAY as error:
            raise away(error) from error
        await self._desk.audit(who, "write note", [incident], words[:200])
        return note

    async def _whose(self, incident: str) -> tuple[str | None, tuple[str, ...]]:
        """Team and tags of an incident.

        Raises:
            ChangeError: 404.
        """
        kept = self._desk.fleet.incident_book.get(incident)
        if kept is not None:
            return kept.event.team, kept.event.tags
        found = await self._history.incident(incident)
        if found is None:
            raise ChangeError(HTTPStatus.NOT_FOUND, f"there is no incident {incident[:128]!r}")
        return found.newest.team, found.newest.tags

    def _indexed(self) -> dict[str, list[IncidentNote]]:
        if self._by_incident is not None:
            return self._by_incident
        found: dict[str, list[IncidentNote]] = {}
        for note in self._desk.journal.book.every(IncidentNote).values():
            found.setdefault(note.incident_id, []).append(note)
        if self._desk.journal.is_present.is_set():
            self._by_incident = found
        return found

    def _told(self, record: Web | None, identity: str) -> None:
        """One more note is put into the index; when one is gone, it is made anew."""
        if isinstance(record, IncidentNote) and self._by_incident is not None:
            self._by_incident.setdefault(record.incident_id, []).append(record)
        elif record is None and identity.startswith(_PREFIX):
            self._by_incident = None
