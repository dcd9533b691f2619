"""What the loader takes is right by the schema, and what that takes has the types of the loader."""

from typing import Any, Final

import jsonschema_rs
import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from portquorum.inventory import InventoryError, tree
from portquorum.inventory.decode import Entries, decode
from portquorum.inventory.document import FileTargetEntry, RouteEntry, TargetTemplateEntry
from portquorum.inventory.errors import Problem
from portquorum.inventory.probes import ProbeError, probe_of
from portquorum.inventory.reference.editor_schema import editor_schema
from portquorum.inventory.reference.facts import facts_of
from portquorum.inventory.reference.kinds import options_of
from portquorum.inventory.resolve import resolve
from portquorum.inventory.yaml_text import yaml_text
from producers.kinds.registry import KINDS
from tests.examples import examples

VALIDATOR: Final = jsonschema_rs.Draft202012Validator(editor_schema())
BASE: Final = "regions: {eu: {}, us: {}}\nteams: {database: {}}\n"

SCALARS: Final = st.sampled_from(
    [
        *(None, True, False, 0, 1, 3, 443, 70_000, -1, 0.5, 1.5, 99.9, 100_000),
        *("", "eu", "us", "database", "critical", "a", "x y", "a,b", "30s", "1h30m", "30", "1m1h"),
        *("5432", "0.5", "-1", "70000", "true", "GET", "/x", "00 ff", "200-299", "8000-8003"),
        *("mon-fri 18:00-08:00", "20 in 1h", "${A}", "quorum", "implicit", "1.2", "http", "dns"),
    ]
)
_RULES: Final = ("found both", "that is defined")
"""Of sentences that say a rule, and not a type."""

KEYS: Final = st.sampled_from(["a", "max_ms", "for", "expect", "send", "hours", "after", "routes"])
VALUES: Final = st.one_of(
    SCALARS,
    st.lists(SCALARS, max_size=2),
    st.dictionaries(KEYS, SCALARS, max_size=2),
    st.lists(st.dictionaries(KEYS, SCALARS, max_size=2), max_size=2),
)


def taken(text: str) -> tuple[list[Problem], list[Problem]]:
    """The problems of the types, and all problems."""
    entries, found = Entries(), list[Problem]()
    for root in tree.read(BASE + text, "f.yaml")[0]:
        found += decode(root, entries)
    types = [one for one in found if not any(words in one.message for words in _RULES)]
    try:
        resolve(entries, "test", list(found))
    except InventoryError as error:
        return types, list(error.problems)
    return types, []


def right(text: str) -> list[str]:
    """What the schema says of a text, as an editor reads it."""
    (root,) = tree.read(BASE + text, "f.yaml")[0]
    return [error.message for error in VALIDATOR.iter_errors(root.value)]


def quoted(value: Any) -> bool:
    """Whether a number stands in quotes somewhere: its range is the loader's business."""
    if isinstance(value, dict):
        return any(map(quoted, value.values()))
    if isinstance(value, list):
        return any(map(quoted, value))
    return isinstance(value, str) and value.lstrip("-").replace(".", "").isdigit()


@settings(max_examples=examples(100))
@example(FileTargetEntry, "tags", "a,b")
@example(FileTargetEntry, "enabled", None)
@example(RouteEntry, "quiet", {"hours": "sat"})
@given(
    struct=st.sampled_from([FileTargetEntry, RouteEntry, TargetTemplateEntry]),
    name=st.data(),
    value=VALUES,
)
def test_fields(struct: type[msgspec.Struct], name: Any, value: Any) -> None:
    fields = list(facts_of(struct))
    field = name if isinstance(name, str) else name.draw(st.sampled_from(fields))
    base: dict[str, Any] = {"host": "a.example.com", "port": 1} if "host" in fields else {}
    base = {"urls": ["console://"]} if struct is RouteEntry else base
    line = yaml_text({**base, field: value})
    frames = {FileTargetEntry: "targets: [%s]", RouteEntry: "routes: {a: %s}"}
    text = frames.get(struct, "templates: {a: %s}") % line
    types, problems = taken(text)
    errors = right(text)
    if not problems and (struct is not TargetTemplateEntry or field not in {"kind", "probe"}):
        assert errors == [], text  # those of a template are looked at where it is named
    if not errors and not quoted(value):
        assert types == [], text


@settings(max_examples=examples(100))
@given(kind=st.sampled_from(sorted(KINDS)), name=st.data(), value=VALUES)
def test_options(kind: str, name: st.DataObject, value: Any) -> None:
    options = options_of(kind)
    assert options is not None
    field = name.draw(st.sampled_from(options.__struct_encode_fields__))
    written: dict[str, Any] = {field: value}
    if "steps" in options.__struct_encode_fields__ and kind == "tcp":
        written = {"steps": [{"expect": "x"}], **written}
    if kind == "dns":
        written = {"name": "a.example.com", **written}
    port = KINDS[kind].port or (1 if KINDS[kind].has_port else None)
    place = f"host: a.example.com{'' if port is None else f', port: {port}'}"
    text = f"targets: [{{kind: {kind}, {place}, probe: {yaml_text(written)}}}]"
    _, problems = taken(text)
    errors = right(text)
    if not problems:
        assert errors == [], text
    # Of a number the schema can't say that it has an even number of digits.
    if not errors and not quoted(value) and not field.endswith("_hex"):
        root = tree.read(text, "f.yaml")[0][0].value["targets"][0]["probe"]
        assert not of_types(kind, root, port), text


def of_types(kind: str, probe: Any, port: int | None) -> bool:
    """Whether a type is wrong, and not a rule."""
    try:
        probe_of(kind, probe, port, probe)
    except ProbeError as error:
        return isinstance(error.__cause__, msgspec.ValidationError)
    return False
