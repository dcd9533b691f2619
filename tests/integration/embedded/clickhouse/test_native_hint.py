"""What clients of the native protocol are told: by its port, and by the port of HTTP."""

import contextlib
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from portquorum.embedded.clickhouse.main import EmbeddedClickHouse
from portquorum.embedded.clickhouse.native_hint import exception, hint, place
from portquorum.embedded.service.addresses import ListenAddress
from portquorum.embedded.service.errors import EmbeddedServiceError
from tests.installed import missing
from tests.integration.embedded.clickhouse.http_calls import Server
from tests.toolchains import go_program

HELLO = b"\x00\x01c\x18\x0c\xae\xa9\x03\x00\x07default\x07hunter2"
GOLANG = Path(__file__).parent / "golang"


class Ports(NamedTuple):
    http: int
    native: int
    url: str
    log: Path


def a_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ports]:
    """An embedded ClickHouse with a port for native clients."""
    folder = tmp_path_factory.mktemp("hint")
    native = a_free_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PORTQUORUM_NATIVE_LISTEN", f"127.0.0.1:{native}")
        with EmbeddedClickHouse(folder, "127.0.0.1:0") as service:
            log = folder / "clickhouse" / "logs" / "process.log"
            yield Ports(urlsplit(service.url).port or 0, native, service.url, log)


@pytest.fixture(params=["http", "native"])
def port(request: pytest.FixtureRequest, ports: Ports) -> int:
    return int(getattr(ports, request.param))


def sentence(ports: Ports) -> str:
    return hint(f"http://127.0.0.1:{ports.http}")


def answer(port: int, *sent: bytes) -> bytes:
    """All that comes before the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.settimeout(60)
        found = b""
        try:
            for part in sent:
                connection.sendall(part)
            while part := connection.recv(1 << 16):
                found += part
        except (ConnectionResetError, BrokenPipeError):
            pass
        return found


def test_a_hello_gets_an_exception(ports: Ports, port: int) -> None:
    assert answer(port, HELLO) == exception(sentence(ports))
    assert answer(port, HELLO[:1]) == exception(sentence(ports))


def test_what_follows_a_hello_is_dropped(ports: Ports) -> None:
    assert answer(ports.native, HELLO, b"x" * 10_000) == exception(sentence(ports))


def test_http_at_the_native_port_is_told_the_other(ports: Ports) -> None:
    found = answer(ports.native, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert found.startswith(b"HTTP/1.0 400 ")
    assert f"Use http://127.0.0.1:{ports.http} for HTTP.".encode() in found


@pytest.mark.parametrize(
    "sent", [b"\xff" * 100, b"\x16\x03\x01\x02\x00", b"\n", b"\x01" * (1 << 20)]
)
def test_bytes_of_no_protocol_get_no_answer(ports: Ports, sent: bytes) -> None:
    assert answer(ports.native, sent) == b""


def test_no_client_holds_it(ports: Ports) -> None:
    silent = [socket.create_connection(("127.0.0.1", ports.native), 60) for _ in range(200)]
    try:
        # Those above the most are closed at once, the others in time; then others have a turn.
        for connection in silent:
            with contextlib.suppress(ConnectionResetError):
                assert connection.recv(1) == b""
        assert answer(ports.native, HELLO) == exception(sentence(ports))
    finally:
        for connection in silent:
            connection.close()
    answer(ports.native, HELLO, *[b"x" * (1 << 16)] * 64)  # ends
    assert Server(ports.url).value("SELECT 1") == "1"


def test_a_body_of_http_may_begin_with_any_byte(ports: Ports) -> None:
    owner = Server(ports.url)
    with owner.connection() as connection:
        connection.request("POST", "/", b"SELECT 1", owner.user)
        assert connection.getresponse().read() == b"1\n"
        assert connection.sock is not None
        head = (
            "POST /?query=INSERT+INTO+FUNCTION+null('a+UInt8')+FORMAT+RowBinary HTTP/1.1\r\n"
            f"Host: 127.0.0.1:{ports.http}\r\n"
        )
        user = "".join(f"{name}: {value}\r\n" for name, value in owner.user.items())
        connection.sock.sendall(f"{head}{user}Content-Length: 1\r\n\r\n".encode())
        connection.sock.sendall(b"\x00")
        assert b" 200 OK" in connection.sock.recv(1 << 16)


def test_no_password_is_written(ports: Ports) -> None:
    answer(ports.native, HELLO)
    answer(ports.http, HELLO)
    assert Server(ports.url).value("SELECT 1") == "1"
    assert "hunter2" not in ports.log.read_text()


def test_a_port_in_use_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setenv("PORTQUORUM_NATIVE_LISTEN", listen)
        with EmbeddedClickHouse(tmp_path, "127.0.0.1:0") as service:
            assert Server(service.url).value("SELECT 1") == "1"
            log = (tmp_path / "clickhouse" / "logs" / "process.log").read_text()
    said = [line for line in log.splitlines() if "native protocol" in line]
    assert len(said) == 1
    assert listen in said[0]


def test_a_wrong_setting_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTQUORUM_NATIVE_LISTEN", "everywhere")
    with pytest.raises(EmbeddedServiceError, match="PORTQUORUM_NATIVE_LISTEN: 'everywhere' is no"):
        EmbeddedClickHouse(tmp_path, "127.0.0.1:0").start()


def test_off_is_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTQUORUM_NATIVE_LISTEN", "off")
    with EmbeddedClickHouse(tmp_path, "127.0.0.1:0") as service:
        assert Server(service.url).value("SELECT 1") == "1"


def test_where_it_listens() -> None:
    usual = ListenAddress("127.0.0.1", 8123)
    assert place("auto", usual) == "127.0.0.1:9000"
    assert place("auto", ListenAddress("::1", 8123)) == "[::1]:9000"
    assert place("auto", ListenAddress("127.0.0.1", 18123)) is None
    assert place("off", usual) is None
    assert place("127.0.0.1:1", ListenAddress("127.0.0.1", 18123)) == "127.0.0.1:1"


def test_clickhouse_driver_shows_it(ports: Ports, port: int) -> None:
    try:
        from clickhouse_driver import Client
        from clickhouse_driver.errors import ServerException
    except ImportError:
        missing("clickhouse-driver")
    client = Client("127.0.0.1", port=port, password="hunter2")  # noqa: S106
    with pytest.raises(ServerException, match="NOT_IMPLEMENTED") as raised:
        client.execute("SELECT 1")
    assert sentence(ports) in str(raised.value)


@pytest.mark.wide
def test_clickhouse_go_shows_it(ports: Ports, port: int, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for file in (GOLANG / "newest" / "go.mod", GOLANG / "newest" / "go.sum"):
        (source / file.name).write_bytes(file.read_bytes())
    (source / "main.go").write_bytes((GOLANG / "main.go").read_bytes())
    program = go_program(source, tmp_path / "built")
    done = subprocess.run(
        [*program, f"127.0.0.1:{port}", "default", "hunter2", "default", "native"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert sentence(ports) in done.stderr
