"""`portquorum target add`: adds a target to the inventory file, and leaves the rest unchanged."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import yaml
from msgspec import Struct

from portquorum.inventory import tree
from portquorum.inventory.decode import Entries, decode_all
from portquorum.inventory.document import TargetEntry
from portquorum.inventory.editor import MODELINE, write_beside
from portquorum.inventory.errors import InventoryError, Problem, Where
from portquorum.inventory.load import read_text
from portquorum.inventory.publish import source_name
from portquorum.inventory.replace_file import replace_file
from portquorum.inventory.resolve import resolve
from portquorum.inventory.yaml_text import yaml_text
from schemas.target import Target

NEW_FILE: Final = f"""\
{MODELINE}
# What portquorum watches. All fields: see the documentation of the inventory.
regions:
{{regions}}targets:
"""


class Added(Struct, frozen=True):
    """A target that was added to `path`, resolved. `created`: the file is new.

    `warnings` are sentences for people about this target.
    """

    target: Target
    path: Path
    created: bool
    warnings: tuple[str, ...] = ()


def parse_place(place: str) -> tuple[str, int]:
    """Splits `host:port`, IPv6 in brackets; the inventory checks the host.

    Raises:
        ValueError: no port, or a port outside of 1 to 65535.
    """
    if "://" in place:
        raise ValueError(f"expected HOST:PORT and no URL (a page is --kind http), found {place!r}")
    host, colon, port = place.rpartition(":")
    bare_ipv6 = ":" in host and not (host.startswith("[") and host.endswith("]"))
    if not colon or not host or bare_ipv6:
        raise ValueError(f"expected HOST:PORT (IPv6 as [::1]:PORT), found {place!r}")
    if not port.isascii() or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(f"expected a port from 1 to 65535 after the last colon, found {port!r}")
    return host.removeprefix("[").removesuffix("]"), int(port)


def add(
    path: Path, entry: TargetEntry, *, new_regions: Sequence[str] = ("local",), source: str = ""
) -> Added:
    """Appends `entry` to the targets of `path`; comments and layout of the rest stay.

    Creates a missing file, with the regions that the entry names or `new_regions`, all `internal:
    true` (they may reach private addresses), and beside it the schema for editors. On return the
    file is on disk; it is replaced atomically. Nothing is applied.

    Raises:
        InventoryError: the file would not be right with it, or can't be extended safely; nothing
            was written.
    """
    path = path.resolve()
    created = not path.exists()
    if created:
        names = entry.regions or tuple(new_regions)
        text = NEW_FILE.format(regions="".join(f"  {n}: {{internal: true}}\n" for n in names))
    else:
        text, problems = read_text(path)
        if problems:
            raise InventoryError(problems)
    longer = _extended(text, entry, str(path))
    entries, problems = Entries(), []
    roots, problems = tree.read(longer, str(path))
    problems += decode_all(roots, entries)
    inventory = resolve(entries, source or source_name([path]), problems)
    _only_this_was_added(text, longer, entry, str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, longer)
    if created:
        write_beside(path)
    here = entries.targets[-1].where("host")
    warnings = tuple(str(warning) for warning in inventory.warnings if warning.where == here)
    return Added(inventory.targets[-1], path, created, warnings)


def item(entry: TargetEntry, indent: int, newline: str = "\n") -> str:
    """The YAML lines of a target, each ended by `newline`."""
    lines: list[str] = []
    for name, value in _fields(entry).items():
        lead = " " * indent + ("- " if not lines else "  ")
        lines.append(f"{lead}{name}: {yaml_text(value)}{newline}")
    return "".join(lines)


def _fields(entry: TargetEntry) -> dict[str, Any]:
    order = ("name", "id", "kind", "host", "port")
    fields = {name: getattr(entry, name) for name in (*order, *TargetEntry.__struct_fields__)}
    if entry.kind == "tcp":
        del fields["kind"]
    if entry.expect == "open":
        del fields["expect"]
    if entry.enabled:
        del fields["enabled"]
    return {name: value for name, value in fields.items() if value not in (None, ())}


def _extended(text: str, entry: TargetEntry, file: str) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    if text and not text.endswith("\n"):
        text += newline
    try:
        nodes = list(yaml.compose_all(text, Loader=yaml.CBaseLoader))
    except yaml.YAMLError:
        _, problems = tree.read(text, file)
        raise InventoryError(problems or [Problem(Where(file, 0), "expected YAML")]) from None
    documents = [node for node in nodes if isinstance(node, yaml.MappingNode)]
    lists = [pair for node in documents for pair in node.value if pair[0].value == "targets"]
    if not lists and len(nodes) <= 1:
        return f"{text}targets:{newline}{item(entry, 2, newline)}"
    lines = text.splitlines(keepends=True)
    if lists:
        key, value = lists[-1]
        if isinstance(value, yaml.ScalarNode) and value.value in {"", "~", "null"}:
            lines.insert(key.end_mark.line + 1, item(entry, 2, newline))
            return "".join(lines)
        if isinstance(value, yaml.SequenceNode) and not value.flow_style and value.value:
            at = _last_line(value) + 1
            lines.insert(at, item(entry, value.start_mark.column, newline))
            return "".join(lines)
    line = lists[-1][0].start_mark.line + 1 if lists else 0
    raise _unsafe(file, line)


def _unsafe(file: str, line: int) -> InventoryError:
    return InventoryError(
        [
            Problem(
                Where(file, line, ("targets",)),
                "expected a list whose items begin with `- ` on lines of their own, so that "
                "another can be appended; add the target by hand",
            )
        ]
    )


def _last_line(node: Any) -> int:
    """The line (from 0) of a node's last character; the end mark of a collection is after it."""
    if isinstance(node, yaml.ScalarNode) and node.style in {"|", ">"}:
        return int(node.end_mark.line) - 1
    if isinstance(node, yaml.ScalarNode) or node.flow_style or not node.value:
        return int(node.end_mark.line)
    last = node.value[-1]
    parts = last if isinstance(last, tuple) else (last,)
    return max(_last_line(part) for part in parts)


def _only_this_was_added(before: str, after: str, entry: TargetEntry, file: str) -> None:
    """Checks that the rest of the file is unchanged."""
    old, _ = tree.read(before, file)
    new, _ = tree.read(after, file)
    added, _ = tree.read(item(entry, 0), file)
    for root in new:
        targets = root.value.get("targets") if isinstance(root.value, dict) else None
        if targets and targets[-1] == added[0].value[0]:
            targets.pop()
            if _same(old, new):
                return
            targets.append(added[0].value[0])
    raise _unsafe(file, 0)


def _same(old: list[tree.Root], new: list[tree.Root]) -> bool:
    def values(roots: list[tree.Root]) -> list[Any]:
        plain = [{k: v for k, v in root.value.items() if v not in (None, [])} for root in roots]
        return [value for value in plain if value]

    return values(old) == values(new)
