"""Status pages as a file: what is written is read again; what is wrong is said with its line."""

import pytest
from msgspec.structs import replace

from portquorum.changing.status_edits import WantedGroup, WantedPage
from portquorum.status_editing.page_file import wanted_in, written
from portquorum.status_editing.page_rules import wanted_of
from tests.unit.portquorum.status_editing.pages_of_tests import (
    ADMIN,
    PASSWORD,
    SHOPS,
    Writers,
    component,
    page,
)


async def test_what_is_written_is_read_again() -> None:
    desk = Writers()
    many = WantedPage(
        title='Ünï: "x" # y',
        description="two\nlines",
        access="locked",
        password=PASSWORD,
        days=7,
        show_uptime=False,
        show_response_times=True,
        contact="mailto:a@example.com",
        groups=(
            WantedGroup(name="yes", components=(component("no", "web-1", description="a: b"),)),
            WantedGroup(components=(component("Null", "db-1", "web-2"),)),
        ),
    )
    await desk.editor.put_page(ADMIN, "many", many, 0)
    await desk.editor.put_page(ADMIN, "shop", SHOPS, 0)
    text = written(desk.editor.pages())
    pages, problems = wanted_in(text, "f.yaml")
    assert problems == []
    assert pages == {one.slug: wanted_of(one) for one in desk.editor.pages()}
    assert PASSWORD not in text
    assert "argon2" not in text
    for slug, wanted in pages.items():
        before = desk.editor.page(slug)
        assert await desk.editor.put_page(ADMIN, slug, wanted, None) is before
    assert wanted_in(written([]), "f.yaml") == ({}, [])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected status_pages:, found nothing"),
        ("targets: []", "f.yaml:1: expected status_pages: alone, found targets"),
        ("status_pages: [1]", "f.yaml:1: status_pages: expected pages by their slugs"),
        ("status_pages:\n  shop: 1", "f.yaml:2: status_pages.shop: expected a page with"),
        (
            "status_pages:\n  shop:\n    title: x\n    password: y",
            "f.yaml:4: status_pages.shop.password: expected no password in a file",
        ),
        (
            "status_pages:\n  shop:\n    title: x\n    days: 91",
            "f.yaml:4: status_pages.shop.days: expected",
        ),
        (
            "status_pages:\n  shop:\n    title: x\n    tilte: y",
            "f.yaml:4: status_pages.shop.tilte: no such field",
        ),
        ("status_pages: {", "f.yaml:1: the { that begins here has no end"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, said: str) -> None:
    _, problems = wanted_in(text, "f.yaml")
    assert said in str(problems[0])


async def test_a_plan_changes_nothing() -> None:
    desk = Writers()
    await desk.editor.put_page(ADMIN, "shop", SHOPS, 0)
    records = len(desk.journal.log.records)
    assert desk.editor.planned(ADMIN, "shop", SHOPS).version == 1
    assert desk.editor.planned(ADMIN, "shop", replace(SHOPS, title="x")).version == 2
    assert desk.editor.planned(ADMIN, "new-one", page(component("A", "db-1"))).version == 1
    assert len(desk.journal.log.records) == records
