"""The program as a user calls it: exit codes, sentences, machine-readable output."""

import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.commands import Said, called

COMMANDS = [
    [],
    ["demo"],
    ["up"],
    ["check"],
    ["status"],
    ["incidents"],
    ["events"],
    ["health"],
    ["explain"],
    ["report"],
    ["report", "uptime"],
    ["report", "slo"],
    ["report", "cost"],
    ["report", "reliability"],
    ["silence"],
    ["silence", "add"],
    ["silence", "list"],
    ["silence", "end"],
    ["sql"],
    ["ack"],
    ["resolve"],
    ["replay"],
    ["checkpoint"],
    ["drill"],
    ["backtest"],
    ["target"],
    ["target", "add"],
    ["user"],
    ["user", "add"],
    ["user", "list"],
    ["user", "set"],
    ["user", "remove"],
    ["user", "link"],
    ["token"],
    ["token", "add"],
    ["token", "list"],
    ["token", "revoke"],
    ["inventory"],
    ["inventory", "check"],
    ["inventory", "diff"],
    ["inventory", "apply"],
    ["probe"],
    ["stream"],
    ["sink"],
    ["notify"],
    ["notify", "dry-run"],
    ["dev"],
    ["dev", "kafka"],
    ["dev", "clickhouse"],
]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


def portquorum(home: Path, *arguments: str | Path, **env: str) -> Said:
    return called(
        home, {"PORTQUORUM_DATA_DIR": str(home / "data"), "COLUMNS": "200"} | env, *arguments
    )


def error_of(done: Said) -> str:
    """What went to standard error, with the frame of a usage error taken off."""
    assert "Traceback" not in done.stderr
    return " ".join(re.sub(r"[│╭╮╰╯─]", " ", done.stderr).split())


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that is bound and does not listen: nobody else gets it, and it refuses."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.fixture
def open_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_examples(home: Path, command: list[str]) -> None:
    done = portquorum(home, *command, "--help")
    assert done.returncode == 0, done.stderr
    is_group = "COMMAND" in done.stdout.split("\n")[1]
    assert "Examples" in done.stdout or is_group
    assert "$ portquorum" in done.stdout or is_group


def test_the_help_of_resolve_says_what_the_rules_do(home: Path) -> None:
    said = " ".join(portquorum(home, "resolve", "--help").stdout.split())
    assert "None opens again for the same outage" in said


def test_help_loads_no_role(home: Path) -> None:
    program = (
        "import sys\n"
        "sys.argv = ['portquorum', '--help']\n"
        "from portquorum.cli import main\n"
        "try:\n    main()\n"
        "except SystemExit:\n    pass\n"
        "heavy = {'aiokafka', 'faust', 'clickhouse_connect', 'apprise', 'aiohttp', 'yaml'}\n"
        "print('loaded:', sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=home
    )
    assert done.stdout.endswith("loaded: []\n")


