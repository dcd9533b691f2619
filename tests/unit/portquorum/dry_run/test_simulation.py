"""A dry run: the notifier's own decisions on past events."""

import subprocess
import sys
from typing import Any

from msgspec import structs

from portquorum.dry_run.figures import DryRunAbout, DryRunFigures, figures
from portquorum.dry_run.history import as_defined, facts_by_id, in_order
from portquorum.dry_run.simulation import SimulatedNotifier, SimulatedTelling, simulate
from schemas.duration import DAY_MS, HOUR_MS
from schemas.incident import Event, IncidentEvent
from schemas.policy import DrillDone, DrillPlan, Policy, Route, Team
from schemas.target import Target
from sinks.notifier.channels.classes import class_of
from sinks.notifier.model import MassEvent, TargetFacts
from sinks.notifier.routing import Routes
from tests.unit.portquorum.delivery.sample import row
from tests.unit.sinks.notifier.events import incident_event

MONDAY = 1_796_040_000_000 // DAY_MS * DAY_MS + 0
"""2026-11-30 00:00 UTC, a Monday."""

POLICY: tuple[Policy, ...] = (
    Team(name="web", routes=("chat", "pager")),
    Route(name="chat", urls=("slack://a/b/c",)),
    Route(name="pager", urls=("pagerduty://key",), severities=("critical",)),
)


def outage(number: int, at: int, minutes: int = 5, **fields: Any) -> list[IncidentEvent]:
    names = {
        "incident_id": f"i{number}",
        "target": f"t{number}",
        "host": f"h{number}.example.com",
        "team": "web",
        "opened_at": at,
        "first_failed_at": at - 3000,
    } | fields
    over = at + minutes * 60_000
    return [
        incident_event(event_id=f"o{number}", at=at, **names),
        incident_event(
            event_id=f"c{number}",
            event="closed",
            at=over,
            closed_at=over,
            closed_because="recovered",
            **names,
        ),
    ]


def run(events: list[Event], policy: tuple[Policy, ...] = POLICY) -> SimulatedTelling:
    notifier = SimulatedNotifier(
        routes=Routes.of(policy), facts={}, class_of=class_of, group_wait_ms=2_000
    )
    return simulate(notifier, in_order(events, 0).events, MONDAY + 30 * DAY_MS)


def counted(told: SimulatedTelling, zone: str = "UTC", sent: Any = None) -> DryRunFigures:
    about = DryRunAbout(
        since=MONDAY, until=MONDAY + 30 * DAY_MS, zone=zone, incidents=1, events=2, left_out=0
    )
    classes = {one.channel.id: class_of(one.channel) for one in told.deliveries}
    return figures(about, told, classes, sent)


def test_who_gets_how_many_and_when() -> None:
    events = [
        *outage(1, MONDAY + 3 * HOUR_MS),
        *outage(2, MONDAY + 3 * HOUR_MS + 1_000, host="h1.example.com"),  # the same host
        *outage(3, MONDAY + 14 * HOUR_MS, severity="warning"),
    ]
    told = run(events)
    found = counted(told)
    by_route = {one.route: one for one in found.receivers}
    chat, pager = by_route["chat"], by_route["pager"]
    # The ports of a host are one message for people, and two alerts for an on-call system.
    assert (chat.messages, chat.openings, chat.recoveries) == (4, 2, 2)
    assert (pager.messages, pager.openings, pager.recoveries) == (4, 2, 2)
    assert (chat.channel_class, pager.channel_class) == ("people", "on_call")
    assert (chat.at_night, pager.at_night) == (2, 4)
    assert found.by_hour[0][3] == 6
    assert found.by_hour[0][14] == 2
    assert (found.busiest, found.in_busiest) == (MONDAY + 3 * HOUR_MS, 6)
    assert found.messages == 8
    # People are told 2 s after the first port of the host failed, as by the notifier.
    [first] = [one for one in told.deliveries if one.channel.route == "chat"][:1]
    assert first.at == MONDAY + 3 * HOUR_MS + 2_000
    # On the clock of a zone that is 5 h 30 min ahead.
    india = counted(told, "Asia/Kolkata")
    assert india.by_hour[0][8] == 6
    assert india.busiest == MONDAY + 3 * HOUR_MS - HOUR_MS // 2


