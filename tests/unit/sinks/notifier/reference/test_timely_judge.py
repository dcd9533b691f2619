"""The judge notices whoever is told in spite of a reason, too soon, too often, or not in time."""

from collections.abc import Collection
from typing import Any

import msgspec
import pytest

from schemas.incident import Event
from schemas.notification import Notification
from schemas.notifier_state import Subject
from schemas.policy import (
    EscalationStep,
    Hours,
    Limit,
    Maintenance,
    Person,
    Policy,
    Quiet,
    Rotation,
    Route,
    Silence,
    Team,
)
from sinks.notifier.model import (
    Action,
    Channel,
    Delivery,
    MassEvent,
    News,
    OutcomeKind,
    SendOutcome,
    TargetFacts,
)
from sinks.notifier.routing import Routes
from tests.unit.sinks.notifier.events import AT, incident_event
from tests.unit.sinks.notifier.reference.choice import channels
from tests.unit.sinks.notifier.reference.memory import Memory
from tests.unit.sinks.notifier.reference.shell import class_of, needs_refresh
from tests.unit.sinks.notifier.reference.wall_clock import instant, is_on, on_duty
from tests.unit.sinks.notifier.reference.wrong import Wrong

MAIL, CHAT, PAGER = "mail://a", "chat://c", "pager://p"
WAIT, MINUTE, SETTLE = 2_000, 60_000, 40_000
BERLIN = "Europe/Berlin"


class Play:
    """A history that a test tells the judge, of incidents by their names, each on its own host."""

    def __init__(self, *policy: Policy, usual_ms: int = 0, share: float = 0.0) -> None:
        self.now = AT
        self.number = 0
        self.depends: dict[str, tuple[str, ...]] = {}
        self.judge = Memory(
            WAIT,
            class_of,
            needs_refresh,
            facts_of=self.facts,
            usual_ms=usual_ms,
            share=share,
            total=lambda: 20,
        )
        self.events: dict[str, Event] = {}
        self.policy(*policy)

    def policy(self, *policy: Policy) -> None:
        self.routes = Routes.of(policy)
        self.judge.routes_set(self.routes, self.now)

    def facts(self, name: str) -> TargetFacts:
        return TargetFacts(
            id=name,
            name=name,
            place=f"{name}:1",
            depends_on=self.depends.get(name, ()),
            settle_ms=SETTLE,
            answer_ms=5_000,
        )

    def takes(self, event: str, name: str = "i1", **fields: Any) -> None:
        self.number += 1
        values = {
            "event_id": f"e{self.number}",
            "event": event,
            "at": self.now,
            "incident_id": name,
            "target": name,
            "host": f"{name}.example.com",
        }
        made = incident_event(**values | fields)
        self.events[name] = made
        self.judge.taken(made, self.now)

    def closes(self, name: str = "i1", **fields: Any) -> None:
        self.takes(
            "closed", name, **{"closed_because": "recovered", "closed_at": self.now} | fields
        )

    def starts(
        self, url: str, action: Action, *names: str, each: Collection[str] = (), **fields: Any
    ) -> Delivery:
        episode = fields.pop("episode", 1)
        news = tuple(
            News(
                entry=f"incident/{name}",
                event=self.events[name],  # type: ignore[arg-type]
                key=f"{name}/{episode}",
                episode=episode,
                due_at=self.now,
                action=own,  # type: ignore[arg-type]
            )
            for name, own in zip(names or ("i1",), each or [None] * (len(names) or 1), strict=True)
        )
        told = "".join(f"{one.entry}{one.event.event_id}" for one in news)
        delivery = Delivery(
            id=f"{url} {action} {told} {fields.pop('number', '')}",
            channel=Channel("day", url),
            action=action,
            news=news,
            attempt=1,
            plain=False,
            at=self.now,
        )
        self.judge.started(delivery, self.now)
        return delivery

    def sends(
        self, url: str, action: Action, *names: str, kind: OutcomeKind = "confirmed", **more: Any
    ) -> None:
        delivery = self.starts(url, action, *names, **more)
        error = None if kind == "confirmed" else "no"
        self.judge.finished(
            delivery, SendOutcome(kind=kind, error=error), kind == "confirmed", self.now
        )

    def passes(self, ms: int) -> None:
        """Time passes; the judge looks at each time that matters, and what is late is wrong."""
        until = self.now + ms
        while self.now < until:
            look = self.judge.next_look(self.now)
            self.now = until if look is None else min(look, until)
            self.judge.fallbacks(self.now)
            self.judge.late(self.now, after=False)

    def writes(self, *rows: Notification) -> None:
        self.judge.rows._sent.clear()
        self.judge.wrote((), (), rows, self.now, whole=True)

    def crashes(self, *flying: tuple[Delivery, bool]) -> None:
        self.judge.wrote((), (), (), self.now, whole=False)
        self.judge.unwritten.clear()
        self.judge.crashed(flying, self.now)
        self.judge.routes_set(self.routes, self.now)

    def is_late(self, words: str) -> None:
        self.judge.fallbacks(self.now)
        with pytest.raises(Wrong, match=words):
            self.judge.late(self.now, after=True)


