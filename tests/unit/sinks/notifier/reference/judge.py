"""Judges a notifier by what its receivers got, over a whole history.

It is told of everything that goes into the decision, of each delivery that starts, of what became
of it, of what is written and lost, and says `Wrong` as soon as something is against the rules.
"""

from collections.abc import Callable, Collection
from typing import Final

from schemas.incident import Event, IncidentEvent, TargetsEvent
from sinks.notifier.model import (
    Channel,
    ChannelClass,
    ChannelEvent,
    Delivery,
    News,
    SendOutcome,
)
from sinks.notifier.routing import Routes
from tests.unit.sinks.notifier.reference.channel_bounds import NEVER, REFRESH_MS, Condition
from tests.unit.sinks.notifier.reference.choice import CONSOLE, channels
from tests.unit.sinks.notifier.reference.receivers import Receivers
from tests.unit.sinks.notifier.reference.rows import Rows
from tests.unit.sinks.notifier.reference.subject import (
    CONTINUED_MS,
    Member,
    Subject,
    Told,
    count,
    group_of,
    hear,
    join,
    on_call_actions,
    opens,
    people_actions,
    reroute,
    subject_key,
)
from tests.unit.sinks.notifier.reference.wall_clock import every_url, urls_now
from tests.unit.sinks.notifier.reference.wrong import Wrong

PEOPLE: Final = frozenset(
    {"opened", "worsened", "improved", "updated", "closed", "missed", "reminder", "digest"}
)
ON_CALL: Final = frozenset({"trigger", "acknowledge", "resolve", "refresh"})
MOST_REFRESHED: Final = 1_000
AGAIN_MS: Final = 48_000
"""The shortest wait after a second refusal of one news (60 s, jitter 20 %)."""
LATEST_UNSURE_MS: Final = 360_000
"""People are not told again at once what they may have."""

LOOKS_AGAIN_MS: Final = 10_000
"""A channel that was not tried in time is looked at so much later."""
LATEST_AGAIN_MS: Final = 3_600_000


