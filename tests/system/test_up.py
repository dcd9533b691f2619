"""`portquorum up` as a user runs it, on the real services."""

import signal
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import psutil
import pytest

from tests.integration.portquorum.web.visitors import visitors
from tests.standstill import Standstill
from tests.system.program import TERMINATION_S, Program, all_gone, command, eventually

pytestmark = pytest.mark.timeout(600)

UP = ("up", "--kafka-listen", "127.0.0.1:0", "--clickhouse-listen", "127.0.0.1:0")
ROLES = {"kafka", "clickhouse", "web", "stream", "sink", "notify", "probe local"}


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Program]:
    with Program(tmp_path, *UP) as program:
        yield program


def statuses(home: Path) -> dict[str, str]:
    """Target → status, as the command shows it."""
    done = command(home, "status", "--json")
    if not done.stdout:
        return {}
    return {one["target"]: one["status"] for one in msgspec.json.decode(done.stdout)["targets"]}


def open_incidents(home: Path) -> list[str]:
    """The targets of open incidents, as the command lists them."""
    done = command(home, "incidents", "--open", "--json")
    found = [str(one["target"]) for one in msgspec.json.decode(done.stdout or "[]")]
    assert done.returncode == bool(found), done.stderr
    return found


def asked(place: str, path: str) -> Any:
    """What the API answers; None if the page is blind still, or does not know its users."""
    try:
        with urllib.request.urlopen(f"http://{place}/api/v1/{path}", timeout=30) as answer:
            found = msgspec.json.decode(answer.read())
    except urllib.error.HTTPError as error:
        if error.code != HTTPStatus.SERVICE_UNAVAILABLE:
            raise
        return None
    return None if found["freshness"]["blind_since"] else found


def pid_of(program: Program, role: str) -> int:
    started = [r for r in program.records if r["role"] == role and r["event"] == "started"]
    return int(started[-1]["pid"])