def day(*urls: str, **fields: Any) -> Route:
    return Route(name="day", urls=urls, timezone=BERLIN, **fields)


def silence(begins: int, ends: int, **fields: Any) -> Silence:
    return Silence(
        name="s1",
        begins_at=begins,
        ends_at=ends,
        reason="we know",
        by="ann",
        created_at=begins,
        **fields,
    )


def row(event_id: str, why: str, url: str = MAIL) -> Notification:
    return Notification(
        event_id=event_id,
        incident_id="i1",
        event="opened",
        target="i1",
        team=None,
        route="day",
        channel=Channel("day", url).name,
        severity="critical",
        status="not_sent",
        attempt=1,
        at=AT,
        event_at=AT,
        subject="",
        group="g",
        error=None,
        why=why,
    )


HUSHED = silence(AT - 1, AT - 1 + 10 * MINUTE)
NIGHT = Maintenance(name="patch night", targets=("i1",), start=AT - 1, duration_ms=10 * MINUTE)


@pytest.mark.parametrize("reason", [HUSHED, NIGHT])
@pytest.mark.parametrize(("url", "action"), [(MAIL, "opened"), (PAGER, "trigger")])
def test_who_is_spared_is_told(reason: Policy, url: str, action: Action) -> None:
    play = Play(day(MAIL, PAGER), reason)
    play.takes("opened")
    with pytest.raises(Wrong, match=f"{action}.*but it must be given"):
        play.starts(url, action)


@pytest.mark.parametrize("reason", [HUSHED, NIGHT])
def test_what_is_down_after_the_reason_is_told_when_it_has_settled(reason: Policy) -> None:
    play = Play(day(MAIL), reason)
    play.takes("opened")
    play.passes(10 * MINUTE + SETTLE - 2)
    with pytest.raises(Wrong, match="but it must be given"):
        play.starts(MAIL, "opened")
    play.passes(1 + WAIT)
    play.is_late(r"\['opened'\] was due")


def test_a_silence_that_was_ended_early_spares_no_longer() -> None:
    play = Play(day(MAIL), HUSHED)
    play.takes("opened")
    play.now += MINUTE
    play.policy(day(MAIL), silence(AT - 1, play.now, ended_by="bob"))
    play.passes(SETTLE + WAIT)
    play.is_late(r"\['opened'\] was due")


def test_a_silence_of_others_spares_nobody() -> None:
    play = Play(day(MAIL), silence(AT - 1, AT + MINUTE, targets=("other*",)))
    play.takes("opened")
    play.now += WAIT
    play.is_late("was due")


def test_the_end_is_told_to_who_was_told_and_is_spared_now() -> None:
    play = Play(day(MAIL, PAGER))
    play.takes("opened")
    play.sends(MAIL, "opened")
    play.sends(PAGER, "trigger")
    play.policy(day(MAIL, PAGER), HUSHED)
    play.closes()
    play.is_late(r"\['resolve i1/1'\] was due")
    play.sends(PAGER, "resolve")
    play.now += WAIT
    play.is_late(r"\['closed'\] was due")


