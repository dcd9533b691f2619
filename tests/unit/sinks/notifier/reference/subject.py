"""What is true of one subject, and what each channel of its audience knows: slow and obvious.

Written from issue 17 and the words of the rules alone, not from the notifier's decision.
"""

from dataclasses import dataclass, field
from typing import Final, Literal, TypeVar

from schemas.incident import Event, IncidentEvent, RegionEvent, TargetsEvent
from schemas.partition import host_key
from sinks.notifier.model import ChannelEvent, MassEvent
from sinks.notifier.routing import Routes
from tests.unit.sinks.notifier.reference.choice import CONSOLE, channels
from tests.unit.sinks.notifier.reference.wall_clock import every_url, takes_now, urls_now

MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
CLOSING_MS: Final = DAY
MISSED_MS: Final = HOUR
CONTINUED_MS: Final = DAY

T = TypeVar("T")
Standing = Literal["must", "may", "out"]
"""`must`: has to be told; `may`: the rules leave it open; `out`: no route has this URL any more."""
TELLABLE: Final = frozenset(
    {
        "opened",
        "worsened",
        "improved",
        "closed",
        "region.silent",
        "region.returned",
        "region.suspect",
        "region.cleared",
        "targets.unwatched",
        "targets.watched",
    }
)


@dataclass(frozen=True)
class Told:
    """The state that a message told of; `outage` counts how often the subject opened."""

    outage: int
    episode: int
    phase: str
    revision: int


@dataclass
class Member:
    """One channel of an audience, by what the notifier can know of it.

    `maybe`: an attempt had no answer, or was under way in a crash (`ghost`). `keys` are the keys
    that an on-call system confirmed as open, `maybe_keys` those that it may have open. `since`: the
    time from which something must be told. `hold`, `grace`: nothing is due before. `first`, `last`:
    bounds of the time from which the channel owes its first confirmation.
    """

    url: str
    route: str
    standing: Standing = "must"
    told: Told | None = None
    maybe: bool = False
    ghost: bool = False
    keys: set[str] = field(default_factory=set)
    maybe_keys: set[str] = field(default_factory=set)
    acknowledged: set[str] = field(default_factory=set)
    stand_ins: tuple[str, ...] = ()
    """The URLs of its fallback when that was asked, which happens once."""
    owed_since: int | None = None
    """Since when its fallback should have been asked; it is asked a little later."""
    dropped: bool = False
    """It left its route before it confirmed anything."""
    presumed: bool = False
    """It may have been told when it did."""
    missed: bool = False
    since: int | None = None
    hold: int = 0
    grace: int = 0
    first: int = 0
    last: int = 0
    refused: int = 0
    refused_news: tuple[object, ...] = ()
    refused_at: int = 0
    unsure_of: Told | None = None
    unsure_at: int = 0
    told_at: int = 0
    """The time of its last confirmation."""
    spared: bool = False
    """It was spared, or may have been, at some time of this outage."""
    spared_at_end: bool = False
    """It was spared when the outage ended, by more than quiet hours."""
    escalated_from: str = ""
    """The route whose escalation brought it."""


