"""The rows of [notifications]: what became of each event that people could have been told of."""

from collections.abc import Iterable

import msgspec

from schemas import notification
from schemas.incident import Event
from schemas.notification import Notification
from sinks.notifier.model import Delivery, SendOutcome
from tests.unit.sinks.notifier.reference.subject import TELLABLE, Subject
from tests.unit.sinks.notifier.reference.wrong import Wrong


class Rows:
    def __init__(self) -> None:
        self.events: dict[str, tuple[Event, str]] = {}
        self.rows: dict[str, list[Notification]] = {}
        self.fresh: set[str] = set()
        self.exempt: set[str] = set()
        """Events whose rows a crash may have taken."""
        self._sent: list[tuple[str, frozenset[str]]] = []
        self._confirmed: set[tuple[str, str]] = set()
        self._owed: list[tuple[str, str, tuple[str, ...]]] = []
        """Event, channel and the beginnings of a reason, one of which its next row must have."""

    def took(self, event: Event, key: str) -> None:
        self.events[event.event_id] = (event, key)
        self.fresh.add(event.event_id)

    def spared(self, event_id: str, channel: str, whys: tuple[str, ...]) -> None:
        """This event is not told to this channel, for one of these reasons."""
        self._owed.append((event_id, channel, whys))

    def nothing_spared(self) -> None:
        """What 0.1 did has no rows of ours."""
        self._owed.clear()

    def ended(self, delivery: Delivery, outcome: SendOutcome, subjects: dict[str, Subject]) -> None:
        if delivery.action == "refresh" or outcome.kind != "confirmed":
            return
        for news in delivery.news:
            ids = {news.event.event_id, *(one.event_id for one in news.marks)}
            if news.entry in subjects:
                ids.update(subjects[news.entry].seen)
            self._sent.append((delivery.channel.id, frozenset(ids)))
            self._confirmed.update((delivery.channel.id, one) for one in ids)

    def wrote(self, rows: Iterable[Notification], subjects: dict[str, Subject]) -> None:
        rows = list(rows)
        for row in rows:
            self._check(row, subjects)
            self.rows.setdefault(row.event_id, []).append(row)
        for channel, ids in self._sent:
            if not any(
                row.status == "sent" and channel_id(row) == channel and row.event_id in ids
                for row in rows
            ):
                raise Wrong(f"{channel} confirmed, and no row says so of {sorted(ids)}", rows)
        for event_id, channel, whys in self._owed:
            self._right_reason(event_id, channel, whys)
        self._owed.clear()
        self._sent.clear()
        self.fresh.clear()

    def _right_reason(self, event_id: str, channel: str, whys: tuple[str, ...]) -> None:
        found = [
            str(row.why)
            for row in self.rows.get(event_id, ())
            if row.status == "not_sent" and row.channel and channel_id(row) == channel
        ]
        if not any(one.startswith(whys) for one in found):
            raise Wrong(f"{event_id} is not told to {channel}: no row with one of {whys}", found)

    def _check(self, row: Notification, subjects: dict[str, Subject]) -> None:
        if notification.decode(msgspec.json.encode(row)) != row:
            raise Wrong("a row that its own reader does not take", row)
        if row.status == "not_sent" and not row.why:
            raise Wrong("not sent, and no word why", row)
        if row.status in ("retrying", "dead") and not (row.error or row.why):
            raise Wrong("it failed, and no word why", row)
        if row.status != "not_sent" and not row.channel:
            raise Wrong("a row of an attempt without its channel", row)
        if row.status == "sent" and (channel_id(row), row.event_id) not in self._confirmed:
            raise Wrong("a row says sent, and the channel never confirmed", row)
        if row.status == "dead" and row.event_id in self.events:
            subject = subjects.get(self.events[row.event_id][1])
            if subject is not None and not subject.closed:
                raise Wrong("given up while it is open", row)

    def lost(self) -> None:
        """A crash: rows that were not written are gone, and so is what was to come of them."""
        self.exempt |= self.events.keys() - self.rows.keys()
        self.fresh.clear()
        self._sent.clear()
        self._owed.clear()

    def complete(self) -> None:
        """Raises `Wrong` if an event that a person could have been told of has no row."""
        for event_id, (event, key) in self.events.items():
            if event.event not in TELLABLE or event_id in self.exempt:
                continue
            if event_id not in self.rows:
                raise Wrong(f"no row for {event.event} {event_id} of {key}")


def channel_id(row: Notification) -> str:
    """The id in `route/id/scheme`: a URL of two routes is one channel."""
    return row.channel.split("/")[-2]
