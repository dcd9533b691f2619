"""Edits of the page's own inventory: who may, what is refused in which words, what is written."""

import json
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from portquorum.access.principal import Principal
from portquorum.changing.edits import BulkEdit
from portquorum.changing.errors import ChangeError
from portquorum.editing.entries import by_itself
from portquorum.inventory.plan import home
from schemas.control import TargetSet
from schemas.policy import WEB, Pause
from schemas.target import Target
from schemas.web import Audit, Claim, WrittenTarget
from tests.unit.portquorum.editing.world import (
    ANN,
    FILE,
    NOW,
    PARTITIONS,
    Process,
    World,
    entry,
)

DB = Principal(name="bob", scope="admin", via="password", teams=("db",))
OPERATOR = Principal(name="otto", scope="operator", via="password")


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def page(world: World) -> Process:
    return Process(world)


def of_file(world: World, name: str, **fields: Any) -> Target:
    target = by_itself(entry(f"{name}.example.com", id=name))
    assert target is not None
    target = replace(target, source=FILE, regions=("eu",), version=5, **fields)
    world.targets.append((home(target, PARTITIONS), name, target))
    return target


async def refused(work: Coroutine[Any, Any, object], status: int, *words: str) -> ChangeError:
    with pytest.raises(ChangeError) as caught:
        await work
    assert caught.value.status == status, caught.value
    for word in words:
        assert word in caught.value.detail
    return caught.value


async def test_a_target_is_added_changed_moved_and_removed(world: World, page: Process) -> None:
    made = await page.inventory.put(ANN, "a", entry("db1.example.com"), 0)
    assert (made.version, made.by, made.target.source, made.target.host) == (
        *(1, "ann", WEB),
        "db1.example.com",
    )
    hosts = [f"db{number}.example.com" for number in range(8)]
    for number, host in enumerate(hosts, 2):
        made = await page.inventory.put(ANN, "a", entry(host), number - 1)
        assert made.version == number
        assert world.published()["a"].host == host
        assert world.published() == world.judged()
    versions = [
        one.target.version
        for records in world.control
        for one in records
        if isinstance(one, TargetSet)
    ]
    assert len(set(versions)) == len(versions)
    await page.inventory.remove(ANN, "a", made.version)
    assert world.published() == world.judged() == {}
    assert page.inventory.get("a") is None
    again = await page.inventory.put(ANN, "a", entry(), 0)
    assert again.version == made.version + 2
    audited = [one.action for one in world.book().every(Audit).values()]
    assert audited[0] == "add target"
    assert audited[-2:] == ["remove target", "add target"]
    assert not world.book().every(Claim)


async def test_what_is_so_already_is_not_written(world: World, page: Process) -> None:
    made = await page.inventory.put(ANN, "a", entry(), None)
    before = len(world.web_log)
    assert await page.inventory.put(ANN, "a", entry(), None) == made
    assert await page.inventory.patch(ANN, "a", {"port": 5432}, made.version) == made
    assert len(world.web_log) == before


async def test_a_version_that_is_not_the_present_one_is_refused(page: Process) -> None:
    await page.inventory.put(ANN, "a", entry(), None)
    error = await refused(page.inventory.put(ANN, "a", entry("x.example.com"), 0), 412, "already")
    assert error.version == 1
    error = await refused(page.inventory.patch(ANN, "a", {"port": 1}, 7), 412, "version 7", "1")
    await page.inventory.remove(ANN, "a", 1)
    await refused(page.inventory.put(ANN, "a", entry(), 1), 412, "none of this id")
    await refused(page.inventory.remove(ANN, "a", None), 404, "no target 'a'")


async def test_a_target_of_a_file_is_refused_with_its_name(world: World, page: Process) -> None:
    of_file(world, "core")
    await page.read()
    edits: list[Callable[[], Coroutine[Any, Any, object]]] = [
        lambda: page.inventory.put(ANN, "core", entry(), None),
        lambda: page.inventory.patch(ANN, "core", {"port": 1}, None),
        lambda: page.inventory.remove(ANN, "core", None),
    ]
    for edit in edits:
        await refused(edit(), 409, "inventory 'inventory'", "a file", "apply")
    assert page.inventory.owner("core") == FILE
    assert page.inventory.get("core") is None
    assert not world.web_log


