"""What the notifier wrote down, what a crash takes from it, and what holds when all is at rest."""

from collections.abc import Collection, Iterable
from typing import Final

import msgspec

from schemas import notifier_state
from schemas.notification import Notification
from schemas.notifier_state import Subject as Written
from sinks.notifier.model import ChannelEvent, Delivery, MassEvent
from tests.unit.sinks.notifier.reference.channel_bounds import LONGEST_MS
from tests.unit.sinks.notifier.reference.receivers import TELLS_OPEN
from tests.unit.sinks.notifier.reference.subject import (
    CLOSING_MS,
    CONTINUED_MS,
    Member,
    Subject,
    copied,
    join,
)
from tests.unit.sinks.notifier.reference.timely import TimelyJudge
from tests.unit.sinks.notifier.reference.wrong import Wrong

CHANNEL_PREFIX: Final = "channel/"
MASS_PREFIX: Final = "mass/"


class Memory(TimelyJudge):
    """The judge, with what a takeover reads."""

    # Writing

    def channels_seen(self, changes: Iterable[object], now: int) -> None:
        """Learns of broken channels: the notifier alone makes these subjects."""
        for change in changes:
            if not isinstance(change, Written):
                continue
            if notifier_state.decode(notifier_state.encode(change)) != change:
                raise Wrong("a subject that its own reader does not take", change)
            if change.key.startswith(MASS_PREFIX):
                self._mass(change, now)
            if not change.key.startswith(CHANNEL_PREFIX):
                continue
            event = msgspec.json.decode(change.event, type=ChannelEvent)
            subject = self.subjects.get(change.key)
            if subject is None:
                subject = Subject(change.key, change.key, event)
                self.subjects[change.key] = subject
            if event.event_id not in subject.seen:
                self._broken_or_works(subject, change, event, now)
            for member in change.audience:
                if member.url not in subject.members:
                    self._may_stand_in(change.key, member.url)
                    subject.members[member.url] = Member(
                        member.url, member.route, "may", first=now, last=now
                    )

    def _mass(self, change: Written, now: int) -> None:
        event = msgspec.json.decode(change.event, type=MassEvent)
        subject = self.subjects.get(change.key)
        if subject is None:
            if self.mass_open() is not None:
                raise Wrong("two mass outages at once", change)
            subject = self.subjects[change.key] = Subject(change.key, change.key, event)
        if event.event_id in subject.seen:
            return
        subject.seen.append(event.event_id)
        subject.event = event
        self.mass_seen(subject, event, now)
        subject.phase = "closed" if event.event == "mass.over" else "down"
        if not subject.closed:
            subject.outage += 1
            subject.opened_at = subject.episode_at = now, now
            join(subject, self.routes, now)
        self._look(now)

    def _broken_or_works(
        self, subject: Subject, change: Written, event: ChannelEvent, now: int
    ) -> None:
        was_closed = subject.closed
        subject.seen.append(event.event_id)
        subject.event = event
        subject.phase = "closed" if event.event == "channel.works" else "down"
        if subject.phase != change.phase:
            raise Wrong(f"{change.key}: {event.event}, and its phase is {change.phase}", change)
        url = self._url_of(change.key)
        condition = self.condition(url)
        if event.event == "channel.broken":
            self.reached.add("channel.broken")
            if was_closed:
                subject.outage += 1
            if not self.tried(url):
                raise Wrong(f"{url} never failed, and is said to be broken", change)
            self.unlisted.discard(url)
        else:
            self.reached.add("channel.works")
            subject.closed_at = (now, now)
            if url not in self.unlisted and not condition.confirmed:
                raise Wrong(f"{url} confirmed nothing, and is said to work", change)

    def _url_of(self, key: str) -> str:
        for url in self.every_url:
            if self.channel_id(url) == key.removeprefix(CHANNEL_PREFIX):
                return url
        raise Wrong(f"{key}: no such channel was ever configured")

    def _may_stand_in(self, key: str, url: str) -> None:
        broken = self._url_of(key)
        if url not in self.stands_in.get(broken, set()):
            raise Wrong(f"{url} was never a fallback of {broken}", key)

    def wrote(
        self,
        changes: Collection[object],
        missing: Collection[str],
        rows: Iterable[Notification],
        now: int,
        *,
        whole: bool,
    ) -> None:
        """The changes were written, but for the keys `missing`: a crash came before."""
        gone = {
            one.key  # type: ignore[attr-defined]
            for one in changes
            if hasattr(one, "key") and not isinstance(one, Written)
        }
        for key in gone - set(missing):
            self._removed(key, now)
        # A record of pace is none of a subject.
        if self.touched or any(hasattr(one, "key") for one in changes):
            for key, subject in self.subjects.items():
                if key not in missing:
                    self.written[key] = copied(subject)
            self.touched = bool(missing)
        self.mass_late()
        if whole:
            self.rows.wrote(rows, self.subjects | self.gone)
            self.unwritten.clear()

    def _removed(self, key: str, now: int) -> None:
        subject = self.subjects.get(key)
        self.written.pop(key, None)
        if subject is None:
            return
        if not subject.closed:
            raise Wrong(f"{key} is forgotten while it is open ({subject.phase})")
        for member in subject.members.values():
            must, _ = self.actions(subject, member, now)
            if must:
                raise Wrong(f"{key} is forgotten, and {member.url} waits for {sorted(must)}")
            recent = now < subject.closed_at[0] + CONTINUED_MS
            if subject.abandoned and member.keys and recent and not subject.disturbed:
                continued = any(
                    member.keys & other.members[member.url].keys
                    for other in self.subjects.values()
                    if other is not subject and member.url in other.members
                )
                if not continued:
                    raise Wrong(f"{key}: abandoned, and its keys are forgotten within a day")
        busy = self._under_way(key)
        if busy:
            raise Wrong(f"{key} is forgotten, and a message to {sorted(busy)} is in flight")
        self.gone[key] = self.subjects.pop(key)

    # Failover

    def crashed(
        self,
        flying: Collection[tuple[Delivery, bool]],
        now: int,
        announced: Collection[Delivery] = (),
    ) -> None:
        """Another notifier takes over with what was written.

        `flying` may have arrived; `announced` were perhaps written down as under way, and no more.
        """
        self.forget_flights(flying, now)
        lost = [*self.unwritten, *flying]
        for delivery, arrived in flying:
            if arrived:
                self.receivers.got(delivery, now, crashed=True)
        for delivery, _ in lost:
            self._may_be_told(delivery, now)
        for delivery in announced:
            for news in delivery.news:
                subject = self.written.get(news.entry)
                if subject is not None and delivery.channel.url in subject.members:
                    subject.members[delivery.channel.url].ghost = True
        self.subjects = {key: copied(subject) for key, subject in self.written.items()}
        for subject in self.subjects.values():
            if subject.disturbed:
                subject.settled_at = now + 2 * self.group_wait_ms
            for member in subject.members.values():
                member.since, member.hold = None, now + self.group_wait_ms
                member.refused, member.refused_news = 0, ()
        self.unwritten.clear()
        self.rows.lost()
        self.conditions.clear()
        self.crashes += 1
        self._look(now)

    def _may_be_told(self, delivery: Delivery, now: int) -> None:
        """It is written that this message is under way; nobody knows whether it arrived."""
        url = delivery.channel.url
        if delivery.action not in ("opened", "trigger"):
            return
        for news in delivery.news:
            subject = self.written.get(news.entry)
            if subject is None:
                continue
            member = subject.members.setdefault(
                url, Member(url, delivery.channel.route, "may", first=now, last=now)
            )
            if subject.closed and member.told is not None:
                continue
            member.maybe = True
            if delivery.action == "trigger":
                member.maybe_keys.add(news.key)

    def clock_set_back(self, now: int) -> None:
        self.blur_ms = 2 * LONGEST_MS
        self.clock_went_back(now)
        for condition in self.conditions.values():
            condition.clock_set_back(now)
        for subject in [*self.subjects.values(), *self.written.values()]:
            subject.disturbed = True
            # A step back that is shorter than the longest wait can't be seen.
            subject.settled_at = now + 2 * self.group_wait_ms + LONGEST_MS
            early, late = subject.closed_at
            subject.closed_at = (min(early, now), late)
            for member in subject.members.values():
                member.first = 0
                if member.since is not None:
                    member.since = min(member.since, now)
                member.hold = min(member.hold, now + self.group_wait_ms)
                member.refused_at = min(member.refused_at, now)
                member.unsure_at = min(member.unsure_at, now)

    # At rest

    def at_rest(self, now: int) -> None:
        """Every channel works again and had the time: everything was told, nothing more is open."""
        for subject in self.subjects.values():
            for member in subject.members.values():
                must, _ = self.actions(subject, member, now)
                if must:
                    raise Wrong(
                        f"{subject.key}: {member.url} was never given {sorted(must)} "
                        f"({subject.state()}, {member}, {self.condition(member.url)})"
                    )
        self._missing_keys()
        for url in self.receivers.keys:
            self._open_keys(url, now)
        self._last_words(now)
        self.rows.complete()

    def _missing_keys(self) -> None:
        for subject in self.subjects.values():
            for url, member in subject.members.items():
                key = subject.key_for(member)
                open_here = self.receivers.keys.get(url, {})
                if not subject.closed and key in member.keys and key not in open_here:
                    raise Wrong(f"{key} is not open at {url}, and {subject.key} is open")

    def _last_words(self, now: int) -> None:
        """What people heard last of a subject is how it is."""
        for (url, key), arrivals in self.receivers.people.items():
            subject = self.subjects.get(key) or self.gone[key]
            member = subject.members.get(url)
            last = arrivals[-1]
            if subject.closed:
                in_time = now < subject.closed_at[0] + CLOSING_MS
                unknown = any(one.crashed for one in arrivals) or (
                    member is not None and member.ghost
                )
                flaps = getattr(subject.event, "closed_because", None) == "flapping"
                quiet = member is not None and self.sparing.of(subject, member, now).has("quiet")
                if last.action in TELLS_OPEN and in_time and not (unknown or flaps or quiet):
                    raise Wrong(f"{key} is over, and {url} was last told {last.action}")
                continue
            owed = member is not None and member.standing == "must"
            if last.action in ("closed", "missed") and owed and not subject.closed:
                raise Wrong(f"{key} is open, and {url} was last told {last.action}")

    def _open_keys(self, url: str, now: int) -> None:
        by_subject: dict[str, list[str]] = {}
        for key, entry in self.receivers.keys[url].items():
            subject = self._owner(key, entry)
            by_subject.setdefault(subject.key, []).append(key)
            in_time = now < subject.closed_at[0] + CLOSING_MS
            if subject.closed and not subject.abandoned and in_time:
                raise Wrong(f"{subject.key} is over, and {key} is open at {url}")
        for key, keys in by_subject.items():
            subject = self.subjects.get(key) or self.gone[key]
            if len(keys) > 1 and not subject.closed:
                raise Wrong(f"{sorted(keys)} are open at {url} for {key}")

    def _owner(self, key: str, entry: str) -> Subject:
        """The newest subject that has this key: an incident may continue an abandoned one's."""
        owner = self.subjects.get(entry) or self.gone[entry]
        for subject in [*self.gone.values(), *self.subjects.values()]:
            if subject.continues == key:
                owner = subject
        return owner

    def forgotten(self) -> None:
        """Much later nothing that is over is remembered any more."""
        for key, subject in self.written.items():
            if subject.closed and not key.startswith(CHANNEL_PREFIX):
                raise Wrong(f"{key} is over for more than a day, and still remembered")
