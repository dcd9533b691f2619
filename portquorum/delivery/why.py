"""Why somebody was told of an event, or was not. Pure."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Final, Literal

from msgspec import Struct

from portquorum.delivery.memory import NotifierMemory
from portquorum.delivery.names import INCIDENT, channel_of, event_of, id_of, title
from schemas.incident import IncidentEvent
from schemas.notification import Notification
from schemas.notifier_state import AudienceMember, Phase, Subject
from sinks.notifier.model import ChannelEvent

LEAST_LETTERS: Final = 4
"""Characters of an id that are enough to be looked for."""

Asked = Literal["event", "incident", "subject", "target"]

_CONDITIONS: Final = {
    "suspect": "suspect",
    "cleared": "suspect",
    "secrets_missing": "secrets",
    "secrets_found": "secrets",
}
"""Of what condition of a region an event is; any other is of `silent`."""


class MemberNow(Struct, frozen=True, kw_only=True):
    """A channel of the audience of something that is open (or just over), and what it knows.

    `knows` is the state that it confirmed (None: nothing), in the outage `episode`. `waits_since`
    is the time from which it should have been told what waits (UTC ms, None: nothing waits),
    `attempts` and `error` are those of this news. `maybe_told`: an attempt ended without an answer.
    `open_key` is open in an on-call system. `fallback_for` is the id of the channel for which it
    stands in. `held` is what spares it from what is true now (a window, a silence, …), `held_until`
    when that is looked at next. `limited` is the route whose limit holds what waits, until
    `limited_until`. `escalated_from` is the route whose escalation brought it, `reminders` the
    number of reminders that it got.
    """

    route: str
    id: str
    scheme: str
    knows: Phase | None
    episode: int
    waits_since: int | None
    attempts: int
    error: str | None
    maybe_told: bool
    open_key: str | None
    acknowledged: bool
    fallback_for: str | None
    held: str | None = None
    held_until: int | None = None
    limited: str | None = None
    limited_until: int | None = None
    escalated_from: str | None = None
    reminders: int = 0


class SubjectNow(Struct, frozen=True, kw_only=True):
    """What the notifier's state has of a subject; it forgets what is over."""

    phase: Phase
    episode: int
    began_at: int
    changed_at: int
    acknowledged: bool
    audience: tuple[MemberNow, ...]


class EventTold(Struct, frozen=True, kw_only=True):
    """An event, and the newest entry of the send log for each channel. Times are UTC ms."""

    event_id: str
    event: str
    at: int
    sent: tuple[Notification, ...]


class SubjectTold(Struct, frozen=True, kw_only=True):
    """An incident, a region's condition, …: its events, and its audience now.

    `key` is that of the notifier's state; `now` is None if the state does not have it (any more).
    """

    key: str
    title: str
    target: str
    events: tuple[EventTold, ...]
    now: SubjectNow | None

    @property
    def untold(self) -> bool:
        """True if somebody should know and does not: a channel failed or was given up."""
        if self.now is not None:
            return any(one.waits_since is not None and one.attempts for one in self.now.audience)
        return any(row.status in {"dead", "retrying"} for one in self.events for row in one.sent)


class WhyAnswer(Struct, frozen=True, kw_only=True):
    """The answer to `asked`: what it is, and all that is known of it, the newest first."""

    asked: str
    matched: Asked
    subjects: tuple[SubjectTold, ...]


def find(
    asked: str,
    memory: NotifierMemory,
    sent: Sequence[Notification],
    targets: Collection[str] = (),
) -> tuple[Asked, list[SubjectTold]] | None:
    """What is meant by `asked`, the newest first; None if nothing is known of it.

    Args:
        asked: the id of an event or an incident or its first letters, the name of a region, a key
            of the state; else `targets` are meant.
        memory: the notifier's.
        sent: the send log, the oldest first.
        targets: ids of targets that `asked` may mean.
    """
    wanted = asked.strip().lower()
    told = _Told(memory, sent)
    of_target = {key for key in told.keys if told.target_of(key) in {*targets, asked.strip()}}
    if of_target:
        return "target", told.subjects(of_target)
    if len(wanted) >= LEAST_LETTERS:
        events = {
            row.event_id: told.key_of(row)
            for row in sent
            if row.event_id.lower().startswith(wanted)
        }
        for subject in memory.subjects.values():
            event = event_of(subject)
            if event is not None and event.event_id.lower().startswith(wanted):
                events[event.event_id] = subject.key
        incidents = {key for key in told.keys if key.startswith(INCIDENT + wanted)}
        if incidents:
            return "incident", told.subjects(incidents)
        if events:
            return "event", told.subjects(set(events.values()), only=set(events))
    named = {key for key in told.keys if wanted and wanted in key.lower().split("/")[1:2]}
    if wanted in told.keys or named:
        return "subject", told.subjects(named | ({wanted} & told.keys))
    return None


