"""Nobody leaves the database: not by the guard's leave, and not with the guard switched off.

More than 500 statements (attacks.py), as the reader and as the owner, and 100 requests
(attack_requests.py) go to a service whose neighbours are secrets. As root in a network namespace,
where nftables count every packet and servers listen on the ports that the engine's clients would
ask.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.embedded.clickhouse.attack_run import Outcome
from tests.integration.embedded.clickhouse.attacks import statements

pytestmark = pytest.mark.timeout(420)

# Every address is one of this machine: whatever is sent has a way, and is counted.
_NAMESPACE = """
set -e
ip link set lo up
ip route add local default dev lo
ip -6 route add local default dev lo || true
exec "$@"
"""

# What the guard can't know: the data of an INSERT may be expressions (VALUES), and ClickHouse reads
# the stacks of its own threads from /proc.
_LEFT_TO_THE_WALLS = ("INSERT INTO portquorum.kept VALUES (", "SELECT * FROM system.stack_trace")


def _run(folder: Path, *options: str, alone: bool) -> Outcome:
    command = [
        sys.executable,
        "-m",
        "tests.integration.embedded.clickhouse.attack_run",
        str(folder),
        *options,
    ]
    if alone:
        command = ["unshare", "--net", "sh", "-c", _NAMESPACE, "sh", *command, "--alone"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stderr
    return Outcome(**json.loads(done.stdout))


@pytest.fixture(params=[False, pytest.param(True, marks=pytest.mark.root)], ids=["", "counted"])
def alone(request: pytest.FixtureRequest) -> bool:
    """Whether the service has a network namespace of its own."""
    if request.param and not shutil.which("nft"):
        pytest.skip("nftables is not installed")
    if not request.param and os.environ.get("PORTQUORUM_TEST_ALL"):
        pytest.skip("where all tests run, make test-root has the same with its packets counted")
    return bool(request.param)


def _nothing_came_out(outcome: Outcome, *, alone: bool) -> None:
    assert outcome.leaked == []
    assert outcome.changed_outside == []
    assert outcome.connections == []
    assert outcome.processes == []
    assert outcome.said == []
    assert outcome.packets == 0
    assert not alone or outcome.counted_at_the_end >= 2
    assert outcome.changed_by_reader == []
    assert outcome.unanswered == []
    assert outcome.wrong_pings == []
    assert outcome.pings > 100
    assert outcome.ping_late_s < 1
    assert outcome.alive
    assert outcome.ended_s < 10


def test_there_are_many_kinds_of_attack() -> None:
    for reader in (False, True):
        texts = {(a.sql, *a.params.items(), *a.headers.items()) for a in statements(reader=reader)}
        assert len(texts) == len(statements(reader=reader))
        assert len(texts) >= 500


def test_the_guard_lets_nothing_through(tmp_path: Path, alone: bool) -> None:
    outcome = _run(tmp_path, alone=alone)
    _nothing_came_out(outcome, alone=alone)
    assert outcome.sent > 1_200
    for attack in [*outcome.at_the_walls, *outcome.unknown]:
        assert attack.startswith(tuple(f"owner: {text}" for text in _LEFT_TO_THE_WALLS))


def test_the_walls_hold_without_the_guard(tmp_path: Path, alone: bool) -> None:
    outcome = _run(tmp_path, "--unguarded", alone=alone)
    if not outcome.walls:
        pytest.skip("this kernel has no walls")
    _nothing_came_out(outcome, alone=alone)
    # The attacks are real: without the guard they come as far as the kernel.
    assert len(outcome.at_the_walls) > 150
