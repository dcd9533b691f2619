"""What `explain` says around the stream's own words: which target, who is told, how old it is."""

from typing import Any

import msgspec
import pytest
from msgspec import structs

from portquorum.cli import explained
from portquorum.cli.errors import WrongUseError
from portquorum.cli.explained import ExplainAnswer
from portquorum.cli.notifications import LAST, TargetNotifications, told
from portquorum.cli.target_lookup import which
from portquorum.presentation.output import out
from schemas.control import Acknowledged, Resolved
from schemas.notification import Notification
from schemas.policy import Hours, Maintenance, Person, Policy, Quiet, Rotation, Route, Silence, Team
from schemas.probe import TlsProbe
from schemas.result import Signal
from schemas.target import LatencyLimit, Target
from sinks.notifier.model import Channel
from streams.explain import explain
from tests.unit.streams.rules.fleet import START, Fleet, target
from tests.unit.streams.rules.jobs import MINUTE_MS, Jobs, job, probe

TARGETS = {
    one.id: one
    for one in (
        target("prod-db", name="Orders DB"),
        target("ssh", name="SSH", port=22),
        target("v6", name="Six", host="2001:db8::7", port=22),
        target("job", name="Nightly", kind="heartbeat", host=None, port=None),
    )
}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("prod-db", "prod-db"),
        ("orders db", "prod-db"),
        ("DB1.example.com:5432", "prod-db"),
        ("[2001:db8::7]:22", "v6"),
        ("2001:db8::7", "v6"),
        (" job ", "job"),
    ],
)
def test_a_target_is_named_as_people_know_it(text: str, found: str) -> None:
    assert which(text, TARGETS).id == found


def test_a_host_of_several_targets_asks_which() -> None:
    with pytest.raises(WrongUseError, match=r"2 targets are .*: prod-db, ssh"):
        which("db1.example.com", TARGETS)


@pytest.mark.parametrize(
    ("text", "near"),
    [("prod-bd", "prod-db"), ("order", "prod-db"), ("db1.example.com:5433", "prod-db")],
)
def test_a_slip_gets_near_matches(text: str, near: str) -> None:
    with pytest.raises(WrongUseError, match=f"did you mean .*{near}"):
        which(text, TARGETS)


def test_what_resembles_nothing_is_said_so() -> None:
    with pytest.raises(WrongUseError, match=r"`portquorum status` lists them"):
        which("zzzzzzzz", TARGETS)
    with pytest.raises(WrongUseError):
        which("x", {})


def sent(number: int = 0, **changes: Any) -> Notification:
    values: dict[str, Any] = {
        "event_id": f"e{number}",
        "incident_id": f"i{number}",
        "event": "opened",
        "target": "db",
        "team": None,
        "route": "oncall",
        "channel": "oncall/0/slack",
        "severity": "critical",
        "status": "sent",
        "attempt": 1,
        "at": START - 60_000,
        "event_at": START - 61_000,
        "subject": "TCP Port Unreachable: DB",
        "group": "g",
    }
    return Notification(**(values | changes))


def concerning(one: Target, *policy: Policy, now: int = START, **known: Any) -> TargetNotifications:
    return told(one, policy, known.get("sent", ()), known.get("open_incidents", ()), now)


def test_the_routes_of_the_team_are_named_by_what_they_take() -> None:
    policy = (
        Route(name="oncall", urls=("slack://x/y",), severities=("critical",)),
        Route(name="mail", urls=("mailto://x",)),
        Team(name="dba", routes=("oncall",)),
    )
    one = target(
        team="dba",
        criticality="important",
        latency=LatencyLimit(max_ms=5),
        kind="tls",
        probe=TlsProbe(),
    )
    ways = concerning(one, *policy).ways
    assert [(way.incident_type, way.severity, way.channels) for way in ways] == [
        ("unreachable", "critical", (Channel("oncall", "slack://x/y").name,)),
        ("flapping", "critical", (Channel("oncall", "slack://x/y").name,)),
        ("slow", "warning", (Channel("mail", "mailto://x").name,)),
        ("expiring", "warning", (Channel("mail", "mailto://x").name,)),
    ]
    assert [way.channels for way in concerning(target(), *policy).ways] == [
        (Channel("mail", "mailto://x").name,)
    ] * 2


