"""The tree of routes as a list that is looked at in order, each with the conditions above it.

A child that takes an event and does not `continue` ends the search there; here `stop: true` does.
Of several routes that take what no other took, the order is that of their names.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from msgspec import Struct

from portquorum.importing import durations
from portquorum.importing.alertmanager import hours
from portquorum.importing.alertmanager.matchers import Matcher, matchers_of
from portquorum.importing.alertmanager.meaning import Meaning, meaning
from portquorum.importing.alertmanager.receivers import Receiver
from portquorum.importing.model import Found
from portquorum.importing.source_yaml import Fields, WrongValueError
from portquorum.importing.timing import text

_REPEAT_S: Final = 4 * 3600.0
_GROUP_S: Final = 300.0
_LEAST_REPEAT_S: Final = 60.0
_MOST_REPEAT_S: Final = 30 * 86_400.0
_MOST_GROUP_S: Final = 86_400.0
_DEPTH: Final = 20
_NAME_LENGTH: Final = 50


class Node(Struct, frozen=True):
    """A route of the tree: its own fields, and what it inherits."""

    fields: Fields
    matchers: tuple[Matcher, ...]
    inherited: Mapping[str, Any]
    stops: bool
    is_root: bool
    has_children: bool


class Known(Struct, frozen=True):
    """What routes name: receivers, and time intervals."""

    receivers: Mapping[str, Receiver]
    intervals: Mapping[str, hours.Interval]


class Made(Struct, frozen=True):
    """What became of the tree."""

    routes: dict[str, dict[str, Any]]
    teams: dict[str, dict[str, Any]]
    entries: list[Found]


def flattened(root: Fields) -> list[Node]:
    """All routes, children before their parent, in the order in which they are looked at.

    Raises:
        WrongValueError: a part has another form.
        ValueError: a matcher can't be read, or the tree is too deep.
    """
    return _below(root, (), {}, stops=False, depth=0)


def _below(
    fields: Fields,
    above: tuple[Matcher, ...],
    inherited: Mapping[str, Any],
    *,
    stops: bool,
    depth: int,
) -> list[Node]:
    if depth > _DEPTH:
        raise ValueError(f"expected at most {_DEPTH} routes within each other, found more")
    own = {
        name: fields.get(name)
        for name in ("receiver", "group_interval", "repeat_interval")
        if fields.get(name) is not None
    }
    known = {**inherited, **own}
    matchers = (*above, *matchers_of(fields))
    found: list[Node] = []
    children = fields.children("routes")
    for child in children:
        # Within a route that continues nothing may end the whole search: its siblings come after.
        ends = not child.boolean("continue") and (stops or depth == 0)
        found += _below(child, matchers, known, stops=ends, depth=depth + 1)
    found.append(
        Node(fields, matchers, known, stops, is_root=depth == 0, has_children=bool(children))
    )
    return found


def routes(
    nodes: list[Node],
    known: Known,
) -> Made:
    """A route for each that tells somebody, and an entry for each."""
    made: list[tuple[str, dict[str, Any]]] = []
    entries: list[Found] = []
    teams: dict[str, dict[str, Any]] = {}
    passes_on = False
    for node in nodes:
        name = str(node.inherited.get("receiver", ""))
        entry = Found(place=node.fields.place(), name=_words(node, name), group="route")
        entries.append(entry)
        meant = meaning(node.matchers)
        for old in ("group_by", "group_wait", "labels"):
            node.fields.skip(old, _WHY[old])
        try:
            route = _route(node, meant, known, entry)
        except (ValueError, WrongValueError) as error:
            entry.left_out = str(error)
            route = None
        entry.ignored = [one for one in node.fields.unused() if not one.what.startswith("routes[")]
        if route is None:
            continue
        entry.differences += _passed_on(node, meant, after=passes_on)
        passes_on = passes_on or "stop" not in route
        teams |= {team: {} for team in meant.teams}
        made.append((name, route))
        entry.key = str(len(made) - 1)
    _in_one_round([route for _, route in made])
    names = _names([name for name, _ in made])
    for entry in entries:
        if entry.key:
            entry.routes = [names[int(entry.key)]]
            entry.key = ""
    return Made({name: route for name, (_, route) in zip(names, made, strict=True)}, teams, entries)


def _in_one_round(routes: Iterable[dict[str, Any]]) -> None:
    """Routes with `teams` are looked at before all others: where there is one, all have them."""
    several = list(routes)
    if any("teams" in route for route in several):
        for route in several:
            if route.pop("default", False):
                route["teams"] = ["*"]


def _passed_on(node: Node, meant: Meaning, *, after: bool) -> list[str]:
    """What differs since nothing ends the search; `after`: a route before this one goes on."""
    found = []
    if after and node.has_children:
        found.append("it is told of what a route below it takes and passes on with `continue`, too")
    if not (node.stops or node.is_root or node.fields.boolean("continue")):
        found.append(
            "a route above it goes on with `continue`, so others beside it and above it are told "
            "of what it takes, too"
        )
    if node.stops and meant.wider:
        found.append("it takes more than there, so those after it are told, too")
    return found


_WHY: Final = {
    "group_by": "what a channel is told is gathered by the host, and in digests",
    "group_wait": "the first message waits 2 s for more of the same host",
    "labels": "routes have no labels here",
}


def _route(node: Node, meant: Meaning, known: Known, entry: Found) -> dict[str, Any] | None:
    """The fields of the route; None if nobody is told by it, or of nothing."""
    name = str(node.inherited.get("receiver", ""))
    receiver = known.receivers.get(name)
    if meant.never is not None:
        entry.left_out, entry.networked = meant.never, False
        return None
    if receiver is None:
        entry.left_out = f"there is no receiver {name!r} in the file"
        return None
    if not receiver.urls:
        entry.left_out = f"its receiver {name!r} was left out"
        return None
    entry.differences += meant.differences
    found: dict[str, Any] = {"urls": list(receiver.urls), **meant.fields}
    found |= _hours(node, known.intervals, entry)
    if node.stops and not meant.wider:
        found["stop"] = True
    if "teams" not in found:
        found["default"] = True
    if node.is_root:
        found["operators"] = True
    group_s = _seconds(node.inherited.get("group_interval"), _GROUP_S)
    if group_s > _MOST_GROUP_S:
        entry.differences.append(f"group_interval is 24 h, and not {text(group_s)}")
    found["group_interval"] = text(min(group_s, _MOST_GROUP_S))
    repeat_s = _seconds(node.inherited.get("repeat_interval"), _REPEAT_S)
    again_s = min(max(repeat_s, _LEAST_REPEAT_S), _MOST_REPEAT_S)
    if again_s != repeat_s:
        entry.differences.append(f"reminders come every {text(again_s)}, and not {text(repeat_s)}")
    found["remind_every"] = text(again_s)
    return found


def _seconds(written: Any, default: float) -> float:
    return default if written is None else durations.seconds(written)


def _hours(node: Node, intervals: Mapping[str, hours.Interval], entry: Found) -> dict[str, Any]:
    """`quiet` of the times in which it tells nobody: at their end it tells what is true then."""
    muted = [str(one) for one in node.fields.listed("mute_time_intervals")]
    active = [str(one) for one in node.fields.listed("active_time_intervals")]
    if not muted and not active:
        return {}
    known = [intervals[one] for one in (*muted, *active) if one in intervals]
    for one in (*muted, *active):
        if one not in intervals:
            entry.differences.append(f"the time interval {one} was left out: it does not mute")
    zones = sorted({one.zone for one in known})
    if not known:
        return {}
    if len(zones) > 1:
        entry.differences.append(f"all its hours are on the clock of {zones[0]}")
    quiet = hours.union(intervals[one] for one in muted if one in intervals)
    awake = [intervals[one] for one in active if one in intervals]
    if awake:
        outside = hours.beside(hours.union(awake))
        quiet = tuple(mine | theirs for mine, theirs in zip(quiet, outside, strict=True))
    entry.differences += [sentence for one in known for sentence in one.differences]
    texts = hours.written(quiet)
    if not texts:
        return {}
    return {"quiet": {"hours": texts}, "timezone": zones[0]}


def _words(node: Node, receiver: str) -> str:
    shown = ", ".join(map(str, node.matchers))
    return f"{{{shown}}} → {receiver}" if shown else f"→ {receiver}"


def _names(receivers: Iterable[str]) -> list[str]:
    """Names in the order of the list, numbered if their own order is another one."""
    plain = [_plain(one) for one in receivers]
    if len(set(plain)) == len(plain) and plain == sorted(plain):
        return plain
    width = max(2, len(str(len(plain))))
    return [f"{number:0{width}}-{name}" for number, name in enumerate(plain, 1)]


def _plain(name: str) -> str:
    kept = re.sub(r"[^A-Za-z0-9 ._-]+", "-", name).strip(" .-_")[:_NAME_LENGTH]
    return kept.rstrip(" .-_") or "route"
