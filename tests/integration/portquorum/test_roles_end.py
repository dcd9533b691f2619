"""SIGTERM ends every role within 10 s: with a broker that stands still or is gone, with a
ClickHouse or a channel that never answers, and while its main thread is busy for ever."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from foundation import upgrade_order
from foundation.kafka import topics_ready
from foundation.kafka.running_roles import running_roles
from foundation.settings import Settings
from foundation.upgrade_order import own_version
from portquorum.embedded.clickhouse.main import EmbeddedClickHouse
from portquorum.embedded.kafka.main import EmbeddedKafka
from schemas.policy import Route
from tests.integration.embedded.processes import gone, wait_until
from tests.integration.sinks.notifier import rig
from tests.standstill import Standstill

LIMIT_S = 10.0
START_S = 90.0

ROLES = {
    "probe": ("probe", "--region", "here"),
    "stream": ("stream",),
    "sink": ("sink",),
    "notify": ("notify",),
    "web": ("web", "--listen", "127.0.0.1:0"),
    "receiver": ("receiver", "--listen", "127.0.0.1:0"),
}
RUNS = {
    "probe": "probing",
    "stream": "stream started",
    "sink": "partitions assigned",
    "notify": "metrics served",
    "web": "page served",
    "receiver": "reports are taken",
}
"""What each logs when it has everything."""

# SIGUSR1 makes the main thread busy in a call that never comes back and never lets the
# interpreter's lock go, as a regular expression of a library may; a mutex that is locked twice
# does that without taking the processor from the others.
BUSY = """
import ctypes, signal, sys
def busy(*_):
    print("busy", flush=True)
    lock, mutex = ctypes.PyDLL(None).pthread_mutex_lock, ctypes.create_string_buffer(64)
    lock(mutex), lock(mutex)
