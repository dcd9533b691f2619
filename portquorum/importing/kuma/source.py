"""The files of Uptime Kuma: what they have, whatever their form.

Forms: the backup of version 1 (`monitorList`, a list), what the API says (`getMonitorList`, a
mapping by id, or the list of uptime-kuma-api), YAML files from which people make monitors (`groups`
with `monitors`, or a list), and the database itself.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from msgspec import Struct, field

from portquorum.importing.kuma import database_file, names
from portquorum.importing.kuma.fields import MonitorFields
from portquorum.importing.model import Ignored, Place, Unreadable
from portquorum.importing.source_yaml import documents_of, file_text
from portquorum.inventory import tree
from schemas.plain_text import one_line

_MONITORS: Final = ("monitorlist", "monitors")
_NOTIFICATIONS: Final = ("notificationlist", "notifications")
_PROXIES: Final = ("proxylist", "proxies")
_ENGINES: Final = ("dockerhostlist", "dockerhosts")
_MAINTENANCE: Final = ("maintenancelist", "maintenances", "maintenance")
_INNER: Final = ("monitors", "children")
_NOTHING: Final[tuple[Any, ...]] = (None, [], {}, "")
_MOST_DEEP: Final = 20
_WHY: Final = {
    "version": "the version of the program",
    "statuspagelist": "status pages are made on the page (docs/web.md)",
    "statuspages": "status pages are made on the page (docs/web.md)",
    "remotebrowserlist": "no browser opens a page",
    "apikeylist": "keys are made anew: docs/access.md",
    "taglist": "the tags are at the monitors",
    "tags": "the tags are at the monitors",
}
_NO_PLACE_HERE: Final = "it is about the program itself, and not about what is checked"


class RawMonitor(Struct, frozen=True):
    """A monitor as it stands there. `groups` are the names above it in a file of nested groups."""

    fields: MonitorFields
    groups: tuple[str, ...] = ()
    is_group: bool = False


class Source(Struct):
    """All that files have; each list in their order. Values are as they stand there."""

    monitors: list[RawMonitor] = field(default_factory=list)
    notifications: list[tuple[Place, Mapping[str, Any]]] = field(default_factory=list)
    proxies: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    engines: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    maintenance: list[tuple[Place, Mapping[str, Any]]] = field(default_factory=list)
    notify_days: int | None = None
    ignored: list[Ignored] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)


def read_file(path: Path, into: Source) -> None:
    """Adds what a file has to `into`; what can't be read is `unreadable`."""
    if database_file.is_database(path):
        found = database_file.read(path)
        if isinstance(found, Unreadable):
            into.unreadable.append(found)
        else:
            _document(found, str(path), into)
        return
    text = file_text(path)
    if isinstance(text, Unreadable):
        into.unreadable.append(text)
        return
    before = len(into.monitors), len(into.unreadable)
    for value in _values(text, str(path), into):
        _document(value, str(path), into)
    if (len(into.monitors), len(into.unreadable)) == before:
        into.unreadable.append(Unreadable(Place(str(path)), "it has no monitors of Uptime Kuma"))


def _values(text: str, file: str, into: Source) -> Iterator[Any]:
    """The documents of JSON or YAML; with lines where the reader of YAML takes the JSON."""
    roots, unreadable = documents_of(text, file)
    if unreadable and text.lstrip()[:1] in {"{", "["}:
        try:
            yield tree.planted(json.loads(text))
        except (ValueError, RecursionError):
            into.unreadable += unreadable
        else:
            return
    else:
        into.unreadable += unreadable
    for root in roots:
        yield root.value


def _document(value: Any, file: str, into: Source) -> None:
    if isinstance(value, list):
        _monitors(value, _Level(file, {}), (), into)
        return
    if not isinstance(value, Mapping):
        return
    plain = {names.plain(str(name)): str(name) for name in value}
    if "type" in plain and ("name" in plain or "url" in plain):
        _monitors([value], _Level(file, {}), (), into)
        return
    if value and all(_is_id(name) and _is_monitor(one) for name, one in value.items()):
        _monitors(list(value.values()), _Level(file, {}), (), into)
        return
    _sections(value, {_section(name): written for name, written in plain.items()}, file, into)


def _section(plain: str) -> str:
    # `notifications` is a field of monitors as well, where it means another thing.
    return "notificationlist" if plain == "notificationidlist" else plain


def _is_id(name: object) -> bool:
    return re.fullmatch(r"[0-9]{1,9}", str(name)) is not None