async def test_an_id_that_an_apply_has_claimed_is_refused(page: Process) -> None:
    await page.journal.put([Claim(id="0" * 16, source="other", targets=("a",))])
    await refused(page.inventory.put(ANN, "a", entry(), 0), 409, "'other'", "right now")


async def test_a_file_that_was_first_makes_the_page_take_its_edit_back(
    world: World, page: Process
) -> None:
    of_file(world, "a")  # published, and not read here yet
    await refused(page.inventory.put(ANN, "a", entry(), None), 409, "inventory 'inventory'")
    assert world.published()["a"].source == FILE
    assert world.book().get(WrittenTarget, "a") is None


async def test_limits_hold_before_and_after_an_edit(page: Process) -> None:
    await page.inventory.put(ANN, "a", entry(team="db"), 0)
    await page.inventory.put(ANN, "b", entry(team="net"), 0)
    await refused(page.inventory.put(DB, "c", entry(), 0), 403, "bob", "teams db", "no team")
    await refused(page.inventory.put(DB, "b", entry(team="db"), None), 403, "team net")
    await refused(page.inventory.patch(DB, "a", {"team": "net"}, None), 403)
    await refused(page.inventory.patch(DB, "a", {"team": None}, None), 403)
    await refused(page.inventory.remove(DB, "b", None), 403)
    await refused(page.inventory.check(DB, entry(team="net")), 403)
    await page.inventory.patch(DB, "a", {"port": 1}, None)
    tagged = Principal(name="eve", scope="admin", via="token", tags=("prod",))
    await refused(page.inventory.patch(tagged, "a", {"port": 2}, None), 403, "tags prod")
    await page.inventory.patch(ANN, "a", {"tags": ["prod"]}, None)
    await page.inventory.patch(tagged, "a", {"port": 2}, None)
    await refused(page.inventory.patch(tagged, "a", {"tags": []}, None), 403)


async def test_dependencies_hold(world: World, page: Process) -> None:
    of_file(world, "core", host="10.0.0.1")
    await page.read()
    await page.inventory.put(ANN, "a", entry("a1.example.com"), 0)
    made = await page.inventory.put(ANN, "b", entry(depends_on=("a", "core")), 0)
    assert made.target.depends_on_hosts == ("a1.example.com", "10.0.0.1")
    await refused(page.inventory.remove(ANN, "a", None), 409, "b depends on 'a'")
    error = await refused(page.inventory.patch(ANN, "a", {"depends_on": ["b"]}, None), 400)
    assert error.errors[0].field == "depends_on"
    assert "circle" in error.errors[0].message
    await page.inventory.patch(ANN, "a", {"host": "a2.example.com"}, None)
    assert world.published()["b"].depends_on_hosts == ("a2.example.com", "10.0.0.1")
    assert world.published() == {**world.judged(), "core": world.published()["core"]}


async def test_what_is_wrong_is_said_and_nothing_is_written(world: World, page: Process) -> None:
    error = await refused(page.inventory.put(ANN, "a", entry(regions=("mars",)), 0), 400)
    assert [one.field for one in error.errors] == ["regions[0]"]
    error = await refused(page.inventory.put(ANN, "A b", entry(), 0), 400)
    assert [one.field for one in error.errors] == ["id"]
    error = await refused(page.inventory.put(ANN, "a", entry(id="b"), 0), 400)
    assert [one.field for one in error.errors] == ["id"]
    secret = entry(kind="http", probe={"bearer": "hunter2", "tls": True})
    error = await refused(page.inventory.put(ANN, "a", secret, 0), 400)
    assert [one.field for one in error.errors] == ["probe.bearer"]
    assert not world.web_log


async def test_nothing_is_changed_before_all_is_read(page: Process) -> None:
    page.published.is_present = False
    await refused(page.inventory.put(ANN, "a", entry(), 0), 503, "not read yet")


