"""What is known: topics are applied, and each change settles the states that it touches."""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from portquorum.web.answers import ProberRow
from portquorum.web.fleet.freshness import Senses
from portquorum.web.fleet.incident_book import IncidentBook, KeptIncident, read_event
from portquorum.web.fleet.inventory import Inventory, Row
from portquorum.web.fleet.kept_target import KeptTarget
from portquorum.web.fleet.plans import TAG, PolicyBook
from portquorum.web.fleet.position import Position, Source
from portquorum.web.fleet.regions import RegionBook
from portquorum.web.fleet.states import TargetFacts, settles_at, state_of
from portquorum.web.fleet.status_table import LATE_MS, StatusGroup, StatusTable, StatusWord
from portquorum.web.fleet.tally import Tally
from portquorum.web.fleet.unwatched import UnwatchedBook
from schemas.incident import Event, IncidentEvent, RegionEvent, TargetsEvent
from schemas.probe import JOB

STEP: Final = 5_000
"""Targets of a status answer that are taken at once: about 10 ms."""

_PASSING: Final = frozenset({"unwatched", "pending", "paused", "failing", "late"})
"""Words of `status_now` that mean nothing once they are old, or while the sink is behind."""

_REACHED: Final = frozenset({"up", "slow"})
"""Words of `status_now` that it says of no outage, not even of one that was closed by hand."""


