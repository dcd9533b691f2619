"""What is wrong, as rows of the overview: causes of incidents, silent regions, blind targets."""

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Final

from portquorum.web.answers import CauseRow
from portquorum.web.fleet import incident_rows
from portquorum.web.fleet.causes import (
    SEVERITY_ORDER,
    STATE_ORDER,
    Cause,
    IncidentFacts,
    causes_of,
    facts_of,
)
from portquorum.web.fleet.incident_book import IncidentBook, KeptIncident
from portquorum.web.fleet.inventory import Inventory
from portquorum.web.fleet.plans import PolicyBook
from portquorum.web.fleet.regions import RegionBook, RegionSeen
from portquorum.web.fleet.unwatched import UnwatchedBook, UnwatchedCause
from schemas.incident import IncidentEvent
from schemas.result import RECEIVER

NAMES: Final = 5
PORTS: Final = 10
TEAMS: Final = 3
PEOPLE: Final = 3

MANY: Final = 2_000
"""Open incidents above which they are grouped once a second at most: it takes 10 ms a thousand."""


_Order = tuple[bool, bool, int, int, int, int, str]
"""Not spared and not acknowledged first; severity, state, the largest, the oldest, the key."""


class CauseTable:
    """The causes, made anew when an incident, a definition or a plan has changed."""

    def __init__(self, incidents: IncidentBook, inventory: Inventory, policy: PolicyBook) -> None:
        self._incidents = incidents
        self._inventory = inventory
        self._policy = policy
        self._made_for = (-1, -1)
        self._made_now = False
        self._is_late = False
        self._facts: dict[str, IncidentFacts] = {}
        """By incident, in the order of their ids."""
        self._causes: dict[str, Cause] = {}
        self._key_of: dict[str, str] = {}
        self._key_of_for = (-1, -1)
        self._order_for = (-1,) * 5
        self._order: list[tuple[_Order, Cause | CauseRow]] = []
        self._made_by = -1
        """The version of the plans for which places and rows were made."""
        self._places: dict[str, tuple[Cause, _Order]] = {}
        self._rows: dict[str, tuple[Cause, CauseRow]] = {}

    def rows(
        self, regions: RegionBook, unwatched: UnwatchedBook, most: int | None = None
    ) -> tuple[CauseRow, ...]:
        """The first `most` rows, the worst first: what nobody acknowledged, then by severity."""
        found = self._ordered(regions, unwatched)[:most]
        return tuple(one if isinstance(one, CauseRow) else self._row(one) for _, one in found)

    def total(self, regions: RegionBook, unwatched: UnwatchedBook) -> int:
        """The number of all rows."""
        return len(self._ordered(regions, unwatched))

    def _ordered(
        self, regions: RegionBook, unwatched: UnwatchedBook
    ) -> Sequence[tuple[_Order, Cause | CauseRow]]:
        self._make()
        now = (*self._made_for, self._policy.version, regions.version, unwatched.version)
        if now != self._order_for:
            blind = list(unwatched.causes())
            told = {region for one in blind for region in one.silent_regions}
            others = [_unwatched_row(one) for one in blind]
            others += [
                _region_row(one, self._inventory)
                for one in regions.troubled()
                if (one.state == "suspect" or one.name not in told)
                and (one.name != RECEIVER or self._inventory.with_value("region", RECEIVER))
            ]
            self._forget_old()
            found: list[tuple[_Order, Cause | CauseRow]] = list(
                map(self._placed, self._causes.values())
            )
            found += [(_place_of_row(one), one) for one in others]
            self._order = sorted(found, key=itemgetter(0))
            self._order_for = now
        return self._order

    def _forget_old(self) -> None:
        """Places and rows of other plans, and of causes that are over."""
        if self._made_by != self._policy.version:
            self._made_by = self._policy.version
            self._places.clear()
            self._rows.clear()
        for kept in (self._places, self._rows):
            if len(kept) > 2 * len(self._causes) + 100:
                for key in kept.keys() - self._causes.keys():
                    del kept[key]

    def _placed(self, cause: Cause) -> tuple[_Order, Cause]:
        kept = self._places.get(cause.key)
        if kept is None or kept[0] is not cause:
            kept = self._places[cause.key] = cause, self._place(cause)
        return kept[1], cause

    def _place(self, cause: Cause) -> _Order:
        events = [one.event for one in cause.incidents]
        return (
            self._policy.spares() and all(map(self._is_spared, events)),
            all(one.acknowledged_by is not None for one in events),
            min(SEVERITY_ORDER.index(one.severity) for one in events),
            STATE_ORDER.index(cause.state),
            -len({one.target for one in events}),
            min(one.first_failed_at for one in events),
            cause.key,
        )

    def _is_spared(self, event: IncidentEvent) -> bool:
        policy = self._policy
        return bool(policy.silencing(event) or policy.covering(event.target, event.tags))

    def tick(self) -> bool:
        """A second has passed; True if rows were given that are older than the incidents."""
        late, self._is_late, self._made_now = self._is_late, False, False
        return late

    def targets_of(
        self, key: str, unwatched: UnwatchedBook, unknown: Iterable[int]
    ) -> frozenset[str]:
        """The ids of the targets of a cause; none if it is over.

        Of a region these are all targets that it checks. `unknown`: the rows of all targets that
        nobody can judge.
        """
        self._make()
        cause = self._causes.get(key)
        if cause is not None:
            return frozenset(one.event.target for one in cause.incidents)
        kind, _, name = key.partition("/")
        if kind == "unwatched":
            partitions = {
                number
                for one in unwatched.causes()
                if one.cause_id == name
                for number in one.partitions
            }
            records = map(self._inventory.record, unknown)
            return frozenset(one.id for one in records if one.partition in partitions)
        rows = self._inventory.with_value("region", name) if kind == "region" else None
        if rows is None:
            return frozenset()
        return frozenset(self._inventory.record(row).id for row in rows)

    def row_with(self, incident_id: str) -> CauseRow | None:
        """The row that has an open incident."""
        self._make()
        if self._key_of_for != self._made_for:
            self._key_of_for = self._made_for
            self._key_of = {
                one.incident_id: cause.key
                for cause in self._causes.values()
                for one in cause.incidents
            }
        key = self._key_of.get(incident_id)
        if key is None or incident_id not in self._incidents.open:
            return None
        return self._row(self._causes[key])

    def _versions(self) -> tuple[int, int]:
        return self._incidents.version, self._inventory.version

    def _make(self) -> None:
        if self._made_for == self._versions():
            return
        if self._made_now and len(self._incidents.open) > MANY:
            self._is_late = True
            return
        self._look()
        self._causes = {one.key: one for one in causes_of(self._facts.values(), self._causes)}
        self._made_for = self._versions()
        self._made_now = True

    def _look(self) -> None:
        """Brings the facts up to date; those of incidents that did not change are the same."""
        opened, known = self._incidents.open, self._facts
        is_same = self._made_for[1] == self._inventory.version
        found = {}
        for name in sorted([*(one for one in known if one in opened), *(opened.keys() - known)]):
            kept, before = opened[name], known.get(name)
            event = kept.event
            if before is None or before.event is not event or not is_same:
                on = self._depends_on(event.target, event.depends_on)
                before = facts_of(event, kept.is_improved, on)
            found[name] = before
        self._facts = found

    def _depends_on(self, target: str, told: tuple[str, ...]) -> tuple[str, ...]:
        """What a target depends on by its definition; of one that is gone by the event."""
        record = self._inventory.get(target)
        return told if record is None else record.depends_on

    def _row(self, cause: Cause) -> CauseRow:
        self._forget_old()
        kept = self._rows.get(cause.key)
        if kept is None or kept[0] is not cause:
            kept = self._rows[cause.key] = cause, self._made_row(cause)
        return kept[1]

    def _made_row(self, cause: Cause) -> CauseRow:
        events = [one.event for one in cause.incidents]
        lead = cause.incidents[0]
        kept = self._incidents.get(lead.event.incident_id)
        if kept is None:
            kept = KeptIncident(lead.event, b"", lead.is_improved)
        silenced = [self._policy.silencing(one) for one in events]
        planned = [self._policy.covering(one.target, one.tags) for one in events]
        newest = max(events, key=lambda one: (one.first_failed_at, one.name))
        by = dict.fromkeys(one.acknowledged_by for one in events if one.acknowledged_by is not None)
        return CauseRow(
            key=cause.key,
            cause=cause.kind,
            state=cause.state,
            severity=min((one.severity for one in events), key=SEVERITY_ORDER.index),
            title=cause.title,
            summary=_summary(cause),
            incident=incident_rows.row(kept, maintenance=planned[0], silence=silenced[0]),
            incidents=len(events),
            targets=len({one.target for one in events}),
            names=tuple(dict.fromkeys(one.name for one in events))[:NAMES],
            ports=tuple(dict.fromkeys(one.port for one in events if one.port is not None))[:PORTS],
            teams=tuple(dict.fromkeys(one.team for one in events if one.team))[:TEAMS],
            regions=incident_rows.marks(lead.event),
            began_at=min(one.first_failed_at for one in events),
            unacknowledged=sum(1 for one in events if one.acknowledged_by is None),
            acknowledged_by=tuple(by)[:PEOPLE],
            is_improved=all(one.is_improved for one in cause.incidents),
            is_spared=all(one or other for one, other in zip(silenced, planned, strict=True)),
            newest_name=newest.name if len(events) > 1 else "",
            newest_at=newest.first_failed_at if len(events) > 1 else None,
        )


