"""PostgreSQL, MariaDB, Redis and memcached themselves."""

import contextlib
import os
import shutil
import socket
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.kinds.certificates import Certificates, Pair
from tests.integration.kinds.checking import assert_down, assert_up, check, check_until_up
from tests.integration.kinds.servers import as_user, folder, free_port, program, running


def owned(pair: Pair, into: Path, owner: str) -> tuple[Path, Path]:
    """Copies of certificate and key that `owner` alone may read, as servers want it."""
    copies = []
    for path in (pair.certificate, pair.key):
        copy = into / path.name
        shutil.copy(path, copy)
        copy.chmod(0o600)
        if not os.geteuid():
            shutil.chown(copy, owner, owner)
        copies.append(copy)
    return copies[0], copies[1]


def connected(port: int, first: bytes = b"") -> socket.socket:
    """A client that has begun a session and keeps it."""
    client = socket.create_connection(("127.0.0.1", port), timeout=10)
    client.sendall(first)
    if first:
        assert client.recv(1)
    return client


def own_address() -> str:
    """An address of this machine that is not loopback: from there MySQL counts no failures."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent
        except OSError:
            pytest.skip("this machine has no address but loopback")
        return str(probe.getsockname()[0])


@pytest.fixture(scope="module")
def postgres(made_certificates: Certificates) -> Iterator[int]:
    server = program("postgres", "/usr/lib/postgresql/*/bin/postgres")
    initdb = program("initdb", "/usr/lib/postgresql/*/bin/initdb")
    port = free_port()
    with folder("postgres") as path:
        data = path / "data"
        subprocess.run(
            [*as_user("postgres"), initdb, "-D", data, "-U", "postgres", "-A", "trust", "-N"],
            check=True,
            capture_output=True,
            cwd=path,
        )
        certificate, key = owned(made_certificates.good, path, "postgres")
        settings = {
            "port": port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": path,
            "max_connections": 5,
            "superuser_reserved_connections": 1,
            "max_wal_senders": 0,
            "fsync": "off",
            "ssl": "on",
            "ssl_cert_file": certificate,
            "ssl_key_file": key,
        }
        options = [f"-c{name}={value}" for name, value in settings.items()]
        command = [*as_user("postgres"), server, "-D", str(data), *options]
        with running(command, port, path / "log"):
            yield port


async def test_postgres_asks_us_to_authenticate(postgres: int) -> None:
    assert_up(await check_until_up("postgres", postgres))


async def test_postgres_over_tls(postgres: int, certificates: Certificates) -> None:
    outcome = await check("postgres", postgres, tls="starttls")
    assert_up(outcome, tls=True)
    assert outcome.cert_expires_at == certificates.good.until_ms


async def test_postgres_with_too_many_connections(postgres: int) -> None:
    parameters = b"user\0postgres\0database\0postgres\0\0"
    startup = struct.pack(">II", 8 + len(parameters), 196608) + parameters
    await check_until_up("postgres", postgres)
    with contextlib.ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(contextlib.closing(connected(postgres, startup)))
        outcome = await check("postgres", postgres)
    assert_down(outcome, "too_many_connections", "too many clients already")


@pytest.fixture(scope="module")
def mysql(made_certificates: Certificates) -> Iterator[int]:
    server = program("mariadbd", "/usr/sbin/mysqld")
    install = program("mariadb-install-db", "/usr/bin/mysql_install_db")
    port = free_port()
    with folder("mysql") as path:
        data = path / "data"
        user = [] if os.geteuid() else ["--user=mysql"]
        subprocess.run(
            [install, "--no-defaults", f"--datadir={data}", "--skip-test-db", *user],
            check=True,
            capture_output=True,
        )
        certificate, key = owned(made_certificates.good, path, "mysql")
        start = path / "start.sql"
        start.write_text("CREATE USER 'somebody'@'%' IDENTIFIED BY 'secret';\n")
        command = [
            server,
            "--no-defaults",
            *user,
            f"--datadir={data}",
            f"--port={port}",
            "--bind-address=0.0.0.0",
            f"--socket={path}/socket",
            f"--pid-file={path}/pid",
            "--max-connections=10",
            "--max-connect-errors=3",
            f"--init-file={start}",
            f"--ssl-cert={certificate}",
            f"--ssl-key={key}",
        ]
        with running(command, port, path / "log"):
            yield port


async def test_mysql_greets_and_refuses_our_login(mysql: int) -> None:
    outcome = await check("mysql", mysql)
    assert_up(outcome)
    assert outcome.banner is not None
    assert "MariaDB" in outcome.banner


async def test_mysql_over_tls(mysql: int, certificates: Certificates) -> None:
    outcome = await check("mysql", mysql, tls="starttls")
    assert_up(outcome, tls=True)
    assert outcome.cert_expires_at == certificates.good.until_ms


async def test_mysql_does_not_block_a_host_that_checks_it_often(mysql: int) -> None:
    """After three clients that go away in the middle this server takes no more from their host."""
    host = own_address()
    for _ in range(2):  # a handshake that is broken off counts once, what reads the expiry not
        outcome = await check("mysql", mysql, host=host, tls="starttls")
        assert_down(outcome, "certificate_invalid", "")
        assert outcome.cert_expires_at is not None
    for _ in range(8):
        assert_up(await check("mysql", mysql, host=host))
    for _ in range(5):
        with socket.create_connection((host, mysql), timeout=10) as client:
            assert client.recv(1)
    outcome = await check("mysql", mysql, host=host)
    assert_down(outcome, "unexpected_response", "is blocked because of many connection errors")


async def test_mysql_with_too_many_connections(mysql: int) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(11):
            client = stack.enter_context(contextlib.closing(connected(mysql)))
            assert client.recv(1)
        outcome = await check("mysql", mysql)
    assert_down(outcome, "too_many_connections", "Too many connections")


@contextlib.contextmanager
def redis_server(*options: str, port: int | None = None) -> Iterator[int]:
    port = port or free_port()
    with folder() as path:
        plain = [] if "--tls-port" in options else ["--port", str(port)]
        command = [program("redis-server"), *plain, "--bind", "127.0.0.1", "--dir", str(path)]
        with running([*command, "--save", "", *options], port, path / "log"):
            yield port


async def test_redis_answers_ping() -> None:
    with redis_server() as port:
        outcome = await check("redis", port)
    assert_up(outcome)
    assert outcome.banner == "+PONG"


async def test_redis_that_wants_a_password_is_alive() -> None:
    with redis_server("--requirepass", "secret") as port:
        outcome = await check("redis", port)
    assert_up(outcome)
    assert outcome.banner == "-NOAUTH Authentication required."


async def test_redis_with_too_many_clients() -> None:
    with redis_server("--maxclients", "2") as port, contextlib.ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(contextlib.closing(connected(port, b"PING\r\n")))
        outcome = await check("redis", port)
    assert_down(outcome, "too_many_connections", "max number of clients reached")


async def test_redis_in_tls(certificates: Certificates) -> None:
    port = free_port()
    pair = certificates.good
    options = ["--port", "0", "--tls-port", str(port), "--tls-auth-clients", "no"]
    options += ["--tls-cert-file", str(pair.certificate), "--tls-key-file", str(pair.key)]
    options += ["--tls-ca-cert-file", str(certificates.ca)]
    with redis_server(*options, port=port) as port:
        outcome = await check("redis", port, tls="implicit")
        plain = await check("redis", port)
    assert_up(outcome, tls=True)
    assert outcome.cert_expires_at == pair.until_ms
    assert plain.status == "down"


@contextlib.contextmanager
def memcached(*options: str) -> Iterator[int]:
    port = free_port()
    user = [] if os.geteuid() else ["-u", "nobody"]
    command = [program("memcached"), "-l", "127.0.0.1", "-p", str(port), *user, *options]
    with folder() as path, running(command, port, path / "log"):
        yield port


async def test_memcached_tells_its_version() -> None:
    with memcached() as port:
        outcome = await check("memcached", port)
    assert_up(outcome)
    assert outcome.banner is not None
    assert outcome.banner.startswith("1.")


def refuses(client: socket.socket) -> bool:
    try:
        return b"Too many open connections" in client.recv(100)
    except TimeoutError:
        return False
    except ConnectionResetError:
        return True


async def test_memcached_with_too_many_connections() -> None:
    with (
        memcached("-t", "1", "-c", "60", "-o", "maxconns_fast") as port,
        contextlib.ExitStack() as stack,
    ):
        # One that ends leaves its place some time later: full is when five in a row are refused.
        in_a_row = opened = 0
        while in_a_row < 5:
            client = socket.create_connection(("127.0.0.1", port), timeout=0.2)
            stack.enter_context(contextlib.closing(client))
            opened += 1
            assert opened < 200
            if opened > 60:
                in_a_row = in_a_row + 1 if refuses(client) else 0
        outcome = await check("memcached", port)
    assert_down(outcome, "too_many_connections", "Too many open connections")
