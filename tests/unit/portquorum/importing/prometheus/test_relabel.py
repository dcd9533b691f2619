"""Relabelling as Prometheus does it, and Go's regular expressions for it."""

import pytest
import re2

from portquorum.importing.prometheus import go_regexp
from portquorum.importing.prometheus.relabel import Rule, relabelled, rule_of
from portquorum.importing.source_yaml import Fields


def rule(**written: object) -> Rule:
    return rule_of(Fields(written, "prometheus.yml"))


def test_the_usual_three_rules_put_the_target_into_a_parameter() -> None:
    rules = [
        rule(source_labels=["__address__"], target_label="__param_target"),
        rule(source_labels=["__param_target"], target_label="instance"),
        rule(target_label="__address__", replacement="blackbox:9115"),
    ]
    assert relabelled({"__address__": "https://a.example"}, rules) == {
        "__address__": "blackbox:9115",
        "__param_target": "https://a.example",
        "instance": "https://a.example",
    }


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({"source_labels": ["a", "b"], "target_label": "c"}, {"c": "x;y"}),
        (
            {"source_labels": ["a", "b"], "separator": "", "target_label": "c"},
            {"c": "xy"},
        ),
        # The expression is anchored: no match, no change.
        ({"source_labels": ["url"], "regex": "https://", "target_label": "c"}, {}),
        (
            {
                "source_labels": ["url"],
                "regex": "https?://([^/]+)(/.*)?",
                "target_label": "host",
                "replacement": "${1}:443",
            },
            {"host": "h.example:443"},
        ),
        ({"source_labels": ["none"], "target_label": "a"}, {"a": None}),
        ({"target_label": "a", "replacement": ""}, {"a": None}),
        ({"source_labels": ["a"], "regex": "(.)", "target_label": "${1}_l"}, {"x_l": "x"}),
        ({"action": "labelmap", "regex": "(b)", "replacement": "of_$1"}, {"of_b": "y"}),
        ({"action": "labeldrop", "regex": "a|url"}, {"a": None, "url": None}),
        ({"action": "labelkeep", "regex": "a"}, {"b": None, "url": None}),
        ({"action": "uppercase", "source_labels": ["a"], "target_label": "a"}, {"a": "X"}),
        (
            {"action": "Lowercase", "source_labels": ["url"], "target_label": "u"},
            {"u": "https://h.example/p"},
        ),
        (
            {"action": "hashmod", "source_labels": ["a"], "modulus": 8, "target_label": "m"},
            {"m": "6"},
        ),
    ],
)
def test_rules(written: dict[str, object], expected: dict[str, str | None]) -> None:
    labels = {"a": "x", "b": "y", "url": "https://h.example/p"}
    wanted = {name: value for name, value in {**labels, **expected}.items() if value is not None}
    assert relabelled(labels, [rule(**written)]) == wanted


@pytest.mark.parametrize(
    ("action", "regex", "kept"),
    [("keep", "x", True), ("keep", "", False), ("drop", "x|y", False), ("drop", "xx", True)],
)
def test_rules_that_drop_a_target(action: str, regex: str, kept: bool) -> None:
    found = relabelled({"a": "x"}, [rule(action=action, regex=regex, source_labels=["a"])])
    assert (found is not None) == kept


def test_two_labels_that_must_be_equal() -> None:
    equal = rule(action="keepequal", source_labels=["a"], target_label="b")
    assert relabelled({"a": "1", "b": "1"}, [equal]) is not None
    assert relabelled({"a": "1", "b": "2"}, [equal]) is None


def test_the_words_of_the_operator_are_the_same_rule() -> None:
    assert rule(sourceLabels=["a"], targetLabel="b") == rule(source_labels=["a"], target_label="b")


@pytest.mark.parametrize(
    "written",
    [{"regex": "("}, {"action": "replace_all"}, {"action": "hashmod"}, {"regex": "a)|(b"}],
)
def test_what_is_no_rule(written: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="expected"):
        rule(**written)


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ("$1x", ""),  # the name is `1x`, as Go reads it
        ("${1}x", "ax"),
        ("$$1", "$1"),
        ("$", "$"),
        ("${name}!", "b!"),
        ("$9$01", ""),
        ("${1", "${1"),
    ],
)
def test_templates_are_those_of_go(template: str, found: str) -> None:
    match = re2.compile("(a)(?P<name>b)").search("ab")
    assert go_regexp.expand(template, match) == found


@pytest.mark.parametrize(
    ("regex", "line", "answers", "not_in"),
    [
        ("^220 ", b"220 mail\r\n", True, b"250-220 x\r\n"),
        ("^\\+OK$", b"+OK\r\n", True, b"+OK more\r\n"),
        ("a.*b", b"a-b\r\n", True, b"a\r\nb\r\n"),
        ("[^x]+OK", b"yyOK\n", True, b"xy\nOK\n"),
        ("^A|B$", b"Bother\nzzB\n", True, b"zA\nBz\n"),
        ("(?i)^ok", b"OK\n", True, b"not ok\n"),
        ("(?s)a.b", b"a-b\n", True, b"a\nb\n"),
        ("OK\\sgo", b"OK go\r\n", True, b"OK\ngo\n"),
        ("a[\\s-]b", b"a b\n", True, b"a\nb\n"),
        ("a\\W\\Db", b"a--b\n", True, b"a\n-b\n"),
    ],
)
def test_an_expression_of_a_line(regex: str, line: bytes, answers: bool, not_in: bytes) -> None:
    options = re2.Options()
    options.dot_nl, options.encoding = True, re2.Options.Encoding.LATIN1
    found = re2.compile(go_regexp.in_a_line(regex).encode(), options)
    assert (found.search(line) is not None) == answers
    assert found.search(not_in) is None


def test_an_expression_of_a_line_takes_the_whole_line() -> None:
    found = re2.compile(go_regexp.in_a_line("^220")).search("220 a\r\n220 b\r\n")
    assert found is not None
    assert found.end() == len("220 a\r\n")
    # Without its end a line is not there yet.
    assert re2.compile(go_regexp.in_a_line("^220")).search("220 a") is None
