"""Finds incidents among those in memory."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from portquorum.web.answers import IncidentQuery
from portquorum.web.fleet.cursor import Cursor, CursorError, decode
from portquorum.web.fleet.incident_book import STATE_OF, IncidentBook, KeptIncident
from portquorum.web.fleet.incident_rows import SEVERITY_ORDER, STATE_ORDER, worst_first
from portquorum.web.fleet.kept_target import place
from portquorum.web.fleet.target_query import words_of
from schemas.incident import IncidentEvent

_SORT: Final = "incidents"

_Key = tuple[str, int, str]
"""A rank as digits (closed, severity, state), a time that grows downwards, the id."""


class IncidentFinder:
    """Answers queries from the book."""

    def __init__(self, book: IncidentBook) -> None:
        self._book = book
        self._closed: tuple[int, list[KeptIncident]] = (-1, [])

    def newest_closed(self) -> Sequence[KeptIncident]:
        """What closed within 24 h, the newest first."""
        version, kept = self._closed
        if version != self._book.version:
            kept = sorted(self._book.closed.values(), key=_key)
            self._closed = self._book.version, kept
        return kept

    def of_target(self, target: str) -> list[KeptIncident]:
        """The incidents of a target: open ones, the worst first, then the newest closed ones."""
        opened = sorted(self._book.of_target(target), key=worst_first)
        return opened + [one for one in self.newest_closed() if one.event.target == target]

    def page(self, query: IncidentQuery) -> tuple[list[KeptIncident], int, str]:
        """The rows of a page, the number of all, and the next cursor (empty: none).

        Raises:
            CursorError: the cursor is none.
        """
        key = _since_key if query.sort.endswith("since") else _key
        backwards = query.sort.startswith("-")
        cursor = decode(query.cursor, f"{_SORT} {query.sort}")
        found = sorted(self._matching(query), key=key, reverse=backwards)
        rows = found
        if cursor is not None:
            if not isinstance(cursor.first, int):
                raise CursorError("expected a cursor of incidents, found another one")
            place = (cursor.name, cursor.first, cursor.id)
            rows = [one for one in found if (key(one) < place if backwards else key(one) > place)]
        more = len(rows) > query.limit
        rows = rows[: query.limit]
        return rows, len(found), _cursor(rows[-1], query.sort, key) if more else ""

    def _matching(self, query: IncidentQuery) -> Iterator[KeptIncident]:
        checks = list(_checks(query))
        for one in self._among(query.is_open):
            if all(check(one.event) for check in checks):
                yield one

    def _among(self, is_open: bool | None) -> Iterable[KeptIncident]:
        if is_open is None:
            return [*self._book.open.values(), *self._book.closed.values()]
        return self._book.open.values() if is_open else self._book.closed.values()


def _key(kept: KeptIncident) -> _Key:
    event = kept.event
    if not kept.is_open:
        return "100", -(event.closed_at or event.at), event.incident_id
    severity = SEVERITY_ORDER.index(event.severity)
    state = STATE_ORDER.index(STATE_OF.get(event.incident_type, "down"))
    return f"0{severity}{state}", event.first_failed_at, event.incident_id


def _since_key(kept: KeptIncident) -> _Key:
    """The newest first failure first."""
    return "", -kept.event.first_failed_at, kept.event.incident_id


def _cursor(kept: KeptIncident, sort: str, key: Callable[[KeptIncident], _Key]) -> str:
    rank, time, incident = key(kept)
    return Cursor(f"{_SORT} {sort}", time, rank, incident).encode()


def _checks(query: IncidentQuery) -> Iterator[Callable[[IncidentEvent], bool]]:
    """What each event must satisfy; nothing for what the query leaves open."""
    words = words_of(query.q)
    if words:
        yield lambda event: _has(_text(event), words)
    if query.states:
        yield lambda event: STATE_OF.get(event.incident_type, "down") in query.states
    if query.severities:
        yield lambda event: event.severity in query.severities
    if query.teams:
        yield lambda event: (event.team or "") in query.teams
    if query.tags:
        yield lambda event: not set(event.tags).isdisjoint(query.tags)
    if query.targets:
        yield lambda event: event.target in query.targets
    if query.hosts:
        yield lambda event: event.host in query.hosts
    if query.acknowledged is not None:
        yield lambda event: (event.acknowledged_by is not None) == query.acknowledged
    if query.since is not None or query.until is not None:
        yield _touches(query.since or 0, math.inf if query.until is None else query.until)


def _touches(since: int, until: float) -> Callable[[IncidentEvent], bool]:
    def check(event: IncidentEvent) -> bool:
        is_before_end = event.closed_at is None or event.closed_at >= since
        return is_before_end and event.first_failed_at < until

    return check


def _has(text: str, words: Sequence[str]) -> bool:
    return all(word in text for word in words)


def _text(event: IncidentEvent) -> str:
    shown = place(event.target, event.host, event.port)
    parts = (event.name, event.target, shown, event.team or "", event.summary, *event.tags)
    return "\n".join(parts).lower()
