"""Programs that know passwords, started for real: what they write and what `ps` shows of them."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands import called

PASSWORD = f"marker{uuid.uuid4().hex}"
DEADLINE_S = 90.0


def command_lines() -> str:
    """Of every process on this machine, as `ps` shows them."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return "\n".join(found)


class Program:
    """`portquorum ARGUMENTS`, and all that it has written."""

    def __init__(self, *arguments: str | Path, **env: str) -> None:
        self.written = ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "portquorum.cli", *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={k: v for k, v in os.environ.items() if not k.startswith("PORTQUORUM_")} | env,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.written += line

    def says(self, text: str) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while text not in self.written:
            assert time.monotonic() < deadline, f"{text!r} is not in: {self.written}"
            assert self._reader.is_alive() or text in self.written, self.written
            assert PASSWORD not in command_lines()
            time.sleep(0.1)

    def ended(self) -> str:
        self.process.wait(DEADLINE_S)
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()
        assert PASSWORD not in self.written
        return self.written


@contextlib.contextmanager
def running(*arguments: str | Path, **env: str) -> Iterator[Program]:
    program = Program(*arguments, **env)
    try:
        yield program
        program.process.send_signal(signal.SIGTERM)
        program.ended()
    finally:
        program.process.kill()
        program.process.wait()


@pytest.fixture
def nobody() -> Iterator[int]:
    """A port on which nobody listens, held."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])


def test_dev_clickhouse_shows_no_password_and_a_line_that_works(tmp_path: Path) -> None:
    data = tmp_path / "data"
    keys = {"PORTQUORUM_OWNER_PASSWORD": PASSWORD, "PORTQUORUM_READER_PASSWORD": PASSWORD}
    with running("dev", "clickhouse", "--listen", "127.0.0.1:0", "--data", data, **keys) as service:
        service.says("export PORTQUORUM_CLICKHOUSE=")
        assert str(data / "services.json") in service.written
        export = next(line for line in service.written.splitlines() if "export" in line)
        question = f"{export}; exec {sys.executable} -m portquorum.cli sql 'SELECT currentUser()'"
        done = subprocess.run(
            ["sh", "-c", question], capture_output=True, text=True, timeout=DEADLINE_S, check=False
        )
        assert done.returncode == 0, done.stderr
        place = service.written.partition("listens on http://")[2].split()[0]
        for user in ("portquorum", "nobody"):
            url = f"http://{user}:{PASSWORD}-wrong@{place}/portquorum"
            for debug in ("", "1"):
                env = {"PORTQUORUM_CLICKHOUSE": url, "PORTQUORUM_DEBUG": debug}
                for command in (["sql", "SELECT 1"], ["status"], ["report", "uptime"]):
                    asked = called(tmp_path, env, *command)
                    assert asked.stdout + asked.stderr
                    assert PASSWORD not in asked.stdout + asked.stderr
                    assert asked.returncode == 1


@pytest.mark.parametrize(
    "role",
    [
        *(["probe", "--region", "r"], ["stream"], ["sink"], ["notify"]),
        ["web", "--listen", "127.0.0.1:0"],
    ],
)
def test_no_role_shows_the_password_of_a_kafka_that_is_away(
    role: list[str], nobody: int, tmp_path: Path
) -> None:
    env = {
        "PORTQUORUM_KAFKA": f"127.0.0.1:{nobody}",
        "PORTQUORUM_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "PORTQUORUM_KAFKA_USERNAME": "me",
        "PORTQUORUM_KAFKA_PASSWORD": PASSWORD,
        "PORTQUORUM_METRICS_PASSWORD": PASSWORD,
        "PORTQUORUM_CLICKHOUSE": f"http://me:{PASSWORD}@127.0.0.1:{nobody}/portquorum",
        "PORTQUORUM_LOG_LEVEL": "debug",
        "PORTQUORUM_METRICS": "127.0.0.1:0",
        "PORTQUORUM_DATA_DIR": str(tmp_path),
    }
    with running(*role, **env) as program:
        program.says("metrics served")
        program.says(f"{nobody}")


def test_no_sink_shows_the_password_of_a_clickhouse_that_is_away(
    kafka: str, nobody: int, tmp_path: Path
) -> None:
    env = {
        "PORTQUORUM_KAFKA": kafka,
        "PORTQUORUM_TOPIC_PREFIX": f"t{uuid.uuid4().hex[:8]}",
        "PORTQUORUM_PARTITIONS": "1",
        "PORTQUORUM_CLICKHOUSE": f"http://me:{PASSWORD}@127.0.0.1:{nobody}/portquorum",
        "PORTQUORUM_LOG_LEVEL": "debug",
        "PORTQUORUM_METRICS": "127.0.0.1:0",
        "PORTQUORUM_DATA_DIR": str(tmp_path),
    }
    with running("sink", **env) as program:
        program.says("ClickHouse")


@pytest.mark.parametrize("form", ["json", "pretty"])
def test_up_shows_no_password(form: str, tmp_path: Path) -> None:
    env = {
        "PORTQUORUM_OWNER_PASSWORD": PASSWORD,
        "PORTQUORUM_READER_PASSWORD": PASSWORD,
        "PORTQUORUM_METRICS_PASSWORD": PASSWORD,
        "PORTQUORUM_LOG_FORMAT": form,
        "PORTQUORUM_LOG_LEVEL": "debug",
    }
    anywhere = ("--kafka-listen", "127.0.0.1:0", "--clickhouse-listen", "127.0.0.1:0")
    inventory = tmp_path / "inventory.yaml"
    inventory.write_text(
        "regions: {here: {internal: true}}\n"
        "targets: [{host: 127.0.0.1, port: 1, regions: [here]}]\n"
    )
    with running("up", "-v", "-i", inventory, "--data", tmp_path / "d", *anywhere, **env) as up:
        up.says("probing")
    kept = {"services.json", "password"}
    for path in (tmp_path / "d").rglob("*"):
        if path.is_file() and path.name not in kept:
            assert PASSWORD.encode() not in path.read_bytes(), path
