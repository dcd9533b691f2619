"""Reads Alertmanager's configuration: routes, receivers, time intervals and inhibitions."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from portquorum.importing.alertmanager import hours
from portquorum.importing.alertmanager.configuration import configurations
from portquorum.importing.alertmanager.inhibitions import inhibition
from portquorum.importing.alertmanager.receivers import Receiver, global_rest, receiver
from portquorum.importing.alertmanager.tree import Known, flattened, routes
from portquorum.importing.folders import files_of
from portquorum.importing.model import Found, Import, Options, Unreadable
from portquorum.importing.secrets import Secrets
from portquorum.importing.source_yaml import Fields, WrongValueError

_SKIPPED: Final = {
    "templates": "texts of messages are templates of a route here: docs/notifications.md",
    "tracing": "portquorum has metrics and logs of its own",
    "event_recorder": "incidents are kept in ClickHouse and in a topic of Kafka",
    "resolve_timeout": "incidents end when the target is up again",
}


def read(files: Sequence[Path], options: Options) -> Import:
    """See `portquorum.importing.model.Wing`.

    Entries are the routes of the tree, the receivers, the time intervals and the inhibitions.
    """
    del options
    found = Import(source="alertmanager")
    secrets = Secrets()
    paths, found.unreadable = files_of(files, {".yml", ".yaml"})
    for path in paths:
        several, unreadable = configurations(path)
        found.unreadable += unreadable
        for fields in several:
            try:
                _configuration(fields, found, secrets)
            except (WrongValueError, ValueError) as error:
                place = error.place if isinstance(error, WrongValueError) else fields.place()
                found.unreadable.append(Unreadable(place, str(error)))
    found.secrets = secrets.found
    return found


def _configuration(fields: Fields, found: Import, secrets: Secrets) -> None:
    nodes = flattened(fields.child("route"))
    global_ = fields.child("global")
    receivers = _receivers(fields, global_, secrets, found)
    intervals = _intervals(fields, found)
    made = routes(nodes, Known(receivers, intervals))
    renamed = _free(made.routes, found)
    found.entries += made.entries
    for entry in made.entries:
        entry.routes = [renamed[name] for name in entry.routes]
        for name in entry.routes:
            found.route_differences[name] = list(entry.differences)
    found.routes |= {renamed[name]: route for name, route in made.routes.items()}
    found.teams |= made.teams
    told = {str(node.inherited.get("receiver")) for node in nodes}
    for name, one in receivers.items():
        if one.entry.left_out is None:
            one.entry.taken = True
            if name not in told:
                one.entry.differences.append("no route tells it")
    found.entries += [
        inhibition(one, number) for number, one in enumerate(fields.children("inhibit_rules"), 1)
    ]
    for name, why in _SKIPPED.items():
        fields.skip(name, why)
    found.ignored += global_rest(global_)
    found.ignored += [
        one for one in fields.unused() if re.split(r"[.\[]", one.what, maxsplit=1)[0] not in _READ
    ]


_INTERVALS: Final = ("time_intervals", "mute_time_intervals")
_READ: Final = frozenset({"route", "receivers", "global", "inhibit_rules", *_INTERVALS})
"""Parts whose own keys are told with their entries."""


def _receivers(
    fields: Fields, global_: Fields, secrets: Secrets, found: Import
) -> dict[str, Receiver]:
    made: dict[str, Receiver] = {}
    for one in fields.children("receivers"):
        try:
            known = receiver(one, global_, secrets)
        except WrongValueError as error:
            found.entries.append(
                Found(place=error.place, name=str(one.get("name")), left_out=str(error))
            )
            continue
        made[known.name] = known
        found.entries.append(known.entry)
    return made


def _intervals(fields: Fields, found: Import) -> dict[str, hours.Interval]:
    made: dict[str, hours.Interval] = {}
    for key in _INTERVALS:
        for one in fields.children(key):
            name = one.text("name")
            entry = Found(place=one.place(), name=name, group="time_intervals")
            found.entries.append(entry)
            try:
                made[name] = hours.interval(name, one.listed("time_intervals"))
            except ValueError as error:
                entry.left_out = str(error)
                continue
            entry.taken = True
            entry.differences += made[name].differences
            entry.ignored = one.unused()
    return made


def _free(routes: Mapping[str, object], found: Import) -> dict[str, str]:
    """Names that no file before has."""
    renamed: dict[str, str] = {}
    for name in routes:
        free, number = name, 2
        while free in found.routes or free in renamed.values():
            free, number = f"{name}-{number}", number + 1
        renamed[name] = free
    return renamed
