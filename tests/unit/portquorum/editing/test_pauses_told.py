"""A paused target that the page publishes is paused for the stream before it is there."""

from schemas import policy
from schemas.control import TargetPaused, TargetSet
from schemas.policy import PAUSES, Pause
from tests.unit.portquorum.editing.world import ANN, Process, World, entry, turns


async def test_a_pause_comes_before_the_target_in_each_partition() -> None:
    world = World(turns(0))
    page = Process(world).inventory
    pause = Pause(name="db", paused_at=1, until=None, reason="new disk", by="ann")
    world.policy[policy.key(PAUSES, pause)] = pause
    for number in range(6):
        await page.put(ANN, "db", entry(f"db{number}.example.com"), None)
    homes = [records for records in world.control if records]
    assert len(homes) > 1
    for records in homes:
        said = [one for one in records if isinstance(one, TargetPaused | TargetSet)]
        assert isinstance(said[0], TargetPaused)
        assert (said[0].by, said[0].note) == ("ann", "new disk")
