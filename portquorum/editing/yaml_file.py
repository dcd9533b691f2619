"""The page's own inventory as a file that `inventory apply` takes."""

from collections.abc import Iterable, Mapping
from typing import Any

from portquorum.editing.entries import written
from portquorum.inventory.document import MaintenanceEntry, TargetEntry
from portquorum.inventory.yaml_text import yaml_text

_HEAD = """\
# The inventory of portquorum's page. Regions, teams and routes that it names are of other
# inventories: check it together with them (portquorum inventory check regions.yaml FILE).
# Before it is applied, remove these targets from the page (portquorum target remove).
"""
_FIRST = ("name", "id", "kind", "host", "port")


def document(
    targets: Iterable[TargetEntry], maintenance: Iterable[Mapping[str, Any] | MaintenanceEntry] = ()
) -> str:
    """The file. Targets are by id; each value is what the entry has, nothing is resolved."""
    text = _HEAD
    items = [_item(_ordered(written(one))) for one in targets]
    text += "targets:\n" + "".join(items) if items else "targets: []\n"
    windows = [_item(_given(one)) for one in maintenance]
    return text + ("maintenance:\n" + "".join(windows) if windows else "")


def _ordered(fields: Mapping[str, Any]) -> dict[str, Any]:
    first = {name: fields[name] for name in _FIRST if name in fields}
    return first | {name: value for name, value in fields.items() if name not in first}


def _given(entry: Mapping[str, Any] | MaintenanceEntry) -> Mapping[str, Any]:
    if isinstance(entry, Mapping):
        return entry
    pairs = ((name, getattr(entry, name)) for name in entry.__struct_fields__)
    return {name: value for name, value in pairs if value is not None}


def _item(fields: Mapping[str, Any]) -> str:
    lines = (f"{name}: {yaml_text(value)}\n" for name, value in fields.items())
    return "  - " + "    ".join(lines)
