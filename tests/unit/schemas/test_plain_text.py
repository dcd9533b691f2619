"""Text of others, made safe."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.plain_text import escaped_json, one_line, plain, unsafe_in

BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
UNSAFE = [
    *map(chr, range(0x20)),
    *map(chr, range(0x7F, 0xA0)),
    *BIDI,
    "\u2028",
    "\u2029",
    "\ud800",
    "\udfff",
]
SAFE = [
    "Datenbank für Köln – 5432",
    "می‌خواهم",
    "\N{FAMILY}\N{ZERO WIDTH JOINER}\N{ROCKET}",
    "\ue000",
    "שלום",
    "[red]x[/red]",
]


@pytest.mark.parametrize("char", UNSAFE, ids=lambda char: f"{ord(char):04X}")
def test_an_unsafe_character_is_named_and_gone(char: str) -> None:
    assert one_line(f"a{char}b") in {"a b", "a\N{REPLACEMENT CHARACTER}b"}
    assert f"U+{ord(char):04X}" in str(unsafe_in(f"abc{char}"))
    assert str(unsafe_in(f"abc{char}")).endswith("as character 4")
    assert unsafe_in(f"abc{char}", but=char) is None
    kept = char in "\n\t"
    assert (plain(f"a{char}b") == f"a{char}b") is kept


@pytest.mark.parametrize("text", SAFE)
def test_what_people_write_stays(text: str) -> None:
    assert one_line(text) == plain(text) == text
    assert unsafe_in(text) is None


@given(st.text(st.characters(exclude_categories=())))
def test_nothing_unsafe_is_left(text: str) -> None:
    for made in (one_line(text), plain(text).replace("\n", "").replace("\t", "")):
        assert len(made) <= len(text)
        assert unsafe_in(made) is None
        assert not {unicodedata.category(char) for char in made} & {"Cc", "Cs", "Zl", "Zp"}
    assert one_line(one_line(text)) == one_line(text)


@given(st.recursive(st.text(), lambda more: st.lists(more) | st.dictionaries(st.text(), more)))
def test_json_stays_the_same_value(value: object) -> None:
    for document in (json.dumps(value, ensure_ascii=False), json.dumps(value, indent=2)):
        made = escaped_json(document)
        assert json.loads(made) == value
        assert unsafe_in(made, but="\n") is None
