"""Reads the files of Uptime Kuma."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from portquorum.importing.folders import files_of
from portquorum.importing.kuma import convert, groups, maintenance, notifications
from portquorum.importing.kuma.fields import MonitorFields
from portquorum.importing.kuma.monitor import NOTIFY_DAYS, Context
from portquorum.importing.kuma.source import RawMonitor, Source, read_file
from portquorum.importing.model import Found, Ignored, Import, Options
from portquorum.importing.secrets import Secrets
from schemas.plain_text import one_line

_SUFFIXES: Final = frozenset({".json", ".yaml", ".yml", ".db"})
_GROUP: Final = (
    "a group is no check: its name is a tag, and in the id, of what is in it, and whom it told is "
    "told of each"
)


def read(files: Sequence[Path], options: Options) -> Import:
    """All monitors of the files. See `portquorum.importing.model.Wing`."""
    source = Source()
    paths, source.unreadable = files_of(files, _SUFFIXES)
    for path in paths:
        read_file(path, source)
    secrets = Secrets()
    days = NOTIFY_DAYS if source.notify_days is None else source.notify_days
    context = Context(
        options=options,
        secrets=secrets,
        proxies=source.proxies,
        engines=source.engines,
        notify_days=days,
    )
    found = Import(source="kuma", unreadable=source.unreadable, ignored=source.ignored)
    above = groups.above(source.monitors)
    entries = [
        _entry(raw, one, source, context)
        for raw, one in zip(source.monitors, above, strict=True)
        if not _is_level(raw)
    ]
    found.entries = [one.found for one in entries]
    found.ignored += [
        Ignored(raw.fields.place(), f"the group {raw.fields.text('name')[:60]!r}", _GROUP)
        for raw in source.monitors
        if _is_level(raw)
    ]
    notifications.add(found, source, entries, secrets)
    maintenance.add(found, source, entries)
    found.secrets = secrets.found
    _bookkeeping(found, source)
    return found


def _entry(raw: RawMonitor, above: groups.Above, source: Source, context: Context) -> convert.Entry:
    if groups.is_group(raw):
        return _group(raw, above)
    one = convert.entry(raw.fields, context, above.names, active=above.active)
    if above.lost and one.found.targets:
        one.found.differences.append("its group is in none of the files")
    members = [source.monitors[at] for at in above.members]
    of_groups = [name for group in members for name in convert.told(group.fields)]
    one.notifications = list(dict.fromkeys([*one.notifications, *of_groups]))
    return one


def _group(raw: RawMonitor, above: groups.Above) -> convert.Entry:
    """A group is no check: its name is at its members, who are told to whom it was told."""
    fields: MonitorFields = raw.fields
    name = one_line(fields.text("name")).strip() or "group"
    fields.skip(
        *("name", "type", "id", "active", "parent", "interval", "retryInterval", "maxretries"),
        *("timeout", "notificationIDList"),
    )
    found = Found(
        place=fields.place(),
        name=name,
        group=" / ".join(above.names),
        left_out=_GROUP,
        networked=False,
    )
    return convert.Entry(found, f"group {fields.text('id') or name}", [], 0)


def _is_level(raw: RawMonitor) -> bool:
    """Whether it is a level of a file alone, and no monitor of the type group."""
    return raw.is_group and not raw.fields.text("type")


def _bookkeeping(found: Import, source: Source) -> None:
    """Names Uptime Kuma's own data of monitors once."""
    seen: dict[str, set[str]] = {}
    for raw in source.monitors:
        seen.setdefault(raw.fields.file, set()).update(raw.fields.bookkeeping())
    for raw in source.monitors:
        for name in sorted(seen.pop(raw.fields.file, ())):
            why = "it is Uptime Kuma's own data about a monitor"
            found.ignored.append(Ignored(raw.fields.place(name), name, why))
