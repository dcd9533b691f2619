"""What holds for both services, held against each: start, stop, and every way to die."""

import asyncio
import json
import os
import signal
import socket
import stat
import threading
from pathlib import Path

import psutil
import pytest

from portquorum.embedded.child import ServiceProcess
from portquorum.embedded.clickhouse import EmbeddedClickHouse
from portquorum.embedded.errors import EmbeddedServiceError
from portquorum.embedded.kafka import EmbeddedKafka
from portquorum.embedded.reports import Progress
from tests.integration.embedded.processes import family, gone, module, python, wait_until

ANY_PORT = "127.0.0.1:0"
SERVICES = {"kafka": EmbeddedKafka, "clickhouse": EmbeddedClickHouse}
# How many processes one is: Kafka's JVM is a child of its service process.
PROCESSES = {"kafka": 2, "clickhouse": 1}

PARENT = """
import sys, time
from pathlib import Path
from portquorum.embedded.{service} import {name}
service = {name}(Path(sys.argv[1]), "127.0.0.1:0").start()
print(service.pid, flush=True)
sys.stdin.read()
time.sleep(600)
"""


@pytest.fixture(params=SERVICES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def embedded(name: str, data_dir: Path, listen: str = ANY_PORT) -> ServiceProcess:
    return SERVICES[name](data_dir, listen)


def port_of(service: ServiceProcess) -> int:
    return int(service.address.rpartition(":")[2].partition("/")[0])


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def announced(data_dir: Path) -> dict[str, str]:
    path = data_dir / "services.json"
    return json.loads(path.read_text()) if path.exists() else {}


def test_it_starts_announces_itself_stops_and_starts_again(name: str, tmp_path: Path) -> None:
    for _ in range(2):
        with embedded(name, tmp_path) as service:
            assert listens(port := port_of(service))
            assert announced(tmp_path) == {name: service.address}
            assert stat.S_IMODE((tmp_path / "services.json").stat().st_mode) == 0o600
            assert service.pid is not None
            processes = family(service.pid)
            assert len(processes) == PROCESSES[name]
        assert all(gone(process) for process in processes)
        assert not listens(port)
        assert announced(tmp_path) == {}


async def test_it_starts_and_stops_in_an_event_loop(name: str, tmp_path: Path) -> None:
    async with embedded(name, tmp_path) as service:
        assert listens(port_of(service))
    assert service.pid is None


async def test_a_start_that_is_cancelled_leaves_nothing(name: str, tmp_path: Path) -> None:
    service = embedded(name, tmp_path)
    starting = asyncio.create_task(service.__aenter__())
    while service.pid is None:  # noqa: ASYNC110 (a child process sends no asyncio event)
        await asyncio.sleep(0.01)
    processes = family(service.pid)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    wait_until(lambda: all(gone(process) for process in processes), 5, "end of the processes")


def test_it_outlives_the_thread_that_started_it(name: str, tmp_path: Path) -> None:
    service = embedded(name, tmp_path)
    thread = threading.Thread(target=service.start)
    thread.start()
    thread.join()
    assert service.pid is not None
    processes = family(service.pid)
    with pytest.raises(psutil.TimeoutExpired):
        processes[0].wait(1)
    assert not any(gone(process) for process in processes)
    service.stop()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["KILL", "TERM"])
def test_it_ends_with_its_parent(name: str, tmp_path: Path, number: signal.Signals) -> None:
    program = PARENT.format(service=name, name=SERVICES[name].__name__)
    with python(["-c", program, str(tmp_path)]) as parent:
        assert parent.stdout is not None
        processes = family(int(parent.stdout.readline()))
        assert len(processes) == PROCESSES[name]
        parent.send_signal(number)
        parent.wait()
        wait_until(lambda: all(gone(process) for process in processes), 8, "end with the parent")
    # In order: the announcement is gone and the folder is free.
    assert announced(tmp_path) == {}
    with embedded(name, tmp_path):
        pass


def test_nothing_is_left_when_the_service_process_is_killed(name: str, tmp_path: Path) -> None:
    service = embedded(name, tmp_path).start()
    assert service.pid is not None
    processes = family(service.pid)
    os.kill(service.pid, signal.SIGKILL)
    wait_until(lambda: all(gone(process) for process in processes), 3, "end of all")
    service.stop()
    with embedded(name, tmp_path) as again:
        assert listens(port_of(again))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_in_the_foreground_it_says_where_it_is_and_ends_in_order(
    name: str, tmp_path: Path, number: signal.Signals
) -> None:
    with module(f"portquorum.embedded.{name}", "--listen", ANY_PORT, "--data", tmp_path) as service:
        assert service.stderr is not None
        said = ""
        while "PORTQUORUM_" not in said:
            line = service.stderr.readline()
            assert line, said
            said += line
        assert announced(tmp_path)[name] in said
        processes = family(service.pid)
        service.send_signal(number)
        assert service.wait(15) == 0
        assert all(gone(process) for process in processes)
        assert announced(tmp_path) == {}


def refusal(name: str, data_dir: Path, listen: str = ANY_PORT) -> str:
    """What a start says that must fail; one sentence on one line."""
    service = embedded(name, data_dir, listen)
    with pytest.raises(EmbeddedServiceError) as caught:
        service.start()
    assert service.pid is None
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_a_taken_port_is_said(name: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        assert refusal(name, tmp_path, address) == (
            f"{address} is taken by another program; stop that one or choose another port with "
            "--listen"
        )


def test_a_data_directory_in_use_is_said(name: str, tmp_path: Path) -> None:
    with embedded(name, tmp_path) as first:
        text = refusal(name, tmp_path)
        assert f"{tmp_path / name} is in use by process {first.pid};" in text
        assert listens(port_of(first))
        assert announced(tmp_path) == {name: first.address}


def test_a_wrong_address_is_said(name: str, tmp_path: Path) -> None:
    assert "is no address to listen on" in refusal(name, tmp_path, "nonsense")
    assert "can't be listened on" in refusal(name, tmp_path, "192.0.2.1:1")


@pytest.mark.root
def test_a_full_disk_is_said(name: str, small_disk: Path) -> None:
    assert f"{small_disk / name} is full" in refusal(name, small_disk)


def test_the_foreground_fails_with_the_sentence_and_code_1(name: str, tmp_path: Path) -> None:
    arguments = ("--listen", "192.0.2.1:1", "--data", tmp_path)
    with module(f"portquorum.embedded.{name}", *arguments) as service:
        _, said = service.communicate(timeout=30)
    assert service.returncode == 1
    assert "192.0.2.1:1 can't be listened on" in said
    assert "Traceback" not in said


def test_progress_is_told(name: str, tmp_path: Path) -> None:
    steps: list[Progress] = []
    with SERVICES[name](tmp_path, ANY_PORT, steps.append):
        assert "starting" in [progress.step for progress in steps]
