"""Status pages are made, changed and removed; what is wrong is said at its field."""

from collections.abc import Coroutine
from http import HTTPStatus
from typing import Any

import pytest
from msgspec.structs import replace

from portquorum.access.principal import Principal
from portquorum.changing.errors import ChangeError
from portquorum.changing.status_edits import StatusEdits, WantedGroup, WantedPage
from portquorum.status_editing.page_rules import seen, wanted_of
from schemas import web
from schemas.web import Audit, StatusPage
from tests.memory_journal import MemoryLog
from tests.unit.portquorum.status_editing.pages_of_tests import (
    ADMIN,
    PASSWORD,
    SHOPS,
    Writers,
    component,
    page,
)


async def refused(work: Coroutine[Any, Any, object], status: int = 400) -> dict[str, str]:
    """The fields of a refusal."""
    with pytest.raises(ChangeError) as found:
        await work
    assert found.value.status == status, found.value.detail
    return {one.field: one.message for one in found.value.errors}


def ids(made: StatusPage) -> list[str]:
    return [one.id for group in made.groups for one in group.components]


async def test_a_page_is_made_changed_read_and_removed() -> None:
    desk = Writers()
    edits: StatusEdits = desk.editor
    made = await edits.put_page(ADMIN, "shop", SHOPS, 0)
    assert (made.version, made.by, ids(made)) == (1, "ann", ["checkout", "orders"])
    again = await edits.put_page(ADMIN, "shop", SHOPS, None)
    assert again is made or again.version == 1, "the same page changes nothing"
    changed = await edits.put_page(ADMIN, "shop", replace(SHOPS, title="Shop & co"), 1)
    assert (changed.version, changed.title) == (2, "Shop & co")
    assert [one.slug for one in edits.pages()] == ["shop"]
    assert wanted_of(changed) == seen(changed).entry
    await edits.remove_page(ADMIN, "shop", 2)
    assert edits.page("shop") is None
    anew = await edits.put_page(ADMIN, "shop", SHOPS, 0)
    assert anew.version == 4
    actions = [one.action for one in desk.journal.book.every(Audit).values()]
    assert actions == [
        "add status page",
        "change status page",
        "remove status page",
        "add status page",
    ]


async def test_another_version_is_told() -> None:
    desk = Writers()
    await desk.editor.put_page(ADMIN, "shop", SHOPS, 0)
    await refused(desk.editor.put_page(ADMIN, "shop", page(component("A", "db-1")), 0), 412)
    await refused(desk.editor.remove_page(ADMIN, "shop", 7), 412)
    await refused(desk.editor.remove_page(ADMIN, "none", None), 404)


async def test_of_two_at_the_same_time_one_is_first() -> None:
    log = MemoryLog()
    one, two = Writers(log), Writers(log)
    await one.editor.put_page(ADMIN, "shop", SHOPS, 0)

    def first() -> None:
        made = one.journal.book.get(StatusPage, "shop")
        assert made is not None
        log.append(
            web.key(replace(made, version=2, title="First"), "0" * 16),
            web.encode(replace(made, version=2, title="First")),
        )

    two.journal.before_write = first
    await refused(two.editor.put_page(ADMIN, "shop", replace(SHOPS, title="Second"), 1), 409)
    found = one.editor.page("shop")
    assert found is not None
    assert found.title == "First"


async def test_an_id_stays_when_the_name_or_the_targets_change() -> None:
    desk = Writers()
    await desk.editor.put_page(ADMIN, "shop", SHOPS, 0)
    renamed = page(component("Buying", "web-1", "web-2"), component("Orders", "db-1"))
    assert ids(await desk.editor.put_page(ADMIN, "shop", renamed, None)) == ["checkout", "orders"]
    moved = page(component("Buying", "web-1"), component("Orders", "db-1", "web-2"))
    assert ids(await desk.editor.put_page(ADMIN, "shop", moved, None)) == ["checkout", "orders"]
    more = page(*moved.groups[0].components, component("Checkout", "db-1"))
    assert ids(await desk.editor.put_page(ADMIN, "shop", more, None)) == [
        *("checkout", "orders"),
        "checkout-2",
    ]
    named = page(component("Æ", "db-1"), component("Ω", "web-1", id="omega"))
    assert ids(await desk.editor.put_page(ADMIN, "greek", named, 0)) == ["component", "omega"]


