"""Advice on routes: who is told by nobody, which routes are never reached, which take the rest."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from portquorum.inventory import Inventory, check
from portquorum.inventory.reach import reach
from schemas.policy import Hours, Region, Route, Team
from schemas.target import Target
from streams.rules.incident_event import severity_of

Write = Callable[..., Path]

MONDAY = round(datetime.fromisoformat("2026-11-30T12:00+01:00").timestamp() * 1000)
TARGETS = """\
regions: {a: {}, b: {}}
teams: {db: {routes: [oncall]}, web: {}}
targets:
  - {id: one, host: x, port: 1, team: db, criticality: critical, tags: [prod]}
  - {id: two, host: x, port: 2, team: db, criticality: critical, latency: {max_ms: 9}}
  - {id: three, host: x, port: 3, team: web}
"""


def said(file: Write, routes: str, now: int = MONDAY) -> list[str]:
    path = file(f"{TARGETS}routes:\n{routes}")
    return [str(one).removeprefix("inventory: ") for one in reach(check([path]), now)]


def test_nothing_is_said_where_everybody_is_told(file: Write) -> None:
    assert (
        said(
            file,
            "  oncall: {urls: [console://], escalate: [{after: 5m, routes: [boss]}]}\n"
            "  boss: {urls: [console://], fallback: [mail]}\n"
            "  mail: {urls: [console://]}\n"
            "  rest: {urls: [console://], default: true}\n"
            "  ops: {urls: [console://], operators: true}\n",
        )
        == []
    )


def test_who_is_told_by_nobody_is_named_by_team_criticality_and_severity(file: Write) -> None:
    lines = said(
        file,
        "  oncall: {urls: [console://], incident_types: [unreachable], when: sat, timezone: UTC}\n"
        "  web: {urls: [console://], teams: [web], incident_types: [unreachable]}\n"
        "  ops: {urls: [console://], operators: true}\n",
    )
    normal = severity_of("flapping", "normal")
    assert [line.partition(" reaches")[0] for line in lines] == [
        "teams.db: flapping (critical) of 2 critical targets (one, two)",
        "teams.db: slow (critical) of 1 critical target (two)",
        "teams.db: unreachable (critical) of 2 critical targets (one, two)",
        f"teams.web: flapping ({normal}) of 1 normal target (three)",
    ]
    log, rest = (
        " nobody but the notifier's log",
        ("; a route with `default: true` and without `tags` and other conditions would take it"),
    )
    hours = " at some hours (first Mon 2026-11-30 11:00 UTC)"
    assert [line.partition(" reaches")[2] for line in lines] == [
        f"{log}{rest}",
        f"{log}{rest}",
        f"{log}{hours}{rest}",
        f"{log}{rest}",
    ]


def test_hours_of_which_nobody_is_told_are_named(file: Write) -> None:
    lines = said(
        file,
        "  oncall: {urls: [console://], when: [mon-fri], timezone: Europe/Berlin}\n"
        "  rest: {urls: [console://], default: true, severities: [info]}\n"
        "  web: {urls: [console://], teams: [web]}\n"
        "  ops: {urls: [console://], operators: true}\n",
    )
    first, second, _ = lines
    assert first.startswith("teams.db: flapping (critical), unreachable (critical) of 2 critical")
    assert "at some hours (first Sat 2026-12-05 00:00 Europe/Berlin)" in first
    assert second.startswith("teams.db: slow (critical) of 1 critical target (two)")
    week = "  oncall: {urls: [console://], when: [mon-fri, 'sat,sun'], timezone: Europe/Berlin}\n"
    assert said(file, f"{week}  rest: {{urls: [console://], default: true}}\n") == []


def test_what_befalls_no_single_target_is_named_too(file: Write) -> None:
    everybody = "  rest: {urls: [console://], default: true}\n"
    log, rest = "reaches nobody but the notifier's log", "; a route with `operators: true` that"
    lines = said(
        file,
        f"  oncall: {{urls: [console://]}}\n{everybody}"
        "  ops: {urls: [console://], operators: true, severities: [critical]}\n",
    )
    assert [line.partition(" that takes")[0] + " that" for line in lines] == [
        f"routes: targets that nobody can judge {log}{rest}",
        f"routes: what befalls regions: a, b {log}{rest}",
    ]
    night = "{urls: [console://], operators: true, when: 19:00-07:00, timezone: UTC, regions: [a]}"
    lines = said(file, f"  oncall: {{urls: [console://]}}\n{everybody}  night: {night}\n")
    hours = " at some hours (first Mon 2026-11-30 11:00 UTC)"
    assert [line.partition(" that takes")[0] + " that" for line in lines] == [
        f"routes: an outage of very many targets {log}{rest}",
        f"routes: targets that nobody can judge {log}{hours}{rest}",
        f"routes: what befalls regions: a {log}{hours}{rest}",
        f"routes: what befalls regions: b {log}{rest}",
    ]


@pytest.mark.parametrize(
    ("route", "why"),
    [
        ("{urls: [console://], teams: [web], tags: [prod]}", "what could come to it differs in ta"),
        ("{urls: [console://], teams: [web], kinds: [ssh]}", "what could come to it differs in ki"),
        ("{urls: [console://], default: false}", "no team that has targets names it, its `teams`"),
        ("{urls: [console://], teams: ['x*']}", "no team that has targets names it, its `teams` "),
    ],
)
def test_a_route_that_nothing_reaches_is_named(file: Write, route: str, why: str) -> None:
    others = (
        "  oncall: {urls: [console://]}\n"
        "  rest: {urls: [console://], default: true}\n"
        "  ops: {urls: [console://], operators: true}\n"
    )
    (line,) = said(file, f"{others}  lost: {route}\n")
    assert line.startswith(f"routes.lost: nothing in this inventory reaches it: {why}")


def test_a_route_that_takes_the_rest_without_saying_so_is_named(file: Write) -> None:
    lines = said(file, "  oncall: {urls: [console://]}\n  mail: {urls: [console://]}\n")
    text = "it takes what no other route took, since none says `default: true`; write that here"
    assert lines == [f"routes.mail: {text}, or `default: false` if it is not meant"]


def test_an_inventory_without_routes_or_targets(file: Write) -> None:
    path = file("regions: {a: {}}\ntargets: [{host: x, port: 1}]\n")
    (line,) = reach(check([path]), MONDAY)
    assert "routes: there is none: nobody is told, incidents show in the notifier's log" in str(
        line
    )
    path = file("regions: {a: {}}\nroutes: {r: {urls: [console://], default: false}}\n")
    assert reach(check([path]), MONDAY) == []


def test_a_fleet_with_a_route_for_each_few_targets_is_one_line_a_team() -> None:
    routes = tuple(
        Route(
            name=f"r{number}",
            urls=(f"json://{number}",),
            targets=(f"t-{number}-*",),
            regions=("a",),
            when=(Hours(begin=f"{number % 24:02}:00", end=f"{(number + 8) % 24:02}:00"),),
            timezone="Europe/Berlin",
            default=number == 0,
        )
        for number in range(100)
    )
    teams = tuple(
        Team(name=f"team{number}", routes=(f"r{number}", f"r{number + 50}")) for number in range(50)
    )
    targets = tuple(
        Target(
            id=f"t-{number % 100}-{number}",
            version=1,
            name="x",
            kind="tcp",
            host="x",
            port=1,
            regions=("a",),
            criticality="normal",
            interval_ms=60_000,
            timeout_ms=1_000,
            retries=1,
            retry_delay_ms=1_000,
            consensus="quorum",
            team=f"team{number % 50}",
            source="inventory",
        )
        for number in range(1_000)
    )
    inventory = Inventory("inventory", (Region(name="a"), *teams, *routes), targets)
    found = [str(one) for one in reach(inventory, MONDAY)]
    of_teams = [line for line in found if line.startswith("inventory: teams.")]
    assert len(of_teams) == len(teams)
    assert len(found) == len(teams) + 3  # regions, targets that nobody can judge, very many
    assert all("of 20 normal targets (" in line and "at some hours" in line for line in of_teams)
    assert all(f"teams.{team.name}: " in str(found) for team in teams)