def test_version(home: Path) -> None:
    done = portquorum(home, "--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"portquorum \d+\.\d+\.\d+\S*\n", done.stdout)


def test_an_open_port_is_shown_in_full(home: Path, open_port: int) -> None:
    done = portquorum(home, "check", f"127.0.0.1:{open_port}")
    assert done.returncode == 0
    assert f"tcp 127.0.0.1:{open_port}" in done.stdout
    assert "is open" in done.stdout
    assert "connect" in done.stdout


def test_a_closed_port_is_trouble(home: Path, closed_port: int) -> None:
    done = portquorum(home, "check", f"127.0.0.1:{closed_port}")
    assert done.returncode == 1
    assert "Connection refused" in done.stdout


def test_a_check_as_json(home: Path, closed_port: int) -> None:
    done = portquorum(home, "check", f"localhost:{closed_port}", "--json", "--timeout", "500ms")
    answer = msgspec.json.decode(done.stdout)
    assert done.returncode == 1
    assert answer["status"] == "down"
    assert answer["reason"] == "connection_refused"
    assert answer["reason_text"] == "Connection refused"
    assert answer["port"] == closed_port
    assert answer["timeout_ms"] == 500


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 here")
def test_ipv6_in_brackets(home: Path) -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
        port = listener.getsockname()[1]
        done = portquorum(home, "check", f"[::1]:{port}", "--json")
    assert done.returncode == 0
    assert msgspec.json.decode(done.stdout)["address"] == "::1"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["check", "db1"], "expected HOST:PORT"),
        (["check", "::1:22"], "IPv6 as [::1]:PORT"),
        (["check", "db1:0"], "a port from 1 to 65535"),
        (["check", "db1:65536"], "a port from 1 to 65535"),
        (["check", "a b:22"], "expected a host name or an IP address"),
        (["check", "db1:22", "--timeout", "soon"], "expected a duration such as 3s"),
        (["check", "db1:22", "--timeout", "0s"], "expected a duration such as 3s"),
        (["check", "db1:22", "--timeout", "1e9s"], "expected a timeout from 1ms to 1h"),
        (["check", "db1:22", "--kind", "gopher"], "expected a kind that can be checked ("),
        (
            ["check", "db1:22", "--resolver", "dns.test"],
            "--resolver: expected the IP address of a name server",
        ),
        (["check", "db1:22", "--source", "eth0"], "expected an IP address of this machine"),
        (["check", "db1:22", "--source", "203.0.113.1"], "expected an IP address of this machine"),
        (["check", "https://db1/health"], "expected HOST:PORT and no URL (a page is --kind http)"),
        (["check", "http://db1:80", "--kind", "http"], "expected HOST:PORT and no URL"),
        (["check", "db1:7", "--kind", "icmp"], "expected a host alone (icmp knows no ports)"),
        (["check", "db1:25", "--kind", "smtp", "--probe", "{tls: no}"], "probe.tls: "),
        (["check", "db1:25", "--kind", "smtp", "--probe", "{colour: red}"], "no such option; the"),
        (["check", "db1:25", "--kind", "smtp", "--probe", "red"], "expected a mapping such as"),
        (["check"], "Missing argument"),
        (["probe"], "Missing option '--region'"),
        (["up", "-i", "none.yaml"], "none.yaml is no file"),
        (["inventory", "check", "none.yaml"], "none.yaml does not exist"),
        (["sql", " ; "], "expected a query, found nothing"),
        (["incidents", "--limit", "-1"], "should be greater than or equal to 0"),
        (["nonsense"], "No such command 'nonsense'"),
        (["notify", "tset"], "No such command 'tset'"),
        (["notify", "test"], "Missing argument 'ROUTE'"),
        (["notify", "test", "r", "--file", "none.yaml"], "none.yaml does not exist"),
        (["notify", "why", " "], "expected an event, an incident, a target or a region"),
    ],
)
def test_wrong_use(home: Path, arguments: list[str], says: str) -> None:
    done = portquorum(home, *arguments)
    assert done.returncode == 2
    assert says in error_of(done)
    assert done.stdout == ""


def test_a_wrong_setting_is_wrong_use(home: Path) -> None:
    done = portquorum(home, "status", PORTQUORUM_PARTITIONS="many")
    assert done.returncode == 2
    assert error_of(done).startswith("portquorum: PORTQUORUM_PARTITIONS: Expected `int`")


@pytest.mark.parametrize(
    "command", [["status"], ["incidents"], ["sql", "SELECT 1"], ["ack", "x"]], ids=" ".join
)
def test_clickhouse_that_is_not_there(home: Path, closed_port: int, command: list[str]) -> None:
    url = f"http://me:secret@127.0.0.1:{closed_port}/portquorum"
    done = portquorum(home, *command, PORTQUORUM_CLICKHOUSE=url)
    assert done.returncode == 1
    said = error_of(done)
    assert said.startswith("portquorum: ClickHouse can't be reached at ")
    assert f"127.0.0.1:{closed_port}" in said
    assert "portquorum up" in said
    assert "secret" not in said


