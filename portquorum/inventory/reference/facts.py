"""All fields: Struct of the document → its facts."""

from typing import Any, Final

import msgspec
from msgspec import Struct

from portquorum.inventory import document, tree
from portquorum.inventory.reference import others, probes, routes, targets
from portquorum.inventory.reference.fact import Facts
from portquorum.inventory.targets import BUILT_IN
from portquorum.inventory.yaml_text import yaml_text

FACTS: Final[dict[type[Struct], Facts]] = {
    document.Document: others.SECTIONS,
    document.RegionEntry: others.REGION,
    document.TeamEntry: others.TEAM,
    document.RouteEntry: routes.ROUTE,
    document.RotationEntry: routes.ROTATION,
    document.QuietEntry: routes.QUIET,
    document.EscalationEntry: routes.ESCALATION,
    document.TemplatesEntry: routes.TEMPLATES,
    document.DefaultsEntry: targets.DEFAULTS,
    document.FileTargetEntry: targets.TARGET,
    document.TargetTemplateEntry: targets.TARGET,
    document.LatencyEntry: targets.LATENCY,
    document.MaintenanceEntry: others.MAINTENANCE,
    document.DrillEntry: others.DRILL,
    **probes.OPTIONS,
}


def facts_of(struct: type[Struct]) -> Facts:
    """The facts of the fields of `struct`, in the order in which people look for them.

    Raises:
        KeyError: of a field nothing is known.
    """
    known, fields = FACTS[struct], struct.__struct_encode_fields__
    missing = [name for name in fields if name not in known]
    if missing:
        raise KeyError(f"no facts of {struct.__name__}: {', '.join(missing)}")
    return {name: one for name, one in known.items() if name in fields}


def default_of(struct: type[Struct], name: str) -> Any:
    """The value that holds if nothing is written; None if there is none, or words say it."""
    if FACTS[struct][name].default or struct in NO_DEFAULTS:
        return None
    if struct is document.FileTargetEntry and name in BUILT_IN:
        return BUILT_IN[name]
    found = next(one for one in msgspec.structs.fields(struct) if one.encode_name == name)
    return None if found.default is msgspec.NODEFAULT else msgspec.to_builtins(found.default)


def default_text(value: object) -> str:
    """A default as YAML has it, without quotes where it needs none."""
    if isinstance(value, str):
        roots, _ = tree.read(value, "")
        if [root.value for root in roots] == [value]:
            return value
    return yaml_text(value)


NO_DEFAULTS: Final = (document.DefaultsEntry, document.TargetTemplateEntry)
"""What they say replaces the defaults of targets."""
