"""Who is told of an event."""

from schemas.incident import RegionEvent
from schemas.policy import Region, Route, Team
from sinks.notifier.model import Channel
from sinks.notifier.routing import Routes, told
from tests.unit.sinks.notifier.events import AT, incident_event, targets_event


def route(name: str, *urls: str, **fields: object) -> Route:
    return Route(name=name, urls=urls or (f"json://{name}",), **fields)  # type: ignore[arg-type]


def region_event(kind: str = "region.silent") -> RegionEvent:
    return RegionEvent(event_id="e", event=kind, region="a", at=1, summary="s")  # type: ignore[arg-type]


def names(routes: Routes, **fields: object) -> list[str]:
    return [channel.route for channel in routes.channels(incident_event(**fields), AT)]


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
    assert Routes().channels(incident_event(), AT) == (Channel("console", "console://"),)
    assert (
        Routes.of([route("db"), DATABASE]).channels(incident_event(team=None), AT)[0].route
        == "console"
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
    assert names(routes, severity="warning") == ["console"]


def test_a_route_without_a_url_takes_nothing_and_stops_nothing() -> None:
    # The inventory refuses it; on the topic it may stand.
    empty = Route(name="a", urls=(), teams=("database",), stop=True)
    routes = Routes.of([empty, route("b", teams=("database",)), route("c", default=True)])
    event = incident_event(team="database")
    assert names(routes, team="database") == ["b"]
    assert [one.refusal for one in routes.considered(event, AT)] == ["urls", None]
    alone = Routes.of([empty, route("c", default=True)])
    assert names(alone, team="database") == ["c"]


def test_a_url_that_two_routes_have_is_used_once() -> None:
    routes = Routes.of([route("a", "json://x", "json://y"), route("b", "json://y")])
    assert routes.channels(incident_event(), AT) == (
        Channel("a", "json://x"),
        Channel("a", "json://y"),
    )
    others = Routes.of([route("a", "json://x", "json://y"), route("b", "json://x", "json://z")])
    assert [one.url for one in others.channels(incident_event(), AT)] == [
        "json://x",
        "json://y",
        "json://z",
    ]


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
    assert [c.route for c in routes.channels(region_event(), AT)] == ["db", "warnings"]
    unwatched = routes.channels(targets_event(severity="critical"), AT)
    assert [c.route for c in unwatched] == ["critical", "db", "warnings"]
    less = routes.channels(targets_event(severity="warning"), AT)
    assert [c.route for c in less] == ["db", "warnings"]


def test_a_region_that_the_policy_no_longer_has_is_nobodys_news() -> None:
    others = Routes.of([route("warnings"), Region(name="b")])
    assert others.channels(region_event(), AT) == ()
    ours = Routes.of([route("warnings"), Region(name="a"), Region(name="b")])
    assert [c.route for c in ours.channels(region_event(), AT)] == ["warnings"]


def test_a_channels_name_shows_no_secret() -> None:
    assert Channel("r", "slack://tok/en").name == "r/fd31c55a66cca3e2/slack"
    assert Channel("r", "${URL}").scheme == "secret"
    assert Channel("r", "${SCHEME}://x").scheme == "secret"
    assert Channel("r", "Alertmanager+HTTPS://x").scheme == "alertmanager+https"


def test_a_channel_is_its_url_whatever_its_place_and_its_route() -> None:
    assert Channel("r", "json://x").id == Channel("s", "json://x").id
    assert Channel("r", "json://x").id != Channel("r", "json://y").id
    assert len(Channel("r", "json://x").id) == 16
