"""Which routes take an event: order, `stop`, defaults, operators, hours and rotations."""

import pytest

from schemas.incident import RegionEvent
from schemas.policy import (
    EscalationStep,
    Hours,
    Maintenance,
    Person,
    Rotation,
    Route,
    Silence,
    Team,
)
from sinks.notifier.model import MassEvent
from sinks.notifier.routing import Routes, is_stand_in
from tests.unit.sinks.notifier.events import AT, incident_event, targets_event

HOUR = 3_600_000
NIGHT = (Hours(begin="18:00", end="06:00"),)
DAYTIME = (Hours(begin="06:00", end="18:00"),)
SILENT = RegionEvent(event_id="e", event="region.silent", region="a", at=AT, summary="s")
MASS = MassEvent(event_id="e", event="mass.down", down=30, total=100, since=AT, at=AT)


def route(name: str, **fields: object) -> Route:
    return Route(name=name, **({"urls": (f"json://{name}",)} | fields))  # type: ignore[arg-type]


def names(routes: Routes, event: object = None, at: int = AT, **fields: object) -> list[str]:
    event = event or incident_event(**({"team": "db"} | fields))
    return [one.route for one in routes.channels(event, at)]  # type: ignore[arg-type]


def test_the_teams_routes_come_in_its_order_then_those_that_match_the_team_by_name() -> None:
    routes = Routes.of(
        [
            route("b"),
            route("a"),
            route("z", teams=("d*",)),
            route("y", teams=("*",)),
            route("other", teams=("web",)),
            Team(name="db", routes=("b", "a", "gone")),
        ]
    )
    assert names(routes) == ["b", "a", "y", "z"]
    assert names(routes, team=None) == ["y"]
    assert names(routes, team="dark") == ["y", "z"], "of a team that the policy does not have"


def test_a_match_with_stop_ends_the_search_and_only_a_match_does() -> None:
    routes = Routes.of(
        [
            route("first", stop=True, severities=("warning",)),
            route("second"),
            route("third", teams=("*",)),
            Team(name="db", routes=("first", "second")),
        ]
    )
    assert names(routes, severity="critical") == ["second", "third"]
    assert names(routes, severity="warning") == ["first"]


def test_what_no_route_of_the_team_took_goes_to_the_defaults_and_then_to_the_console() -> None:
    routes = Routes.of(
        [
            route("team", severities=("critical",)),
            route("rest", default=True, severities=("critical", "warning")),
            route("unnamed"),
            Team(name="db", routes=("team",)),
        ]
    )
    assert names(routes, severity="critical") == ["team"]
    assert names(routes, severity="warning") == ["rest"]
    assert names(routes, severity="info") == ["console"]
    assert names(routes, team=None) == ["rest"]
    (console,) = routes.channels(incident_event(severity="info"), AT)
    assert is_stand_in(console)


@pytest.mark.parametrize(
    "fields",
    [
        {"default": False},
        {"teams": ("web",)},
        {"operators": True},
    ],
)
def test_a_route_that_is_for_something_else_is_no_default(fields: dict[str, object]) -> None:
    routes = Routes.of([route("all"), route("other", **fields)])
    assert names(routes) == ["all"]


def test_a_route_that_is_a_fallback_or_an_escalation_is_no_default() -> None:
    routes = Routes.of(
        [
            route(
                "all",
                fallback=("backup",),
                escalate=(EscalationStep(after_ms=60_000, routes=("boss",)),),
            ),
            route("backup"),
            route("boss"),
        ]
    )
    assert names(routes) == ["all"]
    assert names(routes, SILENT) == ["all", "backup"], "the boss is told when it lasts"


def test_operators_are_told_of_regions_and_of_targets_that_nobody_can_judge() -> None:
    routes = Routes.of(
        [
            route("ops", operators=True, severities=("warning",)),
            route("elsewhere", operators=True, regions=("b",)),
            route("tagged", operators=True, tags=("*",)),
            route("all", default=True),
        ]
    )
    assert names(routes, SILENT) == ["ops"]
    assert names(routes, targets_event(severity="critical", silent_regions={"b": None})) == [
        "elsewhere",
        "ops",
    ]
    assert names(routes, MASS) == ["console"]
    assert names(routes) == ["all"]


def test_many_targets_at_once_are_news_for_the_defaults_without_operators() -> None:
    routes = Routes.of([route("db"), route("all"), Team(name="db", routes=("db",))])
    assert names(routes, MASS) == ["all"]
    assert names(Routes(), MASS) == ["console"]


def test_a_route_takes_events_in_its_hours() -> None:
    routes = Routes.of([route("night", when=NIGHT), route("day", when=DAYTIME)])
    assert names(routes) == ["night"]
    assert names(routes, at=AT + 4 * HOUR) == ["day"]
    assert names(routes, at=AT) == ["night"], "time may go back"
    assert routes.next_change(AT) == AT + 4 * HOUR
    assert routes.next_change(AT + 4 * HOUR) == AT + 16 * HOUR
    assert Routes.of([route("all")]).next_change(AT) is None


def test_who_is_on_duty_is_told_and_everybody_belongs_to_the_route() -> None:
    people = tuple(Person(name=one, urls=(f"json://{one}",)) for one in ("ann", "bob"))
    duty = Rotation(people=people, since="2026-12-01", days=1, handover="06:00")
    routes = Routes.of([route("duty", rotation=duty)])
    at = AT + 4 * HOUR
    event = incident_event()
    assert [one.url for one in routes.channels(event, at)] == ["json://duty", "json://ann"]
    assert routes.next_change(at) == at + 24 * HOUR
    assert [one.url for one in routes.channels(event, at + 24 * HOUR)] == [
        "json://duty",
        "json://bob",
    ]
    assert routes.urls("duty") == {"json://duty", "json://ann", "json://bob"}
    assert routes.urls("duty") == routes.all_urls
    assert [one.url for one in routes.channels_of("duty", at)] == ["json://duty", "json://ann"]


def test_what_was_looked_at_says_why_it_was_not_taken() -> None:
    routes = Routes.of(
        [
            route("named", severities=("info",)),
            route("night", teams=("db",), when=DAYTIME),
            route("all"),
            Team(name="db", routes=("named",)),
        ]
    )
    found = routes.considered(incident_event(team="db"), AT)
    assert [(one.route.name, one.by, one.refusal) for one in found] == [
        ("named", "team", "severities"),
        ("night", "teams", "hours"),
        ("all", "default", None),
    ]


def test_what_spares_people_is_there_by_name() -> None:
    windows = [
        Maintenance(name=name, targets=("x",), start=AT, duration_ms=1) for name in ("b", "a")
    ]
    silence = Silence(name="s", begins_at=AT, ends_at=AT + 1, reason="r", by="ann", created_at=AT)
    routes = Routes.of([*windows, silence])
    assert [one.name for one in routes.maintenance] == ["a", "b"]
    assert routes.silences == (silence,)
