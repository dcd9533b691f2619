"""Somebody has to hear of what befalls no single target: regions, and very many targets at once.

Such events have no team, no tag and no kind, so no route takes them that asks for one. Other
monitors do not have them.
"""

from collections.abc import Mapping
from typing import Any, Final

from portquorum.importing.model import Import

NAME: Final = "operators"
DIFFERENCE: Final = (
    "added, to be told of regions and of outages of very many targets; choose whom that is for"
)
_CONDITIONS: Final = (
    *("severities", "tags", "kinds", "targets", "teams", "regions"),
    *("incident_types", "criticalities", "when"),
)


def with_operators(found: Import) -> tuple[dict[str, dict[str, Any]], dict[str, list[str]]]:
    """The routes and their differences, with a route of its own if none hears of such events.

    Its channels are those of the route that was meant for it, else of a default one, else of the
    first.
    """
    routes, told = dict(found.routes), dict(found.route_differences)
    if not routes or any(map(_hears, routes.values())):
        return routes, told
    meant = min(routes.values(), key=lambda one: (not one.get("operators"), not one.get("default")))
    name, count = NAME, 2
    while name in routes:
        name, count = f"{NAME}-{count}", count + 1
    for key, one in routes.items():
        routes[key] = {field: value for field, value in one.items() if field != "operators"}
    routes[name] = {"urls": list(meant.get("urls", ())), "operators": True, "default": False}
    return routes, told | {name: [DIFFERENCE]}


def _hears(route: Mapping[str, Any]) -> bool:
    if any(route.get(condition) for condition in _CONDITIONS):
        return False
    return bool(route.get("operators") or route.get("default"))