class Judge:
    """One history: what a notifier is told, what it starts, what becomes of it, what it writes."""

    def __init__(
        self,
        group_wait_ms: int,
        class_of: Callable[[Channel], ChannelClass],
        needs_refresh: Callable[[Channel], bool],
    ) -> None:
        self.group_wait_ms = group_wait_ms
        self.class_of = class_of
        self.needs_refresh = needs_refresh
        self.routes = Routes()
        self.subjects: dict[str, Subject] = {}
        self.written: dict[str, Subject] = {}
        self.gone: dict[str, Subject] = {}
        """Subjects that the notifier need not remember any more."""
        self.conditions: dict[str, Condition] = {}
        self.receivers = Receivers()
        self.rows = Rows()
        self.unwritten: list[tuple[Delivery, bool]] = []
        self.sent_as: dict[int, Told] = {}
        self.ids: dict[str, tuple[object, ...]] = {}
        self.id_of: dict[tuple[object, ...], str] = {}
        self.stands_in: dict[str, set[str]] = {}
        """For each URL, those that were ever its fallback."""
        self.every_url: set[str] = set()
        self.listed: dict[str, set[str]] = {}
        """By the name of a route: the URLs that it ever had."""
        self.unlisted: set[str] = set()
        """URLs that no route had for a time, since they were last said to be broken."""
        self.touched = True
        """Something happened since the last writing."""
        self.blur_ms = 0
        """A clock that was set back makes waits longer, by no more than that."""
        self.crashes = 0
        self.began_at = 0
        self.reached: set[str] = set()
        self.order: dict[str, int] = {}
        """The place of each event in the log, in the order of its first reading."""

    def condition(self, url: str) -> Condition:
        return self.conditions.setdefault(url, Condition())

    def channel_id(self, url: str) -> str:
        return Channel("", url).id

    def people(self, url: str) -> bool:
        return self.class_of(Channel("", url)) == "people"

    # What goes in

    def routes_set(self, routes: Routes, now: int) -> None:
        self.touched = True
        self.routes = routes
        for route in routes.routes.values():
            self.every_url.update(every_url(route))
            # Who listens by a route goes on with that though it has left the route.
            listed = self.listed.setdefault(route.name, set())
            listed.update(every_url(route))
            for url in listed:
                for name in route.fallback:
                    if name in routes.routes:
                        self.stands_in.setdefault(url, set()).update(every_url(routes.routes[name]))
        for url in self.every_url - {
            url for one in routes.routes.values() for url in every_url(one)
        }:
            self.unlisted.add(url)
        for subject in self.subjects.values():
            reroute(subject, routes, now, self._under_way(subject.key))
        self._look(now)

    def taken(self, event: Event, now: int) -> None:  # noqa: C901 - a case an event
        """The notifier took an event, perhaps once more."""
        self.touched = True
        if event.event == "region.clock_skewed":
            return
        key = subject_key(event)
        subject = self.subjects.get(key)
        self.order.setdefault(event.event_id, len(self.order))
        if isinstance(event, TargetsEvent) and not self._newest_of_partition(event, now):
            return
        if subject is not None and event.event_id in subject.seen:
            return
        if subject is None:
            subject = self.subjects[key] = Subject(key, group_of(event), event)
            subject.unseen_opening = not opens(event)
        was_open = not subject.closed
        if hear(subject, event, now):
            subject.unseen_opening = False
            for member in subject.members.values():
                member.missed = member.dropped = member.ghost = False
                member.standing = "may"
            join(subject, self.routes, now)
            self._continue(subject, event, now)
        elif event.event == "worsened":
            self.reached.add("worsened")
            for member in subject.members.values():
                member.last = now
            join(subject, self.routes, now)
        elif subject.unseen_opening or not (subject.closed or subject.anybody_but_the_console()):
            # The target's team may be another now.
            join(subject, self.routes, now, "may")
            stand_in = subject.members.get(CONSOLE.url)
            if stand_in and all(
                one.url != CONSOLE.url for one in channels(self.routes, event, now)
            ):
                stand_in.standing = "may"  # a route takes it now
        if was_open and subject.closed:
            self.reached.add(f"closed: {getattr(event, 'closed_because', None)}")
        self.rows.took(event, key)
        self._look(now)

    def _newest_of_partition(self, event: TargetsEvent, now: int) -> bool:
        """The newest event of a partition replaces those before it, of another cause as well."""
        number = self.order[event.event_id]
        for other in list(self.subjects.values()):
            replaced = other.newest.get(event.partition)
            if replaced is None or other.key == subject_key(event):
                continue
            if self.order[replaced.event_id] > number:
                return False
            if other.counts.get(event.partition):
                self.reached.add("a partition has another cause")
                other.replaced = True
                count(other, event.partition, 0)
                if other.closed:
                    other.closed_at = (min(now, event.at), max(now, event.at))
        return True

    def adopted(self, event: Event, confirmed: Collection[Channel], now: int) -> None:
        """An event that 0.1 handled; `confirmed` know it."""
        self.reached.add("adopted")
        self.taken(event, now)
        subject = self.subjects[subject_key(event)]
        for channel in confirmed:
            self.rows.exempt.add(event.event_id)  # its row is in the send log of 0.1
            member = subject.members.setdefault(channel.url, Member(channel.url, channel.route))
            member.told = subject.state()
            if not self.people(channel.url):
                self._adopt_key(subject, member, now)
        self._look(now)

    def _adopt_key(self, subject: Subject, member: Member, now: int) -> None:
        """0.1 knew no keys. What it told is not told again, and the end has the key of today."""
        known = self.receivers.keys.setdefault(member.url, {})
        for key in member.keys:
            known.pop(key, None)
        member.keys.clear()
        if not subject.closed:
            key = subject.key_for(member)
            member.keys.add(key)
            known[key] = subject.key
            self.condition(member.url).posted[key] = now
            if subject.acknowledged:
                member.acknowledged.add(key)

    def _continue(self, subject: Subject, event: Event, now: int) -> None:
        """Within a day an opening continues the keys of an abandoned incident."""
        if not isinstance(event, IncidentEvent):
            return
        for other in [*self.subjects.values(), *self.gone.values()]:
            before = other.event
            if (
                other is subject
                or not isinstance(before, IncidentEvent)
                or (before.target, before.incident_type) != (event.target, event.incident_type)
                or not (other.closed and other.abandoned)
                or now > other.closed_at[1] + CONTINUED_MS
            ):
                continue
            for url, member in other.members.items():
                if self.people(url):
                    continue
                known = member.keys | member.maybe_keys
                if not known and member.ghost:
                    # Nobody knows whether its trigger was written down as under way.
                    subject.may_continue = other.key_for(member)
                if known:
                    # Also one that may be open: another beside it would never end.
                    self.reached.add("an abandoned key is continued")
                    mine = subject.members.get(url)
                    if mine is None:
                        mine = subject.members[url] = Member(url, member.route, "may")
                    subject.continues = other.key_for(member)
                    mine.keys |= member.keys
                    mine.maybe_keys |= member.maybe_keys
                    # From now on they are this one's: it may resolve them.
                    member.keys, member.maybe_keys = set(), set()

    # What comes out

    def started(self, delivery: Delivery, now: int) -> None:
        """A delivery may start now. Raises `Wrong` if it may not."""
        url, action = delivery.channel.url, delivery.action
        condition = self.condition(url)
        if not delivery.news:
            raise Wrong("a delivery without news", delivery)
        if delivery.at != now:
            raise Wrong("`at` is not the time of the attempt", delivery)
        if action not in (PEOPLE if self.people(url) else ON_CALL):
            raise Wrong(f"the channel's class takes no {action}", delivery)
        why = condition.may_start(now)
        if why is not None:
            raise Wrong(f"too early: {why}", delivery)
        entries = [news.entry for news in delivery.news]
        if len(set(entries)) != len(entries) and action != "refresh":
            raise Wrong("a subject stands twice in one message", delivery)
        busy = {one.entry for other, _, _ in condition.in_flight for one in other.news}
        if busy & set(entries):
            raise Wrong("two messages of one subject are in flight on one channel", delivery)
        if action == "refresh":
            self._refresh(delivery, now)
        else:
            self._told(delivery, now)
        self._same_id(delivery)
        condition.in_flight.append((delivery, now, condition.failed))

    def _told(self, delivery: Delivery, now: int) -> None:
        url, action = delivery.channel.url, delivery.action
        groups = {self._subject(news, delivery).group for news in delivery.news}
        kinds = {said(delivery, news) for news in delivery.news}
        if action == "digest":
            if len(groups) == 1 and len(kinds) == 1:
                raise Wrong(f"a digest of one host's {kinds}", delivery)
        elif len(groups) > 1 or len(kinds) > 1:
            raise Wrong(f"one message for {sorted(groups)}, {sorted(kinds)}", delivery)
        if not self.people(url) and len(delivery.news) > 1:
            raise Wrong("an on-call message has one subject", delivery)
        for news in delivery.news:
            subject = self._subject(news, delivery)
            member = subject.members.get(url)
            if member is None:
                raise Wrong(f"{news.entry}: this channel is not in its audience", delivery)
            if action == "trigger" and news.key == subject.may_continue:
                subject.continues = news.key
            must, may = self.actions(subject, member, now)
            given = said(delivery, news) if self.people(url) else f"{action} {news.key}"
            if given not in must | may:
                raise Wrong(
                    f"{news.entry}: {given}, but it must be given {sorted(must)}, may be given "
                    f"{sorted(may)} ({subject.state()}, {member}, "
                    f"{self.reasons(subject, member, now)})",
                    delivery,
                )
            self._content(subject, member, news, delivery, now)
            self.sent_as[id(news)] = subject.state()
            self.reached.update((action, said(delivery, news)))

    def _content(
        self, subject: Subject, member: Member, news: News, delivery: Delivery, now: int
    ) -> None:
        event = subject.event
        newest = {one.event_id for one in subject.newest.values()} | {event.event_id}
        if news.event.event_id not in newest and not subject.replaced:
            raise Wrong(f"{news.entry}: not its newest event {event.event_id}", delivery)
        if isinstance(event, IncidentEvent) and news.episode != subject.episode:
            resolves_old = delivery.action == "resolve" and news.key != subject.key_for(member)
            if not resolves_old:
                raise Wrong(f"{news.entry}: it is in episode {subject.episode}", delivery)
        if not 0 < news.due_at <= now + self.group_wait_ms and not subject.disturbed:
            raise Wrong(f"{news.entry}: due at {news.due_at}, long after {now}", delivery)
        what = (said(delivery, news), news.key, subject.state(), news.event.event_id)
        if member.refused and member.refused_news == what:
            self.reached.add("refused, and once more")
            if not delivery.plain:
                raise Wrong(f"{news.entry}: the full text was refused", delivery)
            early = now < member.refused_at + AGAIN_MS and not subject.disturbed
            if member.refused > 1 and early:
                raise Wrong(f"{news.entry}: refused twice, and at once again", delivery)

    def reasons(self, subject: Subject, member: Member, now: int) -> object:  # noqa: ARG002
        """What spares a channel, for whoever reads that something is wrong."""
        return None

    def _subject(self, news: News, delivery: Delivery) -> Subject:
        subject = self.subjects.get(news.entry)
        if subject is None:
            raise Wrong(f"{news.entry}: nothing is known of it (any more)", delivery)
        return subject

    def _refresh(self, delivery: Delivery, now: int) -> None:
        url = delivery.channel.url
        condition = self.condition(url)
        if not self.needs_refresh(delivery.channel):
            raise Wrong("this channel needs no refresh", delivery)
        if len(delivery.news) > MOST_REFRESHED:
            raise Wrong(f"a refresh of {len(delivery.news)} keys", delivery)
        for news in delivery.news:
            subject = self._subject(news, delivery)
            member = subject.members.get(url)
            known = member is not None and (
                news.key in member.keys | member.maybe_keys
                or (member.ghost and news.key == subject.key_for(member))
            )
            if not known:
                raise Wrong(f"{news.key} was never triggered here, or is resolved", delivery)
            if subject.closed and not subject.abandoned:
                raise Wrong(f"{news.key} is over", delivery)
        keys = {news.key for news in delivery.news}
        for subject in self.subjects.values():
            member = subject.members.get(url)
            key = subject.key_for(member) if member is not None else ""
            if member is None or subject.closed or key not in member.keys:
                continue
            busy = any(
                one.entry == subject.key
                for other, _, _ in condition.in_flight
                for one in other.news
            )
            must, may = self.actions(subject, member, now)
            again = f"trigger {key}" in must | may
            if key not in keys and not busy and not again and len(keys) < MOST_REFRESHED:
                raise Wrong(f"{key} is open here and not refreshed", delivery)
        if not condition.fewest and now < condition.refreshed_at + REFRESH_MS // 2:
            raise Wrong("refreshed a moment ago", delivery)
        condition.refresh_began_at = now
        self.reached.add("refresh")

    def _same_id(self, delivery: Delivery) -> None:
        """The id is an idempotency key: the same for the same news to the same channel only."""
        if delivery.action == "refresh":
            return
        entries = tuple(sorted(news.entry for news in delivery.news))
        loose = (delivery.channel.id, delivery.action, entries)
        if self.ids.setdefault(delivery.id, loose) != loose:
            raise Wrong(f"the id was that of {self.ids[delivery.id]}", delivery)
        states = tuple(
            sorted((news.entry, news.key, news.event.event_id) for news in delivery.news)
        )
        if any(said(delivery, news) == "reminder" for news in delivery.news):
            return  # each of them is news
        close = (*loose[:2], states)
        if self.id_of.setdefault(close, delivery.id) != delivery.id:
            raise Wrong(f"the same had the id {self.id_of[close]} before", delivery)

    # What became of it

    def finished(self, delivery: Delivery, outcome: SendOutcome, arrived: bool, now: int) -> None:
        self.touched = True
        url = delivery.channel.url
        condition = self.condition(url)
        condition.end(delivery, outcome, now)
        self.reached.add(outcome.kind)
        if arrived:
            self.receivers.got(delivery, now, crashed=False)
        self.unwritten.append((delivery, arrived))
        self.rows.ended(delivery, outcome, self.subjects)
        if delivery.action == "refresh":
            if outcome.kind in ("confirmed", "refused", "not_attempted"):
                condition.refreshed_at = now
                condition.posted.update((news.key, now) for news in delivery.news)
            self._look(now)
            return
        for news in delivery.news:
            subject = self.subjects.get(news.entry)
            member = None if subject is None else subject.members.get(url)
            if subject is not None and member is not None:
                self._learn(subject, member, news, delivery, outcome, now)
        groups = {one.group for one in map(self._of, delivery.news) if one is not None}
        for subject in self.subjects.values():
            if subject.group in groups and url in subject.members:
                subject.members[url].hold = now + self.group_wait_ms
        self._look(now)

    def _of(self, news: News) -> Subject | None:
        return self.subjects.get(news.entry)

    def _learn(  # noqa: PLR0917 - what was told, by whom, and what became of it
        self,
        subject: Subject,
        member: Member,
        news: News,
        delivery: Delivery,
        outcome: SendOutcome,
        now: int,
    ) -> None:
        told, action = self.sent_as[id(news)], said(delivery, news)
        match outcome.kind:
            case "uncertain":
                member.unsure_of, member.unsure_at = told, now
                if action in ("opened", "worsened", "trigger", "improved", "updated"):
                    member.maybe = True
                if action == "trigger":
                    member.maybe_keys.add(news.key)
            case "refused":
                what = (action, news.key, told, news.event.event_id)
                member.refused = member.refused + 1 if member.refused_news == what else 1
                if delivery.plain:  # also after a crash: the record says that it is plain
                    member.refused = max(member.refused, 2)
                member.refused_news, member.refused_at = what, now
            case "confirmed":
                member.refused, member.refused_news = 0, ()
                member.told_at = now
                _confirm(subject, member, news, action, told)
                if action in ("trigger", "acknowledge"):
                    self.condition(member.url).posted[news.key] = now

    # What must come out

    def actions(self, subject: Subject, member: Member, now: int) -> tuple[set[str], set[str]]:
        """What the channel must be given now, and what it may be given besides."""
        if not self.people(member.url):
            return on_call_actions(subject, member, now)
        route = self.routes.routes.get(member.route)
        return people_actions(subject, member, route is not None and route.missed == "drop", now)

    def _look(self, now: int) -> None:
        for subject in self.subjects.values():
            for member in subject.members.values():
                must, _ = self.actions(subject, member, now)
                if not must:
                    member.since = None
                elif member.since is None:
                    member.since = now

    def late(self, now: int, *, after: bool) -> None:
        """Raises `Wrong` if something that must have started by `now` did not.

        `after`: `due(now)` was called; before it, only what was due earlier than `now` is late.
        """
        self._look(now)
        for subject in self.subjects.values():
            for member in subject.members.values():
                deadline = self._deadline(subject, member, now)
                if deadline is not None and (deadline <= now if after else deadline < now):
                    must, _ = self.actions(subject, member, now)
                    raise Wrong(
                        f"{subject.key}: {sorted(must)} was due at {deadline}, it is {now} "
                        f"({subject.state()}, {member}, {self.condition(member.url)})"
                    )
        for url, condition in self.conditions.items():
            self._late_refresh(url, condition, now, after)

    def _deadline(self, subject: Subject, member: Member, now: int) -> int | None:
        condition = self.condition(member.url)
        if member.since is None or not condition.must_start(now):
            return None
        busy = {one.entry for other, _, _ in condition.in_flight for one in other.news}
        groups = {self.subjects[key].group for key in busy if key in self.subjects}
        if subject.key in busy or (self.people(member.url) and subject.group in groups):
            return None
        wait = self.group_wait_ms if self.people(member.url) else 0
        latest = max(
            member.since + wait,
            member.grace,
            condition.latest,
            condition.asked_latest,
            subject.settled_at,
        )
        if self.people(member.url):
            latest = max(latest, member.hold)
            if member.unsure_of == subject.state():
                latest = max(latest, member.unsure_at + LATEST_UNSURE_MS)
        if member.refused > 1:
            latest = max(latest, member.refused_at + LATEST_AGAIN_MS)
        return latest + self.blur_ms

    def _late_refresh(self, url: str, condition: Condition, now: int, after: bool) -> None:
        if not self.needs_refresh(Channel("", url)):
            return
        posted = [
            condition.posted.get(one.key_for(one.members[url]), NEVER)
            for one in self.subjects.values()
            if url in one.members
            and not one.closed
            and one.key_for(one.members[url]) in one.members[url].keys
        ]
        if not posted or condition.in_flight or condition.most or not condition.must_start(now):
            condition.free_since = None
            return
        if condition.free_since is None:
            condition.free_since = now
        # What another notifier posted is repeated at once. An interval begins anew when nothing was
        # open in between.
        # One that failed is repeated in the next interval.
        tried = condition.refresh_began_at + REFRESH_MS
        deadline = max(min(posted) + 2 * REFRESH_MS, condition.free_since, tried)
        if deadline <= now if after else deadline < now:
            raise Wrong(f"{url} was to be refreshed at {deadline}, it is {now}")

    def tried(self, url: str) -> bool:
        """True if an attempt on this channel failed, or has no answer yet."""
        condition = self.condition(url)
        refused = any(
            one.members[url].refused for one in self.subjects.values() if url in one.members
        )
        return bool(condition.failed or condition.in_flight or refused or self.crashes)

    def fallbacks(self, now: int) -> None:
        """Lets the fallback of a channel that has not confirmed for long into the audience."""
        for subject in self.subjects.values():
            for member in list(subject.members.values()):
                route = self.routes.routes.get(member.route)
                if route is None or now < member.first + route.fallback_after_ms:
                    continue
                must, may = self.actions(subject, member, now)
                if not must | may or not self.tried(member.url):
                    member.owed_since = None
                    continue
                found = {
                    url: name
                    for name in route.fallback
                    if name in self.routes.routes
                    for url in urls_now(self.routes.routes[name], now)
                    if url != member.url
                }
                # It is asked once, with the routes of that moment.
                member.stand_ins = member.stand_ins or tuple(found)
                late = now > member.last + route.fallback_after_ms + self.group_wait_ms
                if not (late and self._owes(subject, member)):
                    member.owed_since = None
                elif member.owed_since is None:
                    member.owed_since = now
                # Who was tried late, and confirms a moment later, needs nobody in its place.
                since = member.owed_since
                owed = since is not None and now >= since + LOOKS_AGAIN_MS
                for url, name in found.items():
                    self._stand_in(subject, url, name, now, owed and url in member.stand_ins)
        self._look(now)

    def _owes(self, subject: Subject, member: Member) -> bool:
        """True if its fallback must be told of this opening in its place."""
        failed = self.condition(member.url).failed > 0 or member.refused > 0
        knows = subject.knew(member) or member.ghost
        plain = not (subject.closed or subject.disturbed or isinstance(subject.event, ChannelEvent))
        return failed and not knows and plain and member.standing == "must"

    def _stand_in(self, subject: Subject, url: str, route: str, now: int, owed: bool) -> None:
        known = subject.members.get(url)
        if known is None:
            self.touched = True
            known = subject.members[url] = Member(url, route, "may", first=now, last=now)
        if owed and known.standing != "must":
            self.reached.add("fallback")
            self.touched = True
            known.standing = "must"
            known.first = known.last = now
            known.grace = now + self.group_wait_ms

    def _under_way(self, key: str) -> set[str]:
        return {
            url
            for url, condition in self.conditions.items()
            for other, _, _ in condition.in_flight
            for one in other.news
            if one.entry == key
        }


def said(delivery: Delivery, news: News) -> str:
    """What a message says of one of its subjects."""
    own = getattr(news, "action", None) if delivery.action == "digest" else None
    return own or delivery.action


def _confirm(subject: Subject, member: Member, news: News, action: str, told: Told) -> None:
    match action:
        case "resolve":
            member.keys.discard(news.key)
            member.maybe_keys.discard(news.key)
            if subject.closed:
                member.told = told
        case "acknowledge":
            member.acknowledged.add(news.key)
        case "trigger":
            member.keys.add(news.key)
            member.maybe_keys.discard(news.key)
            member.told = told
        case _:
            member.told = told
            member.missed = action == "missed"
            if told.phase == "closed":
                member.maybe = False