async def test_what_is_wrong_is_at_its_field() -> None:
    desk = Writers()
    wrong = WantedPage(
        title=" ",
        contact="javascript:alert(1)",
        password="short",  # noqa: S106
        groups=(
            WantedGroup(
                name="G",
                components=(
                    component("", "db-1"),
                    component("A", "gone", id="Not An Id"),
                    component("A"),
                    component("B", "db-1", id="b"),
                    component("C", "db-1", id="b"),
                ),
            ),
        ),
    )
    errors = await refused(desk.editor.put_page(ADMIN, "shop", wrong, None))
    assert errors.keys() == {
        *("title", "contact", "password", "groups[0].components[0].name"),
        *("groups[0].components[1].id", "groups[0].components[1].targets"),
        *("groups[0].components[1].name", "groups[0].components[2].targets"),
        *("groups[0].components[3].id", "groups[0].components[4].id"),
    }
    assert errors["groups[0].components[1].targets"] == "there is no target 'gone'"
    assert "groups" in await refused(
        desk.editor.put_page(ADMIN, "shop", WantedPage(title="Empty"), None)
    )
    for slug in ("", "new", "Shop", "a/b", "x" * 64):
        assert "slug" in await refused(desk.editor.put_page(ADMIN, slug, SHOPS, None))
    many = page(*(component(f"c {one}", "db-1") for one in range(1_001)))
    assert "groups" in await refused(desk.editor.put_page(ADMIN, "shop", many, None))


async def test_a_target_that_is_gone_may_stay_and_a_new_one_must_be_there() -> None:
    desk = Writers()
    await desk.editor.put_page(ADMIN, "shop", SHOPS, 0)
    del desk.targets.teams["db-1"]
    changed = await desk.editor.put_page(ADMIN, "shop", replace(SHOPS, title="Still"), None)
    assert changed.version == 2
    other = page(component("X", "db-2"))
    assert await refused(desk.editor.put_page(ADMIN, "shop", other, None))


async def test_a_password_is_kept_replaced_and_taken_away() -> None:
    desk = Writers()
    locked = replace(SHOPS, access="locked", password=PASSWORD)
    made = await desk.editor.put_page(ADMIN, "shop", locked, 0)
    assert made.password is not None
    assert made.password.startswith("$argon2id$")
    kept = await desk.editor.put_page(ADMIN, "shop", replace(locked, title="S"), None)
    assert kept.password == made.password, "the same password lets in whom it had let in"
    assert (await desk.editor.put_page(ADMIN, "shop", SHOPS, None)).password == made.password
    other = replace(locked, password="another horse battery")  # noqa: S106
    assert (await desk.editor.put_page(ADMIN, "shop", other, None)).password != made.password
    only = replace(locked, password="a third horse battery")  # noqa: S106
    third = await desk.editor.put_page(ADMIN, "shop", only, None)
    assert third.version == 5, "another password alone is a change"
    none = await desk.editor.put_page(ADMIN, "shop", replace(locked, password=None), None)
    assert none.password is None
    audit = "".join(
        f"{one.before}{one.after}{one.detail}" for one in desk.journal.book.every(Audit).values()
    )
    assert "argon2" not in audit
    assert PASSWORD not in audit


async def test_an_admin_with_limits_makes_pages_of_their_own_targets() -> None:
    desk = Writers()
    shop = Principal(name="sue", scope="admin", via="password", teams=("shop",))
    await refused(desk.editor.put_page(shop, "shop", SHOPS, 0), 403)
    own = page(component("Checkout", "web-1"))
    await desk.editor.put_page(shop, "own", own, 0)
    await desk.editor.put_page(ADMIN, "all", SHOPS, 0)
    await refused(desk.editor.put_page(shop, "all", own, None), 403)
    await refused(desk.editor.remove_page(shop, "all", None), 403)


async def test_nothing_is_changed_before_all_is_read_or_while_kafka_is_away() -> None:
    desk = Writers()
    desk.targets.is_present = False
    await refused(desk.editor.put_page(ADMIN, "shop", SHOPS, 0), HTTPStatus.SERVICE_UNAVAILABLE)
    desk.targets.is_present = True
    desk.journal.is_away = True
    await refused(desk.editor.put_page(ADMIN, "shop", SHOPS, 0), HTTPStatus.SERVICE_UNAVAILABLE)
