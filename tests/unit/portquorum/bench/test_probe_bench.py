"""The benchmark runs and counts; how fast it was is nobody's business here."""

import asyncio
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from portquorum.bench.figures import ProbeFigures, share
from portquorum.bench.listener import PORTS, address_of, answering
from portquorum.bench.load import ENGINES, in_flight_bytes
from portquorum.bench.probe_engines import HANDSHAKE, HANDSHAKES, LIMIT, NAIVE, OURS, PLAIN, median
from portquorum.bench.probe_table import ProbeReport, ProbeRow, show
from portquorum.bench.probe_whole import figures as figures_of
from portquorum.bench.process import Usage
from schemas.result import CheckResult, Reason

ROOT = Path(__file__).parents[4]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the limit is an epoll loop")


def bench(*arguments: str) -> str:
    command = [
        sys.executable,
        "-m",
        "portquorum.bench.probe",
        "--seconds",
        "0.1",
        "--repeat",
        "1",
        "--json",
    ]
    return subprocess.run([*command, *arguments], cwd=ROOT, check=True, stdout=-1, text=True).stdout


def test_every_engine_runs_saturated_and_at_a_rate() -> None:
    told = bench("--parts", "engines", "--rate", "500")
    report = msgspec.json.decode(told, type=ProbeReport)
    names = {OURS, PLAIN, NAIVE} | ({LIMIT} if shutil.which("cc") else set())
    found = {(row.contender, row.rate) for row in report.rows}
    handshakes = {(HANDSHAKE, 0), (HANDSHAKE, 500 * HANDSHAKES)}
    assert found == {(name, rate) for name in names for rate in (0, 500)} | handshakes
    for row in report.rows:
        assert row.figures.checks > 0
        assert row.figures.failed == 0
        assert (row.figures.lag_p99_ms is None) == (row.rate == 0)


@pytest.mark.parametrize("name", ENGINES)
async def test_nothing_is_left_of_the_checks_that_tell_the_memory(name: str) -> None:
    before = asyncio.all_tasks()
    await in_flight_bytes(replace(ENGINES[name], silent=20))
    assert asyncio.all_tasks() == before


def test_a_peer_that_is_not_there_is_left_out_with_a_word_how_to_get_it(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "portquorum.bench.probe",
        "--parts",
        "peers",
        "--peers",
        str(tmp_path),
    ]
    told = subprocess.run(
        [*command, "--json"],
        cwd=ROOT,
        check=True,
        stdout=-1,
        env={"PATH": str(tmp_path)},
    ).stdout
    report = msgspec.json.decode(told, type=ProbeReport)
    assert report.rows == ()
    assert len(report.left_out) == 3
    assert all("go install" in text for text in report.left_out)


def test_a_listener_counts_each_connection_on_any_address_of_loopback() -> None:
    with answering() as listener:
        assert len(listener.ports) == PORTS
        assert listener.count() == 0
        for number in range(100):
            place = (address_of(number * 977), listener.ports[number % PORTS])
            socket.create_connection(place).close()
        assert listener.count() == 100


def test_each_target_has_an_address_of_its_own() -> None:
    found = [address_of(number) for number in range(130_000)]
    assert len(set(found)) == len(found)
    assert all(socket.inet_aton(address)[0] == 127 for address in found)


def test_people_get_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    report = ProbeReport(
        machine="x",
        cpus=2,
        load_before=0.5,
        python="3",
        kernel="6",
        seconds=1,
        repeat=1,
        steady=1,
        in_flight=1,
        rows=(
            ProbeRow(LIMIT, 0, run(10.0, 0)),
            ProbeRow(OURS, 0, run(15.0, 0)),
            ProbeRow("other", 5_000, run(30.0, 0)),
        ),
        left_out=("something",),
    )
    show(report)
    told = capsys.readouterr().out
    assert OURS in told
    assert "saturated" in told
    assert "1.50" in told  # × limit
    assert "left out: something" in told


def run(cpu_us: float, timed_out: int, lag_p99_ms: float | None = None) -> ProbeFigures:
    return ProbeFigures(
        checks=1,
        seconds=1.0,
        cpu_us=cpu_us,
        connect_p50_us=1.0,
        connect_p99_us=1.0,
        lag_p99_ms=lag_p99_ms,
        timed_out=timed_out,
        failed=0,
    )


def test_a_false_timeout_of_any_run_is_told() -> None:
    middle = median([run(3.0, 1), run(1.0, 2), run(2.0, 0)])
    assert (middle.cpu_us, middle.timed_out, middle.lag_p99_ms) == (2.0, 3, None)


def test_the_lag_is_that_of_the_least_disturbed_run() -> None:
    assert median([run(1.0, 0, 4.0), run(2.0, 0, 9.0)]).lag_p99_ms == 4.0


def test_shares() -> None:
    assert share([], 0.5) == 0
    assert share([3.0, 1.0, 2.0], 0.5) == 2.0
    assert share([3.0, 1.0, 2.0], 0.99) == 3.0


def result(scheduled_at: int, lag_ms: int, reason: Reason | None = None) -> CheckResult:
    return CheckResult(
        target="t",
        kind="tcp",
        host="127.0.0.1",
        port=1,
        region="bench",
        prober="p",
        scheduled_at=scheduled_at,
        started_at=scheduled_at + lag_ms,
        status="up" if reason is None else "missed" if reason == "prober_error" else "down",
        reason=reason,
        attempt=0,
        cause="schedule",
        target_version=1,
        connect_ms=0.01 if reason is None else None,
    )


def test_the_probers_figures_are_of_what_began_between_the_two_looks() -> None:
    found = [
        result(999, 0),  # before
        result(1_000, 1),
        result(1_500, 3),
        result(1_600, 1, "timed_out"),
        result(1_700, 1, "prober_error"),
        result(1_999, 1),  # due before the end, begun at it
    ]
    told = figures_of(found, Usage(1.0, 5.0, 100), Usage(2.0, 5.001, 2_000_000))
    assert (told.checks, told.timed_out, told.failed) == (4, 1, 1)
    assert told.cpu_us == pytest.approx(250)
    assert told.connect_p99_us == pytest.approx(10)
    assert (told.lag_p50_ms, told.lag_p99_ms) == (1, 3)
    assert told.memory_mb == 2
