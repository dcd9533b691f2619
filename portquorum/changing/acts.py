"""Incidents, silences, maintenance and pauses: what an operator does."""

from collections.abc import Sequence
from typing import Literal, Protocol

from msgspec import Struct

from portquorum.access.principal import Principal
from portquorum.inventory.document import MaintenanceEntry
from schemas.policy import Match
from schemas.web import IncidentNote


class Said(Struct, frozen=True, kw_only=True):
    """What became of a word on an incident.

    `outcome`: as of `portquorum ack`: `acknowledged`, `resolved`, `known` (already so), `closed`
    (it had closed before), `unanswered` (written; the stream has not answered within 5 s).
    """

    incident_id: str
    target: str
    by: str
    outcome: Literal["acknowledged", "resolved", "known", "closed", "unanswered"]
    note: str | None = None


class WantedMatch(Match, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A `Match` as asked for: a misspelt condition would be none, and match everything."""


class WantedSilence(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A silence as asked for; times are UTC ms. `begins_at` None: now.

    Exactly one of `ends_at` and `for_ms` is needed.
    """

    match: WantedMatch
    reason: str
    begins_at: int | None = None
    ends_at: int | None = None
    for_ms: int | None = None


class SilenceMade(Struct, frozen=True, kw_only=True):
    """A silence, or with `dry_run` what would become one (`id` empty).

    `targets` and `incidents` are the ids that it matches now, the first 100; `targets_total` and
    `incidents_total` count all. `in_force`: the active notifier has confirmed it.
    """

    id: str
    match: Match
    reason: str
    by: str
    begins_at: int
    ends_at: int
    targets: tuple[str, ...]
    targets_total: int
    incidents: tuple[str, ...]
    incidents_total: int
    in_force: bool
    dry_run: bool = False


class WindowMade(Struct, frozen=True, kw_only=True):
    """A maintenance window of the page's own; `version` is for If-Match."""

    name: str
    version: int
    entry: MaintenanceEntry
    targets_total: int


class PauseMade(Struct, frozen=True, kw_only=True):
    """A pause of one target; `until` UTC ms, None: until somebody resumes it."""

    target: str
    paused: bool
    until: int | None = None
    reason: str = ""
    by: str = ""


class Acts(Protocol):
    """What an operator does; `portquorum.web.acts` has it. All raise ChangeError."""

    async def acknowledge(
        self, who: Principal, incidents: Sequence[str], note: str
    ) -> tuple[Said, ...]:
        """Acknowledges open incidents, up to 500."""

    async def resolve(
        self, who: Principal, incidents: Sequence[str], note: str
    ) -> tuple[Said, ...]:
        """Closes open incidents by hand, up to 500."""

    async def note(self, who: Principal, incident: str, text: str) -> IncidentNote:
        """Writes a note beside an incident, open or closed."""

    def notes(self, incident: str) -> Sequence[IncidentNote]:
        """The notes of an incident, the oldest first."""

    async def silence(
        self, who: Principal, wanted: WantedSilence, *, dry_run: bool = False
    ) -> SilenceMade:
        """Makes a silence; one without a condition needs no limits and the scope admin."""

    async def end_silence(self, who: Principal, silence: str) -> SilenceMade:
        """Ends a silence now."""

    def window(self, name: str) -> WindowMade | None:
        """A window of the page's own; None: there is none, or it is a file's."""

    async def put_window(
        self, who: Principal, name: str, entry: MaintenanceEntry, if_version: int | None
    ) -> WindowMade:
        """Makes or replaces a window; `if_version` as of `Edits.put`."""

    async def remove_window(self, who: Principal, name: str, if_version: int | None) -> None:
        """Removes a window."""

    async def pause(
        self, who: Principal, targets: Sequence[str], until: int | None, reason: str
    ) -> tuple[PauseMade, ...]:
        """Pauses targets of any source, up to 10,000: nobody checks them, open incidents close."""

    async def resume(self, who: Principal, targets: Sequence[str]) -> tuple[PauseMade, ...]:
        """Ends pauses; a target that is not paused stays as it is."""
