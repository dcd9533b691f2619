"""The page's own inventory as a file that `inventory apply` takes."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from portquorum.editing.entries import written
from portquorum.inventory.document import TargetEntry
from portquorum.inventory.yaml_text import yaml_text

_HEAD = """\
# The inventory of portquorum's page. Regions, teams and routes that it names are of other
# inventories: check it together with them (portquorum inventory check regions.yaml FILE).
# Before it is applied, remove these targets from the page (portquorum target remove).
"""
_FIRST = ("name", "id", "kind", "host", "port")


def document(targets: Iterable[TargetEntry], maintenance: Iterable[Mapping[str, Any]] = ()) -> str:
    """The file. Targets are by id; each value is what the entry has, nothing is resolved."""
    text = _HEAD
    items = [_item(_ordered(written(one))) for one in targets]
    text += "targets:\n" + "".join(items) if items else "targets: []\n"
    windows = [_item(one) for one in maintenance]
    return text + ("maintenance:\n" + "".join(windows) if windows else "")


def window(entry: str) -> Mapping[str, Any]:
    """A maintenance window of the page, of its JSON; without fields that are not written."""
    fields: Mapping[str, Any] = msgspec.json.decode(entry, type=dict[str, Any])
    return {name: value for name, value in fields.items() if value is not None}


def _ordered(fields: Mapping[str, Any]) -> dict[str, Any]:
    first = {name: fields[name] for name in _FIRST if name in fields}
    return first | {name: value for name, value in fields.items() if name not in first}


def _item(fields: Mapping[str, Any]) -> str:
    lines = (f"{name}: {yaml_text(value)}\n" for name, value in fields.items())
    return "  - " + "    ".join(lines)
