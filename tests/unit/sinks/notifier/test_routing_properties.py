"""What holds for every policy: nobody is forgotten, and inventories of 0.1 route as they did."""

from collections.abc import Iterable

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import policy
from schemas.incident import Event, IncidentEvent, RegionEvent, RegionVerdict, TargetsEvent
from schemas.policy import EscalationStep, Hours, Person, Rotation, Route, Team
from sinks.notifier.routing import Routes
from tests.unit.sinks.notifier.events import AT, incident_event, targets_event

WEEK = 7 * 86_400_000
NAMES = st.sampled_from(["a", "b", "c", "d"])
SEVERITIES = st.sampled_from(["critical", "warning", "info"])
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
CLOCKS = st.sampled_from(["00:00", "06:00", "07:30", "18:00", "22:00"])
PATTERNS = st.sampled_from(["*", "a", "b*", "*c", "x"])
TIMES = st.integers(AT, AT + WEEK)


def several(of: st.SearchStrategy, most: int = 2) -> st.SearchStrategy[tuple]:  # type: ignore[type-arg]
    return st.lists(of, max_size=most).map(tuple)


events = st.one_of(
    st.builds(
        incident_event,
        severity=SEVERITIES,
        team=st.none() | NAMES,
        tags=several(NAMES),
        target=NAMES,
        kind=st.sampled_from(["tcp", "udp"]),
        incident_type=st.sampled_from(["unreachable", "slow", "flapping", "expiring"]),
        criticality=st.sampled_from(["critical", "important", "normal"]),
        regions=st.dictionaries(
            st.sampled_from(["a", "b"]),
            st.sampled_from(["up", "down"]).map(lambda one: RegionVerdict(verdict=one)),
        ),
    ),
    st.builds(
        RegionEvent,
        event_id=st.just("e"),
        event=st.sampled_from(["region.silent", "region.suspect"]),
        region=st.sampled_from(["a", "b"]),
        at=st.just(AT),
        summary=st.just("s"),
    ),
    st.builds(targets_event, severity=SEVERITIES),
)

hours = st.builds(
    Hours,
    days=several(st.sampled_from(["mon", "tue", "sat"])),
    begin=CLOCKS,
    end=CLOCKS,
)
rotations = st.builds(
    Rotation,
    people=st.lists(
        st.builds(Person, name=NAMES, urls=st.tuples(NAMES.map("json://{}".format))),
        min_size=1,
        max_size=3,
    ).map(tuple),
    since=st.sampled_from(["2026-11-30", "2026-12-03"]),
    days=st.integers(1, 3),
    handover=CLOCKS,
)
routes_of_today = st.builds(
    Route,
    name=NAMES,
    urls=several(NAMES.map("json://{}".format)),
    severities=several(SEVERITIES),
    tags=several(PATTERNS),
    kinds=several(st.sampled_from(["tcp", "u*"])),
    teams=several(PATTERNS),
    targets=several(PATTERNS),
    regions=several(st.sampled_from(["a", "b"])),
    incident_types=several(st.sampled_from(["unreachable", "slow"])),
    criticalities=several(st.sampled_from(["critical", "normal"])),
    fallback=several(NAMES),
    when=several(hours),
    timezone=ZONES,
    stop=st.booleans(),
    default=st.none() | st.booleans(),
    operators=st.booleans(),
    rotation=st.none() | rotations,
    escalate=several(
        st.builds(EscalationStep, after_ms=st.just(60_000), routes=st.tuples(NAMES)),
        1,
    ),
)
routes_of_first_version = st.builds(
    Route,
    name=NAMES,
    urls=st.lists(NAMES.map("json://{}".format), min_size=1, max_size=2).map(tuple),
    severities=several(SEVERITIES),
    tags=several(NAMES),
    kinds=several(st.sampled_from(["tcp", "udp"])),
)
teams = st.builds(Team, name=NAMES, routes=several(NAMES, 3))


def policies(routes: st.SearchStrategy[Route]) -> st.SearchStrategy[list[Route | Team]]:
    return st.tuples(
        st.lists(routes, max_size=4, unique_by=lambda one: one.name),
        st.lists(teams, max_size=3, unique_by=lambda one: one.name),
    ).map(lambda both: [*both[0], *both[1]])


@given(policies(routes_of_today), events, TIMES)
def test_nothing_is_told_to_nobody(entries: list[Route | Team], event: Event, at: int) -> None:
    assert Routes.of(entries).channels(event, at)


@given(policies(routes_of_today), events, TIMES)
def test_order_decides_only_where_a_route_stops(
    entries: list[Route | Team], event: Event, at: int
) -> None:
    """Who is told is the same in any order of names and teams, as long as nothing stops."""
    going_on = [
        msgspec.structs.replace(one, stop=False) if isinstance(one, Route) else one
        for one in entries
    ]
    told = urls(Routes.of(going_on), event, at)
    turned = [
        msgspec.structs.replace(one, routes=one.routes[::-1]) if isinstance(one, Team) else one
        for one in going_on[::-1]
    ]
    assert urls(Routes.of(turned), event, at) == told
    assert urls(Routes.of(renamed(going_on)), event, at) == told
    with_stops = urls(Routes.of(entries), event, at)
    assert with_stops <= told, "a stop only takes away"


