"""docs/inventory-fields.md: every field of an inventory in tables."""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from portquorum.inventory import document
from portquorum.inventory.reference import kinds
from portquorum.inventory.reference.changes import EFFECTS
from portquorum.inventory.reference.fact import Change
from portquorum.inventory.reference.facts import default_of, default_text, facts_of
from portquorum.inventory.reference.types import limit_words, type_words
from producers.kinds.registry import KINDS
from schemas import probe

_HEAD: Final = """\
# Every field of an inventory

Made from the code by `make generate`; [inventory.md](inventory.md) explains how they work
together, and [kinds.md](kinds.md) what each kind checks. The same is known to
[your editor](inventory.md#in-your-editor).

- A **list** may be written as its one item: `tags: prod`. A **duration** is a number with a unit,
  or several: `250ms`, `30s`, `1h30m`. A number may stand in quotes, and a text that is a number
  needs none.
- **Default**: what holds if the field is not written, neither at the target, nor in a template that
  it [extends](#templates), nor in [`defaults:`](#defaults).
- **When it changes**: what follows once the new inventory is applied, in a word or two;
  [below](#when-a-field-changes) it is explained. A target of which anything has changed is checked
  at once, by all of its regions.
"""

_SECTIONS: Final[tuple[tuple[str, str, type[Struct]], ...]] = (
    ("The file", "The sections; each may stand in any file of an inventory.", document.Document),
    ("Targets", "An item of `targets:`.", document.FileTargetEntry),
    ("Latency", "`latency:` of a target.", document.LatencyEntry),
    (
        "Templates",
        "An entry of `templates:`; what its fields mean is said of [targets](#targets).",
        document.TargetTemplateEntry,
    ),
    (
        "Defaults",
        "`defaults:`; what its fields mean is said of [targets](#targets).",
        document.DefaultsEntry,
    ),
    ("Regions", "An entry of `regions:`.", document.RegionEntry),
    ("Teams", "An entry of `teams:`.", document.TeamEntry),
    ("Routes", "An entry of `routes:`.", document.RouteEntry),
    ("Rotation", "`rotation:` of a route.", document.RotationEntry),
    ("Quiet hours", "`quiet:` of a route.", document.QuietEntry),
    ("Escalation", "An item of `escalate:` of a route.", document.EscalationEntry),
    ("Texts of one's own", "`templates:` of a route.", document.TemplatesEntry),
    ("Maintenance", "An item of `maintenance:`.", document.MaintenanceEntry),
    ("Fire drills", "`drill:`.", document.DrillEntry),
)
_NO_DEFAULT: Final = ("must be there", "must be there; a `heartbeat` has none")
_NAMES_ALONE: Final = (document.TargetTemplateEntry, document.DefaultsEntry)

_PARTS: Final[tuple[tuple[str, str, type[Struct]], ...]] = (
    ("A step of a dialogue", "An item of `steps:` of `tcp`.", probe.Step),
    ("A message", "An item of `steps:` of `websocket`.", probe.Exchange),
    ("A condition", "An item of `conditions:` of `http`.", probe.Condition),
    ("A login", "`basic_auth:`.", probe.BasicAuth),
    ("A client's certificate", "`client_certificate:`.", probe.ClientCertificate),
)


def page() -> str:
    """The whole page."""
    parts = [_HEAD]
    for title, text, struct in _SECTIONS:
        parts.append(_section(2, title, text, struct))
    parts.append(
        "## Options of each kind\n\nWhat `probe:` may have; the first line says which kinds.\n"
    )
    for struct, names in _by_struct().items():
        title = names[0] if len(names) == 1 else "Handshakes"
        parts.append(_section(3, title, _of_kinds(names), struct))
    parts += [_section(3, title, text, struct) for title, text, struct in _PARTS]
    parts.append(_changes())
    return "\n".join(parts)


def _by_struct() -> dict[type[Struct], list[str]]:
    found: dict[type[Struct], list[str]] = {}
    for kind, known in KINDS.items():
        if known.options is not None:
            found.setdefault(known.options, []).append(kind)
    return found


def _of_kinds(names: list[str]) -> str:
    if len(names) == 1:
        return f"`kind: {names[0]}`. {kinds.TEXT[names[0]]}"
    listed = ", ".join(
        f"`{name}`" + (f" ({' or '.join(kinds.tls_ways(name)[1:])})" if _has_tls(name) else "")
        for name in names
    )
    return f"The kinds {listed}. In brackets: the values of `tls` beside `none`."


def _has_tls(name: str) -> bool:
    return len(kinds.tls_ways(name)) > 1


def _section(level: int, title: str, text: str, struct: type[Struct]) -> str:
    head = f"{'#' * level} {title}\n\n{text}\n\n"
    if struct in _NAMES_ALONE:
        names = ", ".join(f"`{name}`" for name in facts_of(struct))
        return f"{head}{names}.\n"
    return head + "\n".join(_table(struct)) + "\n"


def _table(struct: type[Struct]) -> Iterator[str]:
    yield "| field | meaning | type and default | example | when it changes |"
    yield "|---|---|---|---|---|"
    for name, known in facts_of(struct).items():
        limits = _limits(struct, name)
        kind = type_words(struct, name) + (f"; {limits}" if limits else "")
        default = default_of(struct, name)
        says = known.default or ("none" if default is None else f"`{default_text(default)}`")
        example = f"`{name}: {known.example}`"
        of_type = f"{kind}. Default: {says}" if says not in _NO_DEFAULT else f"{kind}; {says}"
        cells = (f"`{name}`", known.text, of_type, example, EFFECTS[known.change].title)
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _limits(struct: type[Struct], name: str) -> str:
    limits = facts_of(struct)[name].limits
    return limit_words(struct, name) if limits is None else f"{limits[0]} to {limits[1]}"


def _changes() -> str:
    lines = [
        "## When a field changes",
        "",
        "After `portquorum inventory apply`, or when `portquorum up` has seen that the file was",
        "saved. What a region has seen of a target last are its windows.",
        "",
        "| | fields | what follows |",
        "|---|---|---|",
    ]
    for change, effect in EFFECTS.items():
        fields = ", ".join(_fields_of(change))
        lines.append(f"| **{effect.title}** | {fields} | {effect.text} |")
    return "\n".join(lines) + "\n"


def _fields_of(change: Change) -> list[str]:
    """The fields with this change, each with the name of what it is of."""
    found: dict[str, None] = {}
    options = [(one, " of `probe:`") for one in _by_struct()]
    sections = [(struct, _OF.get(struct, "")) for _, _, struct in _SECTIONS]
    for struct, of in sections + (options if change == "warn_days" else []):
        for name, known in facts_of(struct).items():
            if known.change == change:
                found.setdefault(f"`{name}`{of}")
    return [*found, *(["all others of `probe:`"] if change == "options" else [])]


_OF: Final[dict[type[Struct], str]] = {
    document.LatencyEntry: " of `latency:`",
    document.RegionEntry: " of a region",
    document.TeamEntry: " of a team",
    document.RouteEntry: " of a route",
    document.RotationEntry: " of `rotation:`",
    document.QuietEntry: " of `quiet:`",
    document.EscalationEntry: " of `escalate:`",
    document.TemplatesEntry: " of `templates:` of a route",
    document.MaintenanceEntry: " of a window",
    document.DrillEntry: " of `drill:`",
}
