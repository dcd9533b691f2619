"""What is said of the fields is so: every field, its example, its limits."""

import re
from typing import Any, Final

import pytest
from msgspec import Struct

from portquorum.inventory import InventoryError, document, tree
from portquorum.inventory.decode import Entries, decode
from portquorum.inventory.reference import kinds, probes, targets
from portquorum.inventory.reference.fact import Fact
from portquorum.inventory.reference.facts import FACTS, facts_of
from portquorum.inventory.resolve import resolve
from producers.kinds.registry import KINDS
from schemas.probe import (
    BasicAuth,
    ClientCertificate,
    Condition,
    DnsProbe,
    Exchange,
    HandshakeProbe,
    HttpProbe,
    Step,
    TcpProbe,
    UdpProbe,
)

BASE: Final = """\
regions: {eu: {}, us: {}}
teams: {database: {}}
routes: {mail: {urls: ["mailtos://${USER}:${PASSWORD}@example.com"]}, boss: {urls: ["console://"]}}
templates: {web: {retries: 0}}
targets:
  - {id: core-switch, host: sw.example.com, port: 22, tags: [prod]}
  - {id: db, host: db.example.com, port: 5432}
"""
FRAMES: Final[dict[type[Struct], str]] = {
    document.FileTargetEntry: "targets: [{%s}]",
    document.DefaultsEntry: "defaults: {%s}",
    document.TargetTemplateEntry: "templates: {a: {%s}}",
    document.LatencyEntry: "targets: [{host: a, port: 1, latency: {%s}}]",
    document.RegionEntry: "regions: {a: {%s}}",
    document.TeamEntry: "teams: {a: {%s}}",
    document.RouteEntry: 'routes: {a: {urls: ["console://"], %s}}',
    document.RotationEntry: "routes: {a: {timezone: UTC, rotation: {%s}}}",
    document.QuietEntry: 'routes: {a: {timezone: UTC, urls: ["console://"], quiet: {%s}}}',
    document.EscalationEntry: 'routes: {a: {urls: ["console://"], escalate: [{%s}]}}',
    document.TemplatesEntry: 'routes: {a: {urls: ["console://"], templates: {%s}}}',
    document.MaintenanceEntry: "maintenance: [{%s}]",
    document.DrillEntry: "drill: {%s}",
}
MUST: Final[dict[type[Struct], tuple[str, ...]]] = {
    document.LatencyEntry: ("max_ms",),
    document.RotationEntry: ("people", "since"),
    document.EscalationEntry: ("after", "routes"),
    document.QuietEntry: ("hours",),
}
"""The fields that have to stand beside any other one."""

FIELDS: Final = [(struct, name) for struct in FRAMES for name in facts_of(struct)]
OPTIONS: Final = [(struct, name) for struct in probes.OPTIONS for name in probes.OPTIONS[struct]]


def of_field(struct: type[Struct], name: str, value: str) -> str:
    """The text of an inventory with this value at this field."""
    known = FACTS[struct][name]
    beside = [known.beside] if known.beside else []
    beside += [
        f"{other}: {FACTS[struct][other].example}"
        for other in MUST.get(struct, ())
        if other != name and f"{other}:" not in known.beside
    ]
    if struct is document.TargetTemplateEntry:  # a template has none of these
        beside = [re.sub(r"(^|, )(name|host|id): [^,]+", "", one).lstrip(", ") for one in beside]
        beside = [one for one in beside if one]
    if struct is document.FileTargetEntry and not known.hostless:
        place = {"host": "a.example.com", "port": "5432"}
        beside += [f"{other}: {one}" for other, one in place.items() if other != name]
    if struct is document.RouteEntry and name == "urls":
        return f"routes: {{a: {{urls: {value}}}}}"
    return FRAMES[struct] % ", ".join([*beside, f"{name}: {value}"])


def problems(text: str) -> list[str]:
    """What `inventory check` says of the text beside the base."""
    entries, found = Entries(), []
    for part in (BASE, text):
        roots, unreadable = tree.read(part, "f.yaml")
        found += unreadable
        for root in roots:
            found += decode(root, entries)
    try:
        resolve(entries, "test", found)
    except InventoryError as error:
        return [str(one) for one in error.problems]
    return []


def name_of(value: object) -> str | None:
    return value.__name__ if isinstance(value, type) else None


def test_every_field_of_the_document_is_known_and_no_other() -> None:
    for struct in FACTS:
        known = set(FACTS[struct])
        if struct in {document.TargetTemplateEntry, document.FileTargetEntry}:
            known = set(targets.TARGET) & set(struct.__struct_encode_fields__)
        assert known == set(struct.__struct_encode_fields__), struct
    assert set(kinds.TEXT) == {*KINDS, "heartbeat"}
    assert {one.options for one in KINDS.values()} <= set(probes.OPTIONS)


TEXTS: Final = document.TemplatesEntry
"""Its examples are tried together: a process of its own renders them."""


@pytest.mark.parametrize(
    ("struct", "name"),
    [one for one in FIELDS if one[0] is not TEXTS and one != (document.RouteEntry, "templates")],
    ids=name_of,
)
def test_an_example_is_right(struct: type[Struct], name: str) -> None:
    assert problems(of_field(struct, name, FACTS[struct][name].example)) == []


