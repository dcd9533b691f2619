"""Many targets that go down within a minute: one event for whoever operates the place. Pure."""

import heapq
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Final, Literal

from msgspec import Struct

from schemas.incident import NAMESPACE, IncidentEvent
from schemas.notifier_state import EventMark
from schemas.probe import HOSTLESS
from sinks.notifier.decision import rows
from sinks.notifier.decision.membership import Membership
from sinks.notifier.decision.reviewer import Reviewer
from sinks.notifier.decision.stored_events import encode_stored
from sinks.notifier.decision.subjects import MASS, OpenSubject, group_of
from sinks.notifier.model import MassEvent

WITHIN_MS: Final = 60_000
"""Targets that went down within this time went down together."""

FEWEST: Final = 10
"""With fewer targets than this in all, a share of them says nothing."""

NAMED_HOSTS: Final = 10

_DOWN: Final = frozenset({"unreachable", "flapping"})


class _Incident(Struct, frozen=True):
    """An open incident of a target that is down, and since when."""

    target: str
    host: str
    began: int


class MassOutages:
    """Watches how many targets are down. One outage of many is open at a time.

    It begins when more than `share` of all targets on hosts (there must be ten) have an incident
    that began within a minute, and is over when fewer than half as many are down of those that went
    down since then. Jobs and domains are on no host. A `share` of 0 turns it off; a total that is
    not known changes nothing.
    """

    def __init__(
        self, core: Reviewer, membership: Membership, share: float, total: Callable[[], int]
    ) -> None:
        self._core = core
        self._membership = membership
        self._share = share
        self._total = total
        self._down: dict[str, _Incident] = {}
        self._times: list[tuple[int, str]] = []
        self._recent: dict[str, str] = {}
        """The targets of incidents that began within the last minute."""
        self._many_recent: Counter[str] = Counter()
        self._key = ""
        self._inside: dict[str, _Incident] | None = None
        """The incidents of the open outage that are down; None: to be found."""
        self._targets_inside: Counter[str] = Counter()
        self._stale = False

    def restore(self, subject: OpenSubject) -> None:
        """Takes a subject from its record."""
        if isinstance(subject.event, MassEvent):
            if subject.phase == "down":
                self._key, self._inside = subject.key, None
        else:
            self._put(subject)

    def note(self, subject: OpenSubject, now: int) -> None:
        """A subject has changed."""
        if self._share and self._put(subject):
            self.look(now)

    def look(self, now: int) -> None:
        """Begins an outage of many, or ends it, by the targets that are down and their total."""
        self._leave_old(now)
        total = self._total() if self._share else 0
        if not total:
            return
        if self._open() is not None:
            self._end_if_over(total, now)
        elif total >= FEWEST and len(self._many_recent) > self._share * total:
            self._begin(now)

    def refresh(self) -> None:
        """Brings the numbers of an outage that nobody was told of up to date."""
        subject = self._open()
        if subject is None or not self._stale:
            return
        self._stale = False
        told = any(one.confirmed or one.in_flight for one in subject.listeners.values())
        event = subject.event
        if isinstance(event, MassEvent) and not told:
            subject.event = self._event("mass.down", event.event_id, event.since, event.at)
            subject.raw = encode_stored(subject.event)
            self._core.mark_changed(subject)

    # Targets.

    def _put(self, subject: OpenSubject) -> bool:
        """Takes in what a subject says of its target; False if it says nothing of that kind."""
        event = subject.event
        if not isinstance(event, IncidentEvent) or event.incident_type not in _DOWN:
            return False
        if event.expect == "closed" or event.kind in HOSTLESS:
            return False  # open ports are no outage; jobs and domains share no network
        if subject.phase == "down":
            self._fell(subject, event)
        else:
            self._rose(subject.key)
        return True

    def _fell(self, subject: OpenSubject, event: IncidentEvent) -> None:
        key = subject.key
        if key in self._down:
            return
        began = subject.marks[-1].at if subject.marks else subject.changed_at
        fallen = self._down[key] = _Incident(event.target, event.host or event.target, began)
        heapq.heappush(self._times, (began, key))
        self._recent[key] = event.target
        self._many_recent[event.target] += 1
        if self._inside is not None and began >= self._since():
            self._inside[key] = fallen
            self._targets_inside[fallen.target] += 1
            self._stale = True

    def _rose(self, key: str) -> None:
        if self._down.pop(key, None) is None:
            return
        self._is_old(key)
        risen = None if self._inside is None else self._inside.pop(key, None)
        if risen is not None:
            _take_one(self._targets_inside, risen.target)
            self._stale = True

    def _is_old(self, key: str) -> None:
        target = self._recent.pop(key, None)
        if target is not None:
            _take_one(self._many_recent, target)

    # The outage.

    def _open(self) -> OpenSubject | None:
        return self._core.subjects.get(self._key)

    def _since(self) -> int:
        subject = self._open()
        return subject.event.since if subject and isinstance(subject.event, MassEvent) else 0

    def _leave_old(self, now: int) -> None:
        """Forgets what began more than a minute ago, whether or not one may begin now."""
        while self._times and self._times[0][0] <= now - WITHIN_MS:
            began, key = heapq.heappop(self._times)
            known = self._down.get(key)
            if known is not None and known.began == began:
                self._is_old(key)

    def _find_inside(self, since: int) -> None:
        self._inside = {key: one for key, one in self._down.items() if one.began >= since}
        self._targets_inside = Counter(one.target for one in self._inside.values())

    def _begin(self, now: int) -> None:
        since = min(self._down[key].began for key in self._recent)
        began_at = now
        while f"{MASS}{began_at}" in self._core.subjects:
            began_at += 1
        self._key = f"{MASS}{began_at}"
        self._find_inside(since)
        identity = str(uuid.uuid5(NAMESPACE, f"{self._key}|mass.down"))
        event = self._event("mass.down", identity, since, now)
        mark = _mark(event)
        subject = OpenSubject(
            key=self._key,
            event=event,
            raw=encode_stored(event),
            phase="down",
            episode=1,
            began_at=now,
            changed_at=now,
            group=group_of(event),
            marks=(mark,),
            repaired=self._core.routes_number,
        )
        core = self._core
        core.subjects[self._key] = subject
        self._membership.invite(subject, event, mark, now)
        if not subject.listeners:
            core.said.add(rows.not_sent(event, mark, None, rows.NO_ROUTE, now))
        core.review(subject, now)
        core.mark_changed(subject)

    def _end_if_over(self, total: int, now: int) -> None:
        subject = self._open()
        if subject is None or not isinstance(subject.event, MassEvent):
            return
        if self._inside is None:
            self._find_inside(subject.event.since)
        if len(self._targets_inside) >= self._share * total / 2:
            return
        core = self._core
        pending = [one for one in subject.listeners.values() if one.due_at or one.next_due_at]
        identity = str(uuid.uuid5(NAMESPACE, f"{self._key}|mass.over"))
        event = self._event("mass.over", identity, subject.event.since, now)
        replaced, mark = subject.marks, _mark(event)
        subject.event, subject.raw, subject.marks = event, encode_stored(event), (mark,)
        subject.phase, subject.changed_at = "closed", now
        self._key, self._inside = "", None
        core.said.superseded(subject, replaced, pending, event.event, now)
        core.news_came(subject, now)
        if not subject.listeners:
            core.said.add(rows.not_sent(event, mark, None, rows.NOT_TOLD, now))
        core.review(subject, now)
        core.mark_changed(subject)

    def _event(
        self, kind: Literal["mass.down", "mass.over"], identity: str, since: int, at: int
    ) -> MassEvent:
        subject = self._open()
        known = subject.event.total if subject and isinstance(subject.event, MassEvent) else 0
        inside = self._inside or {}
        hosts = Counter(host for _, host in {(one.target, one.host) for one in inside.values()})
        return MassEvent(
            event_id=identity,
            event=kind,
            down=len(self._targets_inside),
            total=self._total() or known,
            hosts=tuple(host for host, _ in hosts.most_common(NAMED_HOSTS)),
            since=since,
            at=at,
        )


def _mark(event: MassEvent) -> EventMark:
    return EventMark(event_id=event.event_id, event=event.event, at=event.at)


def _take_one(numbers: Counter[str], name: str) -> None:
    numbers[name] -= 1
    if not numbers[name]:
        del numbers[name]