def test_what_came_and_went_while_it_was_spared_is_told() -> None:
    play = Play(day(MAIL), HUSHED)
    play.takes("opened")
    play.passes(MINUTE)
    play.closes()
    with pytest.raises(Wrong, match="missed, but"):
        play.starts(MAIL, "missed")


@pytest.mark.parametrize(
    ("why", "right"),
    [
        ("silence s1 by ann: we know (until 02:10)", True),
        ("maintenance: patch night until 04:00", False),
        ("quiet hours until 07:00", False),
        ("not told of the outage", False),
    ],
)
def test_the_row_has_another_reason(why: str, right: bool) -> None:
    play = Play(day(MAIL), HUSHED, NIGHT)
    play.takes("opened")
    if right:
        play.writes(row("e1", why))
    else:
        with pytest.raises(Wrong, match="no row with one of"):
            play.writes(row("e1", why))


def test_who_is_spared_has_no_row() -> None:
    play = Play(day(MAIL), NIGHT)
    play.takes("opened")
    with pytest.raises(Wrong, match=r"no row with one of .*patch night"):
        play.writes()


def gateway(*, first: str) -> Play:
    play = Play(day(MAIL))
    play.depends["web"] = ("gate",)
    play.takes("opened", first)
    return play


def test_a_dependent_is_told_while_its_gateway_is_down() -> None:
    play = gateway(first="gate")
    play.takes("opened", "web")
    play.now += 6_000
    with pytest.raises(Wrong, match="opened, but"):
        play.starts(MAIL, "opened", "web")


def test_a_dependent_does_not_wait_for_the_answer_of_its_gateway() -> None:
    play = gateway(first="web")
    play.now += 4_999
    with pytest.raises(Wrong, match="opened, but"):
        play.starts(MAIL, "opened", "web")
    play.now += 1
    play.judge.fallbacks(play.now)
    play.now += WAIT
    play.is_late(r"incident/web: \['opened'\] was due")


def test_a_dependent_that_gets_better_does_not_wait_for_the_answer_of_its_gateway() -> None:
    play = gateway(first="web")
    play.now += 1_000
    play.takes("improved", "web")
    play.now += WAIT
    play.judge.late(play.now, after=True)
    with pytest.raises(Wrong, match="opened, but"):
        play.starts(MAIL, "opened", "web")
    play.now += 4_000 - WAIT
    play.judge.fallbacks(play.now)
    play.now += WAIT
    play.is_late(r"incident/web: \['opened'\] was due")


def test_a_gateway_that_nobody_looks_at_any_more_has_its_own_time() -> None:
    play = gateway(first="gate")
    play.now += WAIT
    play.sends(MAIL, "opened", "gate")
    play.takes("opened", "web")
    play.passes(MINUTE)
    play.closes("gate", closed_because="abandoned")
    play.now += WAIT
    play.sends(MAIL, "closed", "gate")
    play.passes(2 * SETTLE - WAIT - 1)
    with pytest.raises(Wrong, match="opened, but"):
        play.starts(MAIL, "opened", "web")
    play.passes(1 + WAIT)
    play.is_late(r"incident/web: \['opened'\] was due")


def test_whether_down_again_waits_for_the_answer_of_a_gateway_is_left_open() -> None:
    play = Play(day(MAIL))
    play.depends["web"] = ("gate",)
    play.takes("opened", "web")
    play.judge.adopted(play.events["web"], [Channel("day", MAIL)], play.now)
    play.takes("worsened", "web", episode=2)
    play.now += WAIT
    play.judge.late(play.now, after=True)
    play.starts(MAIL, "worsened", "web", episode=2)


def test_what_nothing_depends_on_waits() -> None:
    play = gateway(first="gate")
    play.now += WAIT
    play.is_late("incident/gate")


