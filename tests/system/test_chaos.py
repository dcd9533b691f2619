"""The whole system under drawn faults for five minutes; `make chaos` has it for a day."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.chaos.plan import KINDS, drawn
from tests.chaos.run import Ground, run
from tests.system.ground import Filter

pytestmark = pytest.mark.root

LIBFAKETIME = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
HOSTS_OF_A_DAY = 200
SHIM = {
    "LD_PRELOAD": str(LIBFAKETIME[0]) if LIBFAKETIME else "",
    "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    "DONT_FAKE_MONOTONIC": "1",
    "FAKETIME_NO_CACHE": "1",
}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of the test's own that can be filled."""
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", place], check=True)
    yield place
    subprocess.run(["umount", "-l", place], check=True)


@pytest.mark.timeout(1_200)
async def test_nothing_is_lost_and_nobody_is_told_twice(
    tmp_path: Path, small_disk: Path, packet_filter: Filter
) -> None:
    assert LIBFAKETIME, "apt install libfaketime"
    plan = drawn(seed=25, seconds=300, hosts=24)
    assert {one.kind for one in plan.faults} == {one.name for one in KINDS}
    ground = Ground(folder=tmp_path, data_dir=small_disk, packets=packet_filter, shim=SHIM)
    outcome = await run(plan, ground, print)
    print(outcome.report)  # noqa: T201 - for whoever reads why it failed
    assert outcome.verdict.wrong == [], outcome.report
    assert outcome.verdict.incidents >= 5
    assert outcome.replayed >= 2 * outcome.verdict.incidents


@pytest.mark.soak
@pytest.mark.timeout(0)
async def test_a_day(
    tmp_path: Path, small_disk: Path, packet_filter: Filter, soak_seed: int, soak_reports: Path
) -> None:
    assert LIBFAKETIME, "apt install libfaketime"
    hours = float(os.environ.get("PORTQUORUM_SOAK_HOURS") or 24)
    plan = drawn(seed=soak_seed, seconds=hours * 3_600, hosts=HOSTS_OF_A_DAY)
    ground = Ground(folder=tmp_path, data_dir=small_disk, packets=packet_filter, shim=SHIM)
    outcome = await run(plan, ground, print)
    report = soak_reports / f"chaos-{soak_seed}"
    report.with_suffix(".txt").write_text(outcome.report + "\n", encoding="utf-8")
    report.with_suffix(".json").write_bytes(msgspec.json.format(msgspec.json.encode(outcome)))
    print(outcome.report)  # noqa: T201 - soak tests tell
    assert outcome.verdict.wrong == [], outcome.report
