"""Conditions on values of JSON, on headers and on a body as text."""

import json
from typing import Any

import msgspec
import pytest

from producers.judging.conditions import AnyMatch, JsonConditions, TextConditions, pattern
from producers.judging.jobs import take
from producers.kinds.http_options import JSON_OPTIONS
from producers.kinds.json_text import with_texts
from schemas.probe import Condition

BODY = {
    "state": "up",
    "age": 18,
    "text": "18",
    "ratio": 0.5,
    "ok": True,
    "nothing": None,
    "empty": [],
    "name": "schön",
    "items": [{"id": 1, "state": "UP"}, {"id": 2, "state": "DOWN"}],
    "deep": {"a": {"b": 7}},
}


def condition(**written: Any) -> Condition:
    """As in an inventory: `equals` and `any_of` are values."""
    packed = with_texts({"conditions": [written]}, JSON_OPTIONS)["conditions"][0]
    return msgspec.convert(packed, Condition)


def of_json(body: object = BODY, **written: Any) -> object:
    return take(JsonConditions((condition(**written),), json.dumps(body).encode()))


def of_text(*values: bytes, charset: str | None = None, **written: Any) -> object:
    return take(TextConditions((condition(**written),), values, charset))


HOLDS: list[dict[str, Any]] = [
    # Gatus: ==, !=, <, <=, >, >=
    {"json": "$.state", "equals": "up"},
    {"json": "$.state", "equals": "down", "not": True},
    {"json": "$.age", "less_than": 18.5},
    {"json": "$.age", "at_most": 18},
    {"json": "$.age", "more_than": 17},
    {"json": "$.age", "at_least": 18},
    {"json": "$.text", "at_least": 18, "less_than": 19},
    # len(), has(), any(), pat()
    {"json": "$.items", "length": True, "equals": 2},
    {"json": "$.name", "length": True, "equals": 5},
    {"json": "$.deep", "length": True, "less_than": 2},
    {"json": "$.state", "exists": True},
    {"json": "$.nothing", "exists": True},
    {"json": "$.errors", "exists": True, "not": True},
    {"json": "$.state", "any_of": ["ok", "up"]},
    {"json": "$.age", "any_of": ["18", 18]},
    {"json": "$.state", "matches": "^u.$"},
    {"json": "$.name", "contains": "ö"},
    # Several values: one of them, or none
    {"json": "$.items[*].state", "equals": "DOWN"},
    {"json": "$.items[*].state", "equals": "BROKEN", "not": True},
    {"json": "$.items[?@.state == 'DOWN']", "length": True, "at_most": 1},
    {"json": "$.items[?@.state == 'LOST']", "length": True, "equals": 0},
    {"json": "$.items[*].id", "more_than": 1},
    # What is no text is read as its JSON
    {"json": "$.deep", "contains": '{"b":7}'},
    {"json": "$.ok", "matches": "^true$"},
    {"json": "$.deep.a", "equals": {"b": 7.0}},
    {"json": "$.ratio", "equals": 5e-1},
    {"json": "$.nothing", "equals": None},
    {"json": "$.missing", "at_most": 1, "or_missing": True},
    {"json": "$.age", "at_most": 18, "or_missing": True},
]


@pytest.mark.parametrize("written", HOLDS, ids=str)
def test_a_condition_that_holds(written: dict[str, Any]) -> None:
    assert of_json(**written) is None
    opposite = {**written, "not": not written.get("not")}
    if "or_missing" not in written:
        assert isinstance(of_json(**opposite), str)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"json": "$.state", "equals": "down"}, '$.state: expected "down", found "up"'),
        (
            {"json": "$.state", "equals": "up", "not": True},
            '$.state: expected not "up", found "up"',
        ),
        ({"json": "$.a.b", "equals": 1}, "$.a.b: expected 1, found none"),
        ({"json": "$.age", "less_than": 5}, "$.age: expected less than 5, found 18"),
        (
            {"json": "$.age", "more_than": 20, "at_most": 30},
            "$.age: expected at most 30 and more than 20, found 18",
        ),
        ({"json": "$.ok", "at_least": 0}, "$.ok: expected at least 0, found true"),
        ({"json": "$.text", "equals": 18}, '$.text: expected 18, found "18"'),
        ({"json": "$.age", "equals": True}, "$.age: expected true, found 18"),
        ({"json": "$.age", "any_of": [1, 2]}, "$.age: expected one of 1, 2, found 18"),
        ({"json": "$.state", "contains": "x"}, "$.state: expected text with 'x', found \"up\""),
        ({"json": "$.b", "exists": True}, "$.b: expected a value, found none"),
        ({"json": "$.empty", "exists": True, "not": True}, "$.empty: expected no value, found []"),
        (
            {"json": "$.items", "length": True, "more_than": 2},
            "length of $.items: expected more than 2, found 2",
        ),
        # Nothing has no length: a missing list is not an empty one.
        (
            {"json": "$.missing", "length": True, "equals": 0},
            "length of $.missing: expected 0, found none",
        ),
        (
            {"json": "$.age", "length": True, "at_most": 9},
            "length of $.age: expected at most 9, found none",
        ),
    ],
    ids=str,
)
def test_what_does_not_hold_is_told(written: dict[str, Any], said: str) -> None:
    assert of_json(**written) == said


