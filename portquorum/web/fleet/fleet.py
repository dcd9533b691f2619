"""The fleet: topics are applied to it, answers are read from it.

Counts are never counted again, and what looks at all open incidents is kept until one changes.
"""

from collections.abc import Iterable, Iterator
from heapq import nsmallest
from typing import Final

from portquorum.web.answers import (
    CauseRow,
    Counts,
    Freshness,
    GroupPage,
    IncidentAnswer,
    IncidentPage,
    IncidentQuery,
    IncidentRow,
    MaintenanceAnswer,
    OpenIncident,
    Overview,
    RegionsAnswer,
    SilencesAnswer,
    TargetAnswer,
    TargetPage,
    TargetQuery,
)
from portquorum.web.fleet import incident_rows
from portquorum.web.fleet.cause_rows import CauseTable
from portquorum.web.fleet.cursor import Cursor
from portquorum.web.fleet.freshness import Senses
from portquorum.web.fleet.groups import GroupTable
from portquorum.web.fleet.incident_book import KeptIncident
from portquorum.web.fleet.incident_query import IncidentFinder
from portquorum.web.fleet.inventory import Row
from portquorum.web.fleet.known import Known
from portquorum.web.fleet.plan_rows import PlanRows, is_coming
from portquorum.web.fleet.row_set import bits_of, rows_of
from portquorum.web.fleet.target_query import Found, TargetFinder, dimension_of
from portquorum.web.fleet.target_rows import TargetRows
from schemas.incident import IncidentEvent
from schemas.policy import Match
from schemas.result import RECEIVER

CAUSES_SHOWN: Final = 50
GROUPS_SHOWN: Final = 40
CLOSED_SHOWN: Final = 20
WINDOWS_SHOWN: Final = 10
RESOLVED_SHOWN: Final = 20
MOST_GROUPS: Final = 10_000
"""Groups of one answer: a tag a target makes 100,000, which are 16 MB."""
OTHERS_SHOWN: Final = 100
MOST_IDS: Final = 10_000
"""Targets that one change may take."""


class TooManyTargetsError(ValueError):
    """A query finds more targets than one change may take; `total` of them."""

    def __init__(self, total: int) -> None:
        super().__init__(
            f"expected filters that leave at most {MOST_IDS:,} targets, found {total:,}"
        )
        self.total = total