def _is_monitor(value: object) -> bool:
    return isinstance(value, Mapping) and "type" in value and "name" in value


def _sections(value: Mapping[str, Any], plain: dict[str, str], file: str, into: Source) -> None:
    used: set[str] = set()

    def section(name: str) -> Any:
        if name in plain:
            used.add(name)
        return value.get(plain.get(name, ""))

    settings, usual = section("settings"), section("defaults")
    if isinstance(settings, Mapping):
        usual = _settings(settings, file, into) or usual
    context = _Level(file, usual if isinstance(usual, Mapping) else {})
    for name in (*_MONITORS, "groups"):
        _monitors(_items(section(name)), context, (), into, groups=name == "groups")
    for sections, add in (
        (_NOTIFICATIONS, into.notifications),
        (_MAINTENANCE, into.maintenance),
    ):
        found = [one for name in sections for one in _items(section(name))]
        add += [(_place(one, file), one) for one in found if isinstance(one, Mapping)]
    proxies = [one for name in _PROXIES for one in _items(section(name))]
    into.proxies |= {str(one.get("id", "")): one for one in proxies if isinstance(one, Mapping)}
    engines = [one for name in _ENGINES for one in _items(section(name))]
    into.engines |= {str(one.get("id", "")): one for one in engines if isinstance(one, Mapping)}
    for name, written in plain.items():
        if name not in used and value[written] not in _NOTHING:
            place = Place(file, getattr(value, "lines", {}).get(written, 0))
            why = _WHY.get(name, _NO_PLACE_HERE)
            into.ignored.append(Ignored(place, one_line(written)[:60], why))


def _settings(settings: Mapping[str, Any], file: str, into: Source) -> Mapping[str, Any]:
    """What holds for all monitors; the days before the end of a certificate."""
    usual: Mapping[str, Any] = {}
    for name, value in settings.items():
        plain = names.plain(str(name))
        if plain == "defaults" and isinstance(value, Mapping):
            usual = value
        elif plain == "tlsexpirynotifydays":
            into.notify_days = _days(value)
        elif value not in _NOTHING:
            shown = f"settings.{one_line(str(name))[:60]}"
            into.ignored.append(Ignored(_place(settings, file), shown, _NO_PLACE_HERE))
    return usual


def _days(value: object) -> int | None:
    found = value
    if isinstance(value, str):
        try:
            found = json.loads(value)
        except (ValueError, RecursionError):
            return None
    if not isinstance(found, list):
        return None
    days = [one for one in found if isinstance(one, int) and 0 < one <= 365]
    return max(days, default=0)


def _items(value: object) -> list[Any]:
    """The items of a list, or of a mapping by id or name; a name with a list is a group."""
    if isinstance(value, Mapping):
        if _is_monitor(value):
            return [value]
        return [
            {"name": str(name), "monitors": one} if isinstance(one, list) else one
            for name, one in value.items()
        ]
    return list(value) if isinstance(value, list) else []


class _Level(Struct, frozen=True):
    """Where monitors stand: their file, what holds for all of them, and how deep it is."""

    file: str
    usual: Mapping[str, Any]
    depth: int = 0


def _monitors(
    items: list[Any], level: _Level, above: tuple[str, ...], into: Source, *, groups: bool = False
) -> None:
    """Adds monitors, and those within them; items of `groups:` are groups without a type."""
    for one in items:
        if not isinstance(one, Mapping) or level.depth > _MOST_DEEP:
            why = "expected a monitor, found something else"
            into.unreadable.append(Unreadable(Place(level.file), why))
            continue
        inner = next((one[key] for key in _INNER if key in one), None)
        mine = {key: value for key, value in one.items() if key not in _INNER}
        fields = MonitorFields(_kept(one, mine), level.file, level.usual)
        is_group = inner is not None or (groups and "type" not in one)
        into.monitors.append(RawMonitor(fields, above, is_group))
        if inner is not None:
            name = str(one.get("name") or "")
            deeper = _Level(level.file, level.usual, level.depth + 1)
            _monitors(_items(inner), deeper, (*above, name) if name else above, into)


def _kept(original: Mapping[str, Any], mine: dict[str, Any]) -> Mapping[str, Any]:
    """`mine` with the lines of the original."""
    if not isinstance(original, tree.Mapping):
        return mine
    kept = tree.Mapping(original.line)
    kept.update(mine)
    kept.lines = dict(original.lines)
    return kept


def _place(value: Mapping[str, Any], file: str) -> Place:
    return Place(file, value.line if isinstance(value, tree.Mapping) else 0)