@dataclass
class Subject:
    """An incident, a condition of a region, a cause of unwatched targets, or a broken channel."""

    key: str
    group: str
    event: Event | ChannelEvent | MassEvent
    outage: int = 0
    episode: int = 1
    phase: str = "closed"
    revision: int = 0
    total: int = 0
    counts: dict[int, int] = field(default_factory=dict)
    newest: dict[int, Event] = field(default_factory=dict)
    acknowledged: bool = False
    closed_at: tuple[int, int] = (0, 0)
    """The earlier and the later of event time and the notifier's time of its closing."""
    opened_at: tuple[int, int] = (0, 0)
    episode_at: tuple[int, int] = (0, 0)
    up_at: tuple[int, int] = (0, 0)
    """As `closed_at`, of the beginning of the outage, of its episode, and of its last recovery."""
    members: dict[str, Member] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    unseen_opening: bool = False
    continues: str = ""
    """The key of an abandoned incident that is continued."""
    may_continue: str = ""
    """That of one whose trigger was under way in a crash; the first trigger tells."""
    replaced: bool = False
    """A partition has another cause now: the notifier says so in words of its own."""
    settled_at: int = 0
    """After a clock was set back nothing is late before."""
    disturbed: bool = False
    """A clock was set, or routes changed while a message was under way: times and places vary."""

    @property
    def closed(self) -> bool:
        return self.phase == "closed"

    @property
    def abandoned(self) -> bool:
        event = self.event
        return isinstance(event, IncidentEvent) and event.closed_because == "abandoned"

    def own_key(self, episode: int) -> str:
        """The key for on-call systems."""
        kind, _, rest = self.key.partition("/")
        if kind == "incident":
            return f"{rest}/{episode}"
        if kind == "region":
            name, _, condition = rest.rpartition("/")
            return f"region:{name}" + ("/suspect" if condition == "suspect" else "")
        return f"{kind}:{rest}"

    def key_for(self, _: Member) -> str:
        """The key for a channel: an incident that continues an abandoned one has its key."""
        return (
            self.continues if self.continues and self.episode == 1 else self.own_key(self.episode)
        )

    def state(self) -> Told:
        """What a message that is made now tells of."""
        return Told(self.outage, self.episode, self.phase, self.revision)

    def knew(self, member: Member) -> bool:
        """True if a channel confirmed this outage, or may have been told of it."""
        return self.confirmed(member) or member.maybe

    def confirmed(self, member: Member) -> bool:
        """True if a channel confirmed this outage."""
        told = member.told is not None and member.told.outage == self.outage and not member.missed
        return told or bool(member.keys)

    def anybody(self) -> bool:
        return any(self.knew(one) or one.ghost for one in self.members.values())

    def anybody_but_the_console(self) -> bool:
        """The console where no route takes an event is nobody."""
        return any(
            self.knew(one) or one.ghost
            for one in self.members.values()
            if (one.route, one.url) != (CONSOLE.route, CONSOLE.url)
        )


def copied(subject: Subject) -> Subject:
    """A copy that shares nothing that changes."""
    new = _shallow(subject)
    new.counts = dict(subject.counts)
    new.newest = dict(subject.newest)
    new.seen = list(subject.seen)
    new.members = {}
    for url, member in subject.members.items():
        one = new.members[url] = _shallow(member)
        one.keys = set(member.keys)
        one.maybe_keys = set(member.maybe_keys)
        one.acknowledged = set(member.acknowledged)
    return new


def _shallow(thing: T) -> T:
    """Ten times as fast as `dataclasses.replace`, and called all the time."""
    new = object.__new__(type(thing))
    new.__dict__.update(thing.__dict__)
    return new


def subject_key(event: Event) -> str:
    match event:
        case IncidentEvent():
            return f"incident/{event.incident_id}"
        case RegionEvent():
            suspect = event.event in ("region.suspect", "region.cleared")
            return f"region/{event.region}/{'suspect' if suspect else 'silent'}"
        case TargetsEvent():
            return f"targets/{event.cause_id}"


def group_of(event: Event) -> str:
    match event:
        case IncidentEvent():
            return f"host:{host_key(event.host, event.target)}"
        case RegionEvent():
            return f"region:{event.region}"
        case TargetsEvent():
            return f"targets:{event.cause_id}"


def opens(event: Event) -> bool:
    return event.event not in ("closed", "region.returned", "region.cleared", "targets.watched")


def count(subject: Subject, partition: int, number: int) -> None:
    """A partition has that many unwatched targets of this cause."""
    before = subject.total
    subject.counts[partition] = number
    subject.total = sum(subject.counts.values())
    if subject.total > before and not subject.closed:
        subject.revision += 1
    subject.phase = "down" if subject.total else "closed"


def _critical(subject: Subject) -> bool:
    return any(
        isinstance(one, TargetsEvent) and one.severity == "critical" and subject.counts[number]
        for number, one in subject.newest.items()
    )


def hear(subject: Subject, event: Event, now: int) -> bool:  # noqa: C901 - a case an event
    """Takes an event that is new into the subject; True if it opened with it."""
    was_closed, was_down, before = subject.closed, subject.phase == "down", subject.episode
    times = min(now, event.at), max(now, event.at)
    subject.event = event
    subject.seen.append(event.event_id)
    if isinstance(event, TargetsEvent):
        revision, critical = subject.revision, _critical(subject)
        subject.newest[event.partition] = event
        count(subject, event.partition, event.count)
        if revision == subject.revision and not was_closed:
            # Worse, too, if a critical target is among them for the first time.
            subject.revision += _critical(subject) and not critical
    elif event.event in ("closed", "region.returned", "region.cleared"):
        subject.phase = "closed"
    elif event.event == "worsened":
        told = event.episode if isinstance(event, IncidentEvent) else None
        subject.episode = told if isinstance(told, int) else subject.episode + 1
        subject.phase = "down"
    elif event.event == "improved":
        subject.phase = "improved"
    elif was_closed or event.event != "updated":
        subject.phase = "down"
    if isinstance(event, IncidentEvent):
        subject.acknowledged = event.acknowledged_by is not None
        if isinstance(event.episode, int):
            subject.episode = event.episode
    if subject.closed and not was_closed:
        subject.closed_at = times
    if was_down and subject.phase != "down":
        subject.up_at = times
    if subject.episode != before:
        subject.episode_at = times
    if was_closed and not subject.closed:
        subject.opened_at = subject.episode_at = times
        subject.outage += 1
        subject.acknowledged = subject.acknowledged and isinstance(event, IncidentEvent)
        return True
    return False


