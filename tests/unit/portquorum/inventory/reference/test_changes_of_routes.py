"""What is said to follow when a route changes is what the notifier does with an open incident."""

from typing import Any, Final

import pytest

from portquorum.inventory.document import RouteEntry
from portquorum.inventory.reference.facts import FACTS
from schemas.incident import IncidentEvent
from schemas.policy import EscalationStep, Hours, Limit, Quiet, Route, Templates
from tests.unit.sinks.notifier.decision.office import HOUR, MINUTE, WAIT_MS, Office
from tests.unit.sinks.notifier.events import incident_event

ALWAYS: Final = (Hours(days=("mon", "tue", "wed", "thu", "fri", "sat", "sun")),)
OTHERS: Final[dict[str, Any]] = {
    "severities": ("info",),
    "incident_types": ("slow",),
    "criticalities": ("normal",),
    "teams": ("nobody",),
    "tags": ("other",),
    "targets": ("other",),
    "kinds": ("redis",),
    "regions": ("mars",),
    "when": (Hours(days=("mon",), begin="03:00", end="03:01"),),
    "default": False,
}
"""Field with the change `audience` → a value with which the route takes no event of these tests."""


def route(**fields: Any) -> Route:
    return Route(name="all", urls=("json://all",), **fields)


def opened(office: Office, number: int) -> None:
    office.take(incident(number))
    office.wait(WAIT_MS)


def incident(number: int, **fields: Any) -> IncidentEvent:
    names = {"incident_id": f"i{number}", "event_id": f"e{number}", "target": f"t{number}"}
    return incident_event(**{**names, "host": f"{number}.example.com", **fields})


def closed(office: Office, number: int) -> None:
    fields = {"event": "closed", "at": office.now, "closed_because": "recovered"}
    office.take(incident(number, **{**fields, "event_id": f"c{number}"}))
    office.wait(MINUTE)


def test_the_fields_are_those_of_the_table() -> None:
    of_audience = {name for name, one in FACTS[RouteEntry].items() if one.change == "audience"}
    assert of_audience - set(OTHERS) == {"timezone", "stop", "operators"}


@pytest.mark.parametrize("field", OTHERS)
def test_who_is_told_holds_for_what_opens_from_now_on(field: str) -> None:
    office = Office(route())
    opened(office, 1)
    assert office.told("json://all") == ["opened"]
    office.route(
        route(**{field: OTHERS[field]}), Route(name="rest", urls=("json://rest",), default=True)
    )
    office.wait(MINUTE)
    opened(office, 2)
    assert office.told("json://all") == ["opened"], "the new one is for the other route"
    assert office.told("json://rest") == ["opened"]
    closed(office, 1)
    assert office.told("json://all") == ["opened", "closed"], "who was told is told of the end"


def test_a_reminder_begins_for_what_is_open() -> None:
    office = Office(route())
    opened(office, 1)
    office.wait(2 * HOUR)
    assert office.told() == ["opened json://all"]
    office.route(route(remind_every_ms=HOUR))
    office.wait(2 * HOUR)
    assert len(office.told()) > 1


def test_an_escalation_begins_for_what_is_open() -> None:
    office = Office(route())
    opened(office, 1)
    boss = Route(name="boss", urls=("json://boss",), default=False)
    office.route(route(escalate=(EscalationStep(after_ms=5 * MINUTE, routes=("boss",)),)), boss)
    office.wait(10 * MINUTE)
    assert office.told("json://boss") != []


def test_quiet_hours_hold_what_is_not_told_yet() -> None:
    office = Office(route())
    opened(office, 1)
    office.route(route(quiet=Quiet(hours=ALWAYS)))
    opened(office, 2)
    assert office.told() == ["opened json://all"]
    office.route(route())
    office.wait(MINUTE)
    assert office.told() == ["opened json://all", "opened json://all"], "held, not dropped"


def test_a_limit_holds_the_next_message() -> None:
    office = Office(route())
    opened(office, 1)
    office.route(route(limit=Limit(messages=1, per_ms=HOUR)))
    opened(office, 2)
    opened(office, 3)
    assert len(office.told()) < 3


def test_the_next_message_has_the_new_text() -> None:
    office = Office(route())
    opened(office, 1)
    assert office.sent[-1].templates is None
    texts = Templates(subject="{{ count }}")
    office.route(route(templates=texts))
    closed(office, 1)
    assert office.sent[-1].templates == texts


def test_a_fallback_is_told_of_what_waits_for_its_confirmation() -> None:
    office = Office(route())
    office.answers["json://all"] = "unreachable"
    opened(office, 1)
    other = Route(name="other", urls=("json://other",), default=False)
    office.wait(10 * MINUTE)
    assert office.told("json://other") == []
    office.route(route(fallback=("other",), fallback_after_ms=MINUTE), other)
    office.wait(10 * MINUTE)
    told = [news.event.event for one in office.sent for news in one.news if "other" in str(one)]
    assert {"opened", "channel.broken"} <= set(told)


def test_a_new_channel_in_place_of_one_that_did_not_confirm() -> None:
    office = Office(route())
    office.answers["json://all"] = "unreachable"
    opened(office, 1)
    office.wait(MINUTE)
    office.route(Route(name="all", urls=("json://new",)))
    office.wait(MINUTE)
    assert office.told("json://new") == ["opened"]
