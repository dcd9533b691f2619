"""The fields of an inventory's entry, and the entry that was typed. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from portquorum.changing.errors import FieldError
from portquorum.editing.entries import alone
from portquorum.inventory.decode import one_entry
from portquorum.inventory.document import TargetEntry
from portquorum.inventory.errors import Problem, path_text
from portquorum.inventory.heartbeats import FIELDS as WHEN
from portquorum.inventory.heartbeats import KIND as JOB
from portquorum.inventory.places import default_port
from portquorum.inventory.tree import Mapping as Tree
from portquorum.inventory.tree import Root
from portquorum.web.forms.form import Field, Group, Option
from portquorum.web.forms.posted import Posted, filled
from portquorum.web.forms.struct_fields import fields_of, texts_of, values_of
from portquorum.web.pages.number_words import fill
from portquorum.web.words import ENGLISH
from producers.kinds.registry import KINDS

_W: Final = ENGLISH.forms
PROBE: Final = "probe."
_WHAT: Final = ("host", "port", "name")
_WHOSE: Final = ("team", "tags", "criticality", "purpose", "runbook")
_HOW: Final = ("interval", "regions", "depends_on")
_REST: Final = (
    *("timeout", "retries", "retry_delay", "consensus", "open_after", "recover_after"),
    *("abandon_after", "latency", "max_ms", "expect", "resolver", "slo", "downtime_cost_per_hour"),
)
_HOST_PORT: Final = re.compile(r"([^:/]+|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})")
_FIELDS: Final = frozenset((*_WHAT, *_WHOSE, *_HOW, *_REST))
_J: Final = ENGLISH.heartbeats
_REST_OF_JOB: Final = ("slo", "downtime_cost_per_hour")
_FIELDS_OF_JOB: Final = frozenset(("name", *WHEN, *_WHOSE, "depends_on", *_REST_OF_JOB))
"""A job that reports itself has nothing of a check."""


class Offered(msgspec.Struct, frozen=True, kw_only=True):
    """Names that there are, to choose from."""

    teams: Sequence[str] = ()
    tags: Sequence[str] = ()
    regions: Sequence[str] = ()


def kind_of(sent: Posted) -> str:
    """The kind that was chosen; one that there is none of is tcp."""
    kind = sent.text("kind", "tcp")
    return kind if kind in KINDS or kind == JOB else "tcp"


def groups_of(sent: Posted, offered: Offered, *, with_id: bool) -> list[Group]:
    """All groups of the form of a target."""
    kind = kind_of(sent)
    if kind == JOB:
        return _groups_of_job(sent, offered, with_id=with_id)
    options = _probe_group(kind, sent)
    return [
        Group(
            legend=_W.what_is_checked,
            fields=[_kind_field(kind), *(_port(one, kind) for one in _plain(_WHAT, sent, offered))],
            name="what",
        ),
        *([options] if options else []),
        Group(legend=_W.whose_it_is, fields=_plain(_WHOSE, sent, offered), name="whose"),
        Group(legend=_W.how_it_is_checked, fields=_plain(_HOW, sent, offered), name="how"),
        Group(
            legend=_W.more_options,
            fields=_plain((*_REST, *(["id"] if with_id else [])), sent, offered),
            name="rest",
            is_folded=not any(sent.text(one) for one in (*_REST, "id") if one != "expect"),
        ),
    ]


def _groups_of_job(sent: Posted, offered: Offered, *, with_id: bool) -> list[Group]:
    rest = (*_REST_OF_JOB, *(["id"] if with_id else []))
    (name,) = _plain(["name"], sent, offered, is_job=True)
    what = [_kind_field(JOB), msgspec.structs.replace(name, is_needed=True)]
    when = [
        msgspec.structs.replace(one, suggestions=_ZONES) if one.name == "zone" else one
        for one in _plain(WHEN, sent, offered, is_job=True)
    ]
    return [
        Group(legend=_J.what, fields=what, name="what"),
        Group(legend=_J.when, fields=when, name="when"),
        Group(legend=_W.whose_it_is, fields=_plain(_WHOSE, sent, offered), name="whose"),
        Group(
            legend=_W.more_options,
            fields=_plain(("depends_on", *rest), sent, offered),
            name="rest",
            is_folded=not any(sent.text(one) for one in ("depends_on", *rest)),
        ),
    ]


def sent_of(entry: TargetEntry) -> Posted:
    """What a form with this entry would send."""
    written = msgspec.to_builtins(entry)
    given = {name: value for name, value in written.items() if value is not None}
    texts = texts_of(TargetEntry, given) | {"kind": entry.kind}
    known = KINDS.get(entry.kind)
    if known is not None and known.options is not None and entry.probe is not None:
        texts |= {"options": entry.kind} | texts_of(
            known.options, entry.probe, PROBE, any_value=_any_value(entry.kind)
        )
        texts |= {
            f"{PROBE}{field.name}": "1"
            for field in msgspec.structs.fields(known.options)
            if field.default is True and field.encode_name not in entry.probe
        }
    return filled(texts)


def entry_of(
    sent: Posted, before: TargetEntry | None = None
) -> tuple[TargetEntry | None, list[FieldError]]:
    """The entry that was typed, and what is wrong with it (then there is none).

    Fields that the form does not have stay as they were `before`.
    """
    kind = sent.text("kind", "tcp")
    fields = _FIELDS_OF_JOB if kind == JOB else _FIELDS
    values, errors = values_of(TargetEntry, sent, only=fields | {"id"})
    if kind == JOB:
        if not values.keys() & {"name", "id"}:
            errors.append(FieldError(field="name", message=_W.needed))
    else:
        errors += _split_host(values)
        if "host" not in values:
            errors.append(FieldError(field="host", message=_W.host_needed))
    kept = _without_fields(before)
    probe, wrong = _probe(kind, sent, before)
    item = Tree(0)
    item.update(kept | values | {"kind": kind})
    if probe:
        item["probe"] = probe
    problems: list[Problem] = []
    entry = next(one_entry(Root("", item, 0), (), item, TargetEntry, problems), None)
    errors += wrong + _errors(problems)
    if errors and entry is not None:  # what comes of the rest is said, too, not only afterwards
        rest: list[Problem] = []
        alone(entry, rest)
        said = {one.field for one in errors}
        errors += [one for one in _errors(rest) if one.field not in said]
    return (None, errors) if errors or entry is None else (entry.value, [])


def _errors(problems: Sequence[Problem]) -> list[FieldError]:
    return [FieldError(field=path_text(one.where.path), message=one.message) for one in problems]


def _split_host(values: dict[str, Any]) -> list[FieldError]:
    """`db1:5432` in the field of the host is host and port; what is wrong if another was typed."""
    found = _HOST_PORT.fullmatch(str(values.get("host", "")).strip())
    if found is None:
        return []
    host, port = found[1].strip("[]"), int(found[2])
    if values.get("port", port) != port:
        return [FieldError(field="host", message=fill(_W.two_ports, port=port))]
    values |= {"host": host, "port": port}
    return []


def _probe(
    kind: str, sent: Posted, before: TargetEntry | None
) -> tuple[dict[str, Any], list[FieldError]]:
    known = KINDS.get(kind)
    if known is None or known.options is None:
        return {}, []
    if sent.text("options") != kind:  # its fields were not shown: nobody has said anything of them
        is_same = before is not None and before.kind == kind
        return (dict(before.probe or {}) if before is not None and is_same else {}), []
    return values_of(known.options, sent, prefix=PROBE, any_value=_any_value(kind))


def _without_fields(before: TargetEntry | None) -> dict[str, Any]:
    if before is None:
        return {}
    written: Mapping[str, Any] = msgspec.to_builtins(before)
    left = {*_FIELDS, *_FIELDS_OF_JOB, "kind", "probe"}
    return {name: one for name, one in written.items() if name not in left and one is not None}


def _kind_field(kind: str) -> Field:
    return Field(
        name="kind",
        label=ENGLISH.kind,
        kind="select",
        options=[Option(name, _kind_words(name)) for name in (*KINDS, JOB)],
        value=kind,
        again="options",
        hint=_W.kind_hint,
    )


def _kind_words(kind: str) -> str:
    if kind == JOB:
        return f"{kind}: {_J.job}"
    port = default_port(kind)
    return kind if port is None else fill(_W.kind_port, kind=kind, port=port)


def _port(field: Field, kind: str) -> Field:
    if field.name != "port":
        return field
    known, port = KINDS[kind], default_port(kind)
    hint = _W.no_port if not known.has_port else ""
    if port is not None:
        hint = fill(_W.usual_port, port=port, kind=kind)
    return msgspec.structs.replace(field, hint=hint, is_needed=known.has_port and port is None)


def _plain(
    names: Sequence[str], sent: Posted, offered: Offered, *, is_job: bool = False
) -> list[Field]:
    made = fields_of(
        TargetEntry,
        sent,
        only=names,
        labels={**_W.entry_labels, **_J.labels},
        hints={**_W.entry_hints, **(_J.hints if is_job else {})},
    )
    by_name = {one.name: one for one in made}
    return [_offered(by_name[name], sent, offered) for name in names]


def _offered(field: Field, sent: Posted, offered: Offered) -> Field:
    match field.name:
        case "team":
            return msgspec.structs.replace(field, suggestions=offered.teams)
        case "tags" | "depends_on":
            shown = ", ".join(sent.lines(field.name))
            return msgspec.structs.replace(field, kind="text", value=shown)
        case "regions" if 0 < len(offered.regions) <= _MOST_BOXES:
            chosen = sent.lines("regions")
            names = dict.fromkeys((*offered.regions, *chosen))
            return msgspec.structs.replace(
                field,
                kind="boxes",
                options=[Option(one, one) for one in names],
                value="\n".join(chosen),
            )
        case "host":
            return msgspec.structs.replace(field, is_needed=True)
    return field


_MOST_BOXES: Final = 24
_ZONES: Final = (
    *("UTC", "Europe/Berlin", "Europe/London", "America/New_York", "America/Chicago"),
    *("America/Los_Angeles", "America/Sao_Paulo", "Asia/Kolkata", "Asia/Shanghai", "Asia/Tokyo"),
    "Australia/Sydney",
)
"""Of some 400; others are taken, too."""


def _probe_group(kind: str, sent: Posted) -> Group | None:
    options = KINDS[kind].options
    if options is None:
        return None
    is_here = sent.text("options") == kind
    typed = sent if is_here else Posted()
    fields = fields_of(options, typed, prefix=PROBE, is_sent=is_here, any_value=_any_value(kind))
    is_needed = _needs_options(kind)
    if not is_needed:  # what is needed among them is so only if any is given
        fields = [msgspec.structs.replace(one, is_needed=False) for one in fields]
    is_used = is_needed or (is_here and bool(values_of(options, typed, prefix=PROBE)[0]))
    note = " ".join((options.__doc__ or "").split())
    return Group(
        legend=fill(_W.options_of, kind=kind),
        fields=fields,
        note=note.replace("`", ""),
        name="probe",
        is_folded=not is_used,
    )


def _any_value(kind: str) -> list[str]:
    """The options that are any value, not within others."""
    return [one[0] for one in KINDS[kind].json_options if len(one) == 1]


def _needs_options(kind: str) -> bool:
    """True if a target of this kind can't be without options."""
    known = KINDS[kind]
    try:
        known.settle(None, known.port)
    except ValueError:
        return True
    return False
