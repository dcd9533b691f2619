"""Posts: published, updated, corrected, removed; and drafts that give nothing away."""

import re
from typing import Any, Final

import pytest
from msgspec.structs import replace

from portquorum.changing.status_edits import PostChange, WantedPost
from portquorum.status_editing.draft import Outage, drafted
from schemas.web import Audit
from tests.unit.portquorum.status_editing.pages_of_tests import (
    ADMIN,
    NOW,
    SHOP,
    SHOPS,
    Writers,
    component,
    page,
)
from tests.unit.portquorum.status_editing.test_pages import refused

POST: Final = WantedPost(title="Checkout is down", text="We look.", components=("shop/checkout",))
MINUTE: Final = 60_000


async def desk_with_pages() -> Writers:
    desk = Writers()
    await desk.editor.put_page(ADMIN, "shop", SHOPS, 0)
    await desk.editor.put_page(ADMIN, "inner", page(component("Cluster 7", "web-1")), 0)
    return desk


async def test_an_incident_from_its_first_word_to_its_end_and_back() -> None:
    desk = await desk_with_pages()
    made = await desk.editor.add_post(SHOP, POST)
    assert (made.pages, made.impact, made.updates[0].state) == (("shop",), "minor", "investigating")
    assert (made.starts_at, made.ends_at, made.updates[0].by) == (NOW, None, "sam")
    desk.now += MINUTE
    over = await desk.editor.change_post(
        SHOP, made.id, PostChange(state="resolved", text="Over."), 1
    )
    assert (over.version, over.ends_at, len(over.updates)) == (2, NOW + MINUTE, 2)
    desk.now -= 5 * MINUTE  # another process, whose clock is late
    again = await desk.editor.change_post(
        SHOP, made.id, PostChange(state="monitoring", text="Or not."), None
    )
    assert again.ends_at is None
    assert [one.at for one in again.updates] == sorted(one.at for one in again.updates)
    better = await desk.editor.change_post(
        SHOP, made.id, PostChange(texts=("Sorry.", "Over.", "Or not."), title="Checkout"), 3
    )
    assert [one.text for one in better.updates] == ["Sorry.", "Over.", "Or not."]
    same = await desk.editor.change_post(SHOP, made.id, PostChange(title="Checkout"), None)
    assert same.version == better.version
    await desk.editor.remove_post(SHOP, made.id, None)
    assert desk.editor.posts() == []
    await refused(desk.editor.remove_post(SHOP, made.id, None), 404)
    actions = [one.action for one in desk.journal.book.every(Audit).values()]
    assert actions[2:] == ["add post", *["change post"] * 3, "remove post"]


async def test_planned_work_has_a_beginning_and_an_end() -> None:
    desk = await desk_with_pages()
    work = WantedPost(title="New disks", text="At night.", sort="maintenance", pages=("shop",))
    errors = await refused(desk.editor.add_post(ADMIN, work))
    assert errors.keys() == {"starts_at", "ends_at"}
    hour = 60 * MINUTE
    planned = replace(work, starts_at=NOW + hour, ends_at=NOW + 3 * hour)
    made = await desk.editor.add_post(ADMIN, planned)
    assert (made.impact, made.updates[0].state) == ("maintenance", "scheduled")
    desk.now += 2 * hour
    done = PostChange(state="completed", text="Done.")
    assert (await desk.editor.change_post(ADMIN, made.id, done, None)).ends_at == NOW + 2 * hour
    backwards = replace(planned, ends_at=NOW)
    assert "ends_at" in await refused(desk.editor.add_post(ADMIN, backwards))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "x" * 101}, "title"),
        ({"text": " \n"}, "text"),
        ({"text": "x" * 5_001}, "text"),
        ({"components": ("shop/none",)}, "components[0]"),
        ({"components": ("none/none",)}, "components[0]"),
        ({"components": (), "pages": ("none",)}, "pages[0]"),
        ({"components": ()}, "pages"),
        ({"state": "completed"}, "state"),
        ({"impact": "maintenance"}, "impact"),
        ({"starts_at": NOW, "ends_at": NOW - 1, "state": "resolved"}, "ends_at"),
        ({"starts_at": -1}, "starts_at"),
    ],
)
async def test_what_is_wrong_is_at_its_field(change: dict[str, Any], field: str) -> None:
    desk = await desk_with_pages()
    assert field in await refused(desk.editor.add_post(ADMIN, replace(POST, **change)))


async def test_an_update_needs_words_and_corrections_all_texts() -> None:
    desk = await desk_with_pages()
    made = await desk.editor.add_post(ADMIN, POST)
    for change, field in (
        (PostChange(state="resolved"), "text"),
        (PostChange(texts=()), "texts"),
        (PostChange(texts=("",)), "texts[0]"),
        (PostChange(text="x", state="scheduled"), "state"),
    ):
        errors = await refused(desk.editor.change_post(ADMIN, made.id, change, None))
        assert field in errors


async def test_limits_hold_for_all_that_a_post_is_about() -> None:
    desk = await desk_with_pages()
    await refused(desk.editor.add_post(SHOP, replace(POST, components=("shop/orders",))), 403)
    await refused(desk.editor.add_post(SHOP, replace(POST, components=(), pages=("shop",))), 403)
    await refused(desk.editor.add_post(SHOP, replace(POST, pages=("inner",))), 403)
    of_db = await desk.editor.add_post(ADMIN, replace(POST, components=("shop/orders",)))
    change = PostChange(components=("shop/checkout",))
    await refused(desk.editor.change_post(SHOP, of_db.id, change, None), 403)
    await refused(desk.editor.remove_post(SHOP, of_db.id, None), 403)
    own = await desk.editor.add_post(SHOP, POST)
    away = PostChange(components=("shop/orders",))
    await refused(desk.editor.change_post(SHOP, own.id, away, None), 403)


async def test_a_post_outlives_its_components() -> None:
    desk = await desk_with_pages()
    made = await desk.editor.add_post(ADMIN, POST)
    await desk.editor.remove_page(ADMIN, "shop", None)
    said = PostChange(text="Over.", state="resolved", components=made.components)
    assert (await desk.editor.change_post(ADMIN, made.id, said, None)).version == 2


async def test_a_draft_has_the_names_that_all_readers_know() -> None:
    desk = await desk_with_pages()
    outage = Outage(id="inc-1", target="web-1", sort="unreachable", began_at=NOW)
    both = drafted(desk.editor.pages(), outage)
    assert both.components == ("inner/cluster-7", "shop/checkout")
    assert both.title == "Cluster 7 and Checkout: not available"
    locked = page(component("Cluster 7", "web-1"), access="locked")
    await desk.editor.put_page(ADMIN, "inner", locked, None)
    made = drafted(desk.editor.pages(), outage)
    assert made.title == "Checkout: not available", "a name of a locked page is not on a public one"
    assert (made.impact, made.starts_at, made.incident_id) == ("major", NOW, "inc-1")
    said = f"{made.title} {made.text}"
    assert not re.search(r"web-1|internal|example|5432|Cluster", said)
    published = await desk.editor.add_post(ADMIN, made)
    assert published.pages == ("inner", "shop")
    over = drafted(desk.editor.pages(), replace(outage, ended_at=NOW + MINUTE, sort="slow"))
    assert (over.state, over.ends_at) == ("resolved", NOW + MINUTE)
    await desk.editor.add_post(ADMIN, over)
    assert drafted(desk.editor.pages(), replace(outage, target="other")).pages == ()