def test_kafka_that_is_not_there(home: Path, closed_port: int) -> None:
    file = home / "inventory.yaml"
    file.write_text("regions: {a: {}}\ntargets: [{name: x, host: x.example, port: 1}]\n")
    done = portquorum(home, "inventory", "apply", file, PORTQUORUM_KAFKA=f"127.0.0.1:{closed_port}")
    assert done.returncode == 1
    assert f"Kafka can't be reached at 127.0.0.1:{closed_port}" in error_of(done)


def test_debug_shows_the_traceback(home: Path, closed_port: int) -> None:
    url = f"http://127.0.0.1:{closed_port}/portquorum"
    done = portquorum(home, "status", PORTQUORUM_CLICKHOUSE=url, PORTQUORUM_DEBUG="1")
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_a_taken_port_is_told_before_anything_starts(home: Path, open_port: int) -> None:
    done = portquorum(home, "up", "--kafka-listen", f"127.0.0.1:{open_port}")
    assert done.returncode == 1
    assert f"127.0.0.1:{open_port} is taken by another program" in error_of(done)
    assert "--kafka-listen" in error_of(done)


@pytest.mark.parametrize(
    ("option", "setting", "value"),
    [
        ("--kafka-listen", "PORTQUORUM_KAFKA", "127.0.0.1:1"),
        ("--clickhouse-listen", "PORTQUORUM_CLICKHOUSE", "http://127.0.0.1:1"),
    ],
)
def test_a_port_to_listen_on_beside_another_server_is_said_to_do_nothing(
    home: Path, open_port: int, option: str, setting: str, value: str
) -> None:
    # The other service's port is taken, so that `up` ends before it starts anything.
    other = "--clickhouse-listen" if option == "--kafka-listen" else "--kafka-listen"
    taken = f"127.0.0.1:{open_port}"
    done = portquorum(home, "up", option, "127.0.0.1:2", other, taken, **{setting: value})
    assert done.returncode != 0
    said = " ".join(done.stderr.split())
    assert f"{setting} (or " in said
    assert f"{option} does nothing" in said


def test_a_wrong_inventory_is_told_before_anything_starts(home: Path) -> None:
    file = home / "inventory.yaml"
    file.write_text("regions: {a: {}}\ntargets: [{name: x, host: x.example, port: 0}]\n")
    done = portquorum(home, "up", "-i", file)
    assert done.returncode == 1
    assert "targets[0].port" in error_of(done)
    assert "starting" not in done.stdout


def test_inventory_check(home: Path) -> None:
    good, bad = home / "good.yaml", home / "bad.yaml"
    good.write_text("regions: {a: {}}\ntargets: [{name: x, host: x.example, port: 22}]\n")
    bad.write_text("regions: {a: {}}\ntargets: [{name: x, host: x.example, port: 65536}]\n")
    done = portquorum(home, "inventory", "check", good)
    assert (done.returncode, done.stdout) == (0, "fine: 1 target\n")
    answer = msgspec.json.decode(portquorum(home, "inventory", "check", good, "--json").stdout)
    assert answer["fine"] is True
    assert answer["targets"][0]["port"] == 22
    done = portquorum(home, "inventory", "check", bad)
    assert done.returncode == 1
    assert "bad.yaml:2: targets[0].port" in error_of(done)
    done = portquorum(home, "inventory", "check", bad, "--json")
    answer = msgspec.json.decode(done.stdout)
    assert done.returncode == 1
    assert answer["fine"] is False
    assert answer["problems"][0]["line"] == 2
    assert done.stderr == ""


