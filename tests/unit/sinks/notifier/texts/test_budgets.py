"""A message fits its channel, whatever it tells."""

import msgspec
import pytest
from hypothesis import given

from schemas.incident import HostTarget, IncidentEvent, RegionEvent, TargetsEvent
from schemas.plain_text import unsafe_in
from sinks.notifier.model import Delivery
from sinks.notifier.texts import gsm7
from sinks.notifier.texts.model import Budget, Text, Units
from sinks.notifier.texts.on_call import details, summary_line
from sinks.notifier.texts.render import render
from tests.unit.schemas.edges import ends_of
from tests.unit.sinks.notifier.events import AT, incident_event
from tests.unit.sinks.notifier.texts.deliveries import (
    ACTIONS,
    MARKUPS,
    UNITS,
    budgets,
    deliveries,
    delivery,
    digests,
    incidents,
    news,
    verdicts,
)
from tests.unit.sinks.notifier.texts.digests import digest_of, mixed, outage

LONG = "x" * 10_000
DISCORD = Budget(title=0, body=2000, markup="discord", title_in_body=True)
TELEGRAM = Budget(title=0, body=4096, markup="telegram", title_in_body=True, units="utf16")
SLACK = Budget(title=250, body=35_000, markup="slack")
SPLUNK = Budget(title=60, body=400)
SMS = Budget(title=0, body=160, units="sms")
MAIL = Budget(title=250, body=268_435_455, markup="html")
APPRISE = Budget(title=250, body=32_768)
ALL = (DISCORD, TELEGRAM, SLACK, SPLUNK, SMS, MAIL, APPRISE)


def measured(text: str, budget: Budget) -> int:
    """The length as the channel counts it: by the encoders of Python, not by our own counting."""
    match budget.units:
        case "utf16":
            return len(text.encode("utf-16-le")) // 2
        case "bytes":
            return len(text.encode())
        case "sms":
            return sum(2 if char in "^{}\\[~]|€" else 1 for char in text)
        case _:
            return len(text)


def fits(text: Text, budget: Budget) -> None:
    """Fails if `text` does not fit, or is no text."""
    assert measured(text.subject, budget) <= budget.title
    assert 0 < measured(text.body, budget) <= budget.body
    assert text.html is None or len(text.html) <= budget.body
    assert (text.subject == "") == (budget.title_in_body or budget.title == 0)
    assert 0 < len(text.line) <= 250
    assert sum(2 if char in "^{}\\[~]|€" else 1 for char in text.short) <= min(160, budget.short)
    for line in (text.subject, text.line, text.short):
        assert unsafe_in(line) is None
    assert unsafe_in(text.body, but="\n") is None
    assert unsafe_in(text.html or "", but="\n") is None
    if budget.units == "sms":
        assert gsm7.transliterated(text.subject + text.body) == text.subject + text.body
    assert "could not be made" not in text.body


@given(deliveries(), budgets())
def test_it_fits(told: Delivery, budget: Budget) -> None:
    fits(render(told, budget), budget)


@given(digests(), budgets())
def test_a_digest_fits(told: Delivery, budget: Budget) -> None:
    fits(render(told, budget), budget)


@pytest.mark.parametrize("budget", ALL)
@pytest.mark.parametrize("count", [3, 30, 2800])
def test_a_digest_of_an_outage_says_what_where_and_since_when(budget: Budget, count: int) -> None:
    for told in (digest_of(("opened", outage(count))), mixed(count)):
        text = render(told, budget)
        fits(text, budget)
        for said in (text.subject + text.body, text.short):
            assert f"{count:,} targets on" in said.replace("\u200b", "")
            # On-call systems with less room get no digests.
            assert "gw." in said or budget == SPLUNK
        assert "since 01:59 UTC" in text.short
        assert ("2026" in text.body) == (budget.body > 300)


@pytest.mark.parametrize("told", [digest_of(("opened", outage(1000))), mixed(1000)])
def test_a_mail_names_each_of_a_thousand_targets(told: Delivery) -> None:
    text = render(told, MAIL)
    names = {one.event.name for one in told.news if isinstance(one.event, IncidentEvent)}
    assert len(names) == 1000
    for read in (text.body, text.html or ""):
        assert {name for name in names if name not in read} == set()


@given(deliveries(incidents, news_maybe_told=False), budgets(least=200))
def test_what_where_and_since_when_are_always_told(told: Delivery, budget: Budget) -> None:
    text = render(told, budget)
    whole = f"{text.subject}\n{text.body}".replace("\\", "").replace("\u200b", "")
    events = [one.event for one in told.news]
    assert all(isinstance(event, IncidentEvent) for event in events)
    places = {event.host or event.target for event in events if isinstance(event, IncidentEvent)}
    assert any(place in whole for place in places)
    assert any(hour in whole for hour in ("01:59", "02:00", "02:01"))