def test_each_route_says_why_it_is_told_and_why_not(monkeypatch: pytest.MonkeyPatch) -> None:
    people = tuple(Person(name=one, urls=(f"json://{one}",)) for one in ("ann", "bob"))
    policy = (
        Route(
            name="day",
            urls=("slack://x/y",),
            when=(Hours(begin="09:00", end="17:00"),),
            timezone="Europe/Berlin",
        ),
        Route(name="late", urls=("json://x",), when=(Hours(begin="18:00", end="20:00"),)),
        Route(name="duty", rotation=Rotation(people=people, since="2027-01-15"), stop=True),
        Route(name="rest", urls=("mailto://x",), teams=("*",)),
        Team(name="dba", routes=("late", "day", "duty")),
    )
    (way, _) = concerning(target(team="dba"), *policy).ways
    assert [(one.route, one.found_by, one.takes) for one in way.routes] == [
        ("late", "team", False),
        ("day", "team", True),
        ("duty", "team", True),
    ]
    assert way.channels == (
        Channel("day", "slack://x/y").name,
        Channel("duty", "json://ann").name,
    )
    lines = shown(monkeypatch, answer(busy(), told=concerning(target(team="dba"), *policy)))
    for words in (
        "not late: off until 2027-01-15 18:00 UTC",
        "day: its team names it; on until 2027-01-15 17:00 Europe/Berlin",
        "duty: its team names it; ann is on duty until 2027-01-22 09:00 UTC; no route after it is",
    ):
        assert words in " ".join(lines.split())
    assert msgspec.json.decode(msgspec.json.encode(way))["routes"][0] == {
        "route": "late",
        "found_by": "team",
        "takes": False,
        "why": "off until 2027-01-15 18:00 UTC",
        "channels": [],
    }


def test_a_route_for_one_region_is_told_of_an_outage_that_all_see() -> None:
    policy = (Route(name="eu", urls=("json://eu",), regions=("a",)),)
    (way, _) = concerning(target(regions="a b"), *policy).ways
    assert way.channels == (Channel("eu", "json://eu").name,)
    (way, _) = concerning(target(regions="b c"), *policy).ways
    assert way.nobody


def test_who_stands_in_for_a_channel_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = (
        Route(name="oncall", urls=("slack://x/y", "json://x"), fallback=("mail",)),
        Route(name="mail", urls=("mailto://x",)),
        Team(name="dba", routes=("oncall",)),
    )
    one = target(team="dba")
    assert {way.fallback for way in concerning(one, *policy).ways} == {("mail",)}
    text = shown(monkeypatch, answer(busy(), told=concerning(one, *policy)))
    words = "oncall (slack), oncall (json); if one fails, also the route mail"
    assert words in " ".join(text.split())


def test_a_maintenance_window_is_on_or_comes_or_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    window = Maintenance(name="patch", targets=("tag:prod",), start=START, duration_ms=1000)
    tagged = target(tags=("prod",))
    assert concerning(target(), window).maintenance == ()
    assert [one.now for one in concerning(tagged, window).maintenance] == [True]
    over = concerning(tagged, window, now=START + 1000)
    assert [(one.now, one.start) for one in over.maintenance] == [(False, START)]
    weekly = Maintenance(
        name="patch",
        targets=("db",),
        start=START,
        duration_ms=1000,
        rrule="FREQ=WEEKLY",
        timezone="Europe/Berlin",
    )
    week = 7 * 86_400_000
    later = concerning(target(), weekly, now=START + 9000)
    assert [(one.now, one.start) for one in later.maintenance] == [(False, START + week)]
    again = concerning(target(), weekly, now=START + week)
    assert [(one.now, one.end) for one in again.maintenance] == [(True, START + week + 1000)]
    text = shown(monkeypatch, answer(busy(), told=later))
    assert "maintenance patch begins at 2027-01-22 09:00 Europe/Berlin" in text
    assert "maintenance patch is over" in shown(monkeypatch, answer(busy(), told=over, now=START))