def test_a_dependent_is_never_told_after_its_gateway_is_back() -> None:
    play = gateway(first="web")
    play.now += 1_000
    play.takes("opened", "gate")
    play.now += WAIT
    play.sends(MAIL, "opened", "gate")
    play.passes(MINUTE)
    play.closes("gate")
    play.now += WAIT
    play.sends(MAIL, "closed", "gate")
    play.passes(SETTLE - WAIT - 1)
    with pytest.raises(Wrong, match="opened, but"):
        play.starts(MAIL, "opened", "web")
    play.passes(1 + WAIT)
    play.is_late(r"incident/web: \['opened'\] was due")


def at(hour: int, minute: int = 0) -> int:
    """The time in Berlin on the first of December 2026, a Tuesday."""
    return AT + (hour - 3) * 60 * MINUTE + minute * MINUTE


QUIET = Quiet(hours=(Hours(begin="22:00", end="07:00"),), unless=("info",))


def test_quiet_hours() -> None:
    play = Play(day(MAIL, PAGER, quiet=QUIET))
    play.takes("opened")
    for url, action in ((MAIL, "opened"), (PAGER, "trigger")):
        with pytest.raises(Wrong, match="but it must be given"):
            play.starts(url, action)  # type: ignore[arg-type]
    play.passes(at(7) - play.now - 1)
    play.passes(1)
    play.is_late(r"\['trigger i1/1'\] was due")


def test_what_came_and_went_in_quiet_hours_is_one_message_in_the_morning() -> None:
    play = Play(day(MAIL, quiet=QUIET))
    play.takes("opened")
    play.passes(MINUTE)
    play.closes()
    with pytest.raises(Wrong, match="missed, but"):
        play.starts(MAIL, "missed")
    play.passes(at(7) - play.now + WAIT)
    play.is_late(r"\['missed'\] was due")


def test_an_end_in_quiet_hours_waits_for_the_morning() -> None:
    play = Play(day(MAIL))
    play.takes("opened")
    play.sends(MAIL, "opened")
    play.policy(day(MAIL, quiet=QUIET))
    play.closes()
    with pytest.raises(Wrong, match="closed, but"):
        play.starts(MAIL, "closed")
    play.passes(at(7) - play.now + WAIT)
    play.is_late(r"\['closed'\] was due")


def test_what_is_loud_is_told_in_quiet_hours() -> None:
    play = Play(day(MAIL, quiet=QUIET))
    play.takes("opened", severity="info")
    play.now += WAIT
    play.is_late("was due")


def test_the_end_of_what_flaps_is_told_beside_the_flapping() -> None:
    play = Play(day(MAIL))
    play.takes("opened")
    play.sends(MAIL, "opened")
    play.closes(closed_because="flapping")
    play.takes("opened", "f1", incident_type="flapping", target="i1", host="i1.example.com")
    play.sends(MAIL, "opened", "f1")
    with pytest.raises(Wrong, match="closed, but"):
        play.starts(MAIL, "closed")


# The routes of the moment.


def test_a_shift_that_was_not_told_is_told_after_its_hours() -> None:
    play = Play(
        Route(name="day", urls=(MAIL,), timezone=BERLIN, when=(Hours(begin="03:05", end="18:00"),)),
        Route(name="eve", urls=(CHAT,), timezone=BERLIN, when=(Hours(begin="18:00", end="03:05"),)),
    )
    play.takes("opened")
    play.now = at(3, 6)
    play.judge.fallbacks(play.now)
    with pytest.raises(Wrong, match="opened, but"):
        play.starts(CHAT, "opened")
    play.now += WAIT
    play.is_late(r"incident/i1: \['opened'\] was due")


def test_the_night_shift_is_told_when_it_begins() -> None:
    shifts = (
        Route(name="day", urls=(MAIL,), timezone=BERLIN, when=(Hours(begin="07:00", end="18:00"),)),
        Route(name="eve", urls=(CHAT,), timezone=BERLIN, when=(Hours(begin="18:00", end="07:00"),)),
    )
    play = Play(*shifts)
    play.takes("opened")
    with pytest.raises(Wrong, match="not in its audience"):
        play.starts(MAIL, "opened")
    play.sends(CHAT, "opened", kind="unreachable")
    play.now = at(7)
    play.judge.clock(play.now)
    play.now += WAIT
    play.is_late(r"\['opened'\] was due.*mail://a")


