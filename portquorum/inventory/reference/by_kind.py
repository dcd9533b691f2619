"""What the kind of a target says of its other fields, as conditions of JSON Schema."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from portquorum.inventory.document import TargetEntry
from portquorum.inventory.heartbeats import KIND as HEARTBEAT
from portquorum.inventory.heartbeats import misplaced
from portquorum.inventory.reference import kinds
from portquorum.inventory.reference.shapes import NULL, Schema
from producers.kinds.registry import KINDS

ANY_PROBE: Final = "probe"
"""The definition of options whose kind is not known."""

_SAYS_KIND: Final[Schema] = {"required": ["kind"]}
_EXTENDS: Final[Schema] = {"required": ["extends"]}
_SILENT: Final[Schema] = {"not": {"anyOf": [_SAYS_KIND, _EXTENDS]}}
"""No kind, and no template that may have one: it is `tcp`."""


def probe_name(kind: str) -> str:
    """The name of the definition of a kind's options."""
    return f"probe_{kind}"


def of_target() -> Schema:
    """The conditions of an item of `targets:`."""
    rules = [*_common(), {"if": _SILENT, "then": _options(probe_name("tcp"))}]
    from_template = {"required": ["extends"], "not": _SAYS_KIND}
    rules.append({"if": from_template, "then": _options(ANY_PROBE)})
    known = {"anyOf": [_SILENT, {**_SAYS_KIND, "not": _is(HEARTBEAT)}]}
    rules.append({"if": known, "then": {"required": ["host"]}})
    with_port = [kind for kind, one in KINDS.items() if one.has_port and one.port is None]
    wants_port = {"anyOf": [_SILENT, {**_is(*with_port), "not": _EXTENDS}]}
    ports = {"anyOf": [{"required": ["port"]}, {"required": ["ports"]}]}
    rules.append({"if": wants_port, "then": ports})
    jobs_alone = dict(misplaced(_with_every_field("tcp")))
    rules.append({"if": _SILENT, "then": _refused(_only_of_jobs(jobs_alone))})
    return {"allOf": rules, "type": "object"}


def of_template() -> Schema:
    """The conditions of a template: without a kind, the options of any."""
    return {"allOf": [*_common(), {"if": {"not": _SAYS_KIND}, "then": _options(ANY_PROBE)}]}


def descriptions() -> list[str]:
    """The sentences of the kinds, in the order of `names`."""
    return [kinds.TEXT[kind] for kind in names()]


def names() -> list[str]:
    """All kinds."""
    return [*KINDS, HEARTBEAT]


def _common() -> list[Schema]:
    rules: list[Schema] = [{"if": _is(kind), "then": _options(probe_name(kind))} for kind in KINDS]
    of_job = dict(misplaced(_with_every_field(HEARTBEAT)))
    rules.append({"if": _is(HEARTBEAT), "then": _refused(of_job)})
    jobs_alone = dict(misplaced(_with_every_field("tcp")))
    checked = {**_SAYS_KIND, "not": _is(HEARTBEAT)}
    rules.append({"if": checked, "then": _refused(_only_of_jobs(jobs_alone))})
    return rules


def _only_of_jobs(fields: Iterable[str]) -> dict[str, str]:
    return dict.fromkeys(fields, f"Only a {HEARTBEAT} has it.")


def _is(*of: str) -> Schema:
    return {"properties": {"kind": {"enum": list(of)}}, "required": ["kind"]}


def _options(definition: str) -> Schema:
    return {"properties": {"probe": {"$ref": f"#/$defs/{definition}"}}}


def _refused(why: Mapping[str, str]) -> Schema:
    """Lets none of these fields have a value; a field that is written empty has none."""
    refused = {name: text for name, text in why.items() if name != "expect"}
    return {
        "properties": {
            name: {**NULL, "errorMessage": text, "doNotSuggest": True}
            for name, text in refused.items()
        }
    }


def _with_every_field(kind: str) -> TargetEntry:
    values: dict[str, Any] = dict.fromkeys(TargetEntry.__struct_fields__, "")
    return TargetEntry(**(values | {"kind": kind}))