def join(subject: Subject, routes: Routes, now: int, standing: Standing = "must") -> None:
    """Adds the channels that the routes of the moment have for the subject."""
    if isinstance(subject.event, ChannelEvent):
        return
    for channel in channels(routes, subject.event, now):
        member = subject.members.get(channel.url)
        if member is None:
            subject.members[channel.url] = Member(
                channel.url, channel.route, standing, first=now, last=now
            )
        elif standing == "must" and member.standing != "must":
            member.standing, member.dropped = "must", False
            member.last = now


def _left(
    subject: Subject, routes: Routes, current: dict[str, str], under_way: set[str]
) -> dict[str, Standing]:
    """Routes that a channel left which confirmed nothing, with its standing; changes standings."""
    every = {url for route in routes.routes.values() for url in every_url(route)} | {CONSOLE.url}
    left: dict[str, Standing] = {}
    for member in subject.members.values():
        if subject.confirmed(member):
            continue
        route = routes.routes.get(member.route)
        if member.url in current:
            if route is None or member.url not in every_url(route):
                member.route = current[member.url]
            if member.standing == "out":
                member.standing = "may"
            continue
        if (route is None or member.url not in every_url(route)) and not member.dropped:
            if left.get(member.route) != "must":
                # A message that is under way may make it one that confirmed.
                left[member.route] = "may" if member.url in under_way else member.standing
            member.dropped = True
            member.presumed = member.presumed or member.maybe or member.ghost
        member.standing = "may" if member.url in every else "out"
    return left


def _relieved(
    subject: Subject, routes: Routes, current: dict[str, str], under_way: set[str], now: int
) -> list[str]:
    """Who was not told, and is not on any more, is not told: surely if somebody else is on."""
    if subject.closed or subject.disturbed or under_way:
        return []
    nobody = not subject.anybody_but_the_console()
    others = any((name, url) != (CONSOLE.route, CONSOLE.url) for url, name in current.items())
    found = []
    for member in subject.members.values():
        route = routes.routes.get(member.route)
        if route is None or member.url in current or member.url not in every_url(route):
            continue
        if subject.knew(member) or member.ghost or member.escalated_from:
            continue
        if takes_now(route, now):
            relieved = member.url not in urls_now(route, now) and route.name in current.values()
        else:
            relieved = nobody and others
        if relieved and member.standing != "may":
            found.append(member.url)
    return found


def reroute(subject: Subject, routes: Routes, now: int, under_way: set[str]) -> None:
    """The routes changed while the subject is open (rules (a) and (b) of the audience)."""
    if isinstance(subject.event, ChannelEvent):
        return
    current = {channel.url: channel.route for channel in channels(routes, subject.event, now)}
    relieved = _relieved(subject, routes, current, under_way, now)
    left = _left(subject, routes, current, under_way)
    for url in relieved:
        subject.members[url].standing = "out"
    if subject.closed:
        # What a change does to an outage that is over is left open.
        subject.disturbed = True
        join(subject, routes, now, "may")
        return
    if not subject.anybody_but_the_console() and not under_way:
        # Who knows of the outage before this one, and not of its end, knows that it is down:
        # somebody was told, and the rules leave it open whether others are.
        known = any(one.told and one.told.phase != "closed" for one in subject.members.values())
        join(subject, routes, now, "may" if known else "must")
        return
    for name, owed in left.items():
        for url in urls_now(routes.routes[name], now) if name in routes.routes else ():
            if url not in subject.members:
                sure = owed == "must" and current.get(url) == name
                standing: Standing = "must" if sure else "may"
                subject.members[url] = Member(url, name, standing, first=now, last=now)
    if under_way or not any(subject.confirmed(one) for one in subject.members.values()):
        join(subject, routes, now, "may")