ROTATION = Rotation(
    people=(Person(name="ann", urls=(MAIL,)), Person(name="bob", urls=(CHAT,))),
    since="2026-11-30",
    days=1,
    handover="09:00",
)


@pytest.mark.parametrize(
    ("now", "who"), [(at(8, 59), "ann"), (at(9), "bob"), (at(9 + 24), "ann"), (at(-60), "ann")]
)
def test_who_is_on_duty(now: int, who: str) -> None:
    assert on_duty(ROTATION, BERLIN, now).name == who


def test_somebody_who_is_not_on_duty_is_told() -> None:
    play = Play(day(PAGER, rotation=ROTATION))
    play.takes("opened")
    with pytest.raises(Wrong, match="not in its audience"):
        play.starts(CHAT, "opened")
    play.starts(MAIL, "opened")


@pytest.mark.parametrize(
    ("hours", "clock", "on"),
    [
        (Hours(begin="22:00", end="06:00"), "2026-12-01T05:59", True),
        (Hours(begin="22:00", end="06:00"), "2026-12-01T06:00", False),
        (Hours(days=("mon",), begin="22:00", end="06:00"), "2026-12-01T05:00", True),
        (Hours(days=("tue",), begin="22:00", end="06:00"), "2026-12-01T05:00", False),
        (Hours(days=("tue",), begin="08:00", end="08:00"), "2026-12-02T07:59", True),
        (Hours(days=("tue",), begin="08:00", end="08:00"), "2026-12-02T08:00", False),
    ],
)
def test_hours(hours: Hours, clock: str, on: bool) -> None:
    from datetime import datetime

    assert is_on((hours,), BERLIN, instant(datetime.fromisoformat(clock), BERLIN)) is on


@pytest.mark.parametrize(
    ("fields", "event", "names"),
    [
        ({}, {"team": "red"}, "named"),
        ({}, {"team": "blue"}, "everything"),
        ({"named": {"severities": ("info",)}}, {"team": "red"}, "everything"),
        ({"other": {"teams": ("r*",)}}, {"team": "red"}, "named other"),
        ({"named": {"stop": True}, "other": {"teams": ("red",)}}, {"team": "red"}, "named"),
        ({"other": {"teams": ("*",)}}, {"team": None}, "other"),
        ({"everything": {"kinds": ("dns",)}}, {"team": None}, "console"),
        ({"other": {"default": True}}, {"team": None}, "other"),
        ({"named": {"regions": ("us-east",)}}, {"team": "red"}, "everything"),
        ({"named": {"regions": ("eu-west",)}}, {"team": "red"}, "named"),
    ],
)
def test_routes(fields: dict[str, dict[str, Any]], event: dict[str, Any], names: str) -> None:
    routes: list[Policy] = [
        Route(name="named", urls=("mail://named",), **fields.get("named", {})),
        Route(name="everything", urls=("mail://every",), **fields.get("everything", {})),
        Route(
            name="other",
            urls=("mail://other",),
            **{"default": False} | fields.get("other", {}),
        ),
    ]
    found = channels(
        Routes.of([*routes, Team(name="red", routes=("named",))]), incident_event(**event), AT
    )
    assert " ".join(one.route for one in found) == names


# How often.


def test_the_first_message_waits_for_the_pace() -> None:
    play = Play(day(MAIL), usual_ms=30_000)
    play.takes("opened")
    play.now += WAIT
    play.is_late(r"\['opened'\] was due")


def paced() -> Play:
    play = Play(day(MAIL), usual_ms=30_000)
    play.takes("opened")
    play.sends(MAIL, "opened")
    play.takes("opened", "i2")
    play.takes("opened", "i3")
    return play


def test_a_digest_too_soon() -> None:
    play = paced()
    play.now += 29_999
    with pytest.raises(Wrong, match="too soon"):
        play.starts(MAIL, "digest", "i2", "i3", each=("opened", "opened"))


def test_a_digest_too_soon_after_a_takeover() -> None:
    play = paced()
    play.crashes()
    play.now += 29_999
    with pytest.raises(Wrong, match="too soon"):
        play.starts(MAIL, "digest", "i2", "i3", each=("opened", "opened"))


