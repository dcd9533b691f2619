"""What of [web] is over."""

import pytest

from portquorum.journal import overdue as over
from portquorum.journal.book import PageBook
from portquorum.journal.overdue import overdue
from schemas import web
from schemas.web import Audit

AT = 1_796_000_000_000


def entry(number: int, by: str) -> Audit:
    return Audit(id=f"{number:016x}", at=AT, by=by, action="x", about="y")


def gone(monkeypatch: pytest.MonkeyPatch, authors: list[str]) -> list[int]:
    """The numbers of the entries that are removed of a log of these authors."""
    monkeypatch.setattr(over, "AUDIT_ENTRIES", 10)
    monkeypatch.setattr(over, "OWN_ENTRIES", 3)
    book = PageBook()
    for number, by in enumerate(authors):
        one = entry(number, by)
        book.apply(web.key(one), web.encode(one), number, AT)
    return [int(key.rpartition(b"/")[2], 16) for key in overdue(book)]


def test_the_oldest_entries_go(monkeypatch: pytest.MonkeyPatch) -> None:
    assert gone(monkeypatch, ["ann"] * 10) == []
    assert gone(monkeypatch, ["ann"] * 12) == [0, 1]


def test_nobody_drives_out_what_others_did(monkeypatch: pytest.MonkeyPatch) -> None:
    others = ["root", "ann", "root"]
    assert gone(monkeypatch, [*others, *["eve"] * 20]) == list(range(3, 16))
    # Of many authors each keeps some, though they are more than it keeps.
    assert gone(monkeypatch, [f"a{one}" for one in range(12)]) == []
