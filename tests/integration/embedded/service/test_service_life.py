"""What holds for both services while they run, and what a start says that must fail."""

import os
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from portquorum.embedded.service.child import ServiceProcess
from portquorum.embedded.service.errors import EmbeddedServiceError
from portquorum.embedded.service.reports import Progress
from tests.integration.embedded.processes import family, gone, module, wait_until
from tests.integration.embedded.services import (
    ANY_PORT,
    PROCESSES,
    SERVICES,
    announced,
    listens,
    port_of,
)


@pytest.fixture(params=SERVICES, scope="module")
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def data_dir(name: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp(name)


class Running(NamedTuple):
    service: ServiceProcess
    processes: list[psutil.Process]
    progress: list[Progress]


@pytest.fixture(scope="module")
def running(name: str, data_dir: Path) -> Iterator[Running]:
    """A service that a thread started which has ended since; tests only look at it."""
    progress: list[Progress] = []
    service = SERVICES[name](data_dir, ANY_PORT, progress.append)
    thread = threading.Thread(target=service.start)
    thread.start()
    thread.join()
    assert service.pid is not None
    processes = family(service.pid)
    port = port_of(service)
    yield Running(service, processes, progress)
    assert not any(gone(process) for process in processes)
    service.stop()
    # Its watchdog ends a moment after it.
    wait_until(lambda: all(gone(process) for process in processes), 10, "the end of all")
    assert not listens(port)
    assert announced(data_dir) == {}


def refusal(name: str, data_dir: Path, listen: str = ANY_PORT) -> str:
    """What a start says that must fail; one sentence on one line."""
    service = SERVICES[name](data_dir, listen)
    with pytest.raises(EmbeddedServiceError) as caught:
        service.start()
    assert service.pid is None
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_it_announces_itself(name: str, data_dir: Path, running: Running) -> None:
    assert listens(port_of(running.service))
    assert announced(data_dir) == {name: running.service.address}
    assert stat.S_IMODE((data_dir / "services.json").stat().st_mode) == 0o600
    assert len(running.processes) == PROCESSES[name]


def test_progress_is_told(running: Running) -> None:
    assert "starting" in [progress.step for progress in running.progress]


def test_it_outlives_the_thread_that_started_it(running: Running) -> None:
    with pytest.raises(psutil.TimeoutExpired):
        running.processes[0].wait(1)
    assert not any(gone(process) for process in running.processes)


def test_a_data_directory_in_use_is_said(name: str, data_dir: Path, running: Running) -> None:
    text = refusal(name, data_dir)
    assert f"{data_dir / name} is in use by process {running.service.pid}, since 20" in text
    assert listens(port_of(running.service))
    assert announced(data_dir) == {name: running.service.address}


def test_a_taken_port_is_said(name: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        assert refusal(name, tmp_path, address) == (
            f"{address} is taken by another program ({psutil.Process().name()}, process "
            f"{os.getpid()}); stop that one or choose another port with --listen"
        )


NAMES = ["ö ✓ q'x, 100%d ${x}#\"\\", "new\nline", "/".join("klm"[at] * 200 for at in range(3))]


@pytest.mark.parametrize("folder", NAMES, ids=["signs", "new line", "long"])
def test_a_data_directory_of_any_name(
    name: str, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "C")  # Java would take names of files for ASCII
    real = tmp_path / "real"
    (real / folder).mkdir(parents=True)
    link = tmp_path / "link"
    link.symlink_to(real)
    with SERVICES[name](link / folder, ANY_PORT) as running:
        assert announced(link / folder) == {name: running.address}


def test_a_name_that_is_not_utf8_is_said(name: str, tmp_path: Path) -> None:
    text = refusal(name, tmp_path / "latin-\udce4")
    assert text.startswith("expected a folder whose name is UTF-8, found ")
    assert "with the byte 0xe4; choose another folder with --data" in text


def test_a_wrong_address_is_said(name: str, tmp_path: Path) -> None:
    assert "is no address to listen on" in refusal(name, tmp_path, "nonsense")
    assert "can't be listened on" in refusal(name, tmp_path, "192.0.2.1:1")


def test_the_foreground_fails_with_the_sentence_and_code_1(name: str, tmp_path: Path) -> None:
    arguments = ("--listen", "192.0.2.1:1", "--data", tmp_path)
    with module(f"portquorum.embedded.{name}.main", *arguments) as service:
        _, said = service.communicate(timeout=30)
    assert service.returncode == 1
    assert "192.0.2.1:1 can't be listened on" in said
    assert "Traceback" not in said


@pytest.mark.root
def test_a_full_disk_is_said(name: str, small_disk: Path) -> None:
    assert f"{small_disk / name} is full" in refusal(name, small_disk)
