"""The page's own inventory on a real broker, beside files that want the same ids."""

import asyncio
import json
import os
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from foundation.settings import Settings
from portquorum.access.principal import Principal
from portquorum.changing.edits import BulkEdit
from portquorum.editing.page_inventory import PageInventory, page_inventory
from portquorum.editing.published import ReadTopics
from portquorum.inventory import ApplyError, InventoryError, apply
from portquorum.inventory import present as presents
from portquorum.inventory.document import TargetEntry
from portquorum.journal.journal import opened
from schemas.policy import WEB
from schemas.web import Claim, WrittenTarget
from tests.commands import Said, called

ANN = Principal(name="ann", scope="admin", via="password")


@pytest.fixture
def settings(kafka: str) -> Settings:
    return Settings(kafka=kafka, topic_prefix=f"page-{uuid.uuid4().hex[:12]}", partitions=4)


@asynccontextmanager
async def page(settings: Settings) -> AsyncIterator[PageInventory]:
    published = ReadTopics(settings)
    await published.caught_up()
    async with opened(settings) as journal:
        inventory = page_inventory(settings, journal, published)
        try:
            yield inventory
        finally:
            await inventory.close()


async def base(settings: Settings, folder: Path) -> None:
    path = folder / "base.yaml"
    path.write_text("regions: {eu: {internal: true}, out: {}}\nteams: {db: {}}\n")
    await apply(settings, [path])


def entry(name: str) -> TargetEntry:
    return TargetEntry(host=f"{name}.example.com", port=5432)


async def claims(settings: Settings) -> int:
    async with opened(settings) as journal:
        return len(journal.book.every(Claim))


async def test_a_file_takes_no_target_of_the_page_before_it_was_removed_there(
    settings: Settings, tmp_path: Path
) -> None:
    await base(settings, tmp_path)
    async with page(settings) as inventory:
        await inventory.put(ANN, "db1", entry("db1"), 0)
        exported = tmp_path / "page.yaml"
        exported.write_text(inventory.yaml())
        with pytest.raises(InventoryError, match=r"belongs to the page's own inventory.*export"):
            await apply(settings, [exported], source="taken")
        before = (await presents.read(settings)).targets()["db1"].target
        await inventory.remove(ANN, "db1", 1)
    await apply(settings, [exported], source="taken")
    after = (await presents.read(settings)).targets()["db1"].target
    assert after.source == "taken"
    assert after.version > before.version
    assert (after.host, after.regions) == (before.host, before.regions)
    assert await claims(settings) == 0


async def test_an_apply_is_refused_by_what_is_written_down_and_not_published(
    settings: Settings, tmp_path: Path
) -> None:
    await base(settings, tmp_path)
    wanted = tmp_path / "wanted.yaml"
    wanted.write_text("targets: [{id: db1, host: h, port: 1, regions: [eu]}]\n")
    async with opened(settings) as journal:
        text = '{"id":"db1","host":"h","port":1}'
        await journal.edit(
            [WrittenTarget(version=1, change="0" * 16, at=0, by="x", id="db1", entry=text)]
        )
    with pytest.raises(ApplyError, match=r"the page's own inventory.*nothing was changed"):
        await apply(settings, [wanted])
    assert await claims(settings) == 0
    assert "db1" not in (await presents.read(settings)).targets()
    async with page(settings) as inventory:
        assert await inventory.repair() == 1
    assert (await presents.read(settings)).targets()["db1"].target.source == WEB


async def test_217_targets_are_changed_at_once_and_put_back(
    settings: Settings, tmp_path: Path
) -> None:
    await base(settings, tmp_path)
    count = int(os.environ.get("PORTQUORUM_TEST_BULK", "217"))
    async with page(settings) as inventory:
        names = [f"t{number}" for number in range(count)]
        async with opened(settings) as journal:
            for at in range(0, count, 500):
                await journal.edit(
                    [
                        WrittenTarget(
                            version=1,
                            change="0" * 16,
                            at=0,
                            by="x",
                            id=name,
                            entry=json.dumps(
                                {"id": name, "host": f"{name}.example.com", "port": 1}
                            ),
                        )
                        for name in names[at : at + 500]
                    ]
                )
        spent = {}
        began = time.monotonic()
        assert await inventory.repair() == count
        spent["publish"] = time.monotonic() - began
        edit = BulkEdit(action="patch", set={"criticality": "critical"}, add_tags=("eu",))
        began = time.monotonic()
        plan = await inventory.preview(ANN, names, edit)
        spent["preview"] = time.monotonic() - began
        began = time.monotonic()
        done = await inventory.apply(ANN, names, edit, plan.confirmation)
        spent["apply"] = time.monotonic() - began
        assert done.changed == count
        found = (await presents.read(settings)).targets()
        assert {one.target.criticality for one in found.values()} == {"critical"}
        began = time.monotonic()
        assert done.id is not None
        assert (await inventory.undo(ANN, done.id)).changed == count
        spent["undo"] = time.monotonic() - began
        found = (await presents.read(settings)).targets()
        assert {(one.target.criticality, one.target.tags) for one in found.values()} == {
            ("normal", ())
        }
    print({name: round(one, 2) for name, one in spent.items()})  # noqa: T201


async def test_a_check_reaches_what_probers_of_all_its_regions_may(
    settings: Settings, tmp_path: Path
) -> None:
    await base(settings, tmp_path)
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, page(settings) as inventory:
        inside = TargetEntry(host="127.0.0.1", port=port, regions=("eu",))
        said = await inventory.check(ANN, inside)
        assert said.up, said
        assert said.address == "127.0.0.1"
        for regions in (("out",), ("eu", "out"), None):
            said = await inventory.check(
                ANN, TargetEntry(host="127.0.0.1", port=port, regions=regions)
            )
            assert (said.up, said.reason) == (False, "address_blocked")


async def test_the_commands_export_and_remove(settings: Settings, tmp_path: Path) -> None:
    await base(settings, tmp_path)
    async with page(settings) as inventory:
        await inventory.put(ANN, "db1", entry("db1"), 0)
    env = {
        "PORTQUORUM_KAFKA": settings.kafka,
        "PORTQUORUM_TOPIC_PREFIX": settings.topic_prefix,
        "PORTQUORUM_PARTITIONS": str(settings.partitions),
        "PORTQUORUM_DATA_DIR": str(tmp_path),
    }

    async def run(*words: str) -> Said:
        return await asyncio.to_thread(called, tmp_path, env, *words)

    exported = await run("inventory", "export")
    assert "  - id: db1\n" in exported.stdout, exported.stderr
    listed = json.loads((await run("inventory", "export", "--json")).stdout)
    assert [one["id"] for one in listed["targets"]] == ["db1"]
    removed = await run("target", "remove", "db1", "--json")
    assert json.loads(removed.stdout) == {"removed": ["db1"]}, removed.stderr
    again = await run("target", "remove", "db1", "--yes")
    assert again.returncode == 1
    assert "no target 'db1' of the page's own" in again.stderr
