"""How a service ends, in order and by every way to die; each time the next start finds it well.

All tests of a service share one data directory: that it starts there is the proof that the end
before left nothing behind (no lock, no half-written file, no process that holds something). A
first start costs twice as much as a later one.
"""

import asyncio
import os
import signal
from pathlib import Path

import psutil
import pytest

from tests.integration.embedded.processes import family, gone, module, python, wait_until
from tests.integration.embedded.services import (
    ANY_PORT,
    PROCESSES,
    SERVICES,
    announced,
    listens,
    port_of,
)

PARENT = """
import sys, time
from pathlib import Path
from portquorum.embedded.{service}.main import {name}
service = {name}(Path(sys.argv[1]), "127.0.0.1:0").start()
print(service.pid, flush=True)
sys.stdin.read()
time.sleep(600)
"""


@pytest.fixture(params=SERVICES, scope="module")
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def data_dir(name: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp(name)


@pytest.mark.parametrize("known", [0, 1, 2], ids=["not begun", "begun", "on its way"])
async def test_a_start_that_is_cancelled_leaves_nothing(
    name: str, data_dir: Path, known: int
) -> None:
    service = SERVICES[name](data_dir, ANY_PORT)
    starting = asyncio.create_task(service.__aenter__())
    await asyncio.sleep(0)
    processes: list[psutil.Process] = []
    while len(processes) < known:
        await asyncio.sleep(0.001)
        processes = list(family(service.pid)) if service.pid is not None else []
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(20):  # far below the time that a service has for its start
            await starting
    assert service.pid is None
    wait_until(lambda: all(gone(process) for process in processes), 5, "end of the processes")


async def test_it_starts_and_stops_in_an_event_loop(name: str, data_dir: Path) -> None:
    async with SERVICES[name](data_dir, ANY_PORT) as service:
        assert listens(port := port_of(service))
        assert service.pid is not None
        processes = family(service.pid)
    assert service.pid is None
    # Its watchdog ends a moment after it.
    wait_until(lambda: all(gone(process) for process in processes), 10, "the end of all")
    assert not listens(port)
    assert announced(data_dir) == {}


def each(kafka: str, *clickhouse: str) -> pytest.MarkDecorator:
    """Signals for each service. What takes them is the same; Kafka's JVM starts for seconds."""
    cases = [("kafka", kafka), *(("clickhouse", number) for number in clickhouse)]
    return pytest.mark.parametrize(("name", "number"), cases, indirect=["name"])


@each("SIGKILL", "SIGKILL", "SIGTERM")
def test_it_ends_with_its_parent(name: str, data_dir: Path, number: str) -> None:
    program = PARENT.format(service=name, name=SERVICES[name].__name__)
    with python(["-c", program, str(data_dir)]) as parent:
        assert parent.stdout is not None
        processes = family(int(parent.stdout.readline()))
        assert len(processes) == PROCESSES[name]
        parent.send_signal(signal.Signals[number])
        parent.wait()
        wait_until(lambda: all(gone(process) for process in processes), 8, "end with the parent")
    # In order: the announcement is gone.
    assert announced(data_dir) == {}


def test_nothing_is_left_when_the_service_process_is_killed(name: str, data_dir: Path) -> None:
    service = SERVICES[name](data_dir, ANY_PORT).start()
    assert service.pid is not None
    processes = family(service.pid)
    os.kill(service.pid, signal.SIGKILL)
    wait_until(lambda: all(gone(process) for process in processes), 3, "end of all")
    service.stop()


@each("SIGINT", "SIGINT", "SIGTERM", "SIGHUP")
def test_in_the_foreground_it_says_where_it_is_and_ends_in_order(
    name: str, data_dir: Path, number: str
) -> None:
    with module(
        f"portquorum.embedded.{name}.main", "--listen", ANY_PORT, "--data", data_dir
    ) as service:
        assert service.stderr is not None
        said = ""
        while "PORTQUORUM_" not in said:
            line = service.stderr.readline()
            assert line, said
            said += line
        assert announced(data_dir)[name].rpartition("@")[2].partition("/")[0] in said
        processes = family(service.pid)
        service.send_signal(signal.Signals[number])
        assert service.wait(15) == 0
        # Its watchdog ends a moment after it.
        wait_until(lambda: all(gone(process) for process in processes), 10, "the end of all")
        assert announced(data_dir) == {}
