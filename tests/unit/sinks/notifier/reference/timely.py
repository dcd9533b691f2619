"""The judge of who is spared, and of what is told by time: reasons, pace, reminders, escalation."""

from collections.abc import Callable, Collection
from typing import Final

from schemas.incident import Event, IncidentEvent
from schemas.policy import Route
from sinks.notifier.model import (
    Channel,
    ChannelClass,
    ChannelEvent,
    Delivery,
    MassEvent,
    SendOutcome,
)
from sinks.notifier.routing import Routes
from tests.unit.sinks.notifier.reference import mass
from tests.unit.sinks.notifier.reference.judge import Judge
from tests.unit.sinks.notifier.reference.later import Due, reminder
from tests.unit.sinks.notifier.reference.pace import Pace
from tests.unit.sinks.notifier.reference.sparing import ENDS, NEWS, NOBODY, Facts, Spared, Sparing
from tests.unit.sinks.notifier.reference.subject import (
    TELLABLE,
    Actions,
    Member,
    Subject,
    reroute,
    subject_key,
)
from tests.unit.sinks.notifier.reference.wall_clock import changes, every_url, takes_now, urls_now
from tests.unit.sinks.notifier.reference.wrong import Wrong

ORDER: Final = ("silence", "maintenance", "dependency", "quiet")
FLAPPED_MS: Final = 60_000
"""Within this time after the end of an outage that flaps the flapping itself is known."""


def no_facts(_: str) -> Facts | None:
    return None


def no_targets() -> int:
    return 0


