"""YAML text to plain values with lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portquorum.inventory import tree


def values(text: str) -> list[object]:
    roots, problems = tree.read(text, "f.yaml")
    assert problems == []
    return [root.value for root in roots]


def only_problem(text: str) -> str:
    _, problems = tree.read(text, "f.yaml")
    assert len(problems) == 1
    return str(problems[0])


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("443", 443),
        ("0443", 443),
        ("-1", -1),
        ("2.5", 2.5),
        ("1e3", 1000.0),
        ("12345678901234567890", 12345678901234567890),  # an id in JSON: no float has it
        ("true", True),
        ("null", None),
        ("~", None),
        ("", None),
        ("no", "no"),
        ("on", "on"),
        ("1:30", "1:30"),
        ("30s", "30s"),
        ("1_000", "1_000"),
        ("2026-12-01T02:00Z", "2026-12-01T02:00Z"),
        ('"443"', "443"),
        ("'true'", "true"),
        ("10.0.0.7", "10.0.0.7"),
        (".", "."),
    ],
)
def test_plain_scalars_follow_the_core_schema_of_yaml_1_2(written: str, value: object) -> None:
    assert values(f"a: {written}\n") == [{"a": value}]


def test_several_documents_and_empty_ones() -> None:
    assert values("a: 1\n---\n---\n# nothing\n---\nb: 2\n") == [{"a": 1}, {"b": 2}]


def test_a_path_is_found_in_its_line() -> None:
    roots, _ = tree.read("a:\n  - x: 1\n    y: 2\n  - x: 3\n", "f.yaml")
    where = roots[0].where(("a", 1, "x"))
    assert str(where) == "f.yaml:4: a[1].x"
    assert roots[0].where(("a", 0, "missing")).line == 2


def test_a_key_that_stands_twice_is_named_with_both_lines() -> None:
    said = only_problem("a:\n  host: x\n  port: 1\n  host: y\n")
    assert said.startswith("f.yaml:4: the key 'host' stands here twice")
    assert "line 2" in said


def test_an_alias_is_the_value_and_a_merge_key_its_fields() -> None:
    text = "base: &b {team: x, tags: [a]}\none: *b\ntwo:\n  <<: *b\n  team: y\n"
    (value,) = values(text)
    assert value == {
        "base": {"team": "x", "tags": ["a"]},
        "one": {"team": "x", "tags": ["a"]},
        "two": {"team": "y", "tags": ["a"]},
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: !!python/object:os.system x\n", "found the tag tag:yaml.org,2002:python/object"),
        ("a: *nowhere\n", "anchor"),
        ("a: &x [*x]\n", "anchor &x above, found none"),
        ("a: " + "[" * 40 + "]" * 40 + "\n", "at most 16 levels"),
        ("? [a, b]\n: 1\n", "a name as a key"),
        ("a: {", "1: the { that begins here has no end: write }"),
        ("a: [\n\n", "1: the [ that begins here has no end: write ]"),
        ("a: {b: 1\n", "1: the { that begins here has no end: write }"),
        ("a: 1\n\tb: 2\n", "2: a tab stands at the beginning of the line"),
        ("<<: 3\n", "a mapping"),
        ("a: \x00\n", "1: expected text, found a control character (U+0000)"),
    ],
)
def test_what_cannot_be_read_is_a_problem_with_its_place(text: str, said: str) -> None:
    problem = only_problem(text)
    assert problem.startswith("f.yaml")
    assert said in problem


@given(st.text(max_size=300))
def test_no_text_raises(text: str) -> None:
    tree.read(text, "f.yaml")


@given(st.text(alphabet="ab:-[]{}&*!<> \n'\"|#?~1.", max_size=200))
def test_no_yaml_like_text_raises(text: str) -> None:
    tree.read(text, "f.yaml")


def test_aliases_may_stand_for_much_but_not_for_anything() -> None:
    """Each level names the one before ten times: ten lines for ten billion values."""
    laughs = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"]
    laughs += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)]
    assert "at most 2,000,000 values, found more" in only_problem("".join(laughs))
    few = "".join(laughs[:5])
    assert len(values(few)) == 1


def test_merged_mappings_count_as_aliases() -> None:
    many = ", ".join(f"k{n}: 1" for n in range(1000))
    text = f"a: &a {{{many}}}\nb:\n" + "  - {<<: *a}\n" * 3000
    assert only_problem(text).startswith("f.yaml:")
    # Each is counted twice: as an alias, and as what it brings into the mapping.
    assert values(f"a: &a {{{many}}}\nb:\n" + "  - {<<: *a}\n" * 900)


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("a: {b: ${C}}", "a text that has one of { } [ ] , needs quotes"),
        ("a: {b: $.c[0].d, e: 1}", "a text that has one of { } [ ] , needs quotes"),
        ('a: "\\d+"', "in single quotes, where a backslash is one"),
        ("a: @b", 'a text that begins with @ needs quotes: a: "@b"'),
    ],
)
def test_what_yaml_refuses_is_told_with_what_to_do(written: str, hint: str) -> None:
    roots, problems = tree.read(f"x: 1\n---\n{written}\n", "f.yaml")
    assert len(roots) == 1
    (problem,) = problems
    assert problem.where.line >= 3
    assert hint in problem.message
