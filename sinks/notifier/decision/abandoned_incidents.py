"""Incidents that ended because nobody looked: their on-call keys stay open for a day. Pure."""

from typing import Final

from schemas.incident import Event, IncidentEvent
from sinks.notifier.decision import audience
from sinks.notifier.decision.reviewer import Reviewer
from sinks.notifier.decision.subjects import OpenSubject

MOST_FORGOTTEN: Final = 1_000
"""Owners of keys that are looked through when so many of them may be over."""


class AbandonedIncidents:
    """Finds the abandoned incident that a new one of the same target and type continues."""

    def __init__(self, core: Reviewer) -> None:
        self._core = core
        self._keys: dict[tuple[str, str], str] = {}
        self._owners: dict[str, str] = {}
        """By the open key: the newest incident that goes on with it."""

    def note(self, subject: OpenSubject) -> None:
        """Remembers a subject if it was abandoned and may have an open key, or goes on with one."""
        event = subject.event
        if not isinstance(event, IncidentEvent):
            return
        place = event.target, event.incident_type
        if subject.continues:
            owner = self._core.subjects.get(self._owners.get(subject.continues, ""))
            if owner is None or owner.began_at <= subject.began_at:
                self._own(subject)
            self._let_go(self._core.subjects.get(self._keys.get(place, "")))
        if subject.abandoned:
            self._let_go(subject)
            if any(one.open_key or one.in_flight for one in subject.listeners.values()):
                self._keys[place] = subject.key

    def _own(self, subject: OpenSubject) -> None:
        self._owners[subject.continues] = subject.key
        subjects = self._core.subjects
        if len(self._owners) > MOST_FORGOTTEN + 2 * len(subjects):
            self._owners = {key: one for key, one in self._owners.items() if one in subjects}

    def _let_go(self, subject: OpenSubject | None) -> None:
        """Takes a key from a subject if another one goes on with it.

        Both records have it if a crash came when only the one that goes on was written.
        """
        if subject is None or self._owners.get(subject.open_key, subject.key) == subject.key:
            return
        if self._owners[subject.open_key] not in self._core.subjects:
            del self._owners[subject.open_key]
            return
        twice = [one for one in subject.listeners.values() if one.open_key == subject.open_key]
        for one in twice:
            del subject.listeners[one.id]
        if twice:
            self._core.mark_changed(subject)

    def go_on(self, subject: OpenSubject, event: Event, now: int) -> None:
        """Gives a new subject the open keys of the one that was abandoned.

        Who holds an open key joins the audience, whatever the routes are, and is triggered with it
        once more: a person may have closed it there.
        """
        if not isinstance(event, IncidentEvent) or subject.episode != 1:
            return
        key = self._keys.pop((event.target, event.incident_type), "")
        before = self._core.subjects.get(key)
        if before is None or before is subject:
            return
        holders = [
            one
            for one in before.listeners.values()
            if one.open_key and one.flight_action in {"", "refresh"}
        ]
        if not holders:
            return
        subject.continues = before.open_key
        self._own(subject)
        subject.known_as = before.known_as
        audience.join(subject, [(one.id, one.channel) for one in holders], now)
        for old in holders:
            new = subject.listeners.get(old.id)
            if new is not None:
                new.open_key, new.maybe = old.open_key, True
                del before.listeners[old.id]
        before.kept = False
        # The new record is written before the old one: if a crash comes between the two, a key
        # that is named twice does less harm than one that nobody knows.
        self._core.dispatcher.changed.pop(before.key, None)
        self._core.mark_changed(subject)
        self._core.review(before, now)
        self._core.mark_changed(before)
