"""The regions: what the stream last said of each, and the newest beats of their probers."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

from msgspec import UNSET, Struct

from portquorum.web.answers import ProberRow, RegionState
from schemas.incident import RegionEvent, RegionEventKind
from schemas.result import RECEIVER

SILENT_MS: Final = 15_000
"""A region without beats for so long is silent (rule 4 of docs/rules.md)."""

MOST_REGIONS: Final = 1_000

Trouble = Literal["silent", "suspect", "secrets"]
_ENDS: Final[dict[RegionEventKind, Trouble]] = {
    "region.returned": "silent",
    "region.cleared": "suspect",
    "region.secrets_found": "secrets",
}
_BEGINS: Final[dict[RegionEventKind, Trouble]] = {
    "region.silent": "silent",
    "region.suspect": "suspect",
    "region.secrets_missing": "secrets",
}


class RegionSeen(Struct, frozen=True, kw_only=True):
    """A region as it is: `since` is the last beat of a silent one, or the event's time."""

    name: str
    state: RegionState
    since: int | None
    last_beat_at: int | None
    summary: str
    probers: tuple[ProberRow, ...]
    missing_secrets: dict[str, tuple[str, ...]]


class RegionBook:
    """Three states of each region, each by its newest event, and the beats."""

    def __init__(self) -> None:
        self.version = 0
        self._said: dict[tuple[str, Trouble], RegionEvent] = {}
        self._beats: dict[str, tuple[ProberRow, ...]] = {}
        self._beats_at: int | None = None
        self._quiet: frozenset[str] = frozenset()

    def apply(self, event: RegionEvent) -> bool:
        """The newest event of a region; True if it is news. A skewed clock touches no state."""
        trouble = _BEGINS.get(event.event) or _ENDS.get(event.event)
        if trouble is None:
            return False
        known = self._said.get((event.region, trouble))
        if known is None and len(self._said) >= 3 * MOST_REGIONS:
            return False
        if known is not None and (event.at < known.at or event.event_id == known.event_id):
            return False
        self._said[event.region, trouble] = event
        self.version += 1
        return True

    def apply_beats(self, beats: Mapping[str, Sequence[ProberRow]], at: int) -> bool:
        """The newest beat of each prober; True if a region came, went or fell silent by it."""
        before = self._signs()
        self._beats = {
            name: tuple(sorted(rows, key=lambda one: one.name))
            for name, rows in list(beats.items())[:MOST_REGIONS]
        }
        self._beats_at = at
        if self._signs() == before:
            return False
        self.version += 1
        return True

    def names(self) -> set[str]:
        """The regions that events or beats name."""
        return {name for name, _ in self._said} | set(self._beats)

    def seen(self, name: str) -> RegionSeen:
        """A region as it is."""
        probers = self._beats.get(name, ())
        silent, suspect = self._trouble(name, "silent"), self._trouble(name, "suspect")
        secrets = self._trouble(name, "secrets")
        told = silent.last_beat_at if silent is not None else None
        last = max((one.at for one in probers), default=told)
        missing = secrets.missing_secrets if secrets is not None else UNSET
        state, since, summary = self._state(name, silent, suspect, last)
        return RegionSeen(
            name=name,
            state=state,
            since=since,
            last_beat_at=last,
            summary=summary or (secrets.summary if secrets is not None else ""),
            probers=probers,
            missing_secrets={} if missing is UNSET else dict(missing),
        )

    def troubled(self) -> Iterator[RegionSeen]:
        """The regions that are silent or set aside, by name."""
        for name in sorted(self.names()):
            found = self.seen(name)
            if found.state != "reporting":
                yield found

    def _state(
        self, name: str, silent: RegionEvent | None, suspect: RegionEvent | None, last: int | None
    ) -> tuple[RegionState, int | None, str]:
        if silent is not None and not self._heard_since(last, silent):
            return ("never_heard" if last is None else "silent"), last, silent.summary
        if last is None and self._beats_at is not None:
            return "never_heard", None, f"{_nobody_of(name)} reports."
        if self._is_quiet(last):
            return "silent", last, f"{_nobody_of(name)} has reported since."
        if suspect is not None:
            return "suspect", suspect.at, suspect.summary
        return "reporting", None, ""

    def _heard_since(self, last: int | None, silent: RegionEvent) -> bool:
        """A beat that is newer than the silence: `region.returned` is on its way."""
        return last is not None and last > silent.at and not self._is_quiet(last)

    def _is_quiet(self, last: int | None) -> bool:
        """True if the beats, which are newer than any event, show a silence."""
        return (
            last is not None and self._beats_at is not None and (last < self._beats_at - SILENT_MS)
        )

    def _trouble(self, name: str, trouble: Trouble) -> RegionEvent | None:
        found = self._said.get((name, trouble))
        return found if found is not None and found.event in _BEGINS else None

    def _signs(self) -> dict[str, tuple[RegionState, int]]:
        """What of the beats changes an answer beyond ages; "" is a region of which nobody spoke."""
        return {
            name: (self.seen(name).state, len(self._beats.get(name, ())))
            for name in self.names() | {""}
        }


def _nobody_of(name: str) -> str:
    return "No receiver of heartbeats" if name == RECEIVER else f"No prober of region {name}"
