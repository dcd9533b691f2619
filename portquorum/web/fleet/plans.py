"""What [policy] has that pages show: regions, maintenance windows, silences, pauses."""

import heapq
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from portquorum.silencing.plan import state_of
from portquorum.web.answers import MaintenanceRow, SilenceRow
from schemas import policy
from schemas.incident import IncidentEvent
from schemas.occurrences import Window
from schemas.policy import PAUSES, SILENCES, Maintenance, Pause, Policy, Region, Silence
from sinks.notifier.matching import Matcher

TAG: Final = "tag:"
_PAUSE_KEYS: Final = f"{PAUSES}/pause/".encode()
_NAMING: Final = ("targets", "tags", "teams")


class PolicyBook:
    """The entries of [policy] by key, and what of them is on at the time of the last `tick`."""

    def __init__(self) -> None:
        self.version = 0
        self.now = 0
        self.regions: dict[str, Region] = {}
        self._entries: dict[bytes, Policy] = {}
        self._windows: dict[bytes, Window] = {}
        self._on: dict[str, tuple[bytes, ...]] = {}
        """By selector (a target's id, or `tag:NAME`) the windows that are on."""
        self._silences: dict[bytes, Silence] = {}
        self._active: dict[tuple[str, str], list[tuple[Silence, Matcher]]] = {}
        self._next_change = 0
        self._pauses: dict[str, Pause] = {}
        self._pause_ends: list[tuple[int, str]] = []
        self._repaused: set[str] = set()

    def apply(self, key: bytes, value: bytes | None) -> bool:
        """A record of [policy]; True if an entry came, changed or went."""
        entry = _read(value) if value else None
        if key.startswith(_PAUSE_KEYS):
            return self._apply_pause(key, entry)
        before = self._entries.get(key)
        if entry == before:
            return False  # a rule of ten years is not unrolled again
        self._entries.pop(key, None)
        self._windows.pop(key, None)
        self._silences.pop(key, None)
        if entry is not None:
            self._entries[key] = entry
            if isinstance(entry, Maintenance):
                self._windows[key] = Window(entry)
            elif isinstance(entry, Silence) and _source(key) == SILENCES:
                self._silences[key] = entry
        if isinstance(entry, Region) or isinstance(before, Region):
            self.regions = {
                one.name: one for one in self._entries.values() if isinstance(one, Region)
            }
        self.version += 1
        self._next_change = 0
        return True

    def entries(self) -> Iterator[tuple[bytes, Policy]]:
        """All entries by their keys, pauses too."""
        yield from self._entries.items()
        for target, pause in self._pauses.items():
            yield _PAUSE_KEYS + target.encode(), pause

    def tick(self, now: int) -> tuple[bool, bool]:
        """The time is `now`: True where the windows, or the silences, that are on have changed."""
        self.now = now
        if now < self._next_change:
            return False, False
        before, silenced = self._on, {one.name for one in self._in_force()}
        self._on = self._selectors(now)
        self._active = _by_place(one for one in self._silences.values() if _is_on(one, now))
        self._next_change = self._after(now)
        changed = self._on != before, {one.name for one in self._in_force()} != silenced
        self.version += any(changed)
        return changed

    def pause(self, target: str) -> Pause | None:
        """The pause of a target that is on."""
        found = self._pauses.get(target)
        return None if found is None or found.is_over(self.now) else found

    def take_repaused(self) -> set[str]:
        """The targets of which a pause came, changed, went or ended by itself since the last call.

        `tick` must have told the time before.
        """
        while self._pause_ends and self._pause_ends[0][0] <= self.now:
            self._repaused.add(heapq.heappop(self._pause_ends)[1])
        found, self._repaused = self._repaused, set()
        self.version += bool(found)
        return found

    def _apply_pause(self, key: bytes, entry: Policy | None) -> bool:
        """A pause, or its removal: nothing else is looked at, since there may be many at once."""
        target = key.removeprefix(_PAUSE_KEYS).decode(errors="replace")
        now = entry if isinstance(entry, Pause) and entry.name == target else None
        if now == self._pauses.get(target):
            return False
        if now is None:
            del self._pauses[target]
        else:
            self._pauses[target] = now
            if now.until is not None:
                heapq.heappush(self._pause_ends, (now.until, target))
        self._repaused.add(target)
        return True

    def is_maintained(self, target: str, tags: Iterable[str]) -> bool:
        """True if a window that is on covers a target."""
        return bool(self._on) and any(name in self._on for name in _selectors(target, tags))

    def covering(self, target: str, tags: Iterable[str]) -> str:
        """The name of the first window that is on and covers a target; empty: none does."""
        if not self._on:
            return ""
        for name in _selectors(target, tags):
            for key in self._on.get(name, ()):
                return self._windows[key].maintenance.name
        return ""

    def spares(self) -> bool:
        """True if any window or silence is on."""
        return bool(self._on or self._active)

    def selectors_on(self) -> Mapping[str, tuple[bytes, ...]]:
        """By a target's id or `tag:NAME` the keys of the windows that are on."""
        return self._on

    def silencing(self, event: IncidentEvent) -> Silence | None:
        """An active silence that matches an incident; None: none does."""
        return next(self.silences_on(event), None)

    def silences_on(self, event: IncidentEvent) -> Iterator[Silence]:
        """The active silences that match an incident."""
        if not self._active:
            return
        for place in dict.fromkeys(_places_of(event)):
            for silence, matcher in self._active.get(place, ()):
                if matcher.differs(event) is None:
                    yield silence

    def pause_of(self, target: str) -> Pause | None:
        """The pause of a target, also one that has ended by itself; None: it has none."""
        return self._pauses.get(target)

    def windows(self) -> Iterator[tuple[bytes, Window]]:
        """All maintenance windows by their keys."""
        return iter(self._windows.items())

    def window(self, key: bytes) -> Window:
        """The window of a key."""
        return self._windows[key]

    def windows_of(self, target: str, tags: Iterable[str]) -> list[bytes]:
        """The keys of the windows that cover a target at some time."""
        names = set(_selectors(target, tags))
        return [
            key
            for key, window in self._windows.items()
            if not names.isdisjoint(window.maintenance.targets)
        ]

    def silences(self) -> Iterator[Silence]:
        """All silences that are kept."""
        return iter(self._silences.values())

    def active_silences(self) -> int:
        """How many silences are active now."""
        return sum(_is_on(one, self.now) for one in self._silences.values())

    def maintenance_row(self, key: bytes, window: Window, targets: int) -> MaintenanceRow:
        """A window as people read it; `targets`: how many it covers."""
        entry, now = window.maintenance, self.now
        span = window.at(now)
        if span is None:
            begin = window.next_begin(now)
            end = None if begin is None else begin + entry.duration_ms
        else:
            begin, end = span
        if begin is None:
            end = window.ended(now)
        return MaintenanceRow(
            key=key.decode(errors="replace"),
            name=entry.name,
            source=_source(key),
            is_on=span is not None,
            begins_at=begin,
            ends_at=end,
            selectors=entry.targets,
            targets=targets,
            rrule=entry.rrule,
            timezone=entry.timezone,
        )

    def silence_row(self, silence: Silence, targets: int, incidents: int) -> SilenceRow:
        """A silence as people read it."""
        fields = {name: getattr(silence, name) for name in policy.Match.__struct_fields__}
        return SilenceRow(
            id=silence.name,
            state=state_of(silence, self.now),
            begins_at=silence.begins_at,
            ends_at=silence.ends_at,
            reason=silence.reason,
            by=silence.by,
            created_at=silence.created_at,
            ended_by=silence.ended_by,
            match=policy.Match(**fields),
            targets=targets,
            incidents=incidents,
        )

    def _in_force(self) -> Iterator[Silence]:
        return (silence for found in self._active.values() for silence, _ in found)

    def _selectors(self, now: int) -> dict[str, tuple[bytes, ...]]:
        found: dict[str, tuple[bytes, ...]] = {}
        for key, window in sorted(self._windows.items()):
            if window.at(now) is not None:
                for name in dict.fromkeys(window.maintenance.targets):
                    found[name] = (*found.get(name, ()), key)
        return found

    def _after(self, now: int) -> int:
        """The next time at which a window or a silence begins or ends."""
        times = [time for one in self._silences.values() for time in (one.begins_at, one.ends_at)]
        for window in self._windows.values():
            span, begin = window.at(now), window.next_begin(now)
            times += [span[1]] if span is not None else []
            times += [begin] if begin is not None else []
        return min((time for time in times if time > now), default=2**62)