def test_what_spares_people_now_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    route = Route(
        name="all",
        urls=("json://x",),
        quiet=Quiet(hours=(Hours(begin="07:00", end="09:00"),), unless=("critical",)),
    )
    window = Maintenance(name="patch", targets=("db",), start=START, duration_ms=3_600_000)
    found = concerning(target(), route, window)
    assert [way.spared for way in found.ways] == [
        "maintenance: patch until 2027-01-15 09:00 UTC"
    ] * 2
    text = " ".join(shown(monkeypatch, answer(busy(), told=found)).split())
    assert "nobody now: maintenance: patch until 2027-01-15 09:00 UTC" in text
    assert "maintenance patch is on until 2027-01-15 09:00 UTC" in text
    quiet = "quiet hours until 09:00 UTC, people are told at their end"
    assert quiet in text
    assert quiet not in str(concerning(target(criticality="critical"), route).ways)
    silence = Silence(
        name="3f2c",
        begins_at=START,
        ends_at=START + 3_600_000,
        reason="power work",
        by="ann",
        created_at=START,
        targets=("d*",),
        severities=("warning",),
    )
    assert {way.spared for way in concerning(target(), route, window, silence).ways} == {
        "silence 3f2c by ann: power work (until 2027-01-15 09:00 UTC)"
    }
    assert [way.spared for way in concerning(target(criticality="critical"), silence).ways] == [
        "",
        "",
    ]
    after = concerning(target(), route, window, now=START + 3_600_000)
    assert [way.spared for way in after.ways] == ["", ""]


def test_the_last_sends_are_kept_and_all_of_an_open_incident() -> None:
    all_sent = [sent(number) for number in range(9)]
    kept = concerning(target(), sent=all_sent, open_incidents=["i8"]).sent
    assert [one.event_id for one in kept] == [*(f"e{n}" for n in range(LAST)), "e8"]


def answer(fleet: Fleet, policy: tuple[Policy, ...] = (), **changes: Any) -> ExplainAnswer:
    known = explain(fleet.state, "db")
    values: dict[str, Any] = {
        "target": target(),
        "partition": 3,
        "explanation": known,
        "log_at": fleet.state.now,
        "checkpoint_at": fleet.now,
        "behind": 2,
        "complete": True,
        "told": told(target(), policy, changes.pop("sent", ()), (), fleet.now),
        "now": fleet.now,
    }
    return ExplainAnswer(**(values | changes))


@pytest.mark.parametrize(
    ("word", "signals"),
    [
        ("failed", [("fail", 0)]),
        ("missed", [("success", 90 * MINUTE_MS)]),
        ("ran too long", [("start", 30 * MINUTE_MS)]),
    ],
)
def test_nobody_tries_to_reach_a_job(
    monkeypatch: pytest.MonkeyPatch, word: str, signals: list[tuple[Signal, int]]
) -> None:
    one = job(expected=probe(max_runtime_ms=20 * MINUTE_MS))
    jobs = Jobs(one)
    for signal, ms in signals:
        jobs.signal(signal)
        jobs.pass_time(ms)
    policy = (Route(name="all", urls=("slack://x/y",), default=True),)
    text = shown(
        monkeypatch,
        answer(
            jobs,
            target=one,
            explanation=explain(jobs.state, one.id),
            told=told(one, policy, (), (), jobs.now),
            now=jobs.now + 60_000,
        ),
    )
    assert f"{word}, began" in text
    assert "missed, failed or too long (" in text
    assert "no receiver and no stream runs" in text
    assert "reachable" not in text
    assert "prober" not in text


def shown(monkeypatch: pytest.MonkeyPatch, one: ExplainAnswer) -> str:
    monkeypatch.setattr(out(), "width", 100)
    with out().capture() as printed:
        explained.show(one)
    return printed.get()


def busy() -> Fleet:
    """Everything at once: three regions, an incident, neighbours."""
    ports = range(22, 30)
    fleet = Fleet(target(), *(target(f"p{port}", port=port) for port in ports))
    for region in "abc":
        fleet.beat(region)
    for port in ports:
        fleet.up("a", "b", "c", of=f"p{port}")
    fleet.up("a", "b", "c")
    fleet.wait(20_000)
    fleet.beat("a")
    fleet.down("a", "b", reason="timed_out")
    return fleet


def test_it_fits_one_screen_of_100_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(monkeypatch, answer(busy(), sent=[sent(number) for number in range(9)]))
    lines = text.splitlines()
    assert len(lines) <= 45
    assert max(map(len, lines)) <= 100
    for part in ("An incident is open", "What would change it", "mtr --report", "p22 (22) up"):
        assert part in text
    assert "unreachable (warning), flapping (warning): nobody, no route takes it" in text
    assert "sent 1 min" in text