async def test_what_a_killed_process_wrote_down_is_published_by_another(world: World) -> None:
    dead, alive = Process(world), Process(world)
    record = WrittenTarget(
        version=1, change="0" * 16, at=NOW, by="ann", id="a", entry='{"host":"h","port":1,"id":"a"}'
    )
    await dead.journal.edit([record])
    assert await alive.inventory.repair() == 1
    assert world.published()["a"].host == "h"
    assert await alive.inventory.repair() == 0


async def test_targets_that_nobody_wrote_down_stay(world: World, page: Process) -> None:
    """They are of a file that was called web before the page had that name."""
    target = of_file(world, "old")
    world.targets.append((home(target, PARTITIONS), "old", replace(target, source=WEB)))
    assert await page.inventory.repair() == 0
    assert "old" in world.published()
    await page.inventory.remove(ANN, "old", None)
    assert world.published() == {}


# Bulk changes.


async def fleet(page: Process, count: int = 5) -> list[str]:
    names = [f"t{number}" for number in range(count)]
    for number, name in enumerate(names):
        team = "db" if number % 2 else "net"
        await page.inventory.put(ANN, name, entry(f"{name}.example.com", team=team), 0)
    return names


async def test_a_bulk_change_is_previewed_made_and_undone(world: World, page: Process) -> None:
    names = await fleet(page)
    of_file(world, "core")
    await page.read()
    before = {name: page.inventory.get(name) for name in names}
    edit = BulkEdit(action="patch", set={"criticality": "critical"}, add_tags=("eu",))
    plan = await page.inventory.preview(ANN, [*names, "core", "none", names[0]], edit)
    assert (plan.count, plan.some) == (5, tuple(names))
    assert plan.before == {"criticality": "none"}
    assert plan.after == {"criticality": "critical", "tags_added": "eu"}
    assert {one.why: (one.count, one.some) for one in plan.left_out} == {
        "file": (1, ("core",)),
        "wrong": (1, ("none",)),
    }
    asked = [*names, "core", "none"]
    done = await page.inventory.apply(ANN, asked, edit, plan.confirmation)
    assert done.changed == 5
    assert done.id is not None
    assert {one.criticality for one in world.judged().values()} == {"critical"}
    record = page.inventory.bulk(done.id)
    assert record is not None
    assert record.targets == tuple(names)
    said = page.journal.book.every(Audit)[done.id]
    assert (said.before, said.after) == (
        '{"criticality":"none"}',
        '{"criticality":"critical","tags_added":"eu"}',
    )
    await page.inventory.patch(ANN, "t1", {"port": 99}, None)  # since
    undone = await page.inventory.undo(ANN, done.id)
    assert undone.changed == 4
    assert [(one.why, one.some) for one in undone.left_out] == [("changed", ("t1",))]
    for name in names:
        was, now = before[name], page.inventory.get(name)
        assert was is not None
        assert now is not None
        assert now.version == was.version + 2
        assert (now.entry == was.entry) is (name != "t1")
    await refused(page.inventory.undo(ANN, done.id), 409, "ann has undone it")
    record = page.inventory.bulk(done.id)
    assert record is not None
    assert record.undone_at is not UNSET
    assert undone.id is not None
    redone = await page.inventory.undo(ANN, undone.id)
    assert redone.changed == 4
    await refused(page.inventory.undo(ANN, "f" * 16), 404)


async def test_a_confirmation_is_of_these_targets_versions_and_edit_alone(page: Process) -> None:
    names = await fleet(page)
    edit = BulkEdit(action="patch", add_tags=("eu",))
    plan = await page.inventory.preview(ANN, names, edit)
    other = BulkEdit(action="patch", add_tags=("us",))
    await refused(page.inventory.apply(ANN, names, other, plan.confirmation), 409)
    await refused(
        page.inventory.apply(ANN, names[:3], edit, plan.confirmation), 409, "3 targets", "the 5"
    )
    await page.inventory.patch(ANN, "t0", {"port": 1}, None)
    await refused(page.inventory.apply(ANN, names, edit, plan.confirmation), 409)
    await refused(page.inventory.apply(ANN, names, edit, ""), 409)


