"""OpenSSH and vsftpd themselves."""

import contextlib
import os
import socket
import subprocess
from collections.abc import Iterator

import pytest

from producers.checks.model import CheckOutcome
from tests.integration.kinds.certificates import Certificates
from tests.integration.kinds.checking import Tls, assert_down, assert_up, check
from tests.integration.kinds.servers import folder, free_port, program, running


@contextlib.contextmanager
def sshd(*options: str) -> Iterator[int]:
    server, keygen = program("sshd"), program("ssh-keygen")
    port = free_port()
    with folder() as path:
        key = path / "key"
        subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        if not os.geteuid():
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)  # noqa: PTH103
        settings = (f"Port={port}", "ListenAddress=127.0.0.1", f"HostKey={key}", "PidFile=none")
        command = [server, "-D", "-e", "-f", "/dev/null"]
        command += [f"-o{option}" for option in (*settings, *options)]
        with running(command, port, path / "log"):
            yield port


async def test_ssh_identifies_itself() -> None:
    with sshd() as port:
        outcome = await check("ssh", port)
        wrong = await check("smtp", port)
    assert_up(outcome)
    assert outcome.banner is not None
    assert outcome.banner.startswith("OpenSSH_")
    assert_down(wrong, "protocol_mismatch", "expected the SMTP greeting, found 'SSH-2.0-OpenSSH")


async def test_ssh_with_too_many_that_have_not_logged_in() -> None:
    with sshd("MaxStartups=3") as port:
        outcome = await check_when_full("ssh", port)
    assert_down(outcome, "too_many_connections", "SSH: Exceeded MaxStartups")


async def check_when_full(kind: str, port: int) -> CheckOutcome:
    """The first outcome that is not `up`, with one client more before each check."""
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            assert client.recv(1)
            outcome = await check(kind, port)
            if outcome.status != "up":
                return outcome
    pytest.fail("the server takes more clients than it was told to")


@contextlib.contextmanager
def vsftpd(*settings: str) -> Iterator[int]:
    server = program("vsftpd")
    port = free_port()
    with folder() as path:
        (path / "empty").mkdir()
        config = path / "vsftpd.conf"
        lines = (
            "listen=YES",
            "listen_ipv6=NO",
            "listen_address=127.0.0.1",
            f"listen_port={port}",
            "background=NO",
            "anonymous_enable=YES",
            "local_enable=NO",
            "seccomp_sandbox=NO",
            f"secure_chroot_dir={path}/empty",
            "ftpd_banner=Files here",
            f"vsftpd_log_file={path}/transfers",
            *settings,
        )
        config.write_text("\n".join(lines) + "\n")
        with running([server, str(config)], port, path / "log"):
            yield port


@pytest.mark.root
async def test_ftp_greets() -> None:
    with vsftpd() as port:
        outcome = await check("ftp", port)
        without_tls = await check("ftp", port, tls="starttls")
    assert_up(outcome)
    assert outcome.banner == "Files here"
    assert_down(without_tls, "tls_failed", "FTP: 530")


@pytest.mark.root
async def test_ftp_with_too_many_connections() -> None:
    with vsftpd("max_clients=2") as port:
        outcome = await check_when_full("ftp", port)
    assert_down(outcome, "too_many_connections", "too many connected users")


@pytest.mark.root
@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_ftp_in_tls(certificates: Certificates, tls: Tls) -> None:
    pair = certificates.good
    with vsftpd(
        "ssl_enable=YES",
        f"rsa_cert_file={pair.certificate}",
        f"rsa_private_key_file={pair.key}",
        *(["implicit_ssl=YES"] if tls == "implicit" else []),
    ) as port:
        outcome = await check("ftp", port, tls=tls)
    assert_up(outcome, tls=True)
    assert outcome.banner == "Files here"
    assert outcome.cert_expires_at == pair.until_ms
