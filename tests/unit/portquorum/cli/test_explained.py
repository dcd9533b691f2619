"""What `explain` says around the stream's own words: which target, who is told, how old it is."""

from typing import Any

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
from schemas.policy import Maintenance, Policy, Route, Team
from schemas.probe import TlsProbe
from schemas.target import LatencyLimit, Target
from streams.explain import explain
from tests.unit.streams.rules.fleet import START, Fleet, target

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
    one = target(team="dba", latency=LatencyLimit(max_ms=5), kind="tls", probe=TlsProbe())
    ways = concerning(one, *policy).ways
    assert [(way.incident_type, way.channels) for way in ways] == [
        ("unreachable", ("oncall/0/slack",)),
        ("flapping", ("oncall/0/slack",)),
        ("slow", ()),
        ("expiring", ()),
    ]
    assert [way.channels for way in concerning(target(), *policy).ways] == [("mail/0/mailto",)] * 2


def test_a_maintenance_window_is_on_or_not_or_repeats() -> None:
    window = Maintenance(name="patch", targets=("tag:prod",), start=START, duration_ms=1000)
    tagged = target(tags=("prod",))
    assert concerning(target(), window).maintenance == ()
    assert [one.now for one in concerning(tagged, window).maintenance] == [True]
    assert [one.now for one in concerning(tagged, window, now=START + 1000).maintenance] == [False]
    weekly = Maintenance(
        name="patch", targets=("db",), start=START, duration_ms=1000, rrule="FREQ=WEEKLY"
    )
    assert [one.now for one in concerning(target(), weekly, now=START + 9000).maintenance] == [None]


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
    assert "unreachable (critical), flapping (critical): console/0/console" in text
    assert "sent 1 min" in text


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
        Route(name="mail", urls=("mailto://x",), severities=("warning",)),
    )
    text = shown(monkeypatch, answer(busy(), policy))
    assert "unreachable (critical), flapping (critical): nobody, no route takes it" in text
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
