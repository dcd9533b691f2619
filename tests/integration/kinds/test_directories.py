"""OpenLDAP (LDAP) and ZooKeeper themselves."""

import asyncio
import contextlib
import re
import shutil
from collections.abc import AsyncIterator, Iterator

import pytest
from msgspec import Struct

from tests.integration.kinds.certificates import Certificates, Pair
from tests.integration.kinds.checking import Tls, assert_down, assert_up, check, check_until_up
from tests.integration.kinds.servers import folder, free_port, program, running


class Directory(Struct):
    plain: int
    secure: int


@contextlib.contextmanager
def slapd(pair: Pair, *settings: str) -> Iterator[Directory]:
    server = program("slapd")
    ports = Directory(free_port(), free_port())
    with folder() as path:
        for name, file in (("certificate", pair.certificate), ("key", pair.key)):
            shutil.copy(file, path / name)
        config = path / "slapd.conf"
        lines = (
            "include /etc/ldap/schema/core.schema",
            f"TLSCertificateFile {path}/certificate",
            f"TLSCertificateKeyFile {path}/key",
            *settings,
        )
        config.write_text("\n".join(lines) + "\n")
        urls = f"ldap://127.0.0.1:{ports.plain} ldaps://127.0.0.1:{ports.secure}"
        with running(
            [server, "-d", "0", "-f", str(config), "-h", urls], ports.secure, path / "log"
        ):
            yield ports


@pytest.fixture(scope="module")
def directory(made_certificates: Certificates) -> Iterator[Directory]:
    with slapd(made_certificates.good) as ports:
        yield ports


@pytest.mark.parametrize(
    ("port", "tls"), [("plain", "none"), ("plain", "starttls"), ("secure", "implicit")]
)
async def test_an_anonymous_bind(
    directory: Directory, certificates: Certificates, port: str, tls: Tls
) -> None:
    outcome = await check("ldap", getattr(directory, port), tls=tls)
    assert_up(outcome, tls=tls != "none")
    if tls != "none":
        assert outcome.cert_expires_at == certificates.good.until_ms


@pytest.mark.usefixtures("certificates")
@pytest.mark.parametrize(("port", "tls"), [("plain", "starttls"), ("secure", "implicit")])
async def test_the_end_of_a_directorys_certificate(
    directory: Directory, port: str, tls: Tls
) -> None:
    outcome = await check("ldap", getattr(directory, port), tls=tls, critical_days=30)
    assert_down(outcome, "certificate_ending", "less than 30 days")
    other = await check("ldap", getattr(directory, port), tls=tls, server_name="other.example.com")
    assert_down(other, "certificate_invalid", "Hostname mismatch")


async def test_a_directory_that_lets_no_stranger_in_is_alive(
    made_certificates: Certificates,
) -> None:
    with slapd(made_certificates.good, "disallow bind_anon") as ports:
        outcome = await check("ldap", ports.plain)
    assert_up(outcome)
    assert outcome.banner == "inappropriateAuthentication (48): anonymous bind disallowed"


async def test_a_directory_that_wants_tls_is_alive(made_certificates: Certificates) -> None:
    with slapd(made_certificates.good, "security tls=128") as ports:
        outcome = await check("ldap", ports.plain)
        secure = await check("ldap", ports.plain, tls="starttls", verify=False)
    assert_up(outcome)
    assert outcome.banner == "confidentialityRequired (13): TLS confidentiality required"
    assert_up(secure, tls=True)
    assert secure.banner is None


async def test_a_directory_without_certificates_has_no_starttls() -> None:
    server, port = program("slapd"), free_port()
    with folder() as path:
        (path / "slapd.conf").write_text("include /etc/ldap/schema/core.schema\n")
        command = [server, "-d", "0", "-f", str(path / "slapd.conf")]
        with running([*command, "-h", f"ldap://127.0.0.1:{port}"], port, path / "log"):
            outcome = await check("ldap", port, tls="starttls")
            wrong = await check("zookeeper", port, timeout_s=0.5)
    assert_down(outcome, "tls_failed", "LDAP: ")
    assert wrong.status == "down"


@contextlib.contextmanager
def zookeeper(*settings: str, ensemble: bool = False) -> Iterator[int]:
    java = program("java")
    classes = program("zookeeper.jar", "/usr/share/java/zookeeper.jar")
    port = free_port()
    with folder() as path:
        lines = [
            f"dataDir={path}/data",
            f"clientPort={port}",
            "clientPortAddress=127.0.0.1",
            "admin.enableServer=false",
            *settings,
        ]
        (path / "data").mkdir()
        if ensemble:
            # Two of three servers that nobody starts: no quorum.
            (path / "data" / "myid").write_text("1")
            lines += [f"server.{n}=127.0.0.1:{free_port()}:{free_port()}" for n in (1, 2, 3)]
            lines += ["initLimit=5", "syncLimit=2"]
        (path / "zoo.cfg").write_text("\n".join(lines) + "\n")
        command = [java, "-Xmx64m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", classes]
        main = "org.apache.zookeeper.server.quorum.QuorumPeerMain"
        with running([*command, main, str(path / "zoo.cfg")], port, path / "log"):
            yield port


@contextlib.asynccontextmanager
async def echo() -> AsyncIterator[int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(100):
                writer.write(data)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def test_a_server_that_serves() -> None:
    with zookeeper() as port:
        outcome = await check_until_up("zookeeper", port)
        wrong = await check("ldap", port, timeout_s=0.5)
    assert_up(outcome)
    assert outcome.banner is not None
    assert re.fullmatch(r"3\.[0-9.]+, standalone", outcome.banner)
    assert wrong.status == "down"


async def test_a_server_without_its_ensemble_serves_nobody() -> None:
    with zookeeper(ensemble=True) as port:
        outcome = await check("zookeeper", port)
    assert_down(outcome, "unexpected_response", "not currently serving requests")


async def test_an_echo_is_no_directory() -> None:
    async with echo() as port:
        for kind in ("ldap", "zookeeper"):
            assert_down(await check(kind, port), "protocol_mismatch", "found")