signal.signal(signal.SIGUSR1, busy)
from portquorum.cli.main import main
main()
"""


class Running:
    """A program and all that it writes."""

    def __init__(
        self, arguments: tuple[str, ...], env: dict[str, str], program: str = BUSY
    ) -> None:
        self.written = ""
        self.name = " ".join(arguments[:2])
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={k: v for k, v in os.environ.items() if not k.startswith("PORTQUORUM_")} | env,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.written += line

    def says(self, text: str) -> None:
        def said() -> bool:
            assert self.process.poll() is None or text in self.written, self.written
            return text in self.written

        wait_until(said, START_S, f"{text!r} in {self.written}")

    def ends(self, number: int = signal.SIGTERM) -> tuple[int, float]:
        """Exit code and seconds from the signal on; it and all below it have ended."""
        below = psutil.Process(self.process.pid).children(recursive=True)
        with Standstill() as standstill:
            began = time.monotonic()
            self.process.send_signal(number)
            code = self.process.wait(60)
            took = time.monotonic() - began
        self._reader.join(10)
        wait_until(lambda: all(gone(process) for process in below), 10, "end of all below it")
        print(f"{self.name} ended with {code} in {took:.2f} s")  # noqa: T201
        assert took < LIMIT_S + standstill.lost_s, self.written[-3000:]
        return code, took

    def close(self) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            for process in psutil.Process(self.process.pid).children(recursive=True):
                process.kill()
        self.process.kill()
        self.process.wait()
        self._reader.join(10)


@contextlib.contextmanager
def running(*arguments: str, **env: str) -> Iterator[Running]:
    started = Running(arguments, env)
    try:
        yield started
    finally:
        started.close()


def all_end(roles: dict[str, Running], number: int = signal.SIGTERM) -> None:
    """Each ends in order within its time; at once, since each mostly waits."""
    with ThreadPoolExecutor(len(roles)) as pool:
        ends = pool.map(lambda role: role.ends(number), roles.values())
        for (name, role), (code, _) in zip(roles.items(), ends, strict=True):
            assert code == 0, (name, role.written[-3000:])


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedKafka]:
    with EmbeddedKafka(tmp_path_factory.mktemp("kafka"), "127.0.0.1:0") as service:
        yield service


@contextlib.contextmanager
def standing_still(broker: EmbeddedKafka) -> Iterator[None]:
    jvms = [p for p in psutil.Process(broker.pid).children() if "java" in p.name()]
    assert jvms
    for jvm in jvms:
        jvm.suspend()
    try:
        yield
    finally:
        for jvm in jvms:
            jvm.resume()


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:
        yield int(server.getsockname()[1])


def environment(kafka: str, clickhouse: str, folder: Path) -> dict[str, str]:
    return {
        "PORTQUORUM_KAFKA": kafka,
        "PORTQUORUM_CLICKHOUSE": clickhouse,
        "PORTQUORUM_TOPIC_PREFIX": f"t{uuid.uuid4().hex[:8]}",
        "PORTQUORUM_PARTITIONS": "2",
        "PORTQUORUM_METRICS": "127.0.0.1:0",
        "PORTQUORUM_LOG_FORMAT": "json",
        "PORTQUORUM_DATA_DIR": str(folder),
    }


def each_announces_its_version(kafka: str, env: dict[str, str]) -> None:
    """Each role that is in a consumer group (docs/decisions/0026-one-order-of-upgrades.md)."""
    settings = Settings(kafka=kafka, topic_prefix=env["PORTQUORUM_TOPIC_PREFIX"], partitions=2)
    expected = {(role, own_version()) for role in upgrade_order.ROLES}

    def announced() -> bool:
        found = asyncio.run(running_roles(settings))
        return {(one.role, one.version) for one in found} == expected

    wait_until(announced, START_S, f"the announcements of {expected}")


# Both signals are one for a role (foundation.lifecycle).
@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.soak)]
)
def test_with_a_broker_that_stands_still(
    broker: EmbeddedKafka, clickhouse: str, tmp_path: Path, number: int
) -> None:
    env = environment(broker.bootstrap_servers, clickhouse, tmp_path)
    with contextlib.ExitStack() as stack:
        roles = {n: stack.enter_context(running(*a, **env)) for n, a in ROLES.items()}
        for name, role in roles.items():
            role.says(RUNS[name])
        each_announces_its_version(broker.bootstrap_servers, env)
        with standing_still(broker):
            all_end(roles, number)


def test_with_a_broker_that_is_gone(clickhouse: str, tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        broker = stack.enter_context(EmbeddedKafka(tmp_path / "kafka", "127.0.0.1:0"))
        env = environment(broker.bootstrap_servers, clickhouse, tmp_path)
        roles = {n: stack.enter_context(running(*a, **env)) for n, a in ROLES.items()}
        for name, role in roles.items():
            role.says(RUNS[name])
        broker.kill()
        for name, role in roles.items():
            code, _ = role.ends()
            assert code == 0, (name, role.written[-3000:])


def test_before_there_is_a_broker(silent: int, tmp_path: Path) -> None:
    """One that takes connections and never answers."""
    url = f"http://127.0.0.1:{silent}/portquorum"
    env = environment(f"127.0.0.1:{silent}", url, tmp_path)
    with contextlib.ExitStack() as stack:
        roles = {n: stack.enter_context(running(*a, **env)) for n, a in ROLES.items()}
        for role in roles.values():
            role.says("metrics served")
        all_end(roles)


def test_while_the_main_thread_is_busy_for_ever(
    broker: EmbeddedKafka, clickhouse: str, tmp_path: Path
) -> None:
    """Also `dev kafka`, whose JVM ends with it."""
    env = environment(broker.bootstrap_servers, clickhouse, tmp_path)
    kafka = ("dev", "kafka", "--listen", "127.0.0.1:0", "--data", str(tmp_path / "other"))
    programs = {**ROLES, "kafka": kafka}
    runs = {**RUNS, "kafka": "listens on"}
    with contextlib.ExitStack() as stack:
        roles = {n: stack.enter_context(running(*a, **env)) for n, a in programs.items()}
        for name, role in roles.items():
            role.says(runs[name])
            role.process.send_signal(signal.SIGUSR1)
            role.says("busy")
        with Standstill() as standstill:
            began = time.monotonic()
            for role in roles.values():
                role.process.send_signal(signal.SIGTERM)
            for name, role in roles.items():
                code, _ = role.ends()
                assert time.monotonic() - began < LIMIT_S + standstill.lost_s, name
                assert code == -signal.SIGKILL, name
        for role in roles.values():
            lines = [line for line in role.written.splitlines() if "still_open" in line]
            assert len(lines) == 1, role.written[-3000:]
            assert re.search(r"expected the process \d+ to end within 9 s", lines[0])


def test_a_sink_whose_clickhouse_never_answers(
    broker: EmbeddedKafka, silent: int, tmp_path: Path
) -> None:
    url = f"http://127.0.0.1:{silent}/portquorum"
    with running("sink", **environment(broker.bootstrap_servers, url, tmp_path)) as sink:
        sink.says("metrics served")
        time.sleep(3)  # it asks ClickHouse by now; nothing asserted depends on it
        code, _ = sink.ends()
        assert code == 0, sink.written[-3000:]


def test_a_sink_whose_clickhouse_stops_in_the_middle(broker: EmbeddedKafka, tmp_path: Path) -> None:
    with EmbeddedClickHouse(tmp_path / "clickhouse", "127.0.0.1:0") as service:
        env = environment(broker.bootstrap_servers, service.url, tmp_path)
        with running("sink", **env) as sink:
            sink.says(RUNS["sink"])
            engine = psutil.Process(service.pid)
            engine.suspend()
            try:
                settings = Settings(
                    kafka=broker.bootstrap_servers,
                    topic_prefix=env["PORTQUORUM_TOPIC_PREFIX"],
                    partitions=2,
                )
                asyncio.run(rig.publish(settings, rig.incident_event("db1")))
                time.sleep(3)  # the insert is under way by now; nothing asserted depends on it
                code, _ = sink.ends()
                assert code == 0, sink.written[-3000:]
            finally:
                engine.resume()


class Trickle:
    """A channel that sends its answer a byte at a time, for ever: no limit of a read ends it."""

    def __init__(self) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.asked = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        connection, _ = self.server.accept()
        self.asked.set()
        with contextlib.suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
            while True:
                connection.sendall(b"y")
                time.sleep(0.2)


def test_a_notifier_whose_channel_never_answers(broker: EmbeddedKafka, tmp_path: Path) -> None:
    channel = Trickle()
    url = f"json://127.0.0.1:{channel.server.getsockname()[1]}/ops"
    env = environment(broker.bootstrap_servers, "http://127.0.0.1:1/x", tmp_path)
    settings = Settings(
        kafka=broker.bootstrap_servers, topic_prefix=env["PORTQUORUM_TOPIC_PREFIX"], partitions=2
    )
    with running("notify", **env) as notifier:
        notifier.says(RUNS["notify"])

        async def tell() -> None:
            await topics_ready(settings)
            await rig.publish_policy(settings, Route(name="ops", urls=(url,)))
            await rig.publish(settings, rig.incident_event("db1"))

        asyncio.run(tell())
        assert channel.asked.wait(60)
        code, _ = notifier.ends()
        assert code == 0, notifier.written[-3000:]
    channel.server.close()


def test_dev_kafka_whose_broker_stands_still(tmp_path: Path) -> None:
    with running(*("dev", "kafka", "--listen", "127.0.0.1:0", "--data", str(tmp_path))) as service:
        service.says("listens on")
        (jvm,) = (p for p in psutil.Process(service.process.pid).children() if "java" in p.name())
        jvm.suspend()
        code, _ = service.ends()
        assert code == 0, service.written[-3000:]


UP = ("up", "--kafka-listen", "127.0.0.1:0", "--clickhouse-listen", "127.0.0.1:0", "--data")


def jvm_below(program: Running) -> psutil.Process:
    below = psutil.Process(program.process.pid).children(recursive=True)
    (jvm,) = (process for process in below if "java" in process.name())
    return jvm


@pytest.mark.parametrize("how", ["the broker stands still", "its main thread is busy for ever"])
def test_up(how: str, tmp_path: Path) -> None:
    inventory = tmp_path / "inventory.yaml"
    inventory.write_text(
        "regions: {here: {internal: true}}\n"
        "targets: [{host: 127.0.0.1, port: 1, regions: [here]}]\n"
    )
    arguments = (*UP, str(tmp_path / "data"), "-v", "-i", str(inventory))
    with running(*arguments, PORTQUORUM_LOG_FORMAT="json") as up:
        up.says("probing")
        if how == "the broker stands still":
            jvm_below(up).suspend()
            code, _ = up.ends()
            assert code == 0, up.written[-3000:]
        else:
            up.process.send_signal(signal.SIGUSR1)
            up.says("busy")
            code, _ = up.ends()
            assert code == -signal.SIGKILL
            assert "still_open" in up.written


@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.soak)]
)
def test_demo_whose_broker_stands_still(number: int, tmp_path: Path) -> None:
    with running("demo", TMPDIR=str(tmp_path)) as demo:
        demo.says("The port closes")
        jvm_below(demo).suspend()
        code, _ = demo.ends(number)
        assert code == 130, demo.written[-3000:]
    assert not list(tmp_path.glob("portquorum-demo-*"))
