"""Matchers and the names of a silence say the same, or are refused."""

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from portquorum.web.alertmanager.matchers import MatcherError, parsed
from portquorum.web.alertmanager.patterns import names_of, regex_of
from sinks.notifier.matching import Patterns

CHARS = "ab-.*,|(\\+[$ "
NAMES = st.lists(st.text(CHARS, min_size=1, max_size=5), min_size=1, max_size=3, unique=True)


@given(NAMES, st.text(CHARS, max_size=8))
def test_names_and_their_regular_expression_fit_the_same(names: list[str], text: str) -> None:
    regex = regex_of(names)
    assert (re2.fullmatch(regex, text) is not None) == Patterns.of(names).fit(text)
    assert names_of(regex) == tuple(names)


@given(st.text("ab.*|()\\+?:^$[]-1", max_size=8), st.text("ab.*|()\\-1", max_size=5))
def test_whatever_is_taken_says_the_same(regex: str, text: str) -> None:
    names = names_of(regex)
    if names is None:
        return
    assert (re2.fullmatch(f"^(?:{regex})$", text) is not None) == Patterns.of(names).fit(text)


@pytest.mark.parametrize("regex", ["a+", "a.", "[ab]", "(a)|(b)", "a|", "", r"\d", "(?i)a", r"\*"])
def test_what_names_can_not_say(regex: str) -> None:
    assert names_of(regex) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('team="db"', ("team", "db", False, True)),
        ("team=db", ("team", "db", False, True)),
        (' team =~ "db-.*" ', ("team", "db-.*", True, True)),
        ("team!=db", ("team", "db", False, False)),
        ('team!~"a|b"', ("team", "a|b", True, False)),
        (r'name="say \"hi\"\n"', ("name", 'say "hi"\n', False, True)),
        (r"name=a\b", ("name", r"a\b", False, True)),
        ("team=", ("team", "", False, True)),
    ],
)
def test_a_matcher_as_people_write_it(text: str, found: tuple[object, ...]) -> None:
    one = parsed(text)
    assert (one.name, one.value, one.is_regex, one.is_equal) == found


@pytest.mark.parametrize(
    "text", ["", "db", "1a=b", 'team="db', 'team=d"b', 'team=~"("', "=x", "a=" + "x" * 6_000]
)
def test_what_is_no_matcher(text: str) -> None:
    with pytest.raises(MatcherError):
        parsed(text)


def test_signs_and_labels_of_several_values() -> None:
    labels = {"tag": ("prod", "db"), "team": ("web",)}
    held = {
        'tag="prod"': True,
        'tag="x"': False,
        'tag!="prod"': False,
        'tag!="x"': True,
        'tag=~"d."': True,
        'tag!~"d."': False,
        'team=""': False,
        'host=""': True,
        'host!=""': False,
        'team!=""': True,
        'team=~"eb"': False,
    }
    assert {text: parsed(text).holds(labels) for text in held} == held
