"""Who is told of an event."""

from schemas.incident import RegionEvent
from schemas.policy import Region, Route, Team
from sinks.notifier.routing import Channel, Routes, told
from tests.unit.sinks.notifier.events import incident_event, targets_event


def route(name: str, *urls: str, **fields: object) -> Route:
    return Route(name=name, urls=urls or (f"json://{name}",), **fields)  # type: ignore[arg-type]


def region_event(kind: str = "region.silent") -> RegionEvent:
    return RegionEvent(event_id="e", event=kind, region="a", at=1, summary="s")  # type: ignore[arg-type]


def names(routes: Routes, **fields: object) -> list[str]:
    return [channel.route for channel in routes.channels(incident_event(**fields))]


DATABASE = Team(name="database", routes=("db",))


def test_openings_worsenings_closings_and_regions_that_do_not_count_are_told() -> None:
    events = ("opened", "updated", "improved", "worsened", "closed")
    assert [kind for kind in events if told(incident_event(event=kind))] == [
        "opened",
        "worsened",
        "closed",
    ]
    kinds = (
        "region.silent",
        "region.returned",
        "region.suspect",
        "region.cleared",
        "region.clock_skewed",
    )
    assert [kind for kind in kinds if told(region_event(kind))] == list(kinds[:4])
    assert told(targets_event())
    assert told(targets_event(event="targets.watched"))


def test_a_team_has_its_routes_and_nobody_elses() -> None:
    routes = Routes.of([route("db"), route("all"), DATABASE])
    assert names(routes, team="database") == ["db"]


def test_without_a_team_the_routes_that_no_team_names() -> None:
    routes = Routes.of([route("db"), route("all"), DATABASE])
    assert names(routes, team=None) == ["all"]
    assert names(routes, team="unknown") == ["all"]


def test_a_team_without_routes_is_as_no_team() -> None:
    routes = Routes.of([route("all"), Team(name="database")])
    assert names(routes, team="database") == ["all"]


def test_without_any_route_the_console() -> None:
    assert Routes().channels(incident_event()) == (Channel("console", 0, "console://"),)
    assert (
        Routes.of([route("db"), DATABASE]).channels(incident_event(team=None))[0].route == "console"
    )


def test_severities_tags_and_kinds_narrow_a_route() -> None:
    routes = Routes.of(
        [
            route("critical", severities=("critical",)),
            route("prod", tags=("prod", "core")),
            route("udp", kinds=("udp",)),
        ]
    )
    assert names(routes, severity="critical") == ["critical"]
    assert names(routes, severity="warning", tags=("x", "prod")) == ["prod"]
    assert names(routes, severity="warning", kind="udp") == ["udp"]
    assert names(routes, severity="warning") == []


def test_a_url_that_two_routes_have_is_used_once() -> None:
    routes = Routes.of([route("a", "json://x", "json://y"), route("b", "json://y")])
    assert [c.name for c in routes.channels(incident_event())] == ["a/0/json", "a/1/json"]


def test_region_events_go_to_every_route_that_takes_warnings() -> None:
    routes = Routes.of(
        [
            route("db"),
            DATABASE,
            route("critical", severities=("critical",)),
            route("warnings", severities=("warning",)),
            route("tagged", tags=("prod",)),
        ]
    )
    assert [c.route for c in routes.channels(region_event())] == ["db", "warnings"]
    unwatched = routes.channels(targets_event(severity="critical"))
    assert [c.route for c in unwatched] == ["critical", "db", "warnings"]
    less = routes.channels(targets_event(severity="warning"))
    assert [c.route for c in less] == ["db", "warnings"]


def test_a_region_that_the_policy_no_longer_has_is_nobodys_news() -> None:
    others = Routes.of([route("warnings"), Region(name="b")])
    assert others.channels(region_event()) == ()
    ours = Routes.of([route("warnings"), Region(name="a"), Region(name="b")])
    assert [c.route for c in ours.channels(region_event())] == ["warnings"]


def test_a_channels_name_shows_no_secret() -> None:
    assert Channel("r", 0, "slack://tok/en").name == "r/0/slack"
    assert Channel("r", 1, "${URL}").name == "r/1/secret"
    assert Channel("r", 2, "${SCHEME}://x").name == "r/2/secret"
