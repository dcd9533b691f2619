"""The groups of monitors: the way to each, and who is told of all within."""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from portquorum.importing.kuma.source import RawMonitor

_MOST_DEEP: Final = 50


class Above(Struct, frozen=True):
    """What is above a monitor: the names of its groups, from the outermost on.

    `members`: positions of the groups. `active`: none of them is off. `lost`: a parent that is in
    none of the files.
    """

    names: tuple[str, ...] = ()
    members: tuple[int, ...] = ()
    active: bool = True
    lost: bool = False


def is_group(raw: RawMonitor) -> bool:
    """Whether it is a group, of the type or by what is in it."""
    return raw.is_group or raw.fields.text("type").strip().lower() == "group"


def above(monitors: Sequence[RawMonitor]) -> list[Above]:
    """What is above each of `monitors`, by their parents or by the file's own levels."""
    by_id = {one.fields.text("id"): at for at, one in enumerate(monitors) if one.fields.text("id")}
    by_name = {one.fields.text("name"): at for at, one in enumerate(monitors) if is_group(one)}
    return [_above(one, monitors, by_id, by_name) for one in monitors]


def _above(
    raw: RawMonitor,
    monitors: Sequence[RawMonitor],
    by_id: Mapping[str, int],
    by_name: Mapping[str, int],
) -> Above:
    lost = False
    members: list[int] = [by_name[name] for name in raw.groups if name in by_name]
    if raw.groups:
        names = list(raw.groups)
    else:
        one, names = raw, []
        while len(names) < _MOST_DEEP:
            parent = one.fields.text("parent")
            at = by_id.get(parent, by_name.get(parent)) if parent else None
            if at is None or at in members or monitors[at] is raw:
                lost = parent not in {"", "0"} and at is None
                break
            one = monitors[at]
            members.insert(0, at)
            names.insert(0, one.fields.text("name"))
    active = all(monitors[at].fields.flag("active", default=True) for at in members)
    return Above(tuple(name for name in names if name), tuple(members), active, lost)