def test_private_addresses_of_a_public_region_are_warned_of(home: Path) -> None:
    file = home / "inventory.yaml"
    file.write_text(
        "regions: {a: {}, b: {internal: true}}\ntargets:\n  - {name: x, host: 10.0.0.7, port: 22}\n"
    )
    done = portquorum(home, "inventory", "check", file)
    assert (done.returncode, done.stdout) == (0, "fine: 1 target\n")
    assert done.stderr.startswith(f"note: {file}:3: targets[0].host: 10.0.0.7 is a private address")
    answer = msgspec.json.decode(portquorum(home, "inventory", "check", file, "--json").stdout)
    assert answer["fine"] is True
    assert answer["warnings"][0]["line"] == 3
    done = portquorum(home, "target", "add", "127.0.0.1:5432")
    assert done.returncode == 0
    assert done.stderr.count("note: ") == 1
    assert "127.0.0.1 is a loopback address" in done.stderr
    assert "add internal: true to the region" in done.stderr
    assert portquorum(home, "target", "add", "10.0.0.8:5432", "--region", "b").stderr == ""


def test_a_secret_that_is_not_set_is_noted_or_refused(home: Path) -> None:
    file = home / "inventory.yaml"
    file.write_text(
        "regions: {a: {}}\nroutes:\n"
        "  r: {urls: ['json://${HOST}/${PATH_OF_IT}', 'json://x'], default: true}\n"
        "targets: [{name: x, host: x.example, port: 22}]\n"
    )
    done = portquorum(home, "inventory", "check", file, HOST="h.example")
    assert (done.returncode, done.stdout) == (0, "fine: 1 target\n")
    says = "routes.r.urls[0]: ${PATH_OF_IT} of this channel is not set in this environment"
    assert says in done.stderr
    assert "HOST}" not in done.stderr
    done = portquorum(home, "inventory", "check", file)
    assert "${HOST} and ${PATH_OF_IT} of this channel are not set" in done.stderr
    assert "needs them" in done.stderr
    answer = portquorum(home, "inventory", "check", file, "--json", HOST="h.example").stdout
    assert [one["line"] for one in msgspec.json.decode(answer)["warnings"]] == [3]
    done = portquorum(home, "inventory", "check", "--secrets", file, HOST="h.example")
    assert (done.returncode, done.stdout) == (1, "")
    assert says in error_of(done)
    done = portquorum(
        home, "inventory", "check", "--secrets", file, HOST="h.example", PATH_OF_IT="p"
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_whom_nobody_is_told_of_is_noted(home: Path) -> None:
    file = home / "inventory.yaml"
    file.write_text(
        "regions: {a: {}}\nroutes: {r: {urls: ['json://x'], tags: [prod], default: true}}\n"
        "targets: [{id: x, host: x.example, port: 22}]\n"
    )
    done = portquorum(home, "inventory", "check", file)
    assert (done.returncode, done.stdout) == (0, "fine: 1 target\n")
    said = " of 1 normal target (x) reaches nobody but the notifier's log"
    assert said in done.stderr
    answer = msgspec.json.decode(portquorum(home, "inventory", "check", file, "--json").stdout)
    assert answer["fine"] is True
    assert said in answer["warnings"][0]["message"]


def test_a_filled_in_url_that_no_channel_takes_is_told_without_its_secret(home: Path) -> None:
    file = home / "inventory.yaml"
    file.write_text("regions: {a: {}}\nroutes: {r: {urls: ['${CHANNEL}']}}\n")
    done = portquorum(home, "inventory", "check", "--secrets", file, CHANNEL="nonsense://pa55word")
    assert done.returncode == 1
    assert "routes.r.urls[0]: expected a scheme" in error_of(done)
    assert "pa55word" not in done.stderr


def test_target_add_makes_the_file_that_up_will_follow(home: Path) -> None:
    done = portquorum(home, "target", "add", "DB1.Example.com.:5432", "--interval", "10s")
    assert done.returncode == 0, done.stderr
    assert "db1.example.com:5432 every 10 s from local" in done.stdout
    file = home / "data" / "inventory.yaml"
    assert "5432" in file.read_text()
    done = portquorum(home, "target", "add", "[::1]:22", "--name", "Bastion", "--json")
    added = msgspec.json.decode(done.stdout)
    assert added["target"]["id"] == "bastion"
    assert added["target"]["host"] == "::1"
    assert portquorum(home, "inventory", "check", file).stdout == "fine: 2 targets\n"


def test_target_add_knows_the_usual_port_of_a_kind(home: Path) -> None:
    done = portquorum(home, "target", "add", "db1.example.com", "--kind", "postgres")
    assert done.returncode == 0, done.stderr
    assert "postgres db1.example.com:5432 every" in done.stdout
    done = portquorum(home, "target", "add", "db1.example.com:1", "--kind", "gopher")
    assert done.returncode == 2
    assert "expected a kind that can be checked (" in error_of(done)


def test_a_handshake_shows_its_phases_and_its_banner(home: Path, open_port: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        answering = threading.Thread(target=_greet, args=(server,), daemon=True)
        answering.start()
        port = server.getsockname()[1]
        done = portquorum(home, "check", f"localhost:{port}", "--kind", "pop3")
        answering.join(10)
    assert done.returncode == 0
    assert f"pop3 localhost:{port}  answers" in done.stdout
    shown = {line.split()[0] for line in done.stdout.splitlines()[1:]}
    assert {"address", "banner", "DNS", "connect", "dialogue", "total"} <= shown
    done = portquorum(home, "check", f"127.0.0.1:{open_port}", "--kind", "pop3", "--timeout", "1s")
    assert done.returncode == 1
    assert "Connected, but no answer" in done.stdout


def _greet(server: socket.socket) -> None:
    client, _ = server.accept()
    with client:
        client.sendall(b"+OK ready\r\n")
        client.recv(100)


def test_target_add_prefers_the_inventory_here(home: Path) -> None:
    file = home / "inventory.yaml"
    file.write_text(
        "# mine\nregions: {a: {}}\ntargets:\n  - {name: x, host: x.example, port: 22}\n"
    )
    done = portquorum(home, "target", "add", "db1:5432")
    assert done.returncode == 0, done.stderr
    assert file.read_text().startswith("# mine\n")
    assert "db1:5432" in file.read_text()


def test_target_add_refuses_what_the_inventory_would_refuse(home: Path) -> None:
    done = portquorum(home, "target", "add", "db1:5432", "--criticality", "extreme")
    assert done.returncode == 2
    assert "extreme" in error_of(done)
    done = portquorum(home, "target", "add", "db1:5432", "--team", "nobody")
    assert done.returncode == 1
    assert "nobody" in error_of(done)
    assert not (home / "data" / "inventory.yaml").exists()


@pytest.mark.parametrize(
    "arguments",
    [("--help",), ("--version",), ("inventory", "check", "good.yaml", "--json")],
    ids=" ".join,
)
def test_output_into_a_closed_pipe_is_silent(home: Path, arguments: tuple[str, ...]) -> None:
    (home / "good.yaml").write_text(
        "regions: {a: {}}\ntargets: [{name: x, host: x.example, port: 22}]\n"
    )
    reader, writer = os.pipe()
    os.close(reader)
    with subprocess.Popen(
        [sys.executable, "-m", "portquorum.cli", *arguments],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        cwd=home,
    ) as process:
        os.close(writer)
        _, stderr = process.communicate(timeout=60)
    assert (process.returncode, stderr) == (1, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_output_that_does_not_fit_is_trouble(home: Path) -> None:
    (home / "good.yaml").write_text(
        "regions: {a: {}}\ntargets: [{name: x, host: x.example, port: 22}]\n"
    )
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "portquorum.cli", "inventory", "check", "good.yaml", "--json"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=home,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, "portquorum: No space left on device\n")


def test_a_misspelt_variable_is_told(home: Path) -> None:
    done = portquorum(home, "inventory", "check", "nope.yaml", PORTQUORUM_PARTITION="4")
    assert "PORTQUORUM_PARTITION is no setting; PORTQUORUM_PARTITIONS is one" in error_of(done)
