"""What a bulk change writes can be read again, by everybody who follows its topics."""

import pytest

from portquorum.changing.edits import BulkEdit
from portquorum.changing.errors import ChangeError
from portquorum.editing import entries
from schemas import policy
from schemas._types import MAX_MILLIS
from schemas.policy import Pause
from tests.unit.portquorum.editing.world import ANN, NOW, Process, World, entry

ID = "db1"


async def made(world: World) -> Process:
    process = Process(world)
    await process.inventory.put(ANN, ID, entry(regions=("eu",)), 0)
    await process.read()
    return process


@pytest.mark.parametrize("add", [("",), ("t" * 65,), tuple(f"t{one}" for one in range(65))])
async def test_tags_that_no_entry_may_have_are_left_out(add: tuple[str, ...]) -> None:
    process = await made(World())
    edit = BulkEdit(action="patch", add_tags=add)
    plan = await process.inventory.preview(ANN, [ID], edit)
    assert plan.count == 0
    assert [(one.why, one.some) for one in plan.left_out] == [("wrong", (ID,))]
    assert plan.left_out[0].message.startswith("tags: expected")
    await process.inventory.apply(ANN, [ID], edit, plan.confirmation)
    written = process.inventory.get(ID)
    assert written is not None
    assert entries.stored(entries.encoded(written.entry)) == written.entry


async def test_a_pause_ends_when_a_record_can_say_it() -> None:
    process = await made(World())
    for until in (NOW, MAX_MILLIS + 1, 10**30):
        with pytest.raises(ChangeError) as caught:
            await process.inventory.preview(ANN, [ID], BulkEdit(action="pause", until=until))
        assert [one.field for one in caught.value.errors] == ["until"]


async def test_a_reason_has_no_characters_that_deceive() -> None:
    world = World()
    process = await made(world)
    edit = BulkEdit(action="pause", reason=" it moves\u202e\x1b[2J ")
    plan = await process.inventory.preview(ANN, [ID], edit)
    await process.inventory.apply(ANN, [ID], edit, plan.confirmation)
    (pause,) = (one for one in world.policy.values() if isinstance(one, Pause))
    assert pause.reason == "it moves\ufffd\ufffd[2J"
    assert policy.decode(policy.encode(pause)) == pause
