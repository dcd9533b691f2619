"""A tenure: the time in which this process is the active notifier, from its Term on.

It holds the decisions (the Desk) and what of them is still to be written. Nothing is sent before
the broker has confirmed what it follows from.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from foundation import telemetry
from foundation.kafka.reconnecting_producer import KeyedMessage
from schemas import notifier_state
from schemas.incident import Event
from schemas.notification import Notification
from schemas.notifier_state import (
    OFFSETS_KEY,
    SILENCES_KEY,
    TERM_KEY,
    ChannelPace,
    HandledOffsets,
    SilencesInForce,
    Subject,
    Term,
    pace_key,
    subject_key,
)
from schemas.policy import Silence
from sinks.notifier import metrics
from sinks.notifier.backlog import Backlog
from sinks.notifier.decision.desk import Change, Desk, RemovedPace, RemovedSubject
from sinks.notifier.log_writer import LogWriter
from sinks.notifier.state_log import StateLog, put, removal
from sinks.notifier.state_view import StateView

MOST_SILENCES: Final = 5_000
"""The newest of them are confirmed: a record of more would not fit into a message."""

_log: Final = telemetry.logger(__name__)


class Tenure:
    """The Desk of one term, and the records that it owes to the two logs."""

    def __init__(
        self,
        term: Term,
        desk: Desk,
        subjects: Iterable[Subject],
        paces: Iterable[ChannelPace] = (),
    ) -> None:
        """`subjects` and `paces` are those that the Desk was given."""
        self.term = term
        self.desk = desk
        self.offsets: dict[int, int] = {}
        """For each partition of [incidents] the next offset to decide."""
        self.recorded: dict[int, int] = {}
        """The same, as the broker has confirmed it: every event before it is decided."""
        self.catch_up_to: dict[int, int] = {}
        """For each partition its end when the tenure began: before it, less may be true now."""
        self.confirmed_before = False
        """True if the log has silences that a former term confirmed."""
        self._heeded: Mapping[str, int] | None = None
        """The silences that are confirmed in this term; None: none yet."""
        self.backlog = Backlog()
        self._subjects = {subject_key(subject.key): subject for subject in subjects}
        self._paces = {pace_key(pace.id): pace for pace in paces}
        for subject in self._subjects.values():
            self.backlog.put(subject)
        self._rows: list[KeyedMessage] = []
        self._puts: dict[bytes, KeyedMessage] = {}
        self._removals: dict[bytes, KeyedMessage] = {}

    @property
    def subjects(self) -> int:
        """Number of subjects in the state."""
        return len(self._subjects)

    @property
    def caught_up(self) -> bool:
        """True when everything was decided that lay there when the tenure began."""
        return all(self.offsets.get(part, end) >= end for part, end in self.catch_up_to.items())

    def measure(self) -> None:
        """Sets the metrics of what waits."""
        metrics.SUBJECTS.set(self.subjects)
        for scheme, count in self.backlog.waiting.items():
            metrics.WAITING.labels(scheme).set(count)
        oldest = self.backlog.oldest_due_at
        age_ms = 0 if oldest is None else max(0, now_ms() - oldest)
        metrics.OLDEST_WAITING.set(age_ms / 1000)

    def end_measuring(self) -> None:
        """Sets them to nothing: what waits is another notifier's now."""
        metrics.SUBJECTS.set(0)
        for scheme in self.backlog.waiting:
            metrics.WAITING.labels(scheme).set(0)
        metrics.OLDEST_WAITING.set(0)

    def is_of(self, view: StateView) -> bool:
        """True while no other notifier has begun a newer term."""
        return (view.term, view.owner) == (self.term.term, self.term.owner)

    def take(self, partition: int, offset: int, event: Event | None, now: int) -> None:
        """Decides on the record at `offset`; None is one that can't be read."""
        if event is not None:
            try:
                self.desk.take(event, now)
            except Exception:  # noqa: BLE001 - it would fail again after every restart
                about = {"partition": partition, "offset": offset, "event_id": event.event_id}
                _log.exception("an event can't be decided and is skipped; please report", **about)
        self.offsets[partition] = offset + 1

    def heed(self, silences: Sequence[Silence]) -> None:
        """Confirms the silences that the Desk has now.

        The record follows with the next `record`. Those that have ended stay in it for as long as
        [policy] has them: so their end is confirmed, too.
        """
        newest = sorted(silences, key=lambda one: one.created_at)[-MOST_SILENCES:]
        wanted = {one.name: one.ends_at for one in newest}
        if wanted == self._heeded:
            return
        if self._heeded is None and not self.confirmed_before and not wanted:
            return  # nobody waits for it
        self._heeded = wanted
        self._puts[SILENCES_KEY] = self._silences_message()

    def collect(self) -> bool:
        """Takes what the Desk has decided since the last call; True if there is something to write.

        What changed twice is written once.
        """
        for row in self.desk.rows():
            metrics.NOTIFICATIONS.labels(row.status, _scheme(row)).inc()
            self._rows.append(row_message(row))
        for change in self.desk.changes():
            self._note(change)
        return bool(self._rows or self._puts or self._removals or self.offsets != self.recorded)

    def _note(self, change: Change) -> None:
        match change:
            case RemovedSubject():
                key = subject_key(change.key)
                self._subjects.pop(key, None)
                self.backlog.remove(change.key)
                self._remove(key)
            case RemovedPace():
                key = pace_key(change.id)
                self._paces.pop(key, None)
                self._remove(key)
            case ChannelPace():
                pace = msgspec.structs.replace(change, term=self.term.term)
                self._paces[pace_key(pace.id)] = pace
                self._put(put(pace))
            case Subject():
                subject = msgspec.structs.replace(change, term=self.term.term)
                self._subjects[subject_key(subject.key)] = subject
                self.backlog.put(subject)
                self._put(put(subject))

    def _put(self, message: KeyedMessage) -> None:
        self._removals.pop(message.key, None)
        self._puts[message.key] = message

    def _remove(self, key: bytes) -> None:
        self._puts.pop(key, None)
        self._removals[key] = removal(key, self.term.term)

    async def record(self, state: StateLog, rows: LogWriter) -> None:
        """Writes what is to be written; on return the broker has confirmed it, in this order.

        The rows come first, and removals last, so that a crash loses no row: what is decided again
        gets the same rows. When cancelled, the next call writes all again.
        """
        await rows.write(self._rows)
        self._rows.clear()
        offsets = dict(self.offsets)
        moved = [self._offsets_message(offsets)] if offsets != self.recorded else []
        await state.write([*self._puts.values(), *moved, *self._removals.values()])
        self._puts.clear()
        self._removals.clear()
        self.recorded = offsets

    def written_over(self, keys: Iterable[bytes]) -> list[KeyedMessage]:
        """The valid records of `keys`, over which a notifier of an ended term has written."""
        return [self._valid(key) for key in sorted(keys)]

    def _valid(self, key: bytes) -> KeyedMessage:
        if key == TERM_KEY:
            return term_message(self.term)
        if key == OFFSETS_KEY:
            return self._offsets_message(self.recorded)
        if key == SILENCES_KEY:
            return self._silences_message()
        kept = self._subjects.get(key) or self._paces.get(key)
        if kept is None:
            return removal(key, self.term.term)
        return put(msgspec.structs.replace(kept, term=self.term.term))

    def _silences_message(self) -> KeyedMessage:
        known = SilencesInForce(term=self.term.term, silences=dict(self._heeded or {}))
        return KeyedMessage(SILENCES_KEY, notifier_state.encode(known))

    def _offsets_message(self, offsets: dict[int, int]) -> KeyedMessage:
        handled = HandledOffsets(
            term=self.term.term,
            offsets={str(partition): offset for partition, offset in offsets.items()},
            at=now_ms(),
        )
        return KeyedMessage(OFFSETS_KEY, notifier_state.encode(handled))


def term_message(term: Term) -> KeyedMessage:
    """The record that begins a tenure."""
    return KeyedMessage(TERM_KEY, notifier_state.encode(term))


def row_message(row: Notification) -> KeyedMessage:
    """The record of a row in the send log."""
    return KeyedMessage(row.key, msgspec.json.encode(row))


def now_ms() -> int:
    """The wall clock, UTC ms."""
    return time.time_ns() // 1_000_000


def _scheme(row: Notification) -> str:
    return row.channel.rpartition("/")[2]
