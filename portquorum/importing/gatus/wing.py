"""Reads Gatus' configuration: each endpoint an entry."""

from collections.abc import Sequence
from pathlib import Path

from portquorum.importing.durations import seconds
from portquorum.importing.model import Found, Import, Options
from portquorum.importing.source_yaml import Fields, WrongValueError, documents
from portquorum.importing.timing import fit
from portquorum.importing.urls import http_entry, http_place

INTERVAL_S = 60.0
TIMEOUT_S = 10.0


def read(files: Sequence[Path], options: Options) -> Import:
    """See `portquorum.importing.model.Wing`."""
    del options
    found = Import(source="gatus")
    for path in files:
        roots, unreadable = documents(path)
        found.unreadable += unreadable
        for root in roots:
            if isinstance(root.value, dict):
                top = Fields(root.value, root.file)
                found.entries += [
                    _endpoint(Fields(one, root.file)) for one in top.listed("endpoints")
                ]
                found.ignored += top.unused()
    return found


def _endpoint(fields: Fields) -> Found:
    name, group = str(fields.get("name", "")), str(fields.get("group", ""))
    entry = Found(place=fields.place(), name=name, group=group, key=f"{group}_{name}")
    try:
        target = http_entry(http_place(fields.text("url")))
        interval_s = seconds(fields.get("interval", INTERVAL_S), unit_s=1)
        fitted = fit(interval_s=interval_s, timeout_s=TIMEOUT_S)
    except (WrongValueError, ValueError) as error:
        entry.left_out = str(error)
        return entry
    if fields.listed("conditions") != ["[STATUS] == 200"]:
        entry.left_out = "its conditions are not taken over yet"
        return entry
    target["probe"] = target.get("probe", {}) | {"status": [200]}
    entry.targets = [target | fitted.fields]
    entry.before, entry.differences = fitted.before, fitted.differences
    entry.ignored = fields.unused()
    return entry
