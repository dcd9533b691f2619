"""What the inventory's own loader does not take is taken out, and said."""

from collections.abc import Iterable
from typing import Any, Final

from portquorum.importing.entries import Entry, by_key, window
from portquorum.importing.hiding import sentence
from portquorum.importing.model import Ignored, Place
from portquorum.inventory.errors import Problem

_NO_HOST: Final = "expected a host name or an IP address, found a URL or a login"


def without(
    problems: Iterable[Problem],
    entries: Iterable[Entry],
    owners: list[Entry],
    sections: tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]],
    dropped: list[Ignored],
) -> bool:
    """Takes out what has a problem; whether anything was."""
    routes, teams, maintenance = sections
    named = {"routes": routes, "teams": teams}
    changed = False
    circle: list[Entry] = []
    windows: set[int] = set()
    for problem in problems:
        path = problem.where.path
        section, rest = (path[0], path[1:]) if path else ("", ())
        if section == "targets" and rest and isinstance(rest[0], int):
            entry = owners[rest[0]]
            if rest[1:2] == ("depends_on",):
                circle.append(entry)
            elif entry.targets:
                entry.leave_out(_said(problem, rest[1:]))
            changed = True
        elif section in named and rest and rest[0] in named[str(section)]:
            del named[str(section)][str(rest[0])]
            what = f"the {str(section).removesuffix('s')} {str(rest[0])!r}"
            dropped.append(Ignored(Place(""), what, _said(problem, rest[1:])))
            _without_route(entries, str(rest[0]), _said(problem, rest[1:]))
            changed = True
        elif section == "maintenance" and rest and isinstance(rest[0], int):
            windows.add(rest[0])
            dropped.append(Ignored(Place(""), "a maintenance window", _said(problem, rest[1:])))
            changed = True
    _without_windows(maintenance, entries, windows)
    for entry in circle:
        entry.differences.append("it depends on nothing here: the dependencies were a circle")
        for target in entry.targets:
            target.pop("depends_on", None)
    return changed


def _without_route(entries: Iterable[Entry], name: str, why: str) -> None:
    """Leaves out the entries that became a route that is wrong."""
    for entry in entries:
        if name in entry.found.routes:
            entry.leave_out(why)


def _without_windows(
    maintenance: list[dict[str, Any]], entries: Iterable[Entry], positions: set[int]
) -> None:
    keys = by_key(entries)
    written = [position for position, one in enumerate(maintenance) if window(one, keys)]
    for position in sorted(positions, reverse=True):
        if position < len(written):
            del maintenance[written[position]]


def without_all(problems: Iterable[Problem], entries: Iterable[Entry]) -> None:
    """The last resort for a problem without a place: everything is left out with it."""
    why = next((one.message for one in problems), "unknown")
    for entry in entries:
        if entry.targets:
            entry.leave_out(why)


def _said(problem: Problem, path: tuple[str | int, ...]) -> str:
    message = problem.message
    if path[-1:] == ("host",):
        # A URL, or a login, in the place of a host is not repeated.
        message = message.split("': ")[0] + "'" if "': " in message else message
        message = _NO_HOST if "@" in message or "://" in message else message
    shown = ".".join(str(part) for part in path)
    return sentence(f"{shown}: {message}" if shown else message)