async def test_a_bulk_change_stays_within_limits_and_scope(page: Process) -> None:
    names = await fleet(page)
    edit = BulkEdit(action="patch", set={"interval": "10m"})
    plan = await page.inventory.preview(DB, names, edit)
    assert plan.count == 2
    assert [(one.why, one.count) for one in plan.left_out] == [("limits", 3)]
    away = BulkEdit(action="patch", set={"team": "net"})
    assert (await page.inventory.preview(DB, names, away)).count == 0
    await refused(page.inventory.preview(OPERATOR, names, edit), 403, "admin")
    done = await page.inventory.apply(
        ANN, names, away, (await page.inventory.preview(ANN, names, away)).confirmation
    )
    assert done.id is not None
    assert done.changed == 2
    undone = await page.inventory.undo(DB, done.id)
    assert undone.changed == 0
    await refused(page.inventory.undo(OPERATOR, done.id), 403)


async def test_removed_targets_come_back_with_their_dependencies(
    world: World, page: Process
) -> None:
    names = await fleet(page, 3)
    await page.inventory.patch(ANN, "t2", {"depends_on": ["t1"]}, None)
    edit = BulkEdit(action="remove")
    plan = await page.inventory.preview(ANN, ["t1"], edit)
    assert plan.count == 0
    assert "depends" in plan.left_out[0].message
    plan = await page.inventory.preview(ANN, names, edit)
    before = world.judged()
    done = await page.inventory.apply(ANN, names, edit, plan.confirmation)
    assert world.published() == world.judged() == {}
    assert done.id is not None
    undone = await page.inventory.undo(ANN, done.id)
    assert undone.changed == 3
    after = world.judged()
    assert {n: replace(t, version=0) for n, t in after.items()} == {
        n: replace(t, version=0) for n, t in before.items()
    }


async def test_pauses_of_any_source_are_made_and_undone(world: World, page: Process) -> None:
    await fleet(page, 2)
    of_file(world, "core")
    old = Pause(name="core", paused_at=NOW - 5, until=None, reason="old", by="eve")
    world.policy[b"pause/pause/core"] = old
    await page.read()
    edit = BulkEdit(action="pause", until=NOW + 60_000, reason="move")
    names = ["t0", "t1", "core", "none"]
    plan = await page.inventory.preview(OPERATOR, names, edit)
    assert plan.count == 3
    done = await page.inventory.apply(OPERATOR, names, edit, plan.confirmation)
    assert done.changed == 3
    pauses = {one.name: one for one in world.policy.values() if isinstance(one, Pause)}
    assert {one.reason for one in pauses.values()} == {"move"}
    again = await page.inventory.preview(OPERATOR, names, edit)
    assert again.count == 0
    assert {one.why for one in again.left_out} == {"same", "wrong"}
    del world.policy[b"pause/pause/t0"]  # somebody resumed it
    assert done.id is not None
    undone = await page.inventory.undo(OPERATOR, done.id)
    assert undone.changed == 2
    pauses = {one.name: one for one in world.policy.values() if isinstance(one, Pause)}
    assert pauses == {"core": old}


async def test_a_bulk_change_that_means_nothing_is_refused(page: Process) -> None:
    names = await fleet(page, 1)
    for edit, field in (
        (BulkEdit(action="patch"), "set"),
        (BulkEdit(action="patch", set={"id": "x"}), "set.id"),
        (BulkEdit(action="pause", until=NOW - 1), "until"),
        (BulkEdit(action="pause", reason="x" * 501), "reason"),
    ):
        error = await refused(page.inventory.preview(ANN, names, edit), 400)
        assert [one.field for one in error.errors] == [field]
    many = [f"n{number}" for number in range(10_001)]
    await refused(page.inventory.preview(ANN, many, BulkEdit(action="resume")), 400, "10,000")


async def test_the_file_has_the_targets_of_the_page_alone(world: World, page: Process) -> None:
    await fleet(page, 2)
    of_file(world, "core")
    await page.read()
    text = page.inventory.yaml()
    assert "id: t0" in text
    assert "id: t1" in text
    assert "core" not in text
    assert json.loads(json.dumps(text)) == text
