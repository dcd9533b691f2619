"""JSON queries of Uptime Kuma as conditions; judged as portquorum's own checks judge them."""

from typing import Any

import pytest

from portquorum.importing.kuma.jsonata import UnknownQueryError, conditions

EXISTS = {"json": "$.a", "exists": True}
NO_LIST = {"matches": r"^[\[{]", "not": True}
PLAIN = {"json": "$.a", **NO_LIST}


@pytest.mark.parametrize(
    ("query", "operator", "expected", "found"),
    [
        ("status", "==", "ok", [{"json": "$.status", "equals": "ok"}]),
        ("$.status", "==", "ok", [{"json": "$.status", "equals": "ok"}]),
        ("a.b[0].c", "==", "1", [{"json": "$.a.b[0].c", "any_of": ["1", 1]}]),
        ("a.`b c`", "==", "true", [{"json": "$.a['b c']", "any_of": ["true", True]}]),
        ("n", ">=", "2.5", [{"json": "$.n", "at_least": 2.5}]),
        (
            "a",
            "contains",
            "up",
            [{"json": "$.a", "contains": "up"}, PLAIN],
        ),
        ("a", "!=", "x", [EXISTS, {"json": "$.a", "any_of": ["x", None], "not": True}, PLAIN]),
        ("$count(a)", ">", "0", [{"json": "$.a", "length": True, "more_than": 0.0}]),
        (
            "$count(a)",
            "==",
            "0",
            [{"json": "$.a", "length": True, "equals": 0, "or_missing": True}],
        ),
        ("$exists(a)", "==", "true", [EXISTS]),
        ("$exists(a)", "==", "false", [EXISTS | {"not": True}]),
        ('a = "x"', "==", "true", [{"json": "$.a", "equals": "x"}]),
        ('a = "x"', "==", "false", [{"json": "$.a", "equals": "x", "not": True}]),
        ('a != "x"', "==", "true", [EXISTS, {"json": "$.a", "equals": "x", "not": True}]),
        ('a != "x"', "==", "false", [{"json": "$.a", "equals": "x", "or_missing": True}]),
        (
            'a = "x" and n > 3',
            "==",
            "true",
            [{"json": "$.a", "equals": "x"}, {"json": "$.n", "more_than": 3.0}],
        ),
        (
            'a[name="db"].state',
            "==",
            "up",
            [{"json": "$.a[?@.name == 'db'].state", "equals": "up"}],
        ),
        ("$", "==", "OK", [{"body": True, "any_of": ["OK", '"OK"']}]),
        ("", "contains", "OK", [{"body": True, "contains": "OK"}, {"body": True, **NO_LIST}]),
    ],
)
def test_a_query(query: str, operator: str, expected: str, found: list[dict[str, Any]]) -> None:
    assert conditions(query, operator, expected) == found


@pytest.mark.parametrize(
    ("query", "operator", "expected"),
    [
        ("$sum(a.b)", "==", "3"),
        ("a ~> $f", "==", "3"),
        ("a.(b + c)", "==", "3"),
        ('a = "x" or b', "==", "true"),
        ("a", ">", "many"),
        ("a", "like", "x"),
        ("a = b", "==", "true"),
        ("[" * 500, "==", "x"),
        ("a[a[a[" * 100, "==", "x"),
        ("$exists(a)", ">", "1"),
    ],
)
def test_what_is_more_than_a_path_says_so(query: str, operator: str, expected: str) -> None:
    with pytest.raises(UnknownQueryError, match=r"docs/kinds\.md|number|known"):
        conditions(query, operator, expected)
