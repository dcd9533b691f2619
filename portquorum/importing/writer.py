"""The inventory of an import as YAML, with comments on what is nearly as it was."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from portquorum.importing.model import Report, Taken
from portquorum.inventory.editor import MODELINE
from portquorum.inventory.heartbeats import KIND as HEARTBEAT
from portquorum.inventory.yaml_text import yaml_text
from producers.kinds.registry import KINDS
from schemas.plain_text import one_line

_WIDTH: Final = 100
_DURATION: Final = re.compile(r"[0-9]+(?:ms|s|m|h|d)\Z")
_COMMON: Final = ("interval", "timeout", "retries", "open_after", "recover_after")
"""Fields that go to `defaults:` where every target has them."""

_OF_SPANS: Final = frozenset({"interval", "timeout"})


def document(inventory: Mapping[str, Any], report: Report) -> str:
    """The text of the inventory file."""
    targets, defaults = _with_defaults(inventory.get("targets", []))
    lines = [
        MODELINE,
        f"# What portquorum watches, taken over by `portquorum import {report.source}`.",
        "# `# nearly:` says what differs from the source. All fields: docs/inventory.md",
    ]
    for section in ("regions", "teams", "routes"):
        if inventory.get(section):
            lines += [f"{section}:", *_named(inventory[section], report, section)]
    if defaults:
        lines += ["defaults:", *_fields(defaults, 2)]
    if targets:
        lines.append("targets:")
    by_id = {name: entry for entry in report.entries for name in entry.ids}
    for target in targets:
        lines += _target(target, by_id.get(target["id"]))
    if inventory.get("maintenance"):
        lines.append("maintenance:")
        for window in inventory["maintenance"]:
            lines += _item(window)
    return "\n".join(lines) + "\n"


def _named(section: Mapping[str, Any], report: Report, kind: str) -> Iterator[str]:
    for name, value in section.items():
        if kind == "routes":
            yield from (_comment("nearly", text) for text in report.routes.get(name, ()))
        yield from _field(name, value, 2)


def _target(target: Mapping[str, Any], entry: Taken | None) -> Iterator[str]:
    if entry is not None and entry.ids[0] == target["id"]:
        yield from (_comment("nearly", text) for text in entry.differences)
    yield from _item(target)


def _comment(word: str, text: str) -> str:
    return f"  # {word}: {one_line(text)}"


def _item(value: Mapping[str, Any]) -> Iterator[str]:
    for position, line in enumerate(_fields(value, 4)):
        yield f"  - {line[4:]}" if position == 0 else line


def _fields(value: Mapping[str, Any], indent: int) -> list[str]:
    return [line for name, one in value.items() for line in _field(str(name), one, indent)]


def _field(name: str, value: Any, indent: int) -> list[str]:
    """A key and its value: in one line where there is room, else in lines of their own."""
    lead = " " * indent + yaml_text(name) + ":"
    plain = isinstance(value, str) and _DURATION.match(value) is not None
    flat = f"{lead} {value if plain else yaml_text(value)}"
    if len(flat) <= _WIDTH or not value:
        return [flat]
    if isinstance(value, Mapping):
        return [lead, *_fields(value, indent + 2)]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [lead, *(f"{' ' * (indent + 2)}- {yaml_text(one)}" for one in value)]
    return [flat]


def _with_defaults(
    targets: Sequence[Mapping[str, Any]],
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The targets without what most of them have in common, and that as `defaults:`."""
    checked = [one for one in targets if one.get("kind") != HEARTBEAT]
    of_spans = [one for one in checked if not _spans(one)]
    if len(of_spans) < 2:
        return [dict(one) for one in targets], {}
    defaults: dict[str, Any] = {}
    for name in _COMMON:
        # Defaults of a length of time do not hold for kinds with their own, the others do.
        concerned = of_spans if name in _OF_SPANS else checked
        if all(name in one for one in concerned):
            defaults[name] = Counter(one[name] for one in of_spans).most_common(1)[0][0]
    return [_without(one, defaults) for one in targets], defaults


def _without(target: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    if _spans(target):
        return dict(target)
    return {name: one for name, one in target.items() if defaults.get(name) != one}


def _spans(target: Mapping[str, Any]) -> bool:
    """Whether the kind is a job, or one with an interval and a timeout of its own."""
    kind = KINDS.get(target.get("kind", "tcp"))
    return kind is None or bool(kind.spans)
