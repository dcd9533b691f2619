"""The benchmark runs and counts; of its figures only one is the same on every machine."""

import subprocess
import sys
from pathlib import Path

import msgspec

from portquorum.bench.state import StateReport

ROOT = Path(__file__).parents[4]


def test_a_fleet_is_measured_and_a_target_region_takes_at_most_40_bytes_of_a_checkpoint() -> None:
    command = [
        sys.executable,
        "-m",
        "portquorum.bench.state",
        "--targets",
        "3000",
        "--partitions",
        "1",
    ]
    told = subprocess.run([*command, "--json"], cwd=ROOT, check=True, stdout=subprocess.PIPE)
    [row] = msgspec.json.decode(told.stdout, type=StateReport).rows
    assert row.targets == 3000
    assert 0 < row.compressed <= 40
    assert row.compressed < row.raw
    assert min(row.calm_ns, row.troubled_ns) > 0