def test_a_digest_too_late() -> None:
    play = paced()
    play.now += 29_999
    play.judge.late(play.now, after=True)
    play.now += 1
    play.is_late(r"incident/i2: \['opened'\] was due")


def test_a_digest_that_leaves_something_out() -> None:
    play = paced()
    play.now += 30_000
    with pytest.raises(Wrong, match="incident/i3 was ready"):
        play.starts(MAIL, "opened", "i2")


def test_two_hosts_in_a_message_that_is_no_digest() -> None:
    play = paced()
    play.now += 30_000
    with pytest.raises(Wrong, match="one message for"):
        play.starts(MAIL, "opened", "i2", "i3")


def test_a_digest_of_one_host() -> None:
    play = Play(day(MAIL), usual_ms=30_000)
    play.takes("opened", "i2")
    with pytest.raises(Wrong, match="a digest of one"):
        play.starts(MAIL, "digest", "i2", each=("opened",))


def test_a_digest_that_says_the_wrong_thing_of_one() -> None:
    play = paced()
    play.now += 30_000
    with pytest.raises(Wrong, match="incident/i3: closed, but"):
        play.starts(MAIL, "digest", "i2", "i3", each=("opened", "closed"))


def test_the_interval_does_not_grow() -> None:
    play = paced()
    play.now += 30_000
    play.sends(MAIL, "digest", "i2", "i3", each=("opened", "opened"))
    play.takes("opened", "i4")
    play.now += 30_000
    with pytest.raises(Wrong, match="too soon"):
        play.starts(MAIL, "opened", "i4")
    play.now += 30_000
    play.starts(MAIL, "opened", "i4")


def test_a_message_that_reached_nobody_is_none() -> None:
    play = Play(day(MAIL), usual_ms=30_000)
    play.takes("opened")
    play.sends(MAIL, "opened", kind="unreachable")
    play.now += 2_500
    play.sends(MAIL, "opened")


def limited() -> Play:
    play = Play(day(MAIL, limit=Limit(messages=2, per_ms=10 * MINUTE)))
    for number in (1, 2):
        play.takes("opened", f"i{number}")
        play.sends(MAIL, "opened", f"i{number}")
        play.now += MINUTE
    play.takes("opened", "i3")
    return play


@pytest.mark.parametrize("crash", [False, True])
def test_more_messages_than_the_limit(crash: bool) -> None:
    play = limited()
    if crash:
        play.crashes()
    play.now = AT + 10 * MINUTE - 1
    with pytest.raises(Wrong, match="too soon: the limit is 2"):
        play.starts(MAIL, "opened", "i3")


def test_nothing_is_told_when_there_is_room_again() -> None:
    play = limited()
    play.now = AT + 10 * MINUTE - 1
    play.judge.late(play.now, after=True)
    play.now += 1
    play.is_late(r"incident/i3: \['opened'\] was due")


# By time alone.


def test_a_reminder_too_early_and_too_late() -> None:
    play = Play(day(MAIL, remind_every_ms=10 * MINUTE))
    play.takes("opened")
    play.sends(MAIL, "opened")
    play.passes(10 * MINUTE - 1)
    with pytest.raises(Wrong, match="reminder, but"):
        play.starts(MAIL, "reminder")
    play.passes(1 + WAIT)
    play.is_late(r"\['reminder'\] was due")


def test_a_reminder_of_what_somebody_acknowledged() -> None:
    play = Play(day(MAIL, remind_every_ms=10 * MINUTE))
    play.takes("opened")
    play.sends(MAIL, "opened")
    play.takes("updated", acknowledged_by="ann")
    play.passes(10 * MINUTE)
    with pytest.raises(Wrong, match="reminder, but"):
        play.starts(MAIL, "reminder")


def test_the_next_reminder_too_early() -> None:
    play = Play(day(MAIL, remind_every_ms=10 * MINUTE))
    play.takes("opened")
    play.sends(MAIL, "opened")
    play.passes(10 * MINUTE)
    play.sends(MAIL, "reminder")
    play.passes(MINUTE)
    with pytest.raises(Wrong, match="reminder, but"):
        play.starts(MAIL, "reminder", number=2)