class Fleet(Known):
    """What is known now, and its answers. No answer changes once it is given."""

    def __init__(self, senses: Senses | None = None) -> None:
        super().__init__(senses)
        self._rows = TargetRows(self)
        self._plans = PlanRows(self)
        self._finder = TargetFinder(
            self.inventory, self.tally, self._rows.since, lambda: self.version
        )
        self._incidents = IncidentFinder(self.incident_book)
        self._groups = GroupTable(self.inventory, self.tally)
        self._causes = CauseTable(self.incident_book, self.inventory, self.policy)
        self._late_answers = 0
        self._overviews: dict[str, tuple[int, Overview]] = {}

    def loaded(self, at: int) -> None:
        """All topics were read up to their ends at `at`."""
        super().loaded(at)
        self._groups.warm()

    def tick(self, now: int) -> bool:
        """The time is `now` (UTC ms); True if an answer changes by more than ages."""
        changed = super().tick(now)
        if not self._causes.tick():
            return changed
        self._late_answers += 1
        return True

    @property
    def version(self) -> int:
        """Grows with each change of any answer, but for ages."""
        return super().version + self._late_answers

    def freshness(self) -> Freshness:
        """How old the data are."""
        names = self._plans.region_names() - {RECEIVER}
        reporting = sum(self.region_book.seen(name).state == "reporting" for name in names)
        blind = self.senses.blind()
        return Freshness(
            now=max(self.now, self.senses.now),
            data_at=self.senses.data_at(),
            blind_since=None if blind is None else blind[0],
            blind_because=None if blind is None else blind[1],
            status_at=self.status.at,
            history_away_since=self.senses.history_away_since,
            regions=len(names),
            regions_reporting=reporting,
            position=self.position,
            is_read=self.senses.is_read(),
            kafka_trouble=None if blind is None else self.senses.kafka_trouble,
        )

    def counts(self) -> Counts:
        """Targets by state."""
        return self.tally.counts()

    def overview(self, group_by: str = "team") -> Overview:
        """The first page.

        Raises:
            ValueError: no such dimension.
        """
        version, kept = self._overviews.get(group_by, (-1, None))
        freshness = self.freshness()
        if kept is None or version != self.version:
            kept = self._overview(group_by, freshness)
            self._overviews[group_by] = self.version, kept
            return kept
        return incident_rows.with_freshness(kept, freshness)

    def groups(self, group_by: str = "team") -> GroupPage:
        """The groups of a dimension: team, tag, kind, criticality, region, source.

        Raises:
            ValueError: no such dimension.
        """
        rows = self._groups.rows(dimension_of(group_by))
        return GroupPage(
            freshness=self.freshness(),
            group_by=group_by,
            groups=tuple(rows[:MOST_GROUPS]),
            groups_total=len(rows),
        )

    def targets(self, query: TargetQuery) -> TargetPage:
        """A page of targets.

        Raises:
            CursorError: the cursor is none, or of another sort.
        """
        found = self._found(query)
        rows = self._finder.page(query, found)
        more = len(rows) > query.limit
        rows = rows[: query.limit]
        next_cursor = ""
        if more:
            first, name, target = self._finder.cursor_key(query.sort, rows[-1])
            next_cursor = Cursor(query.sort, first, name, target).encode()
        return TargetPage(
            freshness=self.freshness(),
            rows=tuple(map(self._rows.row, rows)),
            total=found.mask.bit_count(),
            counts=self.tally.counts_in(found.mask, bits_of(found.mask)),
            facets=self._finder.facets(query, found) if query.facets else {},
            next_cursor=next_cursor,
        )

    def ids(self, query: TargetQuery) -> tuple[str, ...]:
        """The ids of all targets of a query, sorted; its order, limit and cursor do not count.

        Raises:
            TooManyTargetsError: there are more than `MOST_IDS`.
        """
        mask = self._found(query).mask
        if mask.bit_count() > MOST_IDS:
            raise TooManyTargetsError(mask.bit_count())
        return tuple(sorted(self._ids_of(mask)))

    def matching(self, match: Match, most: int) -> tuple[tuple[str, ...], int]:
        """The ids of the first `most` targets that may have an incident that a match takes.

        Sorted by id; and the number of all of them.
        """
        mask = self._plans.matched(match)
        return tuple(nsmallest(most, self._ids_of(mask))), mask.bit_count()

    def covered(self, selectors: Iterable[str]) -> int:
        """How many targets a maintenance window would cover: of these ids and `tag:NAME`."""
        return self._plans.covered(selectors)

    def incidents(self, query: IncidentQuery) -> IncidentPage:
        """A page of the incidents in memory.

        Raises:
            CursorError: the cursor is none.
        """
        rows, total, cursor = self._incidents.page(query)
        return IncidentPage(
            freshness=self.freshness(),
            rows=tuple(map(self._incident_row, rows)),
            total=total,
            next_cursor=cursor,
        )

    def target(self, target_id: str) -> TargetAnswer | None:
        """One target; None: there is none of this id."""
        row, record = self.inventory.row_of.get(target_id), self.inventory.get(target_id)
        if row is None or record is None:
            return None
        others = self._others_of_host(record.host, row)
        word = self.status.word(row)
        shared = record.shared
        known = (self.inventory.row_of.get(one) for one in record.depends_on)
        return TargetAnswer(
            freshness=self.freshness(),
            row=self._rows.row(row),
            definition=record.definition(),
            incidents=tuple(map(self._incident_row, self._incidents.of_target(target_id))),
            regions=incident_rows.regions_now(word),
            host_targets=tuple(map(self._rows.row, others[:OTHERS_SHOWN])),
            host_targets_total=len(others),
            depends_on=tuple(self._rows.row(one) for one in known if one is not None),
            dependents=self.inventory.dependents(target_id),
            maintenance=self._plans.covering(target_id, shared.tags),
            silences=self._plans.silencing(record),
        )

    def down_since(self, row: Row) -> int | None:
        """From when on a row that is down is so, UTC ms; None: not known."""
        return self._rows.since(row)

    def incident(self, incident_id: str) -> IncidentAnswer | None:
        """One incident that is open or closed within 24 h; None: ask the history."""
        kept = self.incident_book.get(incident_id)
        if kept is None:
            return None
        row = self.inventory.row_of.get(kept.event.target)
        return incident_rows.answer(
            kept,
            row=self._incident_row(kept),
            freshness=self.freshness(),
            target_row=None if row is None else self._rows.row(row),
            cause=self._causes.row_with(incident_id),
            most=OTHERS_SHOWN,
        )

    def open_incidents(self) -> tuple[OpenIncident, ...]:
        """All open incidents, in no order."""
        return tuple(
            OpenIncident(
                event=kept.event,
                maintenance=self.policy.covering(kept.event.target, kept.event.tags),
                silences=tuple(one.name for one in self.policy.silences_on(kept.event)),
            )
            for kept in self.incident_book.open.values()
        )

    def newest_event(self, incident_id: str) -> IncidentEvent | None:
        """The newest event, with all its fields, of an incident in memory."""
        kept = self.incident_book.get(incident_id)
        return None if kept is None else kept.whole()

    def incidents_beginning(self, text: str) -> tuple[IncidentRow, ...]:
        """Incidents in memory whose id begins with `text`; closed ones only if no open one does."""
        return tuple(map(self._incident_row, self.incident_book.beginning(text)))

    def incident_row(self, incident_id: str) -> IncidentRow | None:
        """An incident that is open or closed within 24 h, as a row."""
        kept = self.incident_book.get(incident_id)
        return None if kept is None else self._incident_row(kept)

    def regions(self) -> RegionsAnswer:
        """All regions."""
        return RegionsAnswer(freshness=self.freshness(), regions=self._plans.region_rows())

    def maintenance(self) -> MaintenanceAnswer:
        """All maintenance windows."""
        return MaintenanceAnswer(freshness=self.freshness(), windows=self._plans.windows())

    def silences(self) -> SilencesAnswer:
        """All silences."""
        return SilencesAnswer(freshness=self.freshness(), silences=self._plans.silence_rows())

    def cause_rows(self, most: int | None = None) -> tuple[CauseRow, ...]:
        """What is wrong now, by cause: the first `most`, the worst first."""
        return self._causes.rows(self.region_book, self.unwatched, most)

    def _found(self, query: TargetQuery) -> Found:
        of_cause = None
        if query.cause:
            unknown = self.tally.of_state["unknown"]
            of_cause = self._causes.targets_of(query.cause, self.unwatched, unknown)
        return self._finder.find(query, of_cause)

    def _ids_of(self, mask: int) -> Iterator[str]:
        return (self.inventory.record(row).id for row in rows_of(bits_of(mask)))

    def _incident_row(self, kept: KeptIncident) -> IncidentRow:
        event = kept.event
        if not kept.is_open:
            return incident_rows.row(kept)
        return incident_rows.row(
            kept,
            maintenance=self.policy.covering(event.target, event.tags),
            silence=self.policy.silencing(event),
        )

    def _others_of_host(self, host: str | None, own: Row) -> list[Row]:
        """The other targets of a host, the worst first."""
        if host is None:
            return []
        rows = [row for row in self.inventory.of_host(host) if row != own]
        return sorted(rows, key=self._finder.worst_first)

    def _overview(self, group_by: str, freshness: Freshness) -> Overview:
        groups = self._groups.rows(dimension_of(group_by))
        closed = self._incidents.newest_closed()
        windows = [one for one in self._plans.windows() if one.is_on or is_coming(one, self.now)]
        book = self.incident_book
        resolved = nsmallest(RESOLVED_SHOWN, self.tally.resolved, key=self._finder.worst_first)
        return Overview(
            freshness=freshness,
            version=self.version,
            counts=self.counts(),
            open_incidents=len(book.open),
            open_targets=book.open_targets(),
            unacknowledged=book.unacknowledged,
            causes=self.cause_rows(CAUSES_SHOWN),
            causes_total=self._causes.total(self.region_book, self.unwatched),
            group_by=group_by,
            groups=tuple(groups[:GROUPS_SHOWN]),
            groups_total=len(groups),
            closed=tuple(map(self._incident_row, closed[:CLOSED_SHOWN])),
            closed_total=len(closed),
            maintenance=tuple(windows[:WINDOWS_SHOWN]),
            maintenance_total=len(windows),
            regions=self._plans.region_rows(),
            silences=self.policy.active_silences(),
            resolved=tuple(map(self._rows.row, resolved)),
            resolved_total=self.tally.resolved.count,
        )