@given(policies(routes_of_today), events, TIMES)
@settings(max_examples=120)
def test_the_short_way_finds_what_the_long_one_does(
    entries: list[Route | Team], event: Event, at: int
) -> None:
    """`channels` keeps what targets have in common; `considered` looks at everything."""
    routes = Routes.of(entries)
    for other in (event, incident_event(), incident_event(target="b"), event):
        taken = [one for one in routes.considered(other, at) if one.refusal is None]
        each = {}
        for channel in (channel for one in taken for channel in one.channels):
            each.setdefault(channel.url, channel)
        assert routes.channels(other, at) == tuple(each.values())


def renamed(entries: Iterable[Route | Team]) -> list[Route | Team]:
    """The same policy with names of routes whose order is turned round."""
    new = {old: f"r{ord('z') - ord(old):03}" for old in "abcd"}

    def names(old: Iterable[str]) -> tuple[str, ...]:
        return tuple(new[one] for one in old)

    return [
        msgspec.structs.replace(one, routes=names(one.routes))
        if isinstance(one, Team)
        else msgspec.structs.replace(
            one,
            name=new[one.name],
            fallback=names(one.fallback),
            escalate=tuple(
                msgspec.structs.replace(step, routes=names(step.routes)) for step in one.escalate
            ),
        )
        for one in entries
    ]


def urls(routes: Routes, event: Event, at: int) -> set[str]:
    return {one.url for one in routes.channels(event, at)}


@given(policies(routes_of_today), events, TIMES)
@settings(max_examples=50)
def test_between_two_changes_nothing_changes(
    entries: list[Route | Team], event: Event, at: int
) -> None:
    change = Routes.of(entries).next_change(at)
    end = at + WEEK if change is None else change
    assert end > at
    before = Routes.of(entries).channels(event, at)
    for time in (at + (end - at) // 2, end - 1):
        assert Routes.of(entries).channels(event, time) == before
    asked_before = Routes.of(entries)
    asked_before.channels(event, at)
    assert asked_before.channels(event, end) == Routes.of(entries).channels(event, end)


# The rule of 0.1, as it was in its sinks/notifier/routing.py.


def first_version(entries: list[Route | Team], event: Event) -> tuple[tuple[str, str], ...]:
    routes = {one.name: one for one in entries if isinstance(one, Route)}
    of_teams = {one.name: one for one in entries if isinstance(one, Team)}
    found: dict[str, str] = {}
    console = Route(name="console", urls=("console://",))
    for route in candidates(routes, of_teams, event) or [console]:
        if takes(route, event):
            for url in route.urls:
                found.setdefault(url, route.name)
    return tuple((route, url) for url, route in found.items())


def candidates(routes: dict[str, Route], of_teams: dict[str, Team], event: Event) -> list[Route]:
    if not isinstance(event, IncidentEvent):
        return [routes[name] for name in sorted(routes)]
    team = of_teams.get(event.team or "")
    if team is not None:
        named = [routes[name] for name in team.routes if name in routes]
        if named:
            return named
    taken = {name for other in of_teams.values() for name in other.routes}
    return [routes[name] for name in sorted(routes) if name not in taken]


def takes(route: Route, event: Event) -> bool:
    fitting = {"warning" if isinstance(event, RegionEvent) else event.severity}
    if isinstance(event, TargetsEvent):
        fitting.add("warning")
    if route.severities and fitting.isdisjoint(route.severities):
        return False
    if not isinstance(event, IncidentEvent):
        return not route.tags and not route.kinds
    if route.tags and not set(route.tags) & set(event.tags):
        return False
    return not route.kinds or event.kind in route.kinds


@given(policies(routes_of_first_version), events, TIMES)
def test_an_inventory_of_the_first_version_routes_as_it_did(
    entries: list[Route | Team], event: Event, at: int
) -> None:
    """Whoever was told is told, and nobody else is; what nobody was told has a receiver now."""
    read = [policy.decode(written(one)) for one in entries]
    told = tuple((one.route, one.url) for one in Routes.of(read).channels(event, at))
    before = first_version(entries, event)
    if before:
        assert told == before
    else:
        unnamed = first_version([one for one in entries if isinstance(one, Route)], event)
        assert told
        assert {url for _, url in told} <= {url for _, url in unnamed} | {"console://"}


def written(entry: Route | Team) -> bytes:
    """The record with the fields that 0.1 had alone."""
    if isinstance(entry, Team):
        return policy.encode(entry)
    return msgspec.json.encode(
        {
            "policy": "route",
            "name": entry.name,
            "urls": entry.urls,
            "severities": entry.severities,
            "tags": entry.tags,
            "kinds": entry.kinds,
        }
    )