def test_why_somebody_was_not_told_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    records = [
        sent(1, channel="oncall/aaaaaaaa/slack", status="retrying", attempt=3, error="HTTP 500"),
        sent(2, channel="", event="closed", status="not_sent", why="no route takes it"),
        sent(3, channel="oncall/bbbbbbbb/slack", status="not_sent", why="superseded"),
    ]
    text = shown(monkeypatch, answer(busy(), sent=records))
    assert "retrying 1 min 21 s ago by oncall (slack aaaaaa): TCP Port Unreachable: DB" in text
    assert "(attempt 3: HTTP 500)" in text
    assert "not sent 1 min 21 s ago: closed (no route takes it)" in text
    assert "not sent to oncall (slack bbbbbb) 1 min 21 s ago: opened (superseded)" in text


def test_what_people_wrote_is_shown_and_moves_no_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = busy()
    incident = fleet.events[-1].incident_id
    said = {
        "target": "db",
        "incident_id": incident,
        "by": "a\x1b[2Jnn",
        "note": "the\ndisk\x1b[31m",
    }
    fleet.control(Acknowledged(**said))
    text = " ".join(shown(monkeypatch, answer(fleet)).split())
    assert "acknowledged by a\ufffd[2Jnn: the disk\ufffd[31m" in text
    assert "\x1b" not in text
    fleet.control(Resolved(**said))
    text = " ".join(shown(monkeypatch, answer(fleet)).split())
    assert "still not reachable: resolved by hand by a\ufffd[2Jnn at" in text
    assert "who wrote: the disk\ufffd[31m." in text
    assert "\x1b" not in text


def test_what_is_said_of_a_certificate_began_with_no_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fleet = Fleet(target(kind="tls", probe=TlsProbe()))
    fleet.beat("a")
    for _ in range(2):
        soon = {"cert_expires_at": fleet.now + 86_400_000}
        fleet.append([fleet.result("a", kind="tls", **soon)])
        fleet.wait(60_000)
    text = shown(monkeypatch, answer(fleet))
    assert "expiring, first seen 2027-01-15 08:00:00 UTC" in text
    assert "first failure" not in text


def test_nobody_is_told_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = (
        Route(name="oncall", urls=("slack://x/y",), tags=("other",)),
        Route(name="mail", urls=("mailto://x",), severities=("critical",)),
    )
    text = shown(monkeypatch, answer(busy(), policy))
    assert "unreachable (warning), flapping (warning): nobody, no route takes it" in text
    assert "not mail: its severities are critical, and this has warning" in text
    assert "not oncall: its tags are other, and this has none" in text
    assert "console: no route takes it: it stands in the notifier's log" in text
    assert "nothing was sent for it" in text


def test_a_send_that_failed_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    dead = sent(status="dead", attempt=5, error="403 Forbidden")
    assert "(attempt 5: 403 Forbidden)" in " ".join(
        shown(monkeypatch, answer(busy(), sent=[dead])).split()
    )


def test_a_target_that_the_stream_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(monkeypatch, answer(Fleet(target("other"))))
    assert "The stream does not know this target" in text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"now": START + 600_000}, "no prober and no stream runs"),
        ({"checkpoint_at": None}, "has not written a checkpoint yet"),
        ({"checkpoint_at": START - 600_000}, "does the stream run?"),
        ({"complete": False}, "no longer has all records"),
        ({"log_at": 0}, "no prober has ever reported"),
    ],
)
def test_roles_that_do_not_run_are_told(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], words: str
) -> None:
    fleet = Fleet(target())
    assert words not in shown(monkeypatch, answer(fleet))
    assert words in shown(monkeypatch, answer(fleet, **changes))


def test_latencies_below_a_millisecond_have_two_decimals(monkeypatch: pytest.MonkeyPatch) -> None:
    found = answer(busy())
    known = found.explanation
    assert known is not None
    regions = [structs.replace(one, lately_us=27, usual_us=1_840) for one in known.regions]
    known = structs.replace(known, regions=type(known.regions)(regions))
    assert "0.03 ms / 1.8 ms" in shown(monkeypatch, structs.replace(found, explanation=known))


def test_an_open_port_is_not_called_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = Fleet(target(expect="closed"))
    for region in "abc":
        fleet.beat(region)
    fleet.down("a", "b", reason="port_open")
    text = shown(monkeypatch, answer(fleet))
    assert "An incident is open: the port is open since" in text
    assert "open port, first seen " in text
    assert "unreachable since" not in text
    assert "first failure" not in text
