"""Statuses and conditions of `http`: what is wrong in an inventory, and what is accepted."""

from typing import Any

import pytest

from portquorum.inventory.probes import ProbeError, probe_of, written_of
from producers.kinds import http_status
from schemas.probe import HttpProbe


def statuses(*written: object) -> tuple[int | str, ...]:
    made = probe_of("http", {"status": list(written)}, 80)
    assert isinstance(made, HttpProbe)
    return made.status


@pytest.mark.parametrize(
    ("written", "fine", "wrong"),
    [
        ((), {200, 204, 299}, {199, 300, 101, 404}),
        ((404,), {404}, {200}),
        (("200-299", 401, 403), {200, 299, 401, 403}, {300, 402, 404}),
        (("100-499", "501-599"), {100, 200, 404, 501}, {500}),
        (("404-404",), {404}, {403, 405}),
    ],
)
def test_statuses_and_ranges(written: Any, fine: set[int], wrong: set[int]) -> None:
    accepted = statuses(*written)
    assert {one for one in fine | wrong if http_status.accepts(accepted, one)} == fine


def test_accepted_statuses_for_people() -> None:
    assert http_status.told(()) == "200 to 299"
    assert http_status.told(("200-299", 401)) == "200 to 299, 401"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"status": ["299-200"]}, "status[0]: expected a range from the lower status to the high"),
        ({"status": ["2xx"]}, "expected statuses from 100 to 599 and ranges, such as [200-299, 4"),
        ({"status": [99]}, "expected"),
        ({"conditions": [{}]}, "conditions[0]: expected one of json, header and body: true, fou"),
        ({"conditions": [{"json": "$.a", "body": True, "equals": 1}]}, "found json and body"),
        ({"conditions": [{"json": "$.a"}]}, "conditions[0]: expected what holds of it (equals, "),
        (
            {"conditions": [{"json": "$.a", "exists": False}]},
            "or exists: true, with not: true for what must not be), found none of these",
        ),
        (
            {"conditions": [{"json": "[BODY].a", "equals": 1}]},
            "found '[BODY].a': it begins with $, which is the whole body",
        ),
        ({"conditions": [{"json": "$[", "equals": 1}]}, "conditions[0]: json: expected a JSONPath"),
        (
            {"conditions": [{"json": "$.a", "exists": True}, {"header": "a", "matches": "("}]},
            "conditions[1]: matches: expected a regular expression (RE2), found '('",
        ),
        ({"conditions": [{"header": "a", "equals": 1, "any_of": [1]}]}, "equals or any_of, found"),
        (
            {"conditions": [{"body": True, "length": True, "matches": "a"}]},
            "expected numbers beside length: true (equals, any_of, less_than and the like)",
        ),
        (
            {"conditions": [{"header": "a", "equals": 1, "or_missing": True, "not": True}]},
            "expected or_missing only where a missing value would be wrong, found it beside not: t",
        ),
        ({"conditions": [{"body": True, "exists": True}]}, "for there always is a body"),
        (
            {"method": "HEAD", "conditions": [{"body": True, "equals": "x"}]},
            "expected nothing of the body, since HEAD has none",
        ),
    ],
    ids=str,
)
def test_what_is_wrong_is_told(written: dict[str, Any], said: str) -> None:
    with pytest.raises(ProbeError) as caught:
        probe_of("http", written, 80)
    assert said in str(caught.value)


def test_a_head_may_have_conditions_on_headers() -> None:
    written = {"method": "HEAD", "conditions": [{"header": "server", "exists": True}]}
    assert probe_of("http", written, 80) is not None


@pytest.mark.parametrize("name", ["less_than", "at_most", "more_than", "at_least"])
def test_a_bound_of_zero_is_one(name: str) -> None:
    written = {"conditions": [{"json": "$.errors", name: 0}]}
    made = probe_of("http", written, 80)
    assert isinstance(made, HttpProbe)
    assert getattr(made.conditions[0], name) == 0
    assert written_of("http", made)["conditions"] == [{"json": "$.errors", name: 0.0}]
