"""Entries by themselves: what is wrong is said at its field, in an inventory's words."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portquorum.editing import entries, yaml_file
from portquorum.editing.entries import EntryError
from portquorum.inventory import tree
from portquorum.inventory.decode import Entries, decode
from portquorum.inventory.document import LatencyEntry, TargetEntry
from portquorum.inventory.resolve import Known, resolve
from producers.checks.model import Vantage
from schemas.policy import Team

KNOWN = Known(
    regions={"eu": "file", "us": "file"},
    teams={"db": "file"},
    targets={"core": "file"},
    vantages={"eu": Vantage(internal=True)},
    goals={"db": Team(name="db", slo=99.9)},
    hosts={"core": "10.0.0.1"},
)


def wrong(values: object) -> dict[str, str]:
    with pytest.raises(EntryError) as caught:
        entries.decoded(values)
    return {one.field: one.message for one in caught.value.errors}


def test_all_problems_are_said_at_once_each_at_its_field() -> None:
    found = wrong(
        {
            "host": "https://db1",
            "port": 70000,
            "interval": "often",
            "latency": {"max_ms": -1},
            "tags": ["a", ""],
            "colour": "red",
            "kind": "http",
            "probe": {"path": "no slash"},
        }
    )
    assert {"host", "port", "interval", "latency.max_ms", "tags[1]", "colour", "probe.path"} == set(
        found
    )
    assert found["port"] == "expected a port from 1 to 65535, found 70000"
    assert found["interval"] == "expected a duration such as 250ms, 30s, 1m or 1h30m, found 'often'"


@pytest.mark.parametrize("values", [[], None, "x", 7, {"host": [[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}])
def test_what_is_no_entry_is_refused(values: object) -> None:
    assert set(wrong(values)) == {""}


def test_names_that_nobody_defines_are_said_at_their_fields() -> None:
    entry = TargetEntry(id="a", host="h", port=1, regions=("mars",), team="x", depends_on=("y",))
    found = entries.resolved({"a": entry}, KNOWN)
    assert {one.field for one in found.errors["a"]} == {"regions[0]", "team", "depends_on[0]"}


def test_what_is_wrong_with_one_does_not_touch_the_others() -> None:
    wanted = {
        "a": TargetEntry(id="a", host="h", port=1, regions=("mars",)),
        "b": TargetEntry(id="b", host="h", port=1, depends_on=("core", "c")),
        "c": TargetEntry(id="c", host="c.example.com", port=1),
    }
    found = entries.resolved(wanted, KNOWN)
    assert set(found.errors) == {"a"}
    assert found.targets["b"].depends_on_hosts == ("10.0.0.1", "c.example.com")


def test_without_a_region_each_says_so() -> None:
    found = entries.resolved({"a": TargetEntry(id="a", host="h", port=1)}, Known())
    assert [one.field for one in found.errors["a"]] == ["regions"]


@pytest.mark.parametrize(
    ("merge", "after"),
    [
        ({"port": 2}, {"port": 2}),
        ({"team": None}, {"team": None}),
        ({"tags": ["b"]}, {"tags": ("b",)}),
        ({"latency": {"for": 5}}, {"latency": LatencyEntry(max_ms=100, for_results=5)}),
        ({"latency": None}, {"latency": None}),
        ({}, {}),
    ],
)
def test_a_merge_patch_is_that_of_rfc_7396(
    merge: dict[str, object], after: dict[str, object]
) -> None:
    entry = TargetEntry(
        id="a", host="h", port=1, team="db", tags=("a",), latency=LatencyEntry(max_ms=100)
    )
    assert entries.merged(entry, merge) == msgspec.structs.replace(entry, **after)


@pytest.mark.parametrize(
    ("kind", "probe", "field"),
    [
        ("http", {"bearer": "hunter2"}, "probe.bearer"),
        ("http", {"basic_auth": {"username": "a", "password": "b"}}, "probe.basic_auth.password"),
        ("http", {"headers": {"Authorization": "Basic x"}}, "probe.headers.Authorization"),
        ("http", {"headers": {"X-Api-Key": "x"}}, "probe.headers.X-Api-Key"),
        ("http", {"headers": {"X-Vault": "hunter2"}}, "probe.headers.X-Vault"),
        ("http", {"path": "/a?access_token=x"}, "probe.path"),
        ("http", {"path": "/a?sv=1&sig=hunter2"}, "probe.path"),
        ("http", {"path": "/a?pwd=hunter2"}, "probe.path"),
        ("http", {"proxy": "http://u:p@proxy:3128"}, "probe.proxy"),
        ("snmp", {"community": "s3cret"}, "probe.community"),
        ("tcp", {"steps": [{"send": "AUTH s3cret\r\n"}]}, "probe.steps[0].send"),
    ],
)
def test_a_secret_that_was_typed_is_refused_without_being_said(
    kind: str, probe: dict[str, object], field: str
) -> None:
    entry = TargetEntry(id="a", kind=kind, host="h", port=1, probe=probe)
    target = entries.by_itself(entry)
    assert target is not None
    (error,) = entries.secret_errors(target)
    assert error.field == field
    assert "PORTQUORUM_SECRET_" in error.message
    assert "hunter2" not in error.message
    assert "s3cret" not in error.message


@pytest.mark.parametrize(
    ("kind", "probe"),
    [
        ("http", {"bearer": "${PORTQUORUM_SECRET_API}", "tls": True}),
        ("http", {"headers": {"Accept": "text/html"}, "path": "/a?page=2"}),
        ("snmp", {"community": "public"}),
        ("tcp", {"steps": [{"send": "PING\r\n", "expect": "PONG"}]}),
    ],
)
def test_what_is_no_secret_or_a_name_of_one_stays(kind: str, probe: dict[str, object]) -> None:
    target = entries.by_itself(TargetEntry(id="a", kind=kind, host="h", port=443, probe=probe))
    assert target is not None
    assert entries.secret_errors(target) == []


plain = st.text(
    st.characters(exclude_categories=("C", "Z"), include_characters=" "), min_size=1, max_size=20
).filter(lambda text: text == text.strip())
ODD = "no|Yes|null|~|1|1e3|0x1f|12:30:00|- a|a: b|#x|'|{a}|[x|*a|&a|!t|%x|@x|`x|>|ünïcode ☃|a # b"
odd = st.sampled_from([*ODD.split("|"), "|", '"', "2026-01-01", "true"])
texts = st.one_of(plain, odd)
dumps = st.text(max_size=30)
written = st.builds(
    TargetEntry,
    id=st.sampled_from(["a", "1", "no", "null", "1.5", "0200", "on"]),
    name=st.none() | texts,
    host=st.sampled_from(["db1.example.com", "10.0.0.1", "2001:db8::1", "no", "on.example.com"]),
    port=st.none() | st.integers(1, 65535),
    kind=st.sampled_from(["tcp", "http", "dns"]),
    team=st.none() | st.just("db"),
    tags=st.none() | st.lists(texts, max_size=3).map(tuple),
    regions=st.none() | st.just(("eu",)),
    purpose=st.none() | texts | st.just("two\nlines\tand a tab"),
    runbook=st.none() | st.just("https://wiki.example.com/a#b?c=d"),
    interval=st.none() | st.just("1m"),
    retries=st.none() | st.integers(0, 3),
    consensus=st.none() | st.sampled_from(["quorum", "unanimous", 0.5, 1.0]),
    slo=st.none() | st.sampled_from([99.9, 50.0, 100.0]),
    latency=st.none() | st.builds(LatencyEntry, max_ms=st.sampled_from([1.0, 250.5])),
    depends_on=st.sampled_from([(), ("core",)]),
    enabled=st.booleans(),
)
bodies = st.fixed_dictionaries({"method": st.just("POST"), "body": dumps.map(lambda t: t or "x")})


@settings(max_examples=150, deadline=None)
@given(written, st.none() | bodies)
def test_the_file_resolves_to_the_same_target(
    entry: TargetEntry, probe: dict[str, object] | None
) -> None:
    if entry.kind == "http" and probe is not None:
        entry = msgspec.structs.replace(entry, probe=probe)
    before = entries.resolved({entry.id or "": entry}, KNOWN)
    if before.errors:
        return
    text = yaml_file.document([entry])
    roots, problems = tree.read(text, "page.yaml")
    assert not problems, text
    found = Entries()
    for root in roots:
        assert decode(root, found) == [], text
    (target,) = resolve(found, "web", (), KNOWN).targets
    assert target == before.targets[entry.id or ""], text
    assert entries.stored(entries.encoded(entry)) is not None


def test_an_empty_inventory_is_a_file_too() -> None:
    roots, problems = tree.read(yaml_file.document([]), "page.yaml")
    assert not problems
    assert roots[0].value == {"targets": []}