def test_the_examples_of_texts_are_right() -> None:
    fields = ", ".join(f"{name}: {one.example}" for name, one in facts_of(TEXTS).items())
    assert problems(FRAMES[TEXTS] % fields) == []


LIMITED: Final = [(struct, name) for struct, name in FIELDS if FACTS[struct][name].limits]


@pytest.mark.parametrize(
    ("struct", "name"),
    [
        one
        for one in LIMITED
        if one[0] not in {document.DefaultsEntry, document.TargetTemplateEntry}
    ],
    ids=name_of,
)
def test_limits_are_those_of_the_loader(struct: type[Struct], name: str) -> None:
    low, high = FACTS[struct][name].limits or ("", "")
    inside = [low, high]
    outside = [one for one in (less(low), f"{high[:-1]}.001{high[-1]}") if one]
    if name == "every" and struct is document.RotationEntry:
        outside = ["0d", "367d"]
    for value in inside:
        found = problems(of_field(struct, name, value))
        # Whether it fits beside the other fields is another question.
        assert not any(f"expected {low}" in one for one in found), found
        assert found == [] or name in {"interval", "retry_delay"}, found
    for value in outside:
        assert problems(of_field(struct, name, value)) != [], value


def less(low: str) -> str | None:
    """A shorter time, None if there is none."""
    return {"0s": None, "1ms": "0ms", "50ms": "49ms", "1s": "999ms", "1m": "59s", "1h": "59m"}.get(
        low, "23h"
    )


ENTRY: Final = {
    BasicAuth: ("http", "basic_auth: {%s}", "port: 443, "),
    ClientCertificate: ("http", "client_certificate: {%s}", "port: 443, "),
    Condition: ("http", "conditions: [{%s}]", ""),
    Exchange: ("websocket", "steps: [{%s}]", ""),
    Step: ("tcp", "steps: [{%s}]", "port: 1, "),
}
"""Struct within options → the kind that has it, and where."""

WITH: Final[dict[tuple[type[Struct], str], str]] = {
    (BasicAuth, "username"): 'password: "x"',
    (BasicAuth, "password"): "username: x",
    (ClientCertificate, "certificate"): 'key: "${PORTQUORUM_SECRET_KEY}"',
    (ClientCertificate, "key"): 'certificate: "${PORTQUORUM_SECRET_KEY}"',
    **{(Condition, name): "body: true" for name in ("contains", "matches", "equals", "any_of")},
    **{
        (Condition, name): "json: $.a"
        for name in ("less_than", "at_most", "more_than", "at_least", "exists", "or_missing", "not")
    },
    (Condition, "or_missing"): "json: $.a, equals: 1",
    (Condition, "not"): "json: $.a, equals: 1",
    (Condition, "json"): "exists: true",
    (Condition, "header"): "exists: true",
    (Condition, "body"): "contains: x",
    (Condition, "length"): "body: true, at_least: 1",
    (Step, "starttls"): "expect: OK",
    (HttpProbe, "json_value"): "expect_json: $.a",
    (HttpProbe, "body"): "method: POST",
    (HttpProbe, "json"): "method: POST",
}


def of_option(struct: type[Struct], name: str) -> str:
    known: Fact = probes.OPTIONS[struct][name]
    options = ", ".join(filter(None, (WITH.get((struct, name), ""), f"{name}: {known.example}")))
    if struct in ENTRY:
        kind, frame, port = ENTRY[struct]
        return f"targets: [{{kind: {kind}, host: a, {port}probe: {{{frame % options}}}}}]"
    kind = next(kind for kind, one in KINDS.items() if one.options is struct)
    port = "port: 1, " if KINDS[kind].port is None and KINDS[kind].has_port else ""
    if struct is HandshakeProbe and name == "version":
        kind = "amqp"
    elif struct is HandshakeProbe and name != "tls":
        options += ", tls: starttls"
    elif struct is TcpProbe and name != "steps":
        options += "" if name == "tls" else ", tls: implicit"
        options += ', steps: [{send: "x", expect: y}]'
    elif struct is DnsProbe and name != "name":
        options += ", name: example.com"
    elif KINDS[kind].port == 80 or kind == "grpc":
        port = "port: 443, "
    if struct is UdpProbe and not name.startswith("send") and name != "protocol":
        options += ", send: x"
    host = "example.com" if kind == "domain" else "a"
    return f"targets: [{{kind: {kind}, host: {host}, {port}probe: {{{options}}}}}]"


@pytest.mark.parametrize(("struct", "name"), OPTIONS, ids=name_of)
def test_an_example_of_an_option_is_right(struct: type[Struct], name: str) -> None:
    assert problems(of_option(struct, name)) == []


def test_the_sections_of_a_file_are_right() -> None:
    known = facts_of(document.Document)
    apart = {"regions", "teams", "routes", "templates"}  # the base has these names
    lines = [f"{name}: {one.example}\n" for name, one in known.items() if name not in apart]
    assert problems("".join(lines)) == []
    alone = "".join(f"{name}: {known[name].example}\n" for name in sorted(apart))
    entries: list[Any] = []
    for root in tree.read(alone, "f.yaml")[0]:
        entries += decode(root, Entries())
    assert entries == []
