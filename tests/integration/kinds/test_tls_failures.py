"""TLS handshakes that fail, and the words for it."""

import asyncio
import base64
import socket
import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from portquorum.inventory.probes import probe_of
from producers.checks.model import CheckOutcome
from producers.engine.single_check import check_once
from tests.integration.kinds.authority import issue, written
from tests.integration.kinds.certificates import Certificates
from tests.integration.kinds.checking import assert_down, measured
from tests.integration.kinds.tls_servers import listening, read, says, server_context

# RFC 2409, section 6.2: a prime of 1024 bits
_SHORT = bytes.fromhex(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404"
    "DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406"
    "B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE65381FFFFFFFFFFFFFFFF"
)


@pytest.fixture(autouse=True)
def trusted(certificates: Certificates) -> Certificates:
    return certificates


async def tls(port: int, timeout_s: float = 10, *, verify: bool = True) -> CheckOutcome:
    probe = probe_of("tls", {"verify": verify}, port)
    return await measured(lambda: check_once("localhost", port, "tls", timeout_s, probe=probe))


@pytest.mark.parametrize(
    ("speech", "told"),
    [
        (b"220 mx.example.com ESMTP\r\n", "it sent '220 mx.example.com ESMTP'"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "it sent 'SSH-2.0-OpenSSH_9.2'"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "it sent 'HTTP/1.1 400 Bad Request'"),
        (b"\0\0\0\x04\xff\xff\xff\xff" * 10, "it sent '0x00000004ffffffff"),
        (b"+PONG\r\n" * 5_000, "it sent '+PONG +PONG"),
    ],
    ids=["smtp", "ssh", "http", "bytes", "long"],
)
async def test_a_server_that_speaks_no_tls(speech: bytes, told: str) -> None:
    with listening(None, says(speech), read) as port:
        outcome = await tls(port)
    assert_down(outcome, "tls_failed", f"TLS: the server does not speak TLS there, {told}")


async def test_a_server_that_says_half_a_word() -> None:
    with listening(None, read, says(b"420")) as port:
        assert_down(await tls(port), "tls_failed", "during the TLS handshake, after '420'")
    with listening(None, says(b"420"), read, read) as port:
        outcome = await tls(port, 1)
    assert_down(outcome, "tls_failed", "no end of the TLS handshake, only '420' within 1000 ms")


async def test_a_server_that_says_nothing() -> None:
    with listening(None, read) as port:
        assert_down(await tls(port), "tls_failed", "TLS handshake, without a word")
    with listening(None, read, read) as port:
        assert_down(await tls(port, 1), "no_answer", "no end of the TLS handshake within 1000 ms")


async def test_a_reset_says_when() -> None:
    def resets(connection: socket.socket) -> None:
        read(connection)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    with listening(None, resets) as port:
        assert_down(await tls(port), "connection_reset", "during the TLS handshake")


async def test_a_server_that_is_too_old(pair: Path) -> None:
    with listening(server_context(pair, newest=ssl.TLSVersion.TLSv1_1)) as port:
        outcome = await tls(port)
    assert_down(outcome, "tls_failed", "TLS 1.2")


async def test_diffie_hellman_with_a_short_prime(tmp_path: Path) -> None:
    parameters = tmp_path / "dh.pem"
    # PKCS #3, section 9: a sequence of the prime and the base 2
    der = bytes.fromhex("308187028181 00") + _SHORT + bytes.fromhex("020102")
    text = base64.encodebytes(der).decode()
    parameters.write_text(f"-----BEGIN DH PARAMETERS-----\n{text}-----END DH PARAMETERS-----\n")
    leaf = issue("a", None, 80, key=rsa.generate_private_key(65_537, 2_048))
    context = server_context(written(tmp_path / "server.pem", leaf), newest=ssl.TLSVersion.TLSv1_2)
    context.set_ciphers("DHE:@SECLEVEL=0")
    context.load_dh_params(parameters)
    with listening(context) as port:
        outcome = await tls(port, verify=False)
    assert_down(outcome, "tls_failed", "dh key too small: the Diffie-Hellman parameters")


@pytest.mark.parametrize(
    ("alert", "told"),
    [
        (ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME, "'unrecognized name': it has no host of this"),
        (ssl.ALERT_DESCRIPTION_HANDSHAKE_FAILURE, "'handshake failure': no cipher, curve or"),
        (ssl.ALERT_DESCRIPTION_INTERNAL_ERROR, "'internal error': its log says more"),
        (ssl.ALERT_DESCRIPTION_ACCESS_DENIED, "'access denied': it lets only some"),
        (ssl.ALERT_DESCRIPTION_USER_CANCELLED, "'user cancelled'"),
    ],
)
async def test_an_alert_is_told(pair: Path, alert: int, told: str) -> None:
    context = server_context(pair)
    context.sni_callback = lambda *_: alert
    with listening(context) as port:
        outcome = await tls(port)
    assert_down(outcome, "tls_failed", f"TLS: the server refused with the alert {told}")


async def test_many_at_once_are_told_apart(pair: Path) -> None:
    """The words are those of the connection, not of the last one."""
    with listening(server_context(pair)) as good, listening(None, says(b"220 a\r\n"), read) as bad:
        outcomes = await asyncio.gather(*(tls(port) for port in (good, bad) * 20))
    assert {each.status for each in outcomes[::2]} == {"up"}
    assert {each.detail for each in outcomes[1::2]} == {
        "TLS: the server does not speak TLS there, it sent '220 a'"
    }