class Known:
    """Everything that pages show of now. One thread: nothing waits."""

    def __init__(self, senses: Senses | None = None) -> None:
        self.inventory = Inventory()
        self.incident_book = IncidentBook()
        self.region_book = RegionBook()
        self.unwatched = UnwatchedBook()
        self.policy = PolicyBook()
        self.status = StatusTable()
        self.tally = Tally()
        self.senses = senses or Senses()
        self.now = 0
        """UTC ms of the last `tick`."""
        self._offsets: dict[Source, dict[int, int]] = {"incidents": {}, "targets": {}, "policy": {}}
        self._position: str | None = None
        self._believes = False
        self._rate = 0.0
        self._resting: dict[str, float] = {}
        """Of paused targets the results a second that they would give."""
        self._settling: list[tuple[int, str]] = []
        self._status_version = 0

    def apply_target(self, key: bytes, value: bytes | None, partition: int, offset: int) -> bool:
        """A record of [targets]; None or empty removes the target from the partition.

        Returns True if a target came, changed or went. What can't be read changes nothing.
        """
        self._seen("targets", partition, offset)
        changed = False
        try:
            name = key.decode()
        except UnicodeDecodeError:
            return False
        row, before = self.inventory.row_of.get(name), self.inventory.get(name)
        for _ in self.inventory.apply(key, value, partition):
            changed = True
            now_row = self.inventory.row_of.get(name)
            if row is not None and row != now_row:
                self.tally.remove(row)
            if row is not None and now_row is None:
                self.status.clear(row)
                self.incident_book.forget_resolved(name)
            self._rate -= 0 if before is None else _rate(before)
            after = self.inventory.get(name)
            if after is not None and now_row is not None:
                self._rate += _rate(after)
                if row is None:
                    self.status.clear(now_row)
                due = settles_at(after.version, after.shared)
                if due > self.now:
                    heapq.heappush(self._settling, (due, name))
                self._settle(now_row)
            self._note_rest(name)
        return changed

    def apply_policy(self, key: bytes, value: bytes | None, offset: int) -> bool:
        """A record of [policy]; True if an entry came, changed or went."""
        self._seen("policy", 0, offset)
        if not self.policy.apply(key, value):
            return False
        self._plan(self.now)
        return True

    def apply_open(self, key: bytes, value: bytes | None) -> bool:
        """A record of [incidents.open]; True if it is news."""
        try:
            incident_id = key.decode()
        except UnicodeDecodeError:
            return False
        if not value:
            gone = self.incident_book.remove(incident_id)
            if gone is not None:
                self._settle_target(gone.event.target)
            return gone is not None
        event = read_event(value)
        if not isinstance(event, IncidentEvent) or event.incident_id != incident_id:
            return False
        if event.event == "closed":
            return False  # the topic has none; who wrote it was not the stream
        return self._apply_incident(event, value)

    def apply_event(self, partition: int, offset: int, value: bytes | None) -> Event | None:
        """A record of [incidents]; the event if it is news."""
        self._seen("incidents", partition, offset)
        event = read_event(value) if value else None
        return event if event is not None and self._apply_event(event, value or b"") else None

    def apply_region(self, event: RegionEvent) -> bool:
        """What the history has of a region, from before the topics; True if it is news."""
        return self.region_book.apply(event)

    def apply_status(self, groups: Iterable[StatusGroup], at: int) -> bool:
        """A whole answer of `status_now`, as it was at `at` (UTC ms); True if anything changed."""
        return any([changed for changed in self.status_steps(groups, at)])  # noqa: C416, C419 - all steps

    def status_steps(self, groups: Iterable[StatusGroup], at: int) -> Iterator[bool]:
        """As `apply_status`, in steps of some milliseconds, between which others may have a turn.

        Gives for each step whether anything changed.
        """
        self.senses.history_answered(at)
        for rows in self.status.take(groups, self.inventory.row_of, at, STEP):
            yield self._settle_all(rows)
        for target in tuple(self.incident_book.resolved):
            self._settle_target(target)
        self._status_version += 1
        yield self._believe()

    def history_away(self, at: int) -> None:
        """ClickHouse did not answer at `at`."""
        self.senses.history_failed(at)

    def apply_beats(self, beats: Mapping[str, Sequence[ProberRow]], at: int) -> bool:
        """The newest beat of each prober by region, as of `at`; True if a region's state is new."""
        return self.region_book.apply_beats(beats, at)

    def heard(self, at: int, *, stream_at: int | None, log_at: int | None) -> None:
        """Kafka answered at `at`: when the stream last went on, and the log's newest record.

        Times are UTC ms; `stream_at` is None when the stream never ran, or can't be seen.
        """
        self.senses.kafka_answered(at, stream_at=stream_at, log_at=log_at)

    def kafka_away(self, at: int) -> None:
        """Kafka did not answer at `at`."""
        self.senses.kafka_failed(at)

    def kafka_told(self, trouble: str | None) -> None:
        """Why Kafka does not answer, in words without addresses; None: nobody knows."""
        self.senses.kafka_told(trouble)

    def loaded(self, at: int) -> None:
        """All topics were read up to their ends at `at`."""
        self.senses.loaded(at)
        self.inventory.warm()

    def tick(self, now: int) -> bool:
        """The time is `now` (UTC ms): windows begin and end, data grow old.

        True if an answer changes by more than ages.
        """
        self.now = now
        before = self.version
        self.incident_book.forget_old(now)
        self._plan(now)
        while self._settling and self._settling[0][0] <= now:
            self._settle_target(heapq.heappop(self._settling)[1])
        self._believe()
        self.senses.tick(now)
        return self.version != before

    @property
    def version(self) -> int:
        """Grows with each change of any answer, but for ages."""
        return (
            self.inventory.version
            + self.incident_book.version
            + self.region_book.version
            + self.unwatched.version
            + self.policy.version
            + self.tally.version
            + self._status_version
            + self.senses.version
        )

    @property
    def position(self) -> str:
        """The vector of offsets that is applied, an opaque text."""
        if self._position is None:
            self._position = self.vector().encode()
        return self._position

    def vector(self) -> Position:
        """The vector of offsets that is applied."""
        offsets = self._offsets
        return Position(
            dict(offsets["incidents"]), dict(offsets["targets"]), dict(offsets["policy"])
        )

    # Changes.

    def _seen(self, source: Source, partition: int, offset: int) -> None:
        self._offsets[source][partition] = offset + 1
        self._position = None

    def _apply_event(self, event: Event, value: bytes) -> bool:
        match event:
            case IncidentEvent():
                return self._apply_incident(event, value)
            case RegionEvent():
                return self.region_book.apply(event)
            case TargetsEvent():
                if not self.unwatched.apply(event):
                    return False
                self._settle_all(self._of_partition(event.partition))
                return True

    def _apply_incident(self, event: IncidentEvent, value: bytes) -> bool:
        known = self.incident_book.get(event.incident_id)
        if not self.incident_book.apply(event, value):
            return False
        self._settle_target(event.target)
        if known is not None and known.event.target != event.target:
            self._settle_target(known.event.target)
        return True

    def _plan(self, now: int) -> None:
        before = self.policy.selectors_on()
        windows, _ = self.policy.tick(now)
        if windows:
            after = self.policy.selectors_on()
            for name in before.keys() ^ after.keys():
                self._settle_all(self._selected(name))
        for target in self.policy.take_repaused():
            self._note_rest(target)
            self._settle_target(target)

    def _note_rest(self, target: str) -> None:
        """A target may have begun, or ceased, to be paused: it gives no results meanwhile."""
        record = self.inventory.get(target)
        rests = record is not None and self.policy.pause(target) is not None
        rate = _rate(record) if rests and record is not None else 0.0
        self._rate += self._resting.pop(target, 0.0) - rate
        if rate:
            self._resting[target] = rate

    def _selected(self, selector: str) -> list[Row]:
        """The rows of a selector of a window: a target's id, or `tag:NAME`."""
        if selector.startswith(TAG):
            rows = self.inventory.with_value("tag", selector.removeprefix(TAG))
            return [] if rows is None else list(rows)
        row = self.inventory.row_of.get(selector)
        return [] if row is None else [row]

    def _of_partition(self, partition: int) -> list[Row]:
        return [
            row
            for row, record in enumerate(self.inventory.records)
            if record is not None and record.partition == partition
        ]

    def _believe(self) -> bool:
        """Whether `status_now` is believed; what hangs on it is settled when that changes."""
        believes = self.status.is_believed(self.now, self._rate)
        if believes == self._believes:
            return False
        self._believes = believes
        return self._settle_all(self.status.rows_that_say(_PASSING))

    def _settle_target(self, target: str) -> None:
        row = self.inventory.row_of.get(target)
        if row is not None:
            self._settle(row)

    def _settle_all(self, rows: Iterable[Row]) -> bool:
        changed = False
        for row in rows:
            changed |= self._settle(row)
        return changed

    def _settle(self, row: Row) -> bool:
        """Brings the state of a row up to date; True if it changed."""
        record = self.inventory.records[row]
        if record is None:
            return False
        word = self.word(row, record)
        self._look_at_resolved(record, word)
        types = [one.event.incident_type for one in self.incident_book.of_target(record.id)]
        shared = record.shared
        facts = TargetFacts(
            types=types,
            is_paused=not shared.enabled or self.policy.pause(record.id) is not None,
            is_maintained=self.policy.is_maintained(record.id, shared.tags),
            blind_since=self.unwatched.since(record.id, shared.regions, record.partition),
            status="" if word is None else word.status,
            is_resolved=self.resolved(record.id) is not None
            or (word is not None and word.status == "down" and word.is_resolved),
            settles_at=settles_at(record.version, shared),
            now=self.now,
        )
        state = state_of(facts)
        return self.tally.put(
            row,
            state,
            resolved=state == "down" and "unreachable" not in types,
            expiring="expiring" in types,
            failing=word is not None and word.status == "failing" and not types,
            late=word is not None and word.status == "late" and state == "up",
        )

    def resolved(self, target: str) -> KeptIncident | None:
        """The outage of a target that goes on though somebody closed it by hand; None: none."""
        return self.incident_book.resolved.get(target)

    def _look_at_resolved(self, record: KeptTarget, word: StatusWord | None) -> None:
        """Forgets that an outage was closed by hand once it is over, or nobody looks for its end.

        `status_now` says that it is over when it has results from after the closing: until then it
        may not know of the closing, or of the incident.
        """
        kept = self.resolved(record.id)
        if kept is None:
            return
        event, answered = kept.event, self.status.at
        newest = self.status.newest_result_at
        is_another = (event.kind, event.host, event.port) != (
            record.kind,
            record.host,
            record.port,
        )
        is_over = (
            word is not None
            and word.status in _REACHED
            and answered is not None
            and answered > event.at + LATE_MS
            and newest is not None
            and newest > event.at
        )
        is_paused = not record.shared.enabled or self.policy.pause(record.id) is not None
        if is_another or is_over or is_paused:
            self.incident_book.forget_resolved(record.id)

    def word(self, row: Row, record: KeptTarget) -> StatusWord | None:
        """What `status_now` says of a row, as far as it is believed.

        Of an old answer only what stays true counts, and what the stream says, too: that nobody
        watches.
        """
        word = self.status.word(row)
        if word is None or self._believes or word.status not in _PASSING:
            return word
        blind = word.status == "unwatched" and self.unwatched.says(record.partition) is True
        return word if blind else None


def _rate(record: KeptTarget) -> float:
    """Results a second that a target gives if it is not paused; a job is asked for none."""
    if not record.shared.enabled or record.kind == JOB:
        return 0.0
    return len(record.shared.regions) * 1000 / record.shared.interval_ms
