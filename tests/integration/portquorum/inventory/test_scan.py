"""`inventory lint --scan`, with real listeners on loopback that count who connects."""

import asyncio
import contextlib
import os
import pty
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from portquorum.cli.app import app
from portquorum.inventory import check
from portquorum.inventory.scan import plan, scan

DEADLINE_S = 60
HOST = "127.83.1.1"  # nobody else listens there
ELSEWHERE = "127.83.1.2"


class Listener:
    """A port that takes connections and keeps them, so that they can be counted."""

    def __init__(self, host: str, port: int = 0) -> None:
        self._sock = socket.create_server((host, port), backlog=500)
        self._sock.setblocking(False)
        self.port = int(self._sock.getsockname()[1])

    def taken(self) -> int:
        """How many connections have come since the last time."""
        count = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                self._sock.accept()[0].close()
                count += 1
        return count

    def wait(self) -> None:
        """Returns when there is a connection."""
        assert select.select([self._sock], [], [], DEADLINE_S)[0]

    def close(self) -> None:
        self._sock.close()


@pytest.fixture
def listeners() -> Iterator[dict[str, Listener]]:
    """One that is watched, two that are not, and one on a host that nobody named."""
    made = {name: Listener(HOST) for name in ("watched", "first", "second")}
    made["elsewhere"] = Listener(ELSEWHERE, made["first"].port)
    yield made
    for one in made.values():
        one.close()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


def inventory(home: Path, watched: Listener, region: str = "{internal: true}") -> Path:
    path = home / "inventory.yaml"
    path.write_text(
        f"regions: {{office: {region}}}\nteams: {{a: {{}}}}\ntargets:\n"
        f"  - {{host: {HOST}, port: {watched.port}, team: a, purpose: x}}\n"
    )
    return path


def command(home: Path, *arguments: str) -> list[str]:
    file = str(home / "inventory.yaml")
    return [sys.executable, "-m", "portquorum.cli", "inventory", "lint", *arguments, file]


def environment(home: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if "PORTQUORUM" not in name}
    return kept | {"XDG_DATA_HOME": str(home), "TERM": "dumb", "COLUMNS": "100"} | more


def lint(home: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(home, *arguments),
        env=environment(home, **variables),
        cwd=home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )


def ports(listeners: dict[str, Listener]) -> set[int]:
    return {one.port for one in listeners.values()}


def places(listeners: dict[str, Listener]) -> str:
    return ",".join(map(str, ports(listeners)))


def test_what_nobody_put_there_is_found_and_nothing_else_is_touched(
    home: Path, listeners: dict[str, Listener]
) -> None:
    file = inventory(home, listeners["watched"])
    done = lint(home, "--scan", "--yes", "--ports", places(listeners))
    assert done.returncode == 1, done.stderr
    expected = sorted(listeners[name].port for name in ("first", "second"))
    said = [line for line in done.stdout.splitlines() if line.endswith("(open_port)")]
    assert [line.split(": ")[0] for line in said] == [f"{HOST}:{port}" for port in expected]
    taken = {name: one.taken() for name, one in listeners.items()}
    assert taken == {"watched": 0, "first": 1, "second": 1, "elsewhere": 0}
    assert f"hosts: {HOST}" in done.stderr
    # The entries that it suggests make it content.
    entries = [line for line in done.stdout.splitlines() if line.startswith("  - {")]
    purpose = [line.removesuffix("}") + ", purpose: y}" for line in entries]
    file.write_text(file.read_text() + "\n".join(purpose) + "\n")
    assert len(check([file]).targets) == 3
    again = lint(home, "--scan", "--yes", "--ports", places(listeners))
    assert (again.returncode, again.stdout) == (0, "nothing to say\n")


def test_the_answer_as_json(home: Path, listeners: dict[str, Listener]) -> None:
    inventory(home, listeners["watched"])
    done = lint(home, "--scan", "--yes", "--json", "--ports", str(listeners["first"].port))
    answer = msgspec.json.decode(done.stdout)
    assert answer["advice"] == []
    scan = answer["scan"]
    assert (scan["complete"], scan["looked_at"], scan["of"], scan["skipped"]) == (True, 1, 1, [])
    (found,) = scan["open"]
    assert (found["host"], found["port"]) == (HOST, listeners["first"].port)
    assert found["address"] == HOST
    assert found["entry"]["team"] == "a"


def test_without_a_terminal_it_wants_a_yes(home: Path, listeners: dict[str, Listener]) -> None:
    inventory(home, listeners["watched"])
    done = lint(home, "--scan", "--ports", places(listeners))
    assert done.returncode == 2
    assert "--yes says that the hosts are yours" in done.stderr
    assert [one.taken() for one in listeners.values()] == [0, 0, 0, 0]


