"""Which events somebody wants to see."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Final, get_args

from msgspec import Struct

from portquorum.events.message import EventMessage, short_type
from schemas.incident import EventKind, RegionEventKind, TargetsEventKind

KNOWN_TYPES: Final = (
    *(f"incident.{one}" for one in get_args(EventKind)),
    *get_args(RegionEventKind),
    *get_args(TargetsEventKind),
)
"""The types that this version writes; a newer one may write others."""


class EventSelection(Struct, frozen=True, kw_only=True):
    """Conditions, all of which an event must meet; an empty one is met.

    `types` are patterns with `*`, of which one must match. `target` is a target's id, `host:port`,
    or a part of its id, name or host, in any case. `since` (inclusive) and `until` (exclusive) are
    times of events, UTC ms.
    """

    types: Sequence[str] = ()
    target: str = ""
    teams: Sequence[str] = ()
    since: int = 0
    until: int | None = None

    def takes(self, event: EventMessage) -> bool:
        """True if the event meets all conditions."""
        return (
            self.covers(event.at)
            and (
                not self.types or any(is_type(event.attributes["type"], one) for one in self.types)
            )
            and (not self.teams or event.text("team") in self.teams)
            and (not self.target or _is_about(event, self.target.casefold()))
        )

    def covers(self, at: int) -> bool:
        """True if a time, UTC ms, is one that is asked for."""
        return self.since <= at and (self.until is None or at < self.until)

    @property
    def by_content(self) -> bool:
        """True if some events are left out for another reason than their time."""
        return bool(self.types or self.target or self.teams)


def is_type(full: str, pattern: str) -> bool:
    """True if `pattern` matches the type: in full, without its frame, or its last word alone.

    `portquorum.incident.opened.v1` is matched by itself, `incident.opened`, `opened`, and by
    patterns of each, as `incident.*`.
    """
    short = short_type(full)
    names = (full, short, short.rpartition(".")[2])
    return any(fnmatchcase(name, pattern) for name in names)


def unknown_types(patterns: Sequence[str]) -> list[str]:
    """The patterns that match no type which this version writes."""
    known = [f"portquorum.{one}.v1" for one in KNOWN_TYPES]
    return [one for one in patterns if not any(is_type(full, one) for full in known)]


def _is_about(event: EventMessage, wanted: str) -> bool:
    target, name, host = (event.text(one).casefold() for one in ("target", "name", "host"))
    return wanted in target or wanted in name or wanted in host or wanted == _place(event, host)


def _place(event: EventMessage, host: str) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"{shown}:{event.text('port')}"