class TimelyJudge(Judge):
    """`usual_ms` is the usual least time between two messages, `share` that of a mass outage."""

    def __init__(
        self,
        group_wait_ms: int,
        class_of: Callable[[Channel], ChannelClass],
        needs_refresh: Callable[[Channel], bool],
        *,
        facts_of: Callable[[str], Facts | None] = no_facts,
        usual_ms: int = 0,
        share: float = 0.0,
        total: Callable[[], int] = no_targets,
    ) -> None:
        super().__init__(group_wait_ms, class_of, needs_refresh)
        self.sparing = Sparing(facts_of, lambda: self.subjects)
        self.usual_ms, self.share, self.total = usual_ms, share, total
        self.paces: dict[str, Pace] = {}
        self.due: dict[str, Due] = {}
        self.mass_due = False
        self._moment: object = None
        self._timed: list[Route] = []
        self._reminding = self._escalating = False

    # What goes in

    def routes_set(self, routes: Routes, now: int) -> None:
        self.sparing.routes_set(routes)
        every = routes.routes.values()
        self._timed = [one for one in every if one.when or one.rotation]
        self._reminding = any(one.remind_every_ms for one in every)
        before, self._escalating = self._escalating, any(one.escalate for one in every)
        if self._escalating and not before:
            self._due_unknown()
        self._moment = self._routes_of(now)
        super().routes_set(routes, now)
        for url in self.every_url:
            by = [one for one in routes.routes.values() if url in every_url(one)]
            self.pace(url).routed(by, self.usual_ms, now)

    def pace(self, url: str) -> Pace:
        return self.paces.setdefault(url, Pace(longest=self.usual_ms, now_longest=self.usual_ms))

    def _routes_of(self, now: int) -> object:
        return [(takes_now(one, now), urls_now(one, now)) for one in self._timed]

    def clock(self, now: int) -> None:
        """Hours begin and end, and somebody else has the duty."""
        if not self._timed:
            return
        moment = self._routes_of(now)
        if moment != self._moment:
            self._moment = moment
            self.touched = True
            self.reached.add("the routes of the moment are others")
            for subject in self.subjects.values():
                reroute(subject, self.routes, now, self._under_way(subject.key))
        self._look(now)

    def next_look(self, now: int) -> int | None:
        """The next time at which something is due, or is not, by these rules."""
        times = [self.sparing.next_change(now)]
        for subject in self.subjects.values():
            if subject.closed:
                continue
            for member in subject.members.values():
                routes = self.sparing.routes_of(member) if self._reminding else []
                times += [member.told_at + one.remind_every_ms for one in routes]
            due = self.due.get(subject.key)
            if due is not None:
                times += due.times(self.routes.routes.get)
        times += [at for one in self._timed for at in changes(one, now)]
        return min((at for at in times if at is not None and at > now), default=None)

    def taken(self, event: Event, now: int) -> None:
        before = self.subjects.get(subject_key(event))
        known = before is not None and event.event_id in before.seen
        was_open = before is not None and not before.closed
        ended = self._spared_by_more_than_quiet(before, now) if before is not None else set()
        super().taken(event, now)
        subject = self.subjects.get(subject_key(event))
        if subject is None or known or event.event_id not in subject.seen:
            return
        if was_open and subject.closed:
            for url, member in subject.members.items():
                member.spared_at_end = url in ended and member.told is None
        elif not was_open and not subject.closed:
            for member in subject.members.values():
                member.spared = member.spared_at_end = False
        self._owe_rows(subject, event, now)
        must, _ = mass.begins(self.subjects.values(), self.share, self.total(), now)
        self.mass_due = self.mass_due or (must and self.mass_open() is None)

    def _spared_by_more_than_quiet(self, subject: Subject, now: int) -> set[str]:
        return {
            url
            for url, member in subject.members.items()
            if self.sparing.of(subject, member, now).surely(*ORDER[:3])
        }

    def _owe_rows(self, subject: Subject, event: Event, now: int) -> None:
        """Who is spared has a row that says why, at once."""
        if event.event not in TELLABLE or subject.closed:
            return
        busy = self._under_way(subject.key)
        for url, member in subject.members.items():
            must, _ = super().actions(subject, member, now)
            spared = self.sparing.of(subject, member, now)
            kinds = {one.split()[0] for one in must}
            if not self.people(url):
                kinds &= {"trigger"}
            sure = [one for one in spared.sure if one.kind in ORDER]
            if not kinds & NEWS or not sure or url in busy:
                continue
            first = min(sure, key=lambda one: ORDER.index(one.kind)).kind
            whys = [one.why for one in sure if one.kind == first]
            whys += [one.why for one in spared.perhaps if one.kind in ORDER]
            self.reached.add(f"spared: {first}")
            self.rows.spared(event.event_id, self.channel_id(url), tuple(whys))

    # What may and must be told

    def actions(self, subject: Subject, member: Member, now: int) -> Actions:
        people = self.people(member.url)
        at = now
        if people and subject.closed:
            ended = subject.closed_at[1]
            at -= max(0, self.sparing.quiet_since(subject, member, ended, now) - ended)
        must, may = super().actions(subject, member, at)
        if people and self._reminding:
            again, perhaps = reminder(subject, member, self.sparing.routes_of(member), now)
            must, may = must | again, may | perhaps
        if people and subject.closed:
            must, may = self._end(subject, member, must, may, now)
        if self._off_duty(member, now):
            worse = must & {"worsened", "reminder"}
            must, may = must - worse, may | worse
        spared = self.sparing.of(subject, member, now)
        if spared is NOBODY:
            return must, may
        return self._held(spared, people, subject.closed, must, may)

    def reasons(self, subject: Subject, member: Member, now: int) -> object:
        return self.sparing.of(subject, member, now)

    def _off_duty(self, member: Member, now: int) -> bool:
        """None of its routes is on: the rules leave it open whether it hears that it is worse."""
        routes = self.sparing.routes_of(member) if self._timed else []
        return bool(routes) and not any(
            takes_now(one, now) and member.url in urls_now(one, now) for one in routes
        )

    @staticmethod
    def _held(spared: Spared, people: bool, closed: bool, must: set[str], may: set[str]) -> Actions:
        """Takes away what is not told now, and leaves open what need not be."""
        for reason, sure in [(one, True) for one in spared.sure] + [
            (one, False) for one in spared.perhaps
        ]:
            held = NEWS
            if reason.kind == "quiet":
                held = NEWS | ENDS if people else frozenset({"trigger"})
            elif reason.kind == "waiting":
                # Whether a new episode waits, too, is left open.
                held = frozenset({"opened", "trigger", "missed", "" if sure else "worsened"})
            which = {one for one in must | may if one.split()[0] in held}
            may = may - which if sure else may | which
            must = must - which
            if not people and not closed:
                # An old key says that it is down until the new one does.
                stale = {one for one in must if one.startswith("resolve ")}
                must, may = must - stale, may | stale
        return must, may

    def _end(
        self, subject: Subject, member: Member, must: set[str], may: set[str], now: int
    ) -> Actions:
        """What came and went while it was spared is not told; an end by flapping is another's."""
        if member.spared_at_end:
            must, may = must - {"missed"}, may - {"missed"}
        elif member.spared:
            must, may = must - {"missed"}, may | (must & {"missed"})
        event = subject.event
        if not isinstance(event, IncidentEvent) or event.closed_because != "flapping":
            return must, may
        flaps = [
            one
            for one in self.subjects.values()
            if isinstance(one.event, IncidentEvent)
            and one.event.target == event.target
            and one.event.incident_type == "flapping"
        ]
        if not flaps and now >= subject.closed_at[1] + FLAPPED_MS:
            return must, may
        known = any(member.url in one.members and one.members[member.url].told for one in flaps)
        if known and event.incident_type == "unreachable" and not subject.disturbed:
            return must - ENDS, may - ENDS
        return must - ENDS, may | (must & ENDS)

    def _look(self, now: int) -> None:
        for subject in self.subjects.values():
            for member in subject.members.values():
                spared = self.sparing.of(subject, member, now)
                if spared is NOBODY:
                    break
                if spared.has(*ORDER[:3]):
                    member.spared = True
                    member.refused_news = ()  # what is told afterwards is begun anew
                if spared.sure or spared.perhaps:
                    member.last = max(member.last, now)
        super()._look(now)
        for subject in self.subjects.values():
            if subject.closed or not self._escalating:
                continue
            due = self.due.setdefault(subject.key, Due())
            for member in subject.members.values():
                self._note_due(due, subject, member, now)

    def _due_unknown(self) -> None:
        """Nobody looked when the routes of what is open were due."""
        for subject in self.subjects.values():
            due = self.due.setdefault(subject.key, Due())
            for member in subject.members.values() if not subject.closed else ():
                due.note(subject, member.route, subject.episode_at[0], None)

    def _note_due(self, due: Due, subject: Subject, member: Member, now: int) -> None:
        must, may = self.actions(subject, member, now)
        if not any(one.split()[0] in NEWS for one in must | may):
            return
        wait = self.group_wait_ms if self.people(member.url) else 0
        late = max(now + wait, member.hold, member.grace, subject.settled_at)
        due.note(subject, member.route, now, late if must and not subject.disturbed else None)

    # Escalation

    def fallbacks(self, now: int) -> None:
        self.clock(now)
        super().fallbacks(now)
        if not self._escalating:
            return
        for subject in list(self.subjects.values()):
            due = self.due.get(subject.key)
            if due is None or subject.closed or subject.acknowledged:
                continue
            for name, routes, late in due.steps(subject, self.routes.routes.get, now):
                self._escalate(subject, name, routes, late, now)
        self._look(now)

    def _escalate(
        self, subject: Subject, name: str, routes: Collection[str], late: bool, now: int
    ) -> None:
        every = subject.members.values()
        by_it = [one for one in every if one.route == name and one.standing != "out"]
        spared = any(
            found.sure or found.perhaps
            for found in (self.sparing.of(subject, one, now) for one in by_it)
        )
        plain = isinstance(subject.event, IncidentEvent) and subject.phase == "down"
        owed = late and plain and bool(by_it) and not spared and not subject.disturbed
        for route in routes:
            if route not in self.routes.routes:
                continue
            for url in urls_now(self.routes.routes[route], now):
                known = subject.members.get(url)
                if known is None:
                    known = Member(url, route, "may", escalated_from=name, first=now, last=now)
                    subject.members[url] = known
                    self.touched = True
                if owed and known.standing != "must" and known.escalated_from:
                    self.reached.add("escalated")
                    known.standing, known.first, known.last = "must", now, now
                    known.grace = now + self.group_wait_ms
                    self.touched = True

    # The pace of messages to people

    def started(self, delivery: Delivery, now: int) -> None:
        url = delivery.channel.url
        if not self.people(url) or delivery.action == "refresh":
            super().started(delivery, now)
            return
        pace, free = self.pace(url), self._free(delivery)
        earliest, why = pace.earliest(now)
        if now < earliest and not free:
            raise Wrong(f"too soon: {why}, {earliest - now} ms more", delivery)
        waited = False
        if pace.paced and not free:
            waited = self._nothing_left_out(delivery, now)
        super().started(delivery, now)
        pace.began(now, delivery.id, free=free, waited=waited)

    @staticmethod
    def _free(delivery: Delivery) -> bool:
        return all(isinstance(one.event, ChannelEvent | MassEvent) for one in delivery.news)

    def _nothing_left_out(self, delivery: Delivery, now: int) -> bool:
        """All that was ready is in one message; whether something was ready before it could go."""
        url, entries = delivery.channel.url, {one.entry for one in delivery.news}
        room = len(entries) < 1_000 and not delivery.plain and not self.condition(url).in_flight
        before, waited = self.pace(url).earliest(now)[0], False
        for subject in self.subjects.values():
            member = subject.members.get(url)
            if member is None or isinstance(subject.event, ChannelEvent | MassEvent):
                continue
            ready = self._deadline(subject, member, now, paced=False)
            if ready is None or member.refused or subject.disturbed:
                continue
            waited = waited or (subject.key in entries and ready < before)
            if room and ready < now and subject.key not in entries:
                raise Wrong(f"{subject.key} was ready at {ready}, and is not in it", delivery)
        return waited

    def _deadline(
        self, subject: Subject, member: Member, now: int, *, paced: bool = True
    ) -> int | None:
        at = super()._deadline(subject, member, now)
        if at is None or not paced or not self.people(member.url):
            return at
        free = isinstance(subject.event, ChannelEvent | MassEvent)
        if free and self.pace(member.url).free_for_certain(now):
            return at
        return max(at, self.pace(member.url).latest() + self.blur_ms)

    def finished(self, delivery: Delivery, outcome: SendOutcome, arrived: bool, now: int) -> None:
        if not arrived and self.people(delivery.channel.url):
            self.pace(delivery.channel.url).did_not_arrive(delivery.id, delivery.at)
        super().finished(delivery, outcome, arrived, now)

    def adopted(self, event: Event, confirmed: Collection[Channel], now: int) -> None:
        super().adopted(event, confirmed, now)
        self.rows.nothing_spared()

    # Failover and clock

    def forget_flights(self, flying: Collection[tuple[Delivery, bool]], now: int) -> None:
        """What was under way in a crash, and reached nobody."""
        got = {(one.channel.url, one.id, one.at) for one, arrived in flying if arrived}
        for url, condition in self.conditions.items():
            for delivery, _, _ in condition.in_flight:
                if (url, delivery.id, delivery.at) not in got:
                    self.pace(url).did_not_arrive(delivery.id, delivery.at)
        for pace in self.paces.values():
            pace.taken_over()
        self.mass_due = False
        for due in self.due.values():
            due.later(now + self.group_wait_ms)

    def clock_went_back(self, now: int) -> None:
        self.due.clear()
        self._due_unknown()
        for pace in self.paces.values():
            pace.clock_set_back(now)
        for subject in self.subjects.values():
            for member in subject.members.values():
                member.told_at = 0

    # So many at once

    def mass_open(self) -> Subject | None:
        every = (one for key, one in self.subjects.items() if key.startswith("mass/"))
        return next((one for one in every if not one.closed), None)

    def mass_seen(self, subject: Subject, event: MassEvent, now: int) -> None:
        """The notifier says that many targets are down, or that it is over."""
        every = self.subjects.values()
        self.reached.add(event.event)
        if event.event == "mass.down":
            _, may = mass.begins(every, self.share, self.total(), now)
            if not may and not self.crashes and not self.blur_ms:
                raise Wrong("few went down within the last minute", event)
            self.mass_due = False
        else:
            since = subject.opened_at[0] - mass.WITHIN_MS
            _, may = mass.over(every, self.share, self.total(), since)
            if not may:
                raise Wrong("many are down still", event)
            subject.closed_at = now, now

    def mass_late(self) -> None:
        """Raises `Wrong` if one message should say that many targets went down."""
        open_one = self.mass_open()
        if open_one is not None:
            since = open_one.opened_at[0]
            if mass.over(self.subjects.values(), self.share, self.total(), since)[0]:
                raise Wrong("few are down, and nobody says that it is over")
        elif self.mass_due:
            raise Wrong("many targets went down within a minute, and no message says so")