@pytest.mark.parametrize(("answer", "taken", "code"), [("n\n", 0, 0), ("\n", 0, 0), ("y\n", 1, 1)])
def test_it_asks_and_a_no_connects_to_nothing(
    home: Path, listeners: dict[str, Listener], answer: str, taken: int, code: int
) -> None:
    inventory(home, listeners["watched"])
    ours, theirs = pty.openpty()
    port = str(listeners["first"].port)
    with subprocess.Popen(
        command(home, "--scan", "--ports", port),
        env=environment(home),
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
    ) as process:
        os.close(theirs)
        shown = b""
        while b"[y/N]" not in shown:
            assert select.select([ours], [], [], DEADLINE_S)[0]
            shown += os.read(ours, 4096)
        assert listeners["first"].taken() == 0
        os.write(ours, answer.encode())
        with contextlib.suppress(OSError):  # the end of a terminal
            while select.select([ours], [], [], DEADLINE_S)[0]:
                shown += os.read(ours, 4096)
        stdout = process.communicate(timeout=DEADLINE_S)[0]
    os.close(ours)
    assert f"hosts: {HOST}".encode() in shown
    assert b"1 connections, at most 100 a second" in shown
    assert process.returncode == code
    assert listeners["first"].taken() == taken
    assert ("open_port" in stdout) == bool(taken)
    assert (b"nothing was scanned" in shown) == (not taken)


@pytest.mark.parametrize("region", ["{}", "{internal: true, deny: [127.83.0.0/16]}"])
async def test_what_the_regions_of_a_host_may_not_reach_is_not_scanned(
    home: Path, listeners: dict[str, Listener], region: str
) -> None:
    """Else a name in the inventory could lead anybody's scan to what is behind his firewall."""
    wanted = plan(check([inventory(home, listeners["watched"], region)]), ports(listeners))
    found = await scan(wanted, 100, asyncio.Event())
    assert (found.open, found.looked_at, found.of, found.complete) == ((), 0, 2, True)
    assert list(found.skipped) == [HOST]
    assert [one.taken() for one in listeners.values()] == [0, 0, 0, 0]


def test_what_this_machine_may_not_reach_is_not_scanned(
    home: Path, listeners: dict[str, Listener]
) -> None:
    inventory(home, listeners["watched"])
    variables = {"PORTQUORUM_PROBE_DENY": "127.0.0.0/8"}
    done = lint(home, "--scan", "--yes", "--ports", places(listeners), **variables)
    assert done.returncode == 0, done.stderr
    assert f"note: {HOST} was not scanned: {HOST} lies in the denied network" in done.stderr
    assert [one.taken() for one in listeners.values()] == [0, 0, 0, 0]


async def test_it_keeps_to_the_rate(home: Path, listeners: dict[str, Listener]) -> None:
    wanted = plan(check([inventory(home, listeners["watched"])]), range(1, 12))
    told: list[tuple[int, int]] = []
    began = time.monotonic()
    found = await scan(wanted, 20, asyncio.Event(), lambda *done: told.append(done))
    assert time.monotonic() - began >= 10 / 20
    assert (found.looked_at, found.of, found.failed) == (11, 11, 0)
    assert told[-1] == (11, 11)


def test_ctrl_c_ends_it_and_shows_what_was_found(
    home: Path, listeners: dict[str, Listener]
) -> None:
    inventory(home, listeners["watched"])
    first = min(listeners["first"], listeners["second"], key=lambda one: one.port)
    with subprocess.Popen(
        command(home, "--scan", "--yes", "--rate", "1", "--ports", f"{first.port}-65535"),
        env=environment(home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        first.wait()
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 130
    assert f"{HOST}:{first.port}: open" in stdout
    assert "note: stopped: " in stderr
    assert "Traceback" not in stderr


def test_where_all_is_watched_there_is_nothing_to_ask(
    home: Path, listeners: dict[str, Listener]
) -> None:
    file = inventory(home, listeners["watched"])
    arguments = ["inventory", "lint", "--scan", "--ports", str(listeners["watched"].port)]
    done = CliRunner().invoke(app, [*arguments, str(file)])
    assert (done.exit_code, done.stdout) == (0, "nothing to say\n")
    assert listeners["watched"].taken() == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--ports", "22"], "expected --scan"),
        (["--rate", "5"], "expected --scan"),
        (["--scan", "--ports", "0"], "expected ports such as"),
        (["--scan", "--rate", "401"], "less than or equal to 400"),
        (["--scan", "--host", "db9.example.com"], "a host of the inventory"),
    ],
)
def test_wrong_use(
    home: Path, listeners: dict[str, Listener], arguments: list[str], says: str
) -> None:
    file = inventory(home, listeners["watched"])
    done = CliRunner().invoke(app, ["inventory", "lint", *arguments, str(file)])
    assert done.exit_code == 2
    assert says in " ".join(done.stderr.replace("│", " ").split())
