"""Rows of regions, maintenance windows and silences, with how many targets each has."""

from collections.abc import Collection, Iterable, Mapping
from typing import Final, Literal

from portquorum.silencing.matching import matches_target
from portquorum.web.answers import MaintenanceRow, RegionRow, SilenceRow
from portquorum.web.fleet.inventory import Dimension
from portquorum.web.fleet.kept_target import KeptTarget
from portquorum.web.fleet.known import Known
from portquorum.web.fleet.name_index import NameIndex
from portquorum.web.fleet.plans import TAG
from portquorum.web.fleet.row_set import RowSet, mask_of
from schemas.policy import Match, Silence
from schemas.result import RECEIVER
from sinks.notifier.matching import Matcher, Patterns

FIT_US: Final = 1
"""What it takes to hold a silence against an incident, about."""

SHARE: Final = 10
"""Rows of silences are made anew so seldom that it takes a tenth of the time."""

_Fields = tuple[tuple[Dimension | Literal["target"], tuple[str, ...]], ...]


class PlanRows:
    """Makes rows from what is known."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._indexed: dict[str, tuple[int, NameIndex]] = {}
        self._masks: dict[tuple[str, tuple[str, ...]], int] = {}
        self._masks_of = -1
        """The version of the inventory that the masks are of."""
        self._silences: tuple[int, int, int, tuple[SilenceRow, ...]] = (-1, -1, 0, ())
        """The versions of policy and of the rest, when they were made (UTC ms), and the rows."""

    def region_names(self) -> set[str]:
        """All regions: of the policy, of targets, of events and beats.

        The receivers are one as long as a heartbeat is in the inventory.
        """
        of_targets = self._known.inventory.values("region")
        names = set(self._known.policy.regions) | set(of_targets)
        names |= self._known.region_book.names()
        return names if RECEIVER in of_targets else names - {RECEIVER}

    def region_rows(self) -> tuple[RegionRow, ...]:
        """All regions, trouble first."""
        unknown = self._known.tally.of_state["unknown"]
        mask = unknown.mask() if unknown.count else 0
        rows = [self._region_row(name, mask) for name in self.region_names()]
        order = ("silent", "never_heard", "suspect", "reporting")
        return tuple(sorted(rows, key=lambda one: (order.index(one.state), one.name)))

    def _region_row(self, name: str, unknown: int) -> RegionRow:
        seen = self._known.region_book.seen(name)
        of = self._known.inventory.with_value("region", name) or RowSet()
        configured = self._known.policy.regions.get(name)
        return RegionRow(
            name=name,
            state=seen.state,
            since=seen.since,
            last_beat_at=seen.last_beat_at,
            targets=of.count,
            unknown=(of.mask() & unknown).bit_count() if unknown else 0,
            summary=seen.summary,
            internal=configured is not None and configured.internal,
            is_in_policy=configured is not None,
            probers=seen.probers,
            missing_secrets=seen.missing_secrets,
        )

    def windows(self) -> tuple[MaintenanceRow, ...]:
        """Those that are on, then the next ones, then those that are over, the newest first."""
        rows = [self.maintenance_row(key) for key, _ in self._known.policy.windows()]
        return tuple(sorted(rows, key=lambda one: _window_order(one, self._known.now)))

    def maintenance_row(self, key: bytes) -> MaintenanceRow:
        """The window of a key."""
        window = self._known.policy.window(key)
        return self._known.policy.maintenance_row(
            key, window, self.covered(window.maintenance.targets)
        )

    def covering(self, target: str, tags: Collection[str]) -> tuple[MaintenanceRow, ...]:
        """The windows that cover a target at some time."""
        return tuple(map(self.maintenance_row, self._known.policy.windows_of(target, tags)))

    def silencing(self, record: KeptTarget) -> tuple[SilenceRow, ...]:
        """The silences, of now and to come, that may match an incident of a target."""
        definition = record.definition()
        return tuple(
            self.silence_row(one)
            for one in self._known.policy.silences()
            if one.ends_at > self._known.now and matches_target(one, definition)
        )

    def covered(self, selectors: Iterable[str]) -> int:
        """How many targets a window covers; `selectors` are ids and `tag:NAME`."""
        row_of = self._known.inventory.row_of
        mask = 0
        ids = []
        for name in selectors:
            if name.startswith(TAG):
                rows = self._known.inventory.with_value("tag", name.removeprefix(TAG))
                mask |= 0 if rows is None else rows.mask()
            elif name in row_of:
                ids.append(row_of[name])
        return (mask | mask_of(ids)).bit_count()

    def silence_rows(self) -> tuple[SilenceRow, ...]:
        """All silences: active ones, coming ones, those that ended.

        Their numbers of targets and incidents may be some seconds old if there are thousands.
        """
        known = self._known
        plans = known.policy.version
        rest = known.inventory.version + known.incident_book.version
        of_plans, of_rest, made_at, rows = self._silences
        silences = list(known.policy.silences())
        wait_ms = len(silences) * len(known.incident_book.open) * FIT_US * SHARE // 1000
        if of_plans == plans and (of_rest == rest or 0 <= known.now - made_at < wait_ms):
            return rows
        rows = tuple(sorted(map(self.silence_row, silences), key=_silence_order))
        self._silences = plans, rest, known.now, rows
        return rows

    def silence_row(self, silence: Silence) -> SilenceRow:
        """A silence, and what it matches now."""
        matcher = Matcher(silence)
        opened = self._known.incident_book.open.values()
        incidents = sum(1 for one in opened if matcher.differs(one.event) is None)
        return self._known.policy.silence_row(silence, self.matched(silence).bit_count(), incidents)

    def matched(self, match: Match) -> int:
        """The mask of the targets that may have an incident that a match takes."""
        mask = self._known.inventory.all.mask()
        fields: _Fields = (
            ("team", match.teams),
            ("tag", match.tags),
            ("kind", match.kinds),
            ("region", match.regions),
            ("criticality", match.criticalities),
            ("target", match.targets),
        )
        for field, wanted in fields:
            if wanted:
                mask &= self._mask(field, wanted)
        return mask

    def _mask(self, field: Dimension | Literal["target"], wanted: tuple[str, ...]) -> int:
        """The rows that one field of a match takes; found once for each inventory."""
        version = self._known.inventory.version
        if version != self._masks_of:
            self._masks, self._masks_of = {}, version
        found = self._masks.get((field, wanted))
        if found is None:
            found = self._masks[field, wanted] = self._fitting(field, Patterns.of(wanted))
        return found

    def _fitting(self, field: Dimension | Literal["target"], patterns: Patterns) -> int:
        inventory = self._known.inventory
        if field == "target":
            row_of = inventory.row_of
            return mask_of(row_of[name] for name in self._index(field, row_of).fitting(patterns))
        values = inventory.values(field)
        mask = 0
        for value in self._index(field, values).fitting(patterns):
            mask |= values[value].mask()
        return mask

    def _index(self, field: str, names: Mapping[str, object]) -> NameIndex:
        version, found = self._indexed.get(field, (-1, None))
        if found is None or version != self._known.inventory.version:
            found = NameIndex(names)
            self._indexed[field] = self._known.inventory.version, found
        return found


def _silence_order(one: SilenceRow) -> tuple[int, int, str]:
    return ("active", "coming", "ended").index(one.state), one.ends_at, one.id


def is_coming(one: MaintenanceRow, now: int) -> bool:
    """True if a window is not on, and will be."""
    return one.begins_at is not None and one.begins_at > now


def _window_order(one: MaintenanceRow, now: int) -> tuple[int, int, str]:
    if one.is_on:
        return 0, one.ends_at or 0, one.key
    if is_coming(one, now):
        return 1, one.begins_at or 0, one.key
    return 2, -(one.ends_at or 0), one.key