def _read(value: bytes) -> Policy | None:
    try:
        return policy.decode(value)
    except msgspec.DecodeError:
        return None


def _source(key: bytes) -> str:
    return key.partition(b"/")[0].decode(errors="replace")


def _selectors(target: str, tags: Iterable[str]) -> Iterator[str]:
    yield target
    for tag in tags:
        yield TAG + tag


def _is_on(silence: Silence, now: int) -> bool:
    return silence.begins_at <= now < silence.ends_at


def _by_place(silences: Iterable[Silence]) -> dict[tuple[str, str], list[tuple[Silence, Matcher]]]:
    """The silences by the names that they ask for, so that an incident is held against few."""
    found: dict[tuple[str, str], list[tuple[Silence, Matcher]]] = {}
    for one in sorted(silences, key=lambda one: (-one.ends_at, one.name)):
        for place in _places(one):
            found.setdefault(place, []).append((one, Matcher(one)))
    return found


def _places(silence: Silence) -> Iterable[tuple[str, str]]:
    for field in _NAMING:
        names = getattr(silence, field)
        if names and not any("*" in name for name in names):
            return {(field, name) for name in names}
    return (("", ""),)


def _places_of(event: IncidentEvent) -> Iterator[tuple[str, str]]:
    yield "", ""
    yield "targets", event.target
    yield "teams", event.team or ""
    for tag in event.tags:
        yield "tags", tag