def _summary(cause: Cause) -> str:
    if cause.kind != "region":
        return cause.incidents[0].event.summary
    hosts = len({one.event.host for one in cause.incidents})
    names = [one.event.name for one in cause.incidents[:NAMES]]
    more = ", …" if len(cause.incidents) > NAMES else ""
    return (
        f"{len(cause.incidents)} targets on {hosts} hosts that only region {cause.title} checks do "
        f"not answer: it may be the network of the region. {', '.join(names)}{more}"
    )


def _region_row(seen: RegionSeen, inventory: Inventory) -> CauseRow:
    rows = inventory.with_value("region", seen.name)
    return CauseRow(
        key=f"region/{seen.name}",
        cause="region",
        state="unknown",
        severity="warning",
        title=seen.name,
        summary=seen.summary,
        incident=None,
        incidents=0,
        targets=0 if rows is None else rows.count,
        names=(),
        ports=(),
        teams=(),
        regions=(),
        began_at=seen.since,
        unacknowledged=0,
    )


def _unwatched_row(found: UnwatchedCause) -> CauseRow:
    return CauseRow(
        key=f"unwatched/{found.cause_id}",
        cause="unwatched",
        state="unknown",
        severity=found.severity,
        title=", ".join(found.silent_regions),
        summary=found.summary,
        incident=None,
        incidents=0,
        targets=found.targets,
        names=found.names,
        ports=(),
        teams=(),
        regions=(),
        began_at=found.since,
        unacknowledged=0,
    )


def _place_of_row(row: CauseRow) -> _Order:
    """What has no incident (a silent region) can't be acknowledged, and counts as not seen."""
    return (
        False,
        False,
        SEVERITY_ORDER.index(row.severity),
        STATE_ORDER.index(row.state),
        -row.targets,
        row.began_at or 0,
        row.key,
    )