def test_who_was_not_told_and_why() -> None:
    drop = Route(name="chat", urls=("slack://a/b/c",), missed="drop")
    short = outage(1, MONDAY + HOUR_MS, minutes=0)
    found = counted(run(short, (Team(name="web", routes=("chat",)), drop)))
    assert found.messages == 0
    assert {one.why: one.targets for one in found.spared} == {
        "missed: drop": ("t1",),
        "superseded by closed before the channel could take it": ("t1",),
    }


def facts(target: str, *depends_on: str) -> TargetFacts:
    return TargetFacts(id=target, name=target, place=f"{target}:1", depends_on=depends_on)


def test_what_is_behind_a_target_that_is_down_is_spared() -> None:
    known = {"t1": facts("t1"), "t2": facts("t2", "t1"), "t3": facts("t3")}
    notifier = SimulatedNotifier(
        routes=Routes.of(POLICY), facts=known, class_of=class_of, group_wait_ms=2_000
    )
    events = [*outage(1, MONDAY, minutes=10)]
    events += [*outage(2, MONDAY + 9_000), *outage(3, MONDAY + 9_000)]
    found = counted(simulate(notifier, in_order(events, 0).events, MONDAY + DAY_MS))
    assert {one.route: one.messages for one in found.receivers} == {"chat": 4, "pager": 4}
    [spared] = [one for one in found.spared if one.why.startswith("dependency")]
    assert spared.targets == ("t2",)


def test_an_outage_of_very_many_is_a_message_to_the_operators() -> None:
    notifier = SimulatedNotifier(
        routes=Routes.of((*POLICY, Route(name="ops", urls=("json://ops",), operators=True))),
        facts={f"t{number}": facts(f"t{number}") for number in range(10)},
        class_of=class_of,
        group_wait_ms=2_000,
        mass_share=0.2,
    )
    events = [one for number in range(3) for one in outage(number, MONDAY)]
    told = simulate(notifier, in_order(events, 0).events, MONDAY + DAY_MS)
    masses = [one for one in told.deliveries if one.channel.route == "ops"]
    assert [type(one.news[0].event) for one in masses] == [MassEvent, MassEvent]
    assert masses[0].at == MONDAY


def test_what_reaches_the_console_alone() -> None:
    found = counted(run(outage(1, MONDAY), (Route(name="x", urls=("slack://a",), tags=("no",)),)))
    assert found.receivers == ()
    assert found.console == {"t1": 2}


def test_beside_what_was_really_sent() -> None:
    opened, _ = outage(1, MONDAY)
    chat = "chat/0123456789abcdef/slack"
    told = run([*outage(1, MONDAY)])
    name = next(one.channel.name for one in told.deliveries if one.channel.route == "chat")
    rows = [
        row(opened, name, group="m1"),
        row(structs.replace(opened, event_id="other"), name, group="m1"),  # the same message
        row(opened, chat, group="m2"),
        row(opened, name, "retrying", group="m3"),
    ]
    found = counted(told, sent=rows)
    sent = {one.route: one.sent for one in found.receivers}
    assert sent == {"chat": 1, "pager": 0}
    assert found.sent == 2


def test_incidents_that_had_begun_before_are_left_out() -> None:
    before, within = outage(1, MONDAY - 60_000), outage(2, MONDAY + 60_000)
    past = in_order([*within, before[1]], MONDAY)
    assert [event.event_id for event in past.events] == ["o2", "c2"]
    assert (past.incidents, past.left_out) == (1, 1)


