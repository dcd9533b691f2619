"""`portquorum demo`, as `make demo` runs it."""

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.system.program import DEADLINE_S, all_gone, clean_environment, eventually

pytestmark = pytest.mark.timeout(600)


def start(home: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "portquorum.cli", "demo"],
        env=clean_environment(home) | {"COLUMNS": "80"},
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_every_stage_is_shown_and_nothing_is_left(tmp_path: Path) -> None:
    with start(tmp_path) as process:
        output, _ = process.communicate(timeout=3 * DEADLINE_S)
    assert process.returncode == 0, output
    stages = [
        "Real Apache Kafka and the real ClickHouse engine",
        "Three regions watch three ports",
        "page http://127.0.0.1:",
        "stops listening",
        "← first failure",
        "every region, look at 127.0.0.1 now",
        "recheck",
        "retry 1",
        "incident opened",
        "of 3 say down, 2 needed",
        "is unreachable from",
        "TCP Port Unreachable: Demo service",
        "listens again",
        "incident closed",
        "TCP Port Reachable Again: Demo service",
        "quantile(0.95)(connect_ms)",
        "detect_s",
        "FROM notifications",
        "processes stopped",
    ]
    text = " ".join(output.split())
    position = 0
    for stage in stages:
        found = text.find(" ".join(stage.split()), position)
        assert found >= 0, f"{stage!r} is missing after position {position} of:\n{output}"
        position = found
    assert "\x1b" not in output
    assert max(map(len, output.splitlines())) <= 80
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    with start(tmp_path) as process:
        me = psutil.Process(process.pid)
        eventually(lambda: len(me.children(recursive=True)) >= 4, "the roles to run")
        family = me.children(recursive=True)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 130
    assert "Traceback" not in output
    assert all_gone(family)
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_went_away_ends_it_in_order(tmp_path: Path) -> None:
    with start(tmp_path) as process:
        me = psutil.Process(process.pid)
        eventually(lambda: len(me.children(recursive=True)) >= 2, "the services to start")
        family = me.children(recursive=True)
        assert process.stdout is not None
        process.stdout.close()
        code = process.wait(DEADLINE_S)
    assert code == 1
    assert all_gone(family)
    assert list(tmp_path.iterdir()) == []
