"""The audience is recorded when an incident opens; recoveries go to those who were told."""

from schemas.policy import Policy, Region, Route, Team
from tests.unit.sinks.notifier.decision.office import MINUTE, WAIT_MS, Office, region_event
from tests.unit.sinks.notifier.events import AT, incident_event

DATABASE = Team(name="database", routes=("db",))
OTHERS = Team(name="others", routes=("o",))


def route(name: str, *urls: str, **fields: object) -> Route:
    return Route(name=name, urls=urls, **fields)  # type: ignore[arg-type]


def opened(**fields: object) -> object:
    return incident_event(**fields)


def closed(**fields: object) -> object:
    values = {"event_id": "e9", "event": "closed", "at": AT + MINUTE, "closed_because": "recovered"}
    return incident_event(**(values | fields))


def office(*policy: Policy) -> Office:
    there = Office(*policy)
    there.take(opened(team="database"))  # type: ignore[arg-type]
    there.wait(WAIT_MS)
    return there


def test_a_team_that_changed_while_it_was_open_gets_no_recovery() -> None:
    there = office(route("db", "json://db"), route("o", "json://o"), DATABASE, OTHERS)
    there.take(closed(team="others"))  # type: ignore[arg-type]
    there.wait(MINUTE)
    assert there.told() == ["opened json://db", "closed json://db"]


def test_routes_and_tags_that_changed_while_it_was_open_change_no_recovery() -> None:
    there = office(route("db", "json://db", tags=("prod",)), DATABASE, route("all", "json://all"))
    assert there.told() == ["opened json://all"], "the tag is not its own: it is no team's news"
    there = office(route("db", "json://db"), DATABASE)
    there.route(route("db", "json://new"), DATABASE, route("all", "json://all"))
    there.wait(MINUTE)
    there.take(closed(tags=("x",)))  # type: ignore[arg-type]
    there.wait(MINUTE)
    assert there.told() == ["opened json://db", "closed json://db"]


def test_urls_of_a_list_that_changed_places_are_the_same_channels() -> None:
    there = Office(route("all", "json://a", "json://b"))
    there.answers["json://b"] = "unreachable"
    there.take(incident_event())
    there.wait(10_000)
    there.route(route("all", "json://b", "json://a"))
    there.answers["json://b"] = "confirmed"
    there.wait(MINUTE)
    assert there.told("json://a") == ["opened"]
    assert there.told("json://b")[-1] == "opened"
    there.take(closed())  # type: ignore[arg-type]
    there.wait(MINUTE)
    assert there.told("json://a") == ["opened", "closed"]
    assert there.told("json://b").count("closed") == 1


def test_a_url_in_place_of_a_broken_one_gets_what_that_did_not() -> None:
    there = Office(route("all", "json://works", "json://broken"))
    there.answers["json://broken"] = "unreachable"
    there.take(incident_event())
    there.wait(10_000)
    there.route(route("all", "json://works", "json://repaired"))
    there.wait(MINUTE)
    assert there.told("json://repaired") == ["opened"]
    assert there.told("json://works") == ["opened"]
    assert there.whys("opened", "json://broken") == ["the route no longer has this channel"]


def test_a_url_that_is_only_added_to_a_route_that_told_is_not_told() -> None:
    there = Office(route("all", "json://a"))
    there.take(incident_event())
    there.wait(WAIT_MS)
    there.route(route("all", "json://a", "json://b"))
    there.wait(MINUTE)
    assert there.told("json://b") == []


def test_an_opening_that_nobody_confirmed_goes_to_the_routes_of_the_moment_too() -> None:
    there = Office(route("day", "json://day"))
    there.answers["json://day"] = "unreachable"
    there.take(incident_event())
    there.wait(10_000)
    there.route(route("day", "json://day", tags=("never",)), route("night", "json://night"))
    there.wait(WAIT_MS)
    assert there.told("json://night") == ["opened"]
    there.answers["json://day"] = "confirmed"
    there.wait(MINUTE)
    assert "opened" in there.told("json://day")


