"""`portquorum drill` as an operator runs it, beside `portquorum up`."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from foundation.settings import Settings
from portquorum.drill.target import SOURCE
from portquorum.inventory import present
from schemas import policy
from schemas.policy import DrillDone
from tests.system.program import DEADLINE_S, Program, clean_environment

pytestmark = pytest.mark.timeout(600)

UP = ("up", "--kafka-listen", "127.0.0.1:0", "--clickhouse-listen", "127.0.0.1:0")
INVENTORY = """
regions: {eu: {internal: true}, us: {internal: true}, far: {}}
routes: {ops: {urls: ["console://"]}}
targets: [{id: x, host: 127.0.0.1, port: 1, interval: 1h, regions: [eu]}]
"""


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Program]:
    path = tmp_path / "inventory.yaml"
    path.write_text(INVENTORY)
    with Program(tmp_path, *UP, "-i", str(path)) as program:
        program.event("up", "portquorum is up")
        yield program
        program.end()


def environment(up: Program, home: Path) -> dict[str, str]:
    started = [one for one in up.records if one.get("what") == "Kafka" and one["event"] == "done"]
    return clean_environment(home) | {"PORTQUORUM_KAFKA": started[-1]["detail"], "COLUMNS": "200"}


def drill(env: dict[str, str], home: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "portquorum.cli", "drill", *arguments],
        env=env | {"PYTHONUNBUFFERED": "1"},
        cwd=home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    output, errors = process.communicate(timeout=DEADLINE_S)
    assert "Traceback" not in errors, errors
    return process.returncode, output, errors


async def left_of(env: dict[str, str]) -> tuple[list[str], list[policy.Policy]]:
    """Targets of the drill's source, and its entries of the policy but for marks."""
    there = await present.read(Settings(kafka=env["PORTQUORUM_KAFKA"]))
    targets = [name for name, one in there.targets().items() if one.target.source == SOURCE]
    entries = [
        kept.entry
        for kept in there.policy.values()
        if kept.source == SOURCE and not isinstance(kept.entry, policy.ApplyMark)
    ]
    return targets, entries


def until_line(process: subprocess.Popen[str], text: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if text in line:
            return
    raise AssertionError(f"it ended before it said {text!r}")


def found(output: str) -> dict[str, Any]:
    answer: dict[str, Any] = msgspec.json.decode(output)
    return answer


async def test_from_the_closed_port_to_the_message(up: Program, tmp_path: Path) -> None:
    env = environment(up, tmp_path)
    code, output, errors = ended(drill(env, tmp_path, "--json"))
    assert code == 0, (output, errors)
    first = found(output)
    assert first["overdue"] is None
    # `far` may not connect to this machine.
    assert first["regions"] == ["eu", "us"]
    by_name = {one["stage"]: one for one in first["stages"]}
    required = {"watched", "first failure", "quorum", "incident", "message"}
    assert required | {"recovered", "closed", "told"} <= set(by_name)
    seconds = [by_name[name]["seconds"] for name in ("first failure", "quorum", "incident")]
    assert seconds == sorted(seconds)
    targets, [last] = await left_of(env)
    assert targets == []
    assert isinstance(last, DrillDone)
    assert (last.at, last.overdue) == (first["at"], "")

    # Killed while its port is closed: the next one removes what it left behind.
    killed = drill(env, tmp_path)
    until_line(killed, "message")
    killed.kill()
    killed.communicate()
    targets, entries = await left_of(env)
    assert len(targets) == 1
    assert len(entries) == 3

    # Two at a time are one too many; Ctrl-C removes what there is.
    running = drill(env, tmp_path)
    until_line(running, "watched")
    running.send_signal(signal.SIGSTOP)  # so that it has not ended before the other one looks
    code, output, errors = ended(drill(env, tmp_path))
    assert (code, output) == (1, "")
    assert "another drill runs: its receiver listens on 127.0.0.1:" in errors
    running.send_signal(signal.SIGINT)
    running.send_signal(signal.SIGCONT)
    code, _, errors = ended(running)
    assert code == 130
    assert "what the drill made is removed" in errors
    targets, entries = await left_of(env)
    assert targets == []
    assert [type(one) for one in entries] == [DrillDone]

    # Nobody tells: the exit code says which stage it was.
    notifier = [one for one in up.records if one["role"] == "notify" and one["event"] == "started"]
    os.kill(int(notifier[-1]["pid"]), signal.SIGSTOP)
    try:
        code, output, _ = ended(drill(env, tmp_path, "--within", "12s", "--json"))
    finally:
        os.kill(int(notifier[-1]["pid"]), signal.SIGCONT)
    assert code == 14, output
    assert found(output)["overdue"] == "message"
    targets, [last] = await left_of(env)
    assert targets == []
    assert isinstance(last, DrillDone)
    assert last.overdue == "message"
    # None of the others' channels was told of any of it.
    assert not [line for line in up.lines if "Fire drill" in line and '"notification"' in line]


@pytest.fixture(scope="module")
async def applied(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of an inventory that nobody watches."""
    from portquorum.inventory import apply
    from tests.integration.streams import ground

    settings, folder = ground.fresh(kafka), tmp_path_factory.mktemp("applied")
    path = folder / "inventory.yaml"
    path.write_text(INVENTORY)
    await apply(settings, [path])
    return clean_environment(folder) | {
        "PORTQUORUM_KAFKA": settings.kafka,
        "PORTQUORUM_TOPIC_PREFIX": settings.topic_prefix,
        "PORTQUORUM_PARTITIONS": str(settings.partitions),
    }


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--region", "far"), "the region 'far' may not connect to 127.0.0.1"),
        (("--region", "mars"), "no region is 'mars'; there is eu, far, us"),
        (("--listen", "localhost"), "expected an IP address to listen on"),
        (("--listen", "192.0.2.1", "--region", "eu"), "expected an address of this machine"),
    ],
)
async def test_what_can_not_begin(
    applied: dict[str, str], tmp_path: Path, arguments: tuple[str, ...], why: str
) -> None:
    code, output, errors = ended(drill(applied, tmp_path, *arguments))
    assert (code, output) == (1, "")
    assert why in " ".join(errors.split())