class _Told:
    """The rows of the send log and the subjects of the state, by the keys of the state."""

    def __init__(self, memory: NotifierMemory, sent: Sequence[Notification]) -> None:
        self._memory = memory
        self._key_of_event = {
            event.event_id: subject.key
            for subject in memory.subjects.values()
            if (event := event_of(subject)) is not None
        }
        self._rows: dict[str, list[Notification]] = defaultdict(list)
        for row in sent:
            self._rows[self.key_of(row)].append(row)
        self.keys = self._rows.keys() | memory.subjects.keys()

    def key_of(self, row: Notification) -> str:
        """The key of the subject that a row belongs to.

        Rows of what is no incident have the event's id as `incident_id`; those of a region or a
        channel name it as their target.
        """
        kind, _, what = row.event.partition(".")
        if kind == "region":
            return f"region/{row.target}/{_CONDITIONS.get(what, 'silent')}"
        if kind == "channel":
            return f"channel/{id_of(row.target)}"
        if kind == "targets":
            return self._key_of_event.get(row.event_id, f"targets/{row.event_id}")
        return f"{INCIDENT}{row.incident_id}"

    def target_of(self, key: str) -> str:
        subject = self._memory.subjects.get(key)
        event = None if subject is None else event_of(subject)
        if isinstance(event, IncidentEvent):
            return event.target
        rows = self._rows.get(key, [])
        return rows[-1].target if rows and key.startswith(INCIDENT) else ""

    def subjects(self, keys: Iterable[str], only: Collection[str] = ()) -> list[SubjectTold]:
        found = [self._told(key, only) for key in keys]
        return sorted(found, key=_newest, reverse=True)

    def _told(self, key: str, only: Collection[str]) -> SubjectTold:
        subject = self._memory.subjects.get(key)
        rows = [row for row in self._rows.get(key, []) if not only or row.event_id in only]
        by_event: dict[str, list[Notification]] = defaultdict(list)
        for row in sorted(rows, key=lambda one: (one.event_at, one.at)):
            by_event[row.event_id].append(row)
        return SubjectTold(
            key=key,
            title=title(subject) if subject is not None else _title_of(rows, key),
            target=self.target_of(key),
            events=tuple(
                EventTold(
                    event_id=event_id, event=those[0].event, at=those[0].event_at, sent=tuple(those)
                )
                for event_id, those in by_event.items()
            ),
            now=None if subject is None else _now(subject),
        )


def _title_of(rows: Sequence[Notification], key: str) -> str:
    """The subject line of the newest message says what it was about."""
    return next((row.subject for row in reversed(rows) if row.subject), key)


def _newest(one: SubjectTold) -> int:
    events = [event.at for event in one.events]
    return max([0 if one.now is None else one.now.changed_at, *events])


def _now(subject: Subject) -> SubjectNow:
    event = event_of(subject)
    return SubjectNow(
        phase=subject.phase,
        episode=subject.episode,
        began_at=event.since if isinstance(event, ChannelEvent) else subject.began_at,
        changed_at=subject.changed_at,
        acknowledged=subject.acknowledged,
        audience=tuple(map(_member, subject.audience)),
    )


def _member(member: AudienceMember) -> MemberNow:
    channel = channel_of(member)
    return MemberNow(
        route=member.route,
        id=channel.id,
        scheme=channel.scheme,
        knows=member.told_phase,
        episode=member.told_episode,
        waits_since=member.due_at or None,
        attempts=member.attempts,
        error=member.error or None,
        maybe_told=member.maybe,
        open_key=member.open_key or None,
        acknowledged=member.acknowledged,
        fallback_for=member.fallback_for or None,
        held=member.held or None,
        held_until=member.held_until or None,
        limited=member.limited or None,
        limited_until=member.limited_until or None,
        escalated_from=member.escalated_from or None,
        reminders=member.reminders,
    )
