"""Many editors, two processes and an apply: whatever the order, one truth is left."""

import asyncio
import random

import pytest
from msgspec.structs import replace

from portquorum.changing.edits import Written
from portquorum.changing.errors import ChangeError
from portquorum.editing import publisher
from portquorum.editing.entries import by_itself
from schemas.policy import WEB
from schemas.target import Target
from schemas.web import WrittenTarget
from tests.unit.portquorum.editing.world import (
    ANN,
    FILE,
    Process,
    World,
    apply_file,
    entry,
    turns,
)

ID = "prod-db"


async def edited(process: Process, number: int, chance: random.Random) -> Written | None:
    """An edit of one of many editors: 200 (what was written) or 409 (None)."""
    await some_time(chance)
    host = f"db{number % 7}.example.com"
    try:
        if chance.random() < 0.3:
            await process.inventory.remove(ANN, ID, None)
            return None
        return await process.inventory.put(ANN, ID, entry(host, purpose=f"edit {number}"), None)
    except ChangeError as error:
        if error.status not in {404, 409}:
            raise
        return None


async def some_time(chance: random.Random) -> None:
    for _ in range(chance.choice((0, 0, 0, 300, 700, 1500))):
        await asyncio.sleep(0)


async def applied(world: World, chance: random.Random) -> bool:
    await some_time(chance)
    return await apply_file(world, of_file())


def of_file() -> Target:
    target = by_itself(entry("file.example.com", id=ID))
    assert target is not None
    return replace(target, source=FILE, regions=("eu",), version=5)


@pytest.fixture(autouse=True)
def no_real_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publisher, "HELD_PAUSE_S", 0.0)


@pytest.mark.parametrize("seed", range(40))
async def test_whatever_comes_between_all_logs_agree_and_no_accepted_edit_is_lost(
    seed: int,
) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    world = World(turns(seed))
    processes = [Process(world), Process(world)]
    tasks = [
        asyncio.ensure_future(edited(processes[number % 2], number, chance)) for number in range(24)
    ]
    applying = asyncio.ensure_future(applied(world, chance))
    killed = []
    if seed % 3 == 0:  # one process ends in the middle, with all that it does
        for _ in range(chance.randrange(3000)):
            await asyncio.sleep(0)
        killed = tasks[1::2]
        rounds = processes[1].inventory._publisher._tasks
        for task in (*killed, *rounds):
            task.cancel()
        await asyncio.gather(*killed, *rounds, return_exceptions=True)
    answered = list(await asyncio.gather(*tasks, return_exceptions=True))
    for one in answered:
        assert one is None or isinstance(one, Written | asyncio.CancelledError), one
    is_of_file = await applying
    survivor = processes[0]
    for _ in range(4):  # a claim of the dead is acted on when it is seen again
        await survivor.inventory.repair()
    assert await survivor.inventory.repair() == 0

    book = world.book()
    record = book.get(WrittenTarget, ID)
    published, judged = world.published(), world.judged()
    assert published == judged
    if is_of_file:
        assert record is None
        assert published[ID].source == FILE
        return
    if record is None:
        assert ID not in published
    else:
        assert published[ID].source == WEB
        written = survivor.inventory.get(ID)
        assert written is not None
        assert written.version == record.version
        assert written.target == published[ID]
        assert published[ID].purpose == written.entry.purpose
    said = [one for one in answered if isinstance(one, Written)]
    versions = [one.version for one in said]
    assert len(set(versions)) == len(versions), "two edits were accepted as the same version"
    newest = book.version(WrittenTarget, ID)
    assert all(one <= newest for one in versions)
    for one in said:
        if one.version == newest:
            assert record is not None
            assert replace(one.target, version=0) == replace(published[ID], version=0)