def test_the_events_are_those_of_the_inventory() -> None:
    target = Target(
        id="t1",
        name="T1",
        kind="tcp",
        host="h1.example.com",
        port=80,
        regions=("eu",),
        interval_ms=30_000,
        timeout_ms=3_000,
        retries=2,
        retry_delay_ms=500,
        version=1,
        source="x",
        team="other",
        tags=("a",),
        depends_on=("gw",),
    )
    one, two = as_defined([*outage(1, MONDAY)[:1], *outage(2, MONDAY)[:1]], {"t1": target})
    assert isinstance(one, IncidentEvent)
    assert (one.team, one.tags, one.depends_on) == ("other", ("a",), ("gw",))
    assert isinstance(two, IncidentEvent)
    assert two.team == "web"
    known = facts_by_id([target])["t1"]
    assert known.settle_ms == 30_000 + 3 * 3_000 + 2 * 500
    assert known.answer_ms == 3 * 3_000 + 2 * 500 + 2_000


def test_nothing_at_all() -> None:
    found = counted(run([]))
    assert (found.messages, found.receivers, found.busiest) == (0, (), None)


_LOADED = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
print("\\n".join(sys.modules))
"""


def loaded(*modules: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", _LOADED, *modules],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return set(done.stdout.split())


def test_no_code_that_sends_is_loaded() -> None:
    # What decides and counts knows no channel, but for the class that a URL's scheme says, however
    # the URL is written.
    pure = {f"sinks.notifier.channels.{one}" for one in ("classes", "native", "on_call_systems")}
    there = loaded("portquorum.dry_run.simulation", "portquorum.dry_run.figures", *pure)
    assert {one for one in there if one.startswith("sinks.notifier.channels.")} == pure
    assert there.isdisjoint({"apprise", "requests", "smtplib"})
    # The command checks the URLs of an inventory; what sends a delivery is not even loaded.
    there = loaded("portquorum.cli.dry_run", "portquorum.dry_run.history", "portquorum.inventory")
    sending = {"sinks.notifier.channels.send", "sinks.notifier.outbox", "sinks.notifier.sending"}
    assert there.isdisjoint(sending)


def test_a_crowd_is_a_digest_and_reminders_are_counted() -> None:
    chat = Route(name="chat", urls=("slack://a/b/c",), remind_every_ms=HOUR_MS)
    crowd = [
        one
        for number in range(20)
        for one in outage(number, MONDAY + 9 * HOUR_MS + number * 1_000, minutes=150)
    ]
    notifier = SimulatedNotifier(
        routes=Routes.of((Team(name="web", routes=("chat",)), chat)),
        facts={},
        class_of=class_of,
        group_wait_ms=2_000,
        group_interval_ms=30_000,
    )
    told = simulate(notifier, in_order(crowd, 0).events, MONDAY + DAY_MS)
    [one] = counted(told).receivers
    assert one.digests >= 1
    actions = {
        news.action or delivery.action for delivery in told.deliveries for news in delivery.news
    }
    assert {"opened", "reminder", "closed"} <= actions
    assert one.messages < 20
    # Twenty hosts, each of them in some message of the outage.
    said = {news.entry for delivery in told.deliveries for news in delivery.news}
    assert len(said) == 20


def test_fire_drills_are_no_events_of_the_past() -> None:
    plan = DrillPlan(name="drill", every_ms=HOUR_MS)
    events: list[Event] = [*outage(1, MONDAY), *outage(2, MONDAY + 20 * HOUR_MS)]
    told = run(events, (*POLICY, plan, DrillDone(name="last", at=0, overdue="message")))
    assert told == run(events)


def test_fire_drills_are_left_out() -> None:
    """Their route is removed with them: the default routes would seem to be told."""
    events = [
        *outage(1, MONDAY),
        *outage(2, MONDAY, target="drill-0badcafe", team="drill", tags=("drill",)),
    ]
    past = in_order(events, 0)
    assert past.incidents == 1
    assert {one.target for one in past.events if isinstance(one, IncidentEvent)} == {"t1"}
