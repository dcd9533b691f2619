"""The templates have no words, styles or scripts of their own."""

import re
from pathlib import Path

import pytest

from portquorum.web.words import DONE, ENGLISH

FOLDER = Path(__file__).parents[5] / "portquorum" / "web"
TEMPLATES = sorted((FOLDER / "templates").rglob("*.html"))
every_template = pytest.mark.parametrize("path", TEMPLATES, ids=lambda one: one.stem)


@every_template
def test_words_are_in_one_place(path: Path) -> None:
    text = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", path.read_text(), flags=re.DOTALL)
    text = re.sub(r"<[^>]*>|&\w+;", "", text, flags=re.DOTALL)
    assert set(re.findall(r"[A-Za-z]{2,}", text)) <= {"portquorum"}


@every_template
def test_nothing_is_inline_that_the_policy_forbids(path: Path) -> None:
    text = re.sub(r"\{#.*?#\}", "", path.read_text(), flags=re.DOTALL)
    assert not re.search(r"\sstyle\s*=|\son[a-z]+\s*=|javascript:|<style|http-equiv", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)
    assert "|safe" not in text
    assert "autoescape" not in text


def test_every_word_is_used() -> None:
    used = "".join(one.read_text() for one in [*TEMPLATES, *_modules()])
    used += (FOLDER / "words.py").read_text().partition("ENGLISH: Final")[2]
    words = set(re.findall(r"\b(?:w|ENGLISH)\.(\w+)", used))
    in_forms = set(re.findall(r"(?:\bforms|_W)\.(\w+)", used))
    unused = [name for name in ENGLISH.__struct_fields__ if name not in words]
    unused += [name for name in ENGLISH.forms.__struct_fields__ if name not in in_forms]
    in_posting = set(re.findall(r"(?:\bposting|_S)\.(\w+)", used))
    unused += [name for name in ENGLISH.posting.__struct_fields__ if name not in in_posting]
    unused += [name for name in DONE if f'"{name}"' not in used.replace("DONE", "", 1)]
    assert unused == []


def _modules() -> list[Path]:
    return [one for one in FOLDER.rglob("*.py") if one.name not in {"words.py", "posting_words.py"}]