def test_a_channel_whose_route_was_renamed_is_still_to_be_told() -> None:
    there = Office(route("a", "json://x"), route("b", "json://y"))
    there.answers["json://x"] = "unreachable"
    there.take(incident_event())
    there.wait(10_000)
    there.route(route("renamed", "json://x"), route("b", "json://y"))
    there.answers["json://x"] = "confirmed"
    there.wait(MINUTE)
    assert there.whys("opened") == []
    assert [row.route for row in there.rows if row.status == "sent"] == ["b", "renamed"]


def test_worsened_goes_to_the_routes_of_the_moment_too() -> None:
    there = Office(route("day", "json://day"))
    there.take(incident_event())
    there.wait(WAIT_MS)
    there.route(route("night", "json://night"))
    there.take(incident_event(event="improved", event_id="e2", at=AT + 3000))
    there.take(incident_event(event="worsened", event_id="e3", at=AT + 4000, episode=2))
    there.wait(MINUTE)
    assert there.told("json://night") == ["opened"]
    assert there.told("json://day") == ["opened", "worsened"]


def test_what_no_route_takes_goes_to_the_route_that_comes() -> None:
    there = Office(route("db", "json://db", tags=("prod",)))
    there.take(incident_event())
    there.route(route("db", "json://db"))
    there.wait(WAIT_MS)
    assert there.told() == ["opened json://db"]
    assert there.whys("opened", "console://") == ["a route takes it now"]


def test_who_could_read_the_console_is_nobody_to_the_route_that_comes() -> None:
    there = Office(route("db", "json://db", tags=("prod",)))
    there.take(incident_event())
    there.wait(MINUTE)
    assert there.told() == ["opened console://"]
    there.route(route("db", "json://db"), route("late", "json://late", tags=("x",)))
    there.wait(MINUTE)
    assert there.told() == ["opened console://", "opened json://db"]
    there.route(route("db", "json://db"), route("late", "json://late"))
    there.take(closed())  # type: ignore[arg-type]
    there.wait(MINUTE)
    assert sorted(there.told()[2:]) == ["closed console://", "closed json://db"]


def test_a_region_that_the_policy_does_not_have_is_said() -> None:
    there = Office(route("all", "json://a"), Region(name="us"))
    there.take(region_event("region.silent"))
    assert there.whys("region.silent") == ["its region is not in the policy"]


def test_without_a_policy_the_console_is_told() -> None:
    there = Office()
    there.take(incident_event())
    there.wait(WAIT_MS)
    assert there.told() == ["opened console://"]


def test_a_url_of_two_routes_is_told_once_and_stays_while_one_has_it() -> None:
    there = Office(route("a", "json://x"), route("b", "json://x", "json://y"))
    there.answers["json://x"] = "unreachable"
    there.take(incident_event())
    there.wait(WAIT_MS)
    there.route(route("a", "json://z"), route("b", "json://x", "json://y"))
    there.answers["json://x"] = "confirmed"
    there.wait(MINUTE)
    assert there.told("json://x") == ["opened", "opened"]
    assert there.told("json://y") == ["opened"]


def test_a_url_in_place_of_one_that_always_times_out_is_told_and_both_hear_of_the_end() -> None:
    there = Office(route("day", "json://slow"))
    there.answers["json://slow"] = "uncertain"
    there.take(incident_event())
    there.wait(10_000)
    before = there.told("json://slow")
    there.route(route("day", "json://repaired"))
    there.wait(2 * MINUTE)
    assert there.told("json://slow") == before
    assert set(before) == {"opened"}
    there.answers.clear()
    assert there.told("json://repaired") == ["opened"]
    there.take(closed())  # type: ignore[arg-type]
    there.wait(MINUTE)
    assert there.told("json://slow") == [*before, "closed"]
    assert there.told("json://repaired") == ["opened", "closed"]


def test_an_incident_that_nobody_was_told_of_goes_where_its_new_tags_lead() -> None:
    there = Office(route("prod", "json://prod", tags=("prod",)))
    there.take(incident_event())
    there.take(incident_event(event="updated", event_id="e2", at=AT + 1, tags=("prod",)))
    there.wait(WAIT_MS)
    assert there.told() == ["opened json://prod"]