@pytest.mark.parametrize("units", ["characters", "bytes", "utf16"])
@pytest.mark.parametrize("tags", [(), ("\U0001f600" * 80,)])
def test_a_short_digest_of_two_hosts_names_one_of_them(units: Units, tags: tuple[str, ...]) -> None:
    """What is said of all leaves room for a place, also in letters of four bytes."""
    hosts = ("2001:db8::1", "db1.example.com")
    events = [incident_event(host=host, name="\U0001f600" * 255, tags=tags) for host in hosts]
    budget = Budget(title=0, body=300, units=units)
    text = render(delivery("digest", *events, at=AT + 600_000), budget)
    fits(text, budget)
    assert any(host in text.body for host in hosts)
    assert "Since: 2026-12-01 01:59" in text.body


@pytest.mark.parametrize("budget", ALL)
@pytest.mark.parametrize("action", ACTIONS)
def test_ten_and_a_thousand_ports(budget: Budget, action: str) -> None:
    for count in (10, 1000):
        events = [
            incident_event(port=port, name=f"Service {port} of the shop") for port in range(count)
        ]
        text = render(delivery(action, *events), budget)  # type: ignore[arg-type]
        fits(text, budget)
        assert f"{count} ports of db1.example.com" in text.subject + text.body
        assert f"{count} ports of db1.example.com" in text.short


@pytest.mark.parametrize("budget", [DISCORD, TELEGRAM, SLACK])
def test_a_list_that_is_cut_says_how_many_are_not_shown(budget: Budget) -> None:
    events = [incident_event(port=port, name=f"Port {port}") for port in range(1, 1001)]
    body = render(delivery("opened", *events), budget).body
    shown = body.count("(db1.example.com:")
    assert shown >= 15
    assert f"and {1000 - shown} more" in body
    assert "Look whether the service runs" in body


@pytest.mark.parametrize("budget", ALL)
def test_three_hundred_regions_leave_room_for_what_to_do_first(budget: Budget) -> None:
    regions = verdicts(300, detail="10.0.0.1: no route to host, after 3 attempts " * 4)
    event = incident_event(regions=regions, first_steps=("Look at the switch",))
    text = render(delivery("opened", event), budget)
    fits(text, budget)
    if budget.body > 1000:
        assert "Look at the switch" in text.body
        assert text.body.count("region-") > 4
        assert budget == MAIL or " more" in text.body


@pytest.mark.parametrize("budget", ALL)
def test_everything_is_as_long_as_can_be(budget: Budget) -> None:
    others = tuple(
        HostTarget(target=f"t{n}", name="\U0001f600" * 255, kind="tcp", port=n + 1, status="down")
        for n in range(2000)
    )
    event = incident_event(
        name="\U0001f600" * 255,
        host="h" * 253,
        summary=LONG * 50,
        regions=verdicts(300, detail=LONG),
        first_steps=(LONG,) * 300,
        runbook=f"https://wiki.example.com/{'y' * 5000}",
        host_targets=others,
        tags=("t" * 255,) * 1000,
        team="m" * 255,
        acknowledged_by="a" * 255,
        acknowledged_note="n" * 500,
    )
    for told in (delivery("opened", event), delivery("opened", *[event] * 30)):
        fits(render(told, budget), budget)


@pytest.mark.parametrize("units", UNITS)
@pytest.mark.parametrize("markup", MARKUPS)
@pytest.mark.parametrize("kind", [IncidentEvent, RegionEvent, TargetsEvent])
def test_the_ends_of_all_ranges(kind: type, markup: str, units: str) -> None:
    for end in ends_of(kind):
        event = msgspec.convert(end, kind, strict=False)
        for action in ACTIONS:
            for title, body in ((60, 60), (0, 2000)):
                budget = Budget(title=title, body=body, markup=markup, units=units)  # type: ignore[arg-type]
                fits(render(delivery(action, event), budget), budget)


@given(deliveries(most=1))
def test_the_fields_for_on_call_systems_are_bounded(told: Delivery) -> None:
    one = told.news[0]
    for limit in (60, 130, 1024):
        line = summary_line(one, limit)
        assert 0 < len(line) <= limit
        assert unsafe_in(line) is None
    found = details(one)
    assert "problem" not in found
    assert sum(map(len, (*found, *found.values()))) < 8000
    assert all(unsafe_in(value) is None for value in found.values())


def test_the_fields_of_the_largest_incident_stay_below_the_limit_of_opsgenie() -> None:
    event = incident_event(
        target="t" * 128,
        name="n" * 255,
        host="h" * 255,
        summary=LONG,
        regions=verdicts(300, detail=LONG),
        first_steps=(LONG,) * 300,
        runbook="https://wiki.example.com/" + "y" * 975,
        tags=("t" * 255,) * 1000,
        team="m" * 255,
        acknowledged_by="a" * 255,
        incident_id="i" * 255,
    )
    found = details(news(event))
    assert 4000 < sum(map(len, (*found, *found.values()))) < 8000
    assert found["runbook"].endswith("y" * 975)


def test_what_can_not_be_told_is_told_by_its_key() -> None:
    broken = delivery("opened", incident_event(regions=None), at=AT, news_key="i1/1\n\u202e")
    text = render(broken, SPLUNK)
    assert text.subject == "Port monitor: opened i1/1 \ufffd"
    assert (
        text.body == "Port monitor: opened i1/1 \ufffd (its text could not be made: AttributeError)"
    )
