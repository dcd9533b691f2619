"""What of [web] is over."""

import pytest

from portquorum.journal import overdue as over
from portquorum.journal.book import PageBook
from portquorum.journal.overdue import overdue
from schemas import web
from schemas.duration import DAY_MS
from schemas.web import Audit, PostState, PostUpdate, StatusPost

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


def post(state: PostState) -> StatusPost:
    return StatusPost(
        version=1,
        change="0" * 16,
        at=AT,
        by="ann",
        id=f"{len(state):016x}",
        pages=("shop",),
        sort="incident",
        title="x",
        impact="minor",
        updates=(PostUpdate(at=AT, state=state, text="x", by="ann"),),
        starts_at=AT,
        created_at=AT,
    )


@pytest.mark.parametrize(
    ("state", "days", "is_gone"),
    [("resolved", 399, False), ("resolved", 401, True), ("monitoring", 4_000, False)],
)
def test_posts_go_a_year_after_they_are_over(state: PostState, days: int, *, is_gone: bool) -> None:
    book, one = PageBook(), post(state)
    key = web.key(one, "0" * 16)
    book.apply(key, web.encode(one), 0, AT)
    later = entry(1, "ann")
    book.apply(web.key(later), web.encode(later), 1, AT + days * DAY_MS)
    assert (key in set(overdue(book))) is is_gone
