"""The inventory as a page for people: its content, independent of the output format."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from portquorum.inventory import duration, heartbeats, week_hours
from portquorum.inventory.resolve import Inventory
from schemas.policy import Maintenance, Region, Route, Team
from schemas.probe import HeartbeatProbe
from schemas.target import Target
from schemas.wall_clock import local, zone_or_utc

_LINKS: Final = ("http://", "https://")


class Cell(Struct, frozen=True):
    """The content of a cell; `code` is shown in monospace, `link` is its target (HTTP or none)."""

    text: str
    code: bool = False
    link: str | None = None


class Section(Struct, frozen=True):
    """A table under a heading, `text` before it."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    text: str | None = None


class InventoryPage(Struct, frozen=True):
    """The whole page. All texts but column headings may come from users."""

    title: str
    lead: str
    sections: tuple[Section, ...]


def page(inventory: Inventory) -> InventoryPage:
    """The page with targets by team, regions, routes, and maintenance windows."""
    targets = inventory.targets
    hosts = {target.host for target in targets if target.host is not None}
    return InventoryPage(
        f"What is watched: {inventory.source}",
        f"{_count(len(targets), 'target')} on {_count(len(hosts), 'host')}.",
        (*_teams(inventory), *_others(inventory)),
    )


def _teams(inventory: Inventory) -> Iterator[Section]:
    by_team: dict[str | None, list[Target]] = defaultdict(list)
    for target in inventory.targets:
        by_team[target.team].append(target)
    routes = {entry.name: entry.routes for entry in inventory.policy if isinstance(entry, Team)}
    for team in sorted(by_team, key=lambda name: (name is None, name or "")):
        told = () if team is None else routes.get(team, ())
        yield Section(
            "Nobody" if team is None else team,
            ("name", "where", "kind", "every", "from", "matters", "purpose"),
            tuple(_row(target) for target in sorted(by_team[team], key=lambda one: one.name)),
            f"Told by: {', '.join(told)}." if told else None,
        )


def _others(inventory: Inventory) -> Iterator[Section]:
    yield Section(
        "Regions",
        ("region", "may reach", "never", "checks leave from"),
        tuple(
            _cells(
                region.name,
                "private addresses too"
                if region.internal
                else ", ".join(("public", *region.allow)),
                ", ".join(region.deny),
                region.source or "",
            )
            for region in inventory.policy
            if isinstance(region, Region)
        ),
    )
    routes = [entry for entry in inventory.policy if isinstance(entry, Route)]
    teams = [entry for entry in inventory.policy if isinstance(entry, Team)]
    named = {name for team in teams for name in team.routes}
    if routes:
        yield Section(
            "Routes",
            ("route", "takes", "when", "people"),
            tuple(
                _cells(one.name, _takes(one, named=one.name in named), _when(one), _people(one))
                for one in routes
            ),
        )
    windows = [entry for entry in inventory.policy if isinstance(entry, Maintenance)]
    if windows:
        yield Section(
            "Maintenance",
            ("name", "targets", "first", "for", "again"),
            tuple(
                _cells(
                    window.name,
                    ", ".join(window.targets),
                    _first(window),
                    duration.text(window.duration_ms),
                    window.rrule or "",
                )
                for window in windows
            ),
        )


def _first(window: Maintenance) -> str:
    zone = zone_or_utc(window.timezone)
    return f"{local(window.start, zone):%Y-%m-%d %H:%M} {zone.key}"


def _takes(route: Route, *, named: bool) -> str:
    """What a route takes, for people; `named`: by a team. Its channels are secret."""
    parts = [
        f"{what} {' or '.join(values)}"
        for what, values in (
            ("severity", route.severities),
            ("incident", route.incident_types),
            ("criticality", route.criticalities),
            ("team", route.teams),
            ("tag", route.tags),
            ("target", route.targets),
            ("kind", route.kinds),
            ("region", route.regions),
        )
        if values
    ]
    taken = ", ".join(parts) or "everything"
    if route.default:
        taken += ", if no other route does"
    if not route.operators:
        return taken
    regions = "what befalls regions, targets that nobody can judge, very many targets"
    return f"{taken}; {regions}" if route.default or route.teams or named else regions


def _when(route: Route) -> str:
    hours = [week_hours.text(route.when)] if route.when else []
    if route.quiet is not None:
        unless = f" unless {' or '.join(route.quiet.unless)}" if route.quiet.unless else ""
        hours.append(f"quiet {week_hours.text(route.quiet.hours)}{unless}")
    return f"{'; '.join(hours)} ({route.timezone})" if hours else "always"


def _people(route: Route) -> str:
    if route.rotation is None:
        return ""
    days = route.rotation.days
    each = "a day" if days == 1 else f"{days} days"
    names = ", ".join(person.name for person in route.rotation.people)
    handover = f"{route.rotation.handover} {route.timezone}"
    return f"{names}: {each} each from {route.rotation.since} on, handover at {handover}"


def _row(target: Target) -> tuple[Cell, ...]:
    runbook = target.runbook
    return (
        Cell(target.name, link=runbook if runbook and runbook.startswith(_LINKS) else None),
        Cell(target.place, code=True),
        *_cells(
            target.kind if target.expect == "open" else f"{target.kind} (must be closed)",
            _how_often(target),
            "the job itself" if heartbeats.is_job(target) else ", ".join(target.regions),
            target.criticality,
            target.purpose or "",
        ),
    )


def _how_often(target: Target) -> str:
    if isinstance(target.probe, HeartbeatProbe):
        return heartbeats.how_often(target.probe)
    return duration.text(target.interval_ms)


def _cells(*texts: str) -> tuple[Cell, ...]:
    return tuple(map(Cell, texts))


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
