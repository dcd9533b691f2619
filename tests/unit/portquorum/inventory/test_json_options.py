"""Options that are values in an inventory, and JSON text in the published form."""

from typing import Any

import pytest

from portquorum.inventory.probes import ProbeError, probe_of, written_of
from portquorum.inventory.tree import read
from producers.kinds.json_text import MOST_CHARACTERS
from schemas.probe import HttpProbe


def options(text: str) -> Any:
    roots, problems = read(text, "probe.yaml")
    assert not problems
    return roots[0].value


def published(text: str) -> HttpProbe:
    made = probe_of("http", options(text), 80)
    assert isinstance(made, HttpProbe)
    return made


@pytest.mark.parametrize(
    ("yaml", "json"),
    [
        ("{a: 1, b: [true, null, 1.5]}", '{"a":1,"b":[true,null,1.5]}'),
        ('"1"', '"1"'),
        ("1", "1"),
        ("null", "null"),
        ("schön", '"schön"'),
        ('"{\\"a\\": 1}"', '"{\\"a\\": 1}"'),
        ("{1: {true: x}}", '{"1":{"true":"x"}}'),
    ],
)
def test_a_value_becomes_its_json_text_and_is_shown_as_it_was_written(yaml: str, json: str) -> None:
    text = f"{{method: POST, json: {yaml}, conditions: [{{json: $.a, equals: {yaml}}}]}}"
    made = published(text)
    assert made.json == json
    assert made.conditions[0].equals == json
    shown = written_of("http", made)
    assert shown == {**options(text), "tls": False}
    assert probe_of("http", shown, 80) == made


def test_each_of_several_values_becomes_its_text() -> None:
    text = "{conditions: [{json: $.a, any_of: [1, '1', {b: []}], not: true}]}"
    made = published(text)
    assert made.conditions[0].any_of == ("1", '"1"', '{"b":[]}')
    assert written_of("http", made) == {**options(text), "tls": False}


def test_options_without_values_are_shown_without_defaults() -> None:
    made = probe_of("tcp", options("{steps: [{send: a, expect: b}], verify: true}"), 7)
    assert made is not None
    assert written_of("tcp", made) == {"steps": [{"send": "a", "expect": "b"}]}


@pytest.mark.parametrize(
    ("text", "path", "said"),
    [
        ("{json: [1e999]}", ("json",), "expected a number that JSON has"),
        (
            "{conditions: [{json: $.a, any_of: [1, 1e999]}]}",
            ("conditions", 0, "any_of", 1),
            "expected a number that JSON has",
        ),
        (
            "{conditions: [{json: $.a, equal: 7}]}",
            ("conditions", 0, "equal"),
            "no such option; did",
        ),
        ("{conditions: {json: $.a}}", (), "conditions[0]: expected what holds of it"),
        ("{conditions: [7]}", ("conditions", 0), "expected up to 50 conditions"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, path: object, said: str) -> None:
    with pytest.raises(ProbeError) as caught:
        published(text)
    assert caught.value.path == path
    assert str(caught.value).startswith(said)


def test_a_value_that_stands_for_too_much_is_refused_before_its_text_is_made() -> None:
    text = f"{{x: &a {'a' * 1_000}, json: [{'*a, ' * 50_000} 1]}}"
    with pytest.raises(ProbeError, match=f"at most {MOST_CHARACTERS:,} characters"):
        published(text)