def test_a_body_that_is_no_json_fulfils_no_condition_on_json() -> None:
    for more in ({}, {"not": True}):
        job = JsonConditions((condition(json="$.a", exists=True, **more),), b"<html>oops")
        assert take(job) == "expected JSON, found '<html>oops' (JSONDecodeError)"


def test_all_conditions_must_hold() -> None:
    both = tuple(condition(json=f"$.{name}", exists=True) for name in ("state", "b"))
    assert take(JsonConditions(both, json.dumps(BODY).encode())) == (
        "$.b: expected a value, found none"
    )


@pytest.mark.parametrize(
    ("values", "written", "holds"),
    [
        ((b"nginx/1.22",), {"matches": "^nginx"}, True),
        ((b"nginx/1.22",), {"contains": "apache", "not": True}, True),
        ((b"5",), {"equals": 5}, True),
        ((b"5",), {"equals": "5"}, True),
        ((b"5",), {"any_of": [4, 5]}, True),
        ((b" 5\t",), {"at_least": 5}, True),
        ((b"five",), {"at_least": 5}, False),
        ((b"true",), {"equals": True}, True),
        ((b"a, b", b"a", b"b"), {"equals": "b"}, True),
        ((b"a, b", b"a", b"b"), {"equals": "b", "not": True}, False),
        ((), {"exists": True}, False),
        ((), {"exists": True, "not": True}, True),
        ((), {"equals": "x"}, False),
        # blackbox: fail_if_header_not_matches with allow_missing
        ((), {"matches": "x", "or_missing": True}, True),
        ((b"y",), {"matches": "x", "or_missing": True}, False),
        ((b"abc",), {"length": True, "equals": 3}, True),
    ],
)
def test_a_header(values: tuple[bytes, ...], written: dict[str, Any], holds: bool) -> None:
    assert (of_text(*values, header="X-A", **written) is None) == holds


@pytest.mark.parametrize(
    ("body", "charset", "written", "holds"),
    [
        (b"OK\r\n", None, {"equals": "OK"}, True),
        (b"\xef\xbb\xbfOK", None, {"equals": "OK"}, True),
        (b"OK", None, {"contains": "error", "not": True}, True),
        (b"an error", None, {"contains": "error", "not": True}, False),
        ("schön".encode(), None, {"length": True, "equals": 5}, True),
        (b"sch\xf6n", "cp1252", {"equals": "schön"}, True),
        (b"sch\xf6n", "cp1252", {"matches": "^sch.n$"}, True),
        (b'{"a": [1]}\n', None, {"equals": {"a": [1]}}, True),
        (b'{"a": [1]}\n', None, {"equals": {"a": [2]}}, False),
        (b"<html>", None, {"equals": {"a": [2]}}, False),
        (b"42\n", None, {"more_than": 41, "less_than": 43}, True),
        (b"a\nb", None, {"matches": "a.b"}, True),
        (b"", None, {"length": True, "equals": 0}, True),
    ],
)
def test_a_body_as_text(
    body: bytes, charset: str | None, written: dict[str, Any], holds: bool
) -> None:
    assert (of_text(body, charset=charset, body=True, **written) is None) == holds


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 20_000,
        b"1" * 5_000,
        b'"\\ud800"',
        b'{"a": 1e999}',
        b"NaN",
        b"\xff\xfe",
        b'"' + b"a" * 9_000 + b'"',
    ],
    ids=lambda body: repr(body[:12]),
)
def test_whatever_a_body_is_there_is_a_verdict(body: bytes) -> None:
    """The text of the verdict can be sent from the process that judged."""
    for more in ({"equals": 1}, {"at_least": 1}, {"matches": "^x"}, {"contains": "x"}):
        for about in ({"json": "$"}, {"json": "$.a"}, {"body": True}):
            one = condition(**about, **more)
            for job in (JsonConditions((one,), body), TextConditions((one,), (body,))):
                verdict = take(job)
                assert verdict is None or msgspec.msgpack.encode(verdict)


def test_what_may_take_long_is_not_small() -> None:
    singular = condition(json="$.a[0].b", equals=1)
    assert JsonConditions((singular,), b"x" * 4_000).small
    assert not JsonConditions((singular,) * 2, b"x" * 4_000).small
    assert not JsonConditions((condition(json="$..a", equals=1),), b"{}").small
    assert not JsonConditions((condition(json="$.a", equals="x" * 5_000),), b"{}").small
    assert not TextConditions((condition(body=True, matches="a"),), (b"x" * 5_000,)).small
    assert AnyMatch("a", ("x" * 4_000,)).small
    assert not AnyMatch("a", ("x" * 4_000,) * 2).small


def test_one_of_several_texts_matches() -> None:
    assert take(AnyMatch("^192", ("10.0.0.1", "192.0.2.7"))) == 1
    assert take(AnyMatch("^192", ("10.0.0.1",))) is None


def test_what_is_no_pattern_is_said() -> None:
    with pytest.raises(ValueError, match=r"expected a regular expression \(RE2\), found '\('"):
        pattern("(")
