"""Jobs that report themselves in the page's own inventory."""

from pathlib import Path

import pytest

from portquorum.access.principal import Principal
from portquorum.changing.edits import BulkEdit
from portquorum.changing.errors import ChangeError
from portquorum.inventory import check, heartbeats
from portquorum.inventory.document import TargetEntry
from schemas.duration import DAY_MS
from schemas.probe import HeartbeatProbe
from tests.unit.portquorum.editing.world import ANN, Process, World, entry

JOB = TargetEntry(
    name="Nightly backup",
    kind="heartbeat",
    schedule="*/5 3 * * *",
    zone="Europe/Berlin",
    max_runtime="1h",
)
LIMITED = Principal(name="bob", scope="admin", via="password", teams=("db",))


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def page(world: World) -> Process:
    return Process(world)


async def test_a_job_is_added_changed_and_removed(world: World, page: Process) -> None:
    made = await page.inventory.put(ANN, "nightly", JOB, 0)
    assert (made.target.host, made.target.regions) == (None, ("receiver",))
    assert isinstance(made.target.probe, HeartbeatProbe)
    assert made.target.probe.grace_ms == 60_000
    changed = await page.inventory.patch(ANN, "nightly", {"schedule": None, "zone": None}, 1)
    assert isinstance(changed.target.probe, HeartbeatProbe)
    assert changed.target.probe.interval_ms == DAY_MS
    await page.inventory.put(ANN, "db", entry(depends_on=("nightly",)), 0)
    with pytest.raises(ChangeError, match="db depends on 'nightly'"):
        await page.inventory.remove(ANN, "nightly", 2)
    await page.inventory.remove(ANN, "db", 1)
    await page.inventory.remove(ANN, "nightly", 2)
    assert world.published() == world.judged() == {}


async def test_what_is_wrong_is_said_at_its_field(page: Process) -> None:
    for fields, wrong in (
        ({"host": "h"}, "host"),
        ({"interval": "1m"}, "schedule"),
        ({"zone": "Mars/X"}, "zone"),
        ({"retries": 2}, "retries"),
    ):
        with pytest.raises(ChangeError) as error:
            await page.inventory.patch(
                ANN, (await page.inventory.put(ANN, "nightly", JOB, None)).id, fields, None
            )
        assert [one.field for one in error.value.errors] == [wrong]
    with pytest.raises(ChangeError):
        await page.inventory.put(LIMITED, "other", JOB, 0)


async def test_it_is_not_checked(page: Process) -> None:
    await page.inventory.put(ANN, "nightly", JOB, 0)
    for asked in (page.inventory.check_now(ANN, "nightly"), page.inventory.check(ANN, JOB)):
        with pytest.raises(ChangeError, match="the job reports itself") as error:
            await asked
        assert error.value.status == 409


async def test_what_is_published_stays_from_day_to_day(
    world: World, page: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each day another process looks at what differs."""
    made = await page.inventory.put(ANN, "nightly", JOB, 0)
    clock = [heartbeats.now_ms()]
    for module in ("portquorum.inventory.heartbeats", "portquorum.editing.publisher"):
        monkeypatch.setattr(f"{module}.now_ms", lambda: clock[0])
    for _ in range(3):
        clock[0] += 300 * DAY_MS
        assert await Process(world).inventory.repair() == 0
        assert world.published()["nightly"] == made.target
    # Less than two years are left: it is written anew, once.
    clock[0] += 600 * DAY_MS
    assert await Process(world).inventory.repair() == 1
    assert world.published()["nightly"].version > made.target.version
    assert await Process(world).inventory.repair() == 0


async def test_many_are_changed_at_once(page: Process) -> None:
    await page.inventory.put(ANN, "nightly", JOB, 0)
    await page.inventory.put(ANN, "db", entry(), 0)
    edit = BulkEdit(action="patch", set={"grace": "2h"})
    plan = await page.inventory.preview(ANN, ["nightly", "db"], edit)
    assert (plan.count, [(one.why, one.some) for one in plan.left_out]) == (
        1,
        [("wrong", ("db",))],
    )


async def test_it_can_be_taken_to_a_file(page: Process, tmp_path: Path) -> None:
    made = await page.inventory.put(ANN, "nightly", JOB, 0)
    file = tmp_path / "page.yaml"
    file.write_text(page.inventory.yaml())
    (target,) = check([file]).targets
    assert target.probe == made.target.probe
    assert (target.id, target.name) == ("nightly", "Nightly backup")
