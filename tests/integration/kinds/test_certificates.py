"""Chains of certificates, against servers of OpenSSL: what was verified decides."""

import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from portquorum.inventory.probes import probe_of
from producers.checks.model import CheckOutcome
from producers.engine.single_check import check_once
from producers.kinds import tls_context
from schemas.probe import TlsProbe
from tests.integration.kinds.authority import Holder, issue, written
from tests.integration.kinds.checking import assert_down, measured
from tests.integration.kinds.tls_servers import listening, server_context

DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def root() -> Holder:
    return issue("Root", None, 3_000, ca=True)


@pytest.fixture
def trust(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file of the only authorities that the prober trusts; a test writes it."""
    path = tmp_path / "trusted.pem"
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "none"))
    tls_context.context.cache_clear()
    yield path
    tls_context.context.cache_clear()


def only(trust: Path, authorities: bytes) -> None:
    trust.write_bytes(authorities)


async def tls(port: int, host: str = "localhost", **probe: Any) -> CheckOutcome:
    options = probe_of("tls", probe, port)
    return await measured(lambda: check_once(host, port, "tls", 10, probe=options))


async def checked(
    folder: Path, holder: Holder, *sent: Holder, host: str = "localhost", **probe: Any
) -> CheckOutcome:
    """A check of a server with this certificate, which sends others along."""
    pair = written(folder / "server.pem", holder, *sent)
    with listening(server_context(pair)) as port:
        return await tls(port, host, **probe)


def assert_up(outcome: CheckOutcome, end: Holder) -> None:
    """Up, and the first end of the chain is that of this certificate."""
    assert (outcome.status, outcome.reason, outcome.detail) == ("up", None, None), outcome
    assert outcome.cert_expires_at == end.end_ms


async def test_an_intermediate_certificate_ends_first(
    tmp_path: Path, trust: Path, root: Holder
) -> None:
    only(trust, root.pem)
    tomorrow = issue("Ends tomorrow", root, 1, ca=True)
    outcome = await checked(tmp_path, issue("a", tomorrow, 80), tomorrow)
    assert_down(outcome, "certificate_ending", "the intermediate certificate 'Ends tomorrow'")
    assert_down(outcome, "certificate_ending", "expires in 23 hours, less than 3 days")
    assert outcome.cert_expires_at == tomorrow.end_ms
    soon = issue("Soon", root, 5.55, ca=True)
    outcome = await checked(tmp_path, issue("a", soon, 80), soon)
    assert (outcome.status, outcome.reason) == ("up", None)
    assert outcome.detail is not None
    assert outcome.detail == (
        "the intermediate certificate 'Soon' expires in 5.5 days, less than 14 days"
    )
    assert outcome.cert_expires_at == soon.end_ms


async def test_the_second_intermediate_certificate_counts(
    tmp_path: Path, trust: Path, root: Holder
) -> None:
    only(trust, root.pem)
    upper = issue("Upper", root, 2, ca=True)
    lower = issue("Lower", upper, 60, ca=True)
    outcome = await checked(tmp_path, issue("a", lower, 80), lower, upper)
    assert_down(outcome, "certificate_ending", "intermediate certificate 'Upper'")


async def test_a_root_that_ends_first_counts(tmp_path: Path, trust: Path) -> None:
    """OpenSSL verifies its dates, too: clients refuse the server from then on."""
    ending = issue("Ending root", None, 2, ca=True)
    only(trust, ending.pem)
    outcome = await checked(tmp_path, issue("a", ending, 80))
    assert_down(outcome, "certificate_ending", "the root certificate 'Ending root' expires in")
    assert outcome.cert_expires_at == ending.end_ms


@pytest.mark.parametrize("cross_days", [-5, 1])
async def test_what_is_sent_and_not_needed_does_not_count(
    tmp_path: Path, trust: Path, root: Holder, cross_days: float
) -> None:
    """As ISRG Root X1, cross-signed by DST Root CA X3, which ended in 2021."""
    only(trust, root.pem)
    old = issue("Old root", None, 500, ca=True)
    cross = issue("Root", old, cross_days, ca=True, key=root.key)
    inter = issue("Intermediate", root, 60, ca=True)
    other = issue("Of another", old, -50, ca=True)
    outcome = await checked(tmp_path, issue("a", inter, 80), inter, cross, other)
    assert_up(outcome, inter)


async def test_an_intermediate_certificate_that_has_expired_is_named(
    tmp_path: Path, trust: Path, root: Holder
) -> None:
    only(trust, root.pem)
    over = issue("Over", root, -2, ca=True)
    extra = issue("Extra", None, -90, ca=True)
    outcome = await checked(tmp_path, issue("a", over, 80), extra, over)
    text = "not the server's own, but the intermediate certificate 'Over', valid until 20"
    assert_down(outcome, "certificate_expired", text)
    assert outcome.cert_expires_at == over.end_ms


async def test_a_root_that_has_expired_is_told(tmp_path: Path, trust: Path) -> None:
    over = issue("Over", None, -2, ca=True)
    only(trust, over.pem)
    leaf = issue("a", over, 80)
    outcome = await checked(tmp_path, leaf)
    assert_down(outcome, "certificate_expired", "not the server's own, but one of its chain")
    assert outcome.cert_expires_at == leaf.end_ms


async def test_the_servers_own_certificate_is_told_first(
    tmp_path: Path, trust: Path, root: Holder
) -> None:
    only(trust, root.pem)
    over = issue("Over", root, -2, ca=True)
    leaf = issue("a", over, -1)
    outcome = await checked(tmp_path, leaf, over)
    assert_down(outcome, "certificate_expired", "certificate has expired: it was valid until 20")
    assert outcome.cert_expires_at == leaf.end_ms


@pytest.mark.parametrize("early", ["leaf", "intermediate"])
async def test_a_certificate_that_is_not_valid_yet(
    tmp_path: Path, trust: Path, root: Holder, early: str
) -> None:
    only(trust, root.pem)
    since = {"leaf": -100.0, "intermediate": -100.0} | {early: 2.0}
    inter = issue("Early", root, 90, ca=True, since_days=since["intermediate"])
    leaf = issue("a", inter, 80, since_days=since["leaf"])
    outcome = await checked(tmp_path, leaf, inter)
    which = "it" if early == "leaf" else "the intermediate certificate 'Early'"
    assert_down(outcome, "certificate_invalid", f"not yet valid: {which} is valid from 20")
    assert outcome.cert_expires_at == leaf.end_ms


async def test_a_certificate_in_the_trust_store_is_an_anchor(
    tmp_path: Path, trust: Path, root: Holder
) -> None:
    """As for curl and Go; OpenSSL itself wants a root (X509_V_FLAG_PARTIAL_CHAIN)."""
    own = issue("own", None, 70)
    only(trust, own.pem)
    assert_up(await checked(tmp_path, own), own)
    inter = issue("Intermediate", root, 60, ca=True)
    only(trust, inter.pem)
    tls_context.context.cache_clear()
    assert_up(await checked(tmp_path, issue("a", inter, 80), inter), inter)


async def test_why_an_authority_is_not_trusted(tmp_path: Path, trust: Path, root: Holder) -> None:
    only(trust, root.pem)
    own = issue("own", None, 70)
    outcome = await checked(tmp_path, own)
    assert_down(outcome, "certificate_invalid", "self-signed certificate: no authority has signed")
    assert outcome.cert_expires_at == own.end_ms
    inter = issue("Intermediate", root, 60, ca=True)
    leaf = issue("a", inter, 80)
    outcome = await checked(tmp_path, leaf)
    assert_down(outcome, "certificate_invalid", "the server sent no intermediate certificate, or")
    other = issue("Other root", None, 60, ca=True)
    outcome = await checked(tmp_path, issue("a", other, 80), other)
    assert_down(outcome, "certificate_invalid", "in certificate chain: its authority is not")


async def test_a_certificate_without_key_identifiers_is_valid(
    tmp_path: Path, trust: Path, root: Holder
) -> None:
    """Python 3.13 refuses it by default (VERIFY_X509_STRICT)."""
    only(trust, root.pem)
    leaf = issue("a", root, 80, key_ids=False)
    assert_up(await checked(tmp_path, leaf), leaf)


async def test_a_key_that_is_too_short(tmp_path: Path, trust: Path, root: Holder) -> None:
    only(trust, root.pem)
    leaf = issue("a", root, 80, key=rsa.generate_private_key(65_537, 1_024))  # noqa: S505
    pair = written(tmp_path / "server.pem", leaf)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.load_cert_chain(pair)
    with listening(context) as port:
        outcome = await tls(port)
    assert_down(outcome, "certificate_invalid", "key too weak: make a new one, with a longer key")


@pytest.mark.parametrize(
    ("host", "name", "sent"),
    [
        ("localhost", None, "localhost"),
        ("127.0.0.1", None, None),
        ("localhost", "127.0.0.1", None),
        ("localhost", "a.wild.test", "a.wild.test"),
        ("localhost", "A.Wild.Test.", "a.wild.test"),
        ("localhost", "bücher-kva.test", "xn--bcher-kva-q9a.test"),
        ("localhost", "xn--bcher-kva.test", "xn--bcher-kva.test"),
        ("localhost", "bücher.test", "xn--bcher-kva.test"),
        ("localhost", "::1", None),
    ],
)
async def test_the_name_that_is_sent(
    tmp_path: Path, trust: Path, root: Holder, *, host: str, name: str | None, sent: str | None
) -> None:
    only(trust, root.pem)
    names = ("localhost", "127.0.0.1", "::1", "*.wild.test", "xn--bcher-kva.test")
    leaf = issue("a", root, 80, names=(*names, "xn--bcher-kva-q9a.test"))
    asked: list[str | None] = []
    context = server_context(written(tmp_path / "server.pem", leaf))
    context.sni_callback = lambda _, given, __: asked.append(given)
    with listening(context) as port:
        outcome = await tls(port, host, **({} if name is None else {"server_name": name}))
    assert outcome.status == "up", outcome
    assert asked == [sent]


async def test_a_server_name_of_an_older_inventory_that_is_no_name(
    tmp_path: Path, trust: Path, root: Holder
) -> None:
    """`inventory check` refuses it now."""
    only(trust, root.pem)
    leaf = issue("a", root, 80)
    with listening(server_context(written(tmp_path / "server.pem", leaf))) as port:
        for name in ("0x7f.1", "a b", "a..b", ".", "\u00fc" * 70):
            probe = TlsProbe(server_name=name)
            outcome = await measured(
                lambda probe=probe: check_once("localhost", port, "tls", 10, probe=probe)
            )
            assert outcome.status == "down", (name, outcome)
            assert outcome.reason in {"certificate_invalid", "tls_failed"}, (name, outcome)


@pytest.mark.parametrize("name", ["wild.test", "a.b.wild.test", "127.0.0.2", "::2"])
async def test_a_name_that_the_certificate_does_not_have(
    tmp_path: Path, trust: Path, root: Holder, name: str
) -> None:
    only(trust, root.pem)
    leaf = issue("a", root, 80)
    outcome = await checked(tmp_path, leaf, server_name=name)
    assert_down(outcome, "certificate_invalid", "mismatch")
    assert outcome.cert_expires_at == leaf.end_ms


async def test_critical_days_of_zero_are_for_what_has_expired(
    tmp_path: Path, trust: Path, root: Holder
) -> None:
    only(trust, root.pem)
    leaf = issue("a", root, 0.5)
    outcome = await checked(tmp_path, leaf, critical_days=0, warn_days=0)
    assert_up(outcome, leaf)
    assert leaf.end_ms - time.time() * 1000 < DAY_MS


# the trust store


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (None, "(SSL_CERT_FILE), found none: No such file"),
        (b"", "(SSL_CERT_FILE), found none: "),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "found none: "),
    ],
    ids=["missing", "empty", "broken"],
)
async def test_without_a_trust_store_nothing_is_measured(
    tmp_path: Path, trust: Path, root: Holder, content: bytes | None, detail: str
) -> None:
    if content is not None:
        only(trust, content)
    pair = written(tmp_path / "server.pem", issue("a", root, 80))
    with listening(server_context(pair)) as port:
        outcome = await tls(port)
        assert (outcome.status, outcome.reason) == ("missed", "prober_error")
        assert outcome.detail is not None
        assert detail in outcome.detail
        assert (await tls(port, verify=False)).status == "up"
        only(trust, root.pem)
        assert (await tls(port)).status == "up"


@pytest.mark.usefixtures("trust")
async def test_a_folder_of_authorities_is_enough(
    tmp_path: Path, root: Holder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SSL_CERT_FILE is not set, and no file lies where OpenSSL looks by default."""
    folder = tmp_path / "authorities"
    folder.mkdir()
    monkeypatch.setenv("SSL_CERT_FILE", "")
    monkeypatch.setenv("SSL_CERT_DIR", f"{tmp_path / 'none'}:{folder}")
    leaf = issue("a", root, 80)
    outcome = await checked(tmp_path, leaf)
    assert outcome.reason == "prober_error"
    assert "install the package ca-certificates" in (outcome.detail or "")
    # openssl x509 -hash: OpenSSL finds an authority by this name.
    (folder / f"{_hash(root):08x}.0").write_bytes(root.pem)
    assert_up(await checked(tmp_path, leaf), leaf)


def _hash(holder: Holder) -> int:
    """X509_NAME_hash: SHA-1 of the canonical name (small letters, UTF8String)."""
    import hashlib

    (attribute,) = holder.certificate.subject
    text = str(attribute.value).lower().encode()
    value = b"\x06\x03\x55\x04\x03\x0c" + bytes([len(text)]) + text
    canonical = b"\x31" + bytes([len(value) + 2]) + b"\x30" + bytes([len(value)]) + value
    return int.from_bytes(hashlib.sha1(canonical).digest()[:4], "little")  # noqa: S324
