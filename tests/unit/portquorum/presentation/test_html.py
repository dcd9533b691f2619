"""What holds for every HTML page."""

from pathlib import Path

import jinja2
import pytest

from portquorum.inventory.page import Cell, InventoryPage, Section
from portquorum.presentation.html import render

ROOT = Path(__file__).parents[4]
TEMPLATES = sorted((ROOT / "portquorum").rglob("*.html"))


def test_a_value_is_escaped_and_made_plain() -> None:
    nasty = "<b>\x1b[31m\u202e\"'&"
    page = InventoryPage(
        nasty, nasty, (Section(nasty, (nasty,), ((Cell(nasty, link=nasty),),), nasty),)
    )
    text = render("portquorum.inventory", page=page)
    escaped = "&lt;b&gt;\ufffd[31m\ufffd&#34;&#39;&amp;"
    # Title (2), lead, heading (2, one in the list of ways), text, column, link, its text.
    assert text.count(escaped) == 9
    assert "<b>" not in text


def test_a_value_that_is_not_there_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError, match="'page' is undefined"):
        render("portquorum.inventory")


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_template_turns_escaping_off(template: Path) -> None:
    text = template.read_text()
    assert "safe" not in text
    assert "autoescape" not in text


def test_there_is_one_style_and_one_base() -> None:
    styles = {path.name for path in (ROOT / "portquorum").rglob("*.css")}
    assert styles == {"style.css", "page.css"}  # of pages that one sends, and of the live one
    # Status pages are for strangers, have a look of their own and every byte of it in them.
    ours = [path for path in TEMPLATES if "status_pages" not in path.parts]
    own = [path for path in ours if path.name == "page.html"]
    assert {path.parent.name for path in own} == {"backtest", "inventory", "report"}
    for path in own:
        assert path.read_text().startswith('{% extends "base.html" %}\n')
        assert "<style" not in path.read_text()