Actions = tuple[set[str], set[str]]
"""What must be told now, and what may be told besides."""
NOTHING: Final[Actions] = (set(), set())


def people_actions(  # noqa: PLR0911 - a case a state
    subject: Subject, member: Member, drop: bool, now: int
) -> Actions:
    """What a channel that people read must be told now, and what it may be told besides."""
    if subject.closed:
        return _end_for_people(subject, member, drop, now)
    told = member.told
    if told is None:
        if (member.maybe or member.ghost) and member.dropped:
            # It counts as told, for it may have been.
            return set(), {"opened", "worsened", "improved", "updated"}
        must, permitted = _opening(member, member.maybe or member.ghost)
        if member.presumed and (member.maybe or member.ghost):
            # It counted as told when it left, and the subject opened again since: both are right.
            permitted = permitted | {"worsened", "improved", "updated"}
        return must, permitted
    if told.phase == "closed":
        # Down again. Who confirmed once keeps its place, whatever the routes are.
        return _opening(member, True)
    if told.outage < subject.outage:
        # Up and down again before it was told of the end: it knows what is true.
        return set(), {"opened", "worsened", "updated", "closed"}
    if told.episode < subject.episode:
        return {"worsened"}, set()
    if told.phase == "down" and subject.phase == "improved":
        return {"improved"}, set()
    return ({"updated"}, set()) if told.revision < subject.revision else NOTHING


def _opening(member: Member, permitted: bool) -> Actions:
    if member.standing == "must":
        return {"opened"}, set()
    return (set(), {"opened"}) if permitted or member.standing == "may" else NOTHING


def _end_for_people(  # noqa: PLR0911 - a case a state
    subject: Subject, member: Member, drop: bool, now: int
) -> Actions:
    told = member.told
    early, late = subject.closed_at
    if told is not None and told.phase == "closed":
        return NOTHING if told.outage == subject.outage else (set(), {"missed", "closed"})
    if told is not None or member.maybe:
        if now > late + CLOSING_MS + MINUTE:
            return NOTHING
        return ({"closed"} if now < early + CLOSING_MS else set()), {"closed"}
    if member.ghost:
        return set(), {"closed", "missed"}
    if now > late + MISSED_MS + MINUTE:
        return NOTHING
    if subject.unseen_opening or subject.disturbed:
        return set(), {"missed"}
    if drop or member.standing == "out":
        return NOTHING
    if subject.anybody():
        # A ghost may have been told, and then this one gets nothing; else it is missed.
        sure = any(subject.knew(one) for one in subject.members.values())
        return set(), set() if sure else {"missed"}
    if now >= early + MISSED_MS or member.standing == "may":
        return set(), {"missed"}
    return {"missed"}, set()


def on_call_actions(subject: Subject, member: Member, now: int) -> Actions:
    """What an on-call system must be given now, and what it may be given: `action key`."""
    key = subject.key_for(member)
    known = member.keys | member.maybe_keys
    if subject.closed:
        return _end_on_call(subject, member, known, now)
    stale = {f"resolve {one}" for one in known if one != key}
    permitted: set[str] = set()
    if member.ghost:
        permitted = {f"resolve {subject.own_key(number)}" for number in range(1, subject.episode)}
    if member.keys - {key}:
        # The old key first.
        return stale, permitted
    trigger = {f"trigger {key}"}
    if key not in member.keys:
        told = member.told
        if member.standing == "must" or (told is not None and told.outage == subject.outage):
            return stale | trigger, permitted
        if subject.acknowledged and key in member.maybe_keys:
            permitted.add(f"acknowledge {key}")
        loose = member.standing == "may" or member.maybe or member.ghost
        return stale, permitted | (trigger if loose else set())
    again = member.told is not None and member.told.outage < subject.outage
    if again or (subject.continues == key and not member.told):
        permitted |= trigger
    if subject.acknowledged and key not in member.acknowledged:
        stale.add(f"acknowledge {key}")
    return stale, permitted


def _end_on_call(subject: Subject, member: Member, known: set[str], now: int) -> Actions:
    key = subject.key_for(member)
    early, late = subject.closed_at
    if now > late + CLOSING_MS + MINUTE:
        return NOTHING
    resolves = {f"resolve {one}" for one in known}
    if subject.abandoned:
        return set(), resolves - {f"resolve {key}"}
    told = member.told is not None and member.told.phase == "closed"
    unsure = (member.ghost or member.maybe) and not told
    permitted = resolves | ({f"resolve {key}"} if unsure else set())
    return (resolves if now < early + CLOSING_MS else set()), permitted
