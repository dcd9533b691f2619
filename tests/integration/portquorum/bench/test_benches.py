"""The benches that no other test runs, as the command line starts them, in a short form."""

import json
import subprocess
import sys
from typing import Final

import pytest

SHORT: Final = {
    "outage": ("--hosts", "20", "--ports", "2", "--partitions", "2"),
    "detect": ("--outages", "3", "--partitions", "2"),
    "status": ("--targets", "300", "--runs", "1"),
    "page": ("--targets", "300", "--open", "10", "--viewers", "2"),
    "status-page": ("--components", "20", "--readers", "2", "--seconds", "0.2"),
    "receiver": ("--rate", "50", "--jobs", "20", "--seconds", "0.4"),
    "replay": ("--records", "1200", "--partitions", "4", "--runs", "1"),
    "codec": ("--results", "2000", "--hosts", "2", "--ports", "5"),
}
TOO_SHORT: Final = {
    "stream": ("--results", "4000", "--targets", "200", "--partitions", "2", "--singles", "50"),
    "sink": ("--rows", "4000", "--partitions", "2"),
}
"""They follow a drain, and say so when it was over before it could be timed."""
LONG: Final = {
    "stream": ("--results", "700000", "--targets", "6000", "--singles", "6000"),
    "sink": ("--rows", "500000"),
}


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "portquorum", "bench", *arguments, "--json"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", SHORT)
def test_it_runs_and_counts(name: str) -> None:
    done = bench(name, *SHORT[name])
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)


@pytest.mark.parametrize("name", TOO_SHORT)
def test_a_backlog_that_is_too_short_is_said_once_it_is_drained(name: str) -> None:
    done = bench(name, *TOO_SHORT[name])
    assert (done.returncode, done.stdout) == (1, "")
    assert "the backlog is too short to be timed: give more " in done.stderr


@pytest.mark.soak
@pytest.mark.parametrize("name", LONG)
def test_a_backlog_is_timed(name: str) -> None:
    done = bench(name, *LONG[name])
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)
