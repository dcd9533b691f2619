"""The components of a status page as lines that people edit. Pure.

`Group / Public name [id] = target, target | description`; group, id and description may be left
out. A name with ` / ` in it, without a group, begins with `/ `.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from portquorum.changing.errors import FieldError
from portquorum.changing.status_edits import WantedComponent, WantedGroup
from portquorum.status_editing.page_rules import component_id

_LINE: Final = re.compile(r"(?P<head>.*?)=(?P<targets>[a-z0-9._,\s-]*)(?:\|(?P<text>.*))?")
_HEAD: Final = re.compile(r"(?P<name>.*?)\s*\[(?P<id>[^\[\]\s]*)\]")
_PLACE: Final = re.compile(r"groups\[(\d+)\](?:\.components\[(\d+)\])?\.?(.*)")
_SLASH: Final = " / "
_BREAK: Final = "\\n"
FIELD: Final = "components"
_MOST_SAID: Final = 20
_NO_EQUALS: Final = "expected NAME = TARGET, found no ="


class Lines(Struct, frozen=True):
    """What was typed: groups, and the line (from 1) of each component by its places in them."""

    groups: tuple[WantedGroup, ...]
    places: dict[tuple[int, int], int]
    errors: tuple[FieldError, ...]


def read(text: str) -> Lines:
    """The groups of lines; what is no line is in `errors`, at `components`."""
    groups: list[tuple[str, list[WantedComponent]]] = []
    by_name: dict[str, int] = {}
    places: dict[tuple[int, int], int] = {}
    errors = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        found = _read_line(line.strip())
        if found is None:
            errors.append(FieldError(field=FIELD, message=_at(number, _NO_EQUALS)))
            continue
        name, component = found
        at = by_name.get(name) if name else None
        if at is None and groups and groups[-1][0] == name:
            at = len(groups) - 1
        if at is None:
            at = len(groups)
            groups.append((name, []))
            if name:
                by_name[name] = at
        places[at, len(groups[at][1])] = number
        groups[at][1].append(component)
    made = tuple(WantedGroup(name=name, components=tuple(found)) for name, found in groups)
    return Lines(made, places, tuple(errors[:_MOST_SAID]))


def written(groups: Iterable[WantedGroup]) -> str:
    """The lines of groups; `read` makes the same of them."""
    return "\n".join(
        line_of(group.name, component) for group in groups for component in group.components
    )


def line_of(group: str, component: WantedComponent) -> str:
    """One line."""
    name = component.name
    if group:
        head = f"{group}{_SLASH}{name}"
    else:
        head = f"/ {name}" if _SLASH in name or name.startswith("/") else name
    if component.id is not None and (
        component.id != component_id(name) or name.endswith("]") or "=" in name
    ):
        head += f" [{component.id}]"
    line = f"{head} = {', '.join(component.targets)}"
    text = component.description.replace("\n", _BREAK)
    return f"{line} | {text}" if text else line


def with_lines(
    errors: Sequence[FieldError], places: dict[tuple[int, int], int]
) -> list[FieldError]:
    """Errors of a page's groups as those of the lines; others as they are."""
    made: list[FieldError] = []
    said: list[tuple[int, str]] = []
    for one in errors:
        found = _PLACE.fullmatch(one.field)
        if found is None:
            field = FIELD if one.field == "groups" else one.field
            made.append(FieldError(field=field, message=one.message))
            continue
        at, component = int(found[1]), int(found[2] or 0)
        said.append((places.get((at, component), 0), one.message))
    said.sort()
    made += [FieldError(field=FIELD, message=_at(*one)) for one in said[:_MOST_SAID]]
    if len(said) > _MOST_SAID:
        left = f"and {len(said) - _MOST_SAID} more"
        made.append(FieldError(field=FIELD, message=left))
    return made


def _read_line(line: str) -> tuple[str, WantedComponent] | None:
    found = _LINE.fullmatch(line)
    if found is not None:
        head, targets, text = found["head"], found["targets"], found["text"] or ""
    else:  # ids that can be none: they are named one by one
        head, equals, rest = line.partition("=")
        if not equals:
            return None
        targets, _, text = rest.partition("|")
    head = head.strip()
    named = _HEAD.fullmatch(head)
    ident = None if named is None else named["id"]
    head = head if named is None else named["name"]
    if head.startswith("/ ") or head == "/":
        group, name = "", head[1:]
    else:
        group, slash, name = head.partition(_SLASH)
        if not slash:
            group, name = "", head
    return group.strip(), WantedComponent(
        id=ident,
        name=name.strip(),
        targets=tuple(one for one in re.split(r"[,\s]+", targets) if one),
        description=text.strip().replace(_BREAK, "\n"),
    )


def _at(number: int, message: str) -> str:
    return f"line {number}: {message}"