def test_a_taken_port_is_said_with_another_way(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        done = command(tmp_path, *UP, "--web-listen", place)
    assert done.returncode == 2
    assert done.stderr.startswith(f"portquorum: --web-listen: can't listen on {place}: another ")
    assert "choose another port" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_second_one_says_who_has_the_data_and_kill_9_leaves_no_process(
    up: Program, tmp_path: Path
) -> None:
    up.event("up", "portquorum is up")
    for listen in (("--kafka-listen", "127.0.0.1:0", "--clickhouse-listen", "127.0.0.1:0"), ()):
        done = command(tmp_path, "up", *listen)
        assert done.returncode == 1
        assert f"another `portquorum up` (process {up.process.pid}, since 20" in done.stderr
        assert "--data" in done.stderr
    kafka = command(tmp_path, "dev", "kafka", "--listen", "127.0.0.1:0")
    assert f"kafka is in use by process {pid_of(up, 'kafka')}, since 20" in kafka.stderr
    assert up.process.poll() is None, "the first one goes on"
    family = up.family()
    assert len(family) >= len(ROLES)
    up.end(signal.SIGKILL)
    assert all_gone(family)


def test_an_emptied_inventory_stops_no_prober_and_the_second_ctrl_c_ends_at_once(
    tmp_path: Path,
) -> None:
    file = tmp_path / "inv.yaml"
    file.write_text(
        "regions: {local: {internal: true}}\n"
        "targets: [{id: x, host: 127.0.0.1, port: 1, interval: 10s}]\n"
    )
    with Program(tmp_path, *UP, "-i", str(file)) as program:
        program.event("up", "portquorum is up")
        prober = psutil.Process(pid_of(program, "probe local"))
        file.write_text("# nothing\n")
        said = program.event("up", "the inventory is empty")
        assert said["level"] == "warning"
        assert "--allow-empty" in said["event"]
        file.write_text(
            "regions: {local: {internal: true}}\n"
            "targets: [{id: y, host: 127.0.0.1, port: 2, interval: 10s}]\n"
        )
        program.event("up", "inventory inv: 1 added, 1 removed")
        assert prober.is_running(), "the same process all the time"
        program.end()
    with Program(tmp_path, *UP, "-i", str(file)) as program:
        file.write_text("")
        program.event("up", "portquorum is up")
        assert pid_of(program, "probe local"), "the published region has its prober"
        family = program.family()
        program.process.send_signal(signal.SIGINT)
        program.event("up", "stopping")
        program.process.send_signal(signal.SIGINT)
        with Standstill() as standstill:
            took_s = -time.monotonic()
            assert program.process.wait(60) == 0
            took_s += time.monotonic()
        assert took_s < TERMINATION_S + standstill.lost_s
        assert all_gone(family)


def test_from_the_sample_to_the_first_incident_and_a_clean_end(up: Program, tmp_path: Path) -> None:
    first = up.until(lambda _: True, "anything")
    assert (first["event"], first["what"]) == ("done", "page"), "its address comes first"
    place = urlsplit(first["detail"]).netloc
    # It is listened on already: a browser that is quicker than Kafka waits.
    waiting = socket.create_connection(("127.0.0.1", int(place.rpartition(":")[2])))
    waiting.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
    ready = up.event("up", "portquorum is up")
    assert ready["page"] == first["detail"]
    assert waiting.recv(100).startswith(b"HTTP/1.1 200")
    waiting.close()
    sample = {"kafka-of-portquorum": "up", "clickhouse-of-portquorum": "up"}
    eventually(lambda: statuses(tmp_path) == sample, "the services to be up in ClickHouse")
    assert command(tmp_path, "status").returncode == 0
    eventually(
        lambda: (found := asked(place, "targets")) and found["counts"]["up"] == len(sample),
        "the page to know it, too",
    )

    # A killed role is said and started again.
    dead = pid_of(up, "probe local")
    psutil.Process(dead).kill()
    said = up.event("probe local", "ended after")
    assert said["level"] == "error"
    assert said["how"] == "killed by SIGKILL"
    assert up.event("probe local", "started")["pid"] != dead

    # A first target: nobody listens there, which is an incident that people are told of.
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        added = command(tmp_path, "target", "add", f"127.0.0.1:{port}", "--name", "Nothing here")
        assert added.returncode == 0, added.stderr
        assert "the running `portquorum up` applies it now" in added.stdout
        up.event("up", "inventory inventory: 1 added")
        told = up.event("notify", "TCP Port Unreachable: Nothing here")
        assert "Connection refused" in told["body"]
    eventually(lambda: open_incidents(tmp_path) == ["nothing-here"], "it to be in ClickHouse")

    def shown() -> list[tuple[str, str]] | None:
        found = asked(place, "incidents")
        return found and [(one["target"], one["state"]) for one in found["rows"]]

    eventually(lambda: shown() == [("nothing-here", "down")], "the page to show it")

    # A wrong file changes nothing.
    inventory = Path(ready["inventory"].partition(" (")[0])
    inventory = inventory if inventory.is_absolute() else tmp_path / inventory
    text = inventory.read_text()
    inventory.write_text(text.replace("10s", "one hour"))
    refused = up.until(lambda r: r["role"] == "up" and r["level"] == "warning", "the refusal")
    assert "expected a duration" in refused["event"]
    inventory.write_text(text)

    family = up.family()
    with visitors(place):
        code, took_s = up.end()
        assert code == 0
        assert took_s < TERMINATION_S
        assert all_gone(family)
    last = up.rest()
    assert not [one for one in last if "Traceback" in one], last
    killed = "does not end, is being killed"
    assert not [one for one in last if killed in one and '"role":"web"' in one], last


def test_an_end_while_it_starts_leaves_no_process(up: Program) -> None:
    up.until(lambda r: r["role"] == "kafka" and r["event"] == "started", "Kafka to start")
    family = up.family()
    code, took_s = up.end(signal.SIGTERM)
    assert code == 0
    assert took_s < TERMINATION_S
    assert all_gone(family)


def test_running_services_are_used(kafka: str, clickhouse: str, tmp_path: Path) -> None:
    config = tmp_path / "portquorum.toml"
    base = clickhouse.rpartition("/")[0]
    config.write_text(
        f'kafka = "{kafka}"\nclickhouse = "{base}/up_external"\n'
        'topic_prefix = "up-external"\npartitions = 4\n'
    )
    with Program(tmp_path, *UP) as program:
        program.event("up", "portquorum is up")
        roles: set[Any] = {r["role"] for r in program.records if r["event"] == "started"}
        program.has_said("sink", "partitions assigned")
        eventually(lambda: len(statuses(tmp_path)) == 2, "both services to be watched")
        code, _ = program.end()
    assert code == 0
    assert roles == ROLES - {"kafka", "clickhouse"}