def escalating(*more: Policy) -> Play:
    step = EscalationStep(after_ms=5 * MINUTE, routes=("boss",))
    play = Play(day(MAIL, escalate=(step,)), Route(name="boss", urls=(CHAT,), default=False), *more)
    play.takes("opened")
    play.now += WAIT
    play.judge.fallbacks(play.now)
    play.sends(MAIL, "opened")
    return play


def test_an_escalation_too_early_and_too_late() -> None:
    play = escalating()
    play.passes(5 * MINUTE - WAIT - 1)
    with pytest.raises(Wrong, match="not in its audience"):
        play.starts(CHAT, "opened")
    play.passes(1 + WAIT)
    play.passes(WAIT)
    play.is_late(r"\['opened'\] was due.*chat://c")


@pytest.mark.parametrize("what", ["acknowledged", "closed"])
def test_an_escalation_of_what_needs_nobody(what: str) -> None:
    play = escalating()
    if what == "closed":
        play.closes()
        play.now += WAIT
        play.sends(MAIL, "closed")
    else:
        play.takes("updated", acknowledged_by="ann")
    play.passes(6 * MINUTE)
    with pytest.raises(Wrong, match="not in its audience"):
        play.starts(CHAT, "opened")


# So many at once.


def mass_record(event: str, event_id: str = "m1") -> Subject:
    made = MassEvent(event_id=event_id, event=event, down=3, total=10, since=AT, at=AT)  # type: ignore[arg-type]
    return Subject(
        term=0,
        key=f"mass/{AT}",
        event=msgspec.Raw(msgspec.json.encode(made)),
        phase="down" if event == "mass.down" else "closed",
        episode=1,
        began_at=AT,
        changed_at=AT,
    )


def test_nobody_says_that_many_are_down() -> None:
    play = Play(day(MAIL), share=0.2)
    for number in range(9):
        play.takes("opened", f"i{number}")
    play.judge.wrote((), (), (), play.now, whole=False)
    play.takes("opened", "i9")
    with pytest.raises(Wrong, match="no message says so"):
        play.judge.wrote((), (), (), play.now, whole=False)


def test_few_are_said_to_be_many() -> None:
    play = Play(day(MAIL), share=0.2)
    play.takes("opened")
    with pytest.raises(Wrong, match="few went down"):
        play.judge.channels_seen([mass_record("mass.down")], play.now)


def test_many_are_down_and_it_is_said_to_be_over() -> None:
    play = Play(day(MAIL), share=0.2)
    names = [f"i{number}" for number in range(10)]
    for name in names:
        play.takes("opened", name)
    play.judge.channels_seen([mass_record("mass.down")], play.now)
    play.judge.wrote((), (), (), play.now, whole=False)
    with pytest.raises(Wrong, match="many are down still"):
        play.judge.channels_seen([mass_record("mass.over", "m2")], play.now)


def test_few_are_down_and_nobody_says_that_it_is_over() -> None:
    play = Play(day(MAIL), share=0.2)
    names = [f"i{number}" for number in range(10)]
    for name in names:
        play.takes("opened", name)
    play.judge.channels_seen([mass_record("mass.down")], play.now)
    for name in names[:8]:
        play.closes(name)
    play.judge.wrote((), (), (), play.now, whole=False)
    play.closes("i8")
    with pytest.raises(Wrong, match="nobody says that it is over"):
        play.judge.wrote((), (), (), play.now, whole=False)


def test_nobody_is_told_that_many_are_down() -> None:
    play = Play(day(MAIL), share=0.2, usual_ms=30_000)
    names = [f"i{number}" for number in range(10)]
    for name in names:
        play.takes("opened", name)
    play.sends(MAIL, "digest", *names, each=("opened",) * 10)
    play.judge.channels_seen([mass_record("mass.down")], play.now)
    play.now += WAIT
    play.is_late(r"mass/.*\['opened'\] was due")
