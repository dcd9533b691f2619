"""Who is told: notifications of Uptime Kuma as routes, and teams for those who share them."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from portquorum.importing import channels
from portquorum.importing.kuma.convert import Entry
from portquorum.importing.kuma.source import Source
from portquorum.importing.model import Ignored, Import, Place
from portquorum.importing.secrets import Secrets
from portquorum.importing.timing import text as duration_text
from schemas.plain_text import one_line

_LEAST_REMINDER_S: Final = 60
_MOST_REMINDER_S: Final = 30 * 86_400
_LONGEST_NAME: Final = 50
_OWN: Final = frozenset({"name", "type", "isDefault", "applyExisting", "id", "userId", "active"})
_COLUMNS: Final = frozenset(
    {"id", "name", "active", "userId", "user_id", "isDefault", "is_default"}
)


class _Notification(Struct):
    place: Place
    name: str
    provider: str
    fields: dict[str, Any]
    active: bool
    is_default: bool


def add(found: Import, source: Source, entries: Sequence[Entry], secrets: Secrets) -> None:
    """Adds routes and teams to `found`, and the team to the targets of the entries."""
    known = _known(source)
    routes = {key: _route(one, found, secrets) for key, one in known.items()}
    by_name = {one.name: key for key, one in known.items()}
    told: dict[tuple[str, ...], list[Entry]] = {}
    for entry in entries:
        keys = [one if one in known else by_name.get(one, "") for one in entry.notifications]
        if entry.notifications and not any(keys):
            what = f'the notifications of the monitor "{entry.found.name}"'
            found.ignored.append(Ignored(entry.found.place, what, "the file has none of them"))
        names = tuple(sorted({name for key in keys if (name := routes.get(key))}))
        told.setdefault(names, []).append(entry)
    _share(found, told)
    _reminders(found, told)


def _share(found: Import, told: Mapping[tuple[str, ...], list[Entry]]) -> None:
    """One for all is a default route; else each combination is a team."""
    if len(told) == 1:
        for name in next(iter(told)):
            found.routes[name]["default"] = True
        return
    teams: set[str] = set()
    for names, entries in told.items():
        if not names:
            continue
        team = _unique(" and ".join(names), teams)
        found.teams[team] = {"routes": list(names)}
        for entry in entries:
            for target in entry.found.targets:
                target["team"] = team
    for route in found.routes.values():
        # Monitors without a notification told nobody there.
        route["default"] = False


def _reminders(found: Import, told: Mapping[tuple[str, ...], list[Entry]]) -> None:
    """`resendInterval` counts checks of a monitor; a reminder here is the route's."""
    for name in found.routes:
        of_route = [one for names, entries in told.items() if name in names for one in entries]
        wanted = sorted({one.remind_s for one in of_route if one.remind_s > 0})
        if not wanted:
            continue
        seconds = min(max(wanted[0], _LEAST_REMINDER_S), _MOST_REMINDER_S)
        found.routes[name]["remind_every"] = duration_text(seconds)
        alike = all(one.remind_s == wanted[0] for one in of_route)
        if not alike or seconds != wanted[0]:
            found.route_differences.setdefault(name, []).append(
                f"all that it tells is told again every {duration_text(seconds)} until somebody "
                "acknowledges it; there each monitor had its own time, or none"
            )


def _known(source: Source) -> dict[str, _Notification]:
    known: dict[str, _Notification] = {}
    for place, value in source.notifications:
        try:
            config = _config(value)
        except ValueError:
            what = "the configuration of a notification"
            source.ignored.append(Ignored(place, what, "expected JSON, found what is none"))
            continue
        name = one_line(str(value.get("name") or config.get("name") or "notification"))
        key = str(value.get("id") or name)
        default = value.get("isDefault", value.get("is_default", config.get("isDefault", False)))
        known[key] = _Notification(
            place=place,
            name=name,
            provider=str(config.get("type") or value.get("type") or ""),
            fields={field: one for field, one in config.items() if field not in _OWN},
            active=_flag(value.get("active", True)),
            is_default=_flag(default),
        )
    return known


def _config(value: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a notification: JSON in a text, or beside its name."""
    written = value.get("config")
    if isinstance(written, str):
        try:
            found = json.loads(written)
        except RecursionError:
            raise ValueError("too deep") from None
        if not isinstance(found, dict):
            raise ValueError("no mapping")  # noqa: TRY004 - what a text says, and no wrong use
        return found
    if isinstance(written, Mapping):
        return dict(written)
    return {name: one for name, one in value.items() if name not in _COLUMNS}


def _route(one: _Notification, found: Import, secrets: Secrets) -> str | None:
    """Adds the route of a notification; its name, None if there is none."""
    what = f'the notification "{one.name}"'
    if not one.active:
        found.ignored.append(Ignored(one.place, what, "it is off"))
        return None
    if not one.provider:
        found.ignored.append(Ignored(one.place, what, "it does not say by which provider it goes"))
        return None
    made = channels.channel(f"kuma.{one.provider}", one.fields, secrets, one.place)
    if isinstance(made, channels.Refused):
        found.ignored.append(Ignored(one.place, what, made.why))
        return None
    name = _unique(one.name, set(found.routes))
    found.routes[name] = {"urls": list(made.urls)}
    found.route_differences[name] = list(made.differences)
    return name


def _unique(wanted: str, taken: set[str]) -> str:
    """A name of a route or team that is valid and free."""
    plain = re.sub(r"[^A-Za-z0-9 ._-]+", " ", wanted)
    plain = re.sub(r"\s+", " ", plain).strip(" ._-")[:_LONGEST_NAME].strip(" ._-") or "people"
    found, count = plain, 2
    while found in taken:
        found, count = f"{plain} {count}", count + 1
    taken.add(found)
    return found


def _flag(value: object) -> bool:
    return str(value).strip().lower() in {"true", "1", "yes"}
