"""Postfix (SMTP) and Dovecot (IMAP, POP3) themselves."""

import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec import Struct

from portquorum.inventory.probes import probe_of
from producers.checks.model import CheckOutcome
from producers.engine.single_check import check_once
from tests.integration.kinds.certificates import Certificates, Pair
from tests.integration.kinds.checking import (
    Tls,
    assert_down,
    assert_up,
    check,
    check_until_up,
    measured,
)
from tests.integration.kinds.servers import folder, free_port, program, running


class Mail(Struct):
    smtp: int
    submission: int
    submissions: int
    expired: int
    other: int


@pytest.fixture(scope="module")
def postfix(made_certificates: Certificates) -> Iterator[Mail]:
    postfix = program("postfix")
    ports = Mail(*(free_port() for _ in Mail.__struct_fields__))

    def service(port: int, pair: Pair | None, *options: str) -> str:
        given = list(options)
        if pair is not None:
            given += [f"smtpd_tls_cert_file={pair.certificate}", f"smtpd_tls_key_file={pair.key}"]
        lines = "".join(f"\n  -o {option}" for option in given)
        return f"127.0.0.1:{port} inet n - n - - smtpd{lines}\n"

    may, good = "smtpd_tls_security_level=may", made_certificates.good
    with folder() as path:
        config = path / "etc"
        config.mkdir()
        (path / "data").mkdir()
        (path / "queue").mkdir()
        subprocess.run(["chown", "postfix", path / "data"], check=True)
        (config / "main.cf").write_text(
            f"compatibility_level = 3.6\nqueue_directory = {path}/queue\n"
            f"data_directory = {path}/data\nmaillog_file = /dev/stdout\n"
            "maillog_file_prefixes = /dev\ninet_interfaces = 127.0.0.1\n"
            "myhostname = mx.example.com\nsmtpd_banner = mx.example.com ESMTP Postfix\n"
            "smtpd_peername_lookup = no\nalias_maps =\nalias_database =\n"
        )
        (config / "master.cf").write_text(
            service(ports.smtp, None)
            + service(ports.submission, good, may)
            + service(ports.submissions, good, "smtpd_tls_wrappermode=yes")
            + service(ports.expired, made_certificates.expired, may)
            + service(ports.other, made_certificates.other, may)
            + "postlog unix-dgram n - n - 1 postlogd\n"
            "tlsmgr unix - - n 1000? 1 tlsmgr\nanvil unix - - n - 1 anvil\n"
            "rewrite unix - - n - - trivial-rewrite\nproxymap unix - - n - - proxymap\n"
            "pickup unix n - n 60 1 pickup\ncleanup unix n - n - 0 cleanup\n"
            "qmgr unix n - n 300 1 qmgr\nbounce unix - - n - 0 bounce\n"
        )
        command = [postfix, "-c", str(config), "start-fg"]
        try:
            with running(command, ports.smtp, path / "log"):
                yield ports
        finally:
            # Its master leads a session of its own.
            subprocess.run([postfix, "-c", config, "abort"], capture_output=True, check=False)


@pytest.mark.root
async def test_smtp_greets_and_knows_ehlo(postfix: Mail) -> None:
    outcome = await check_until_up("smtp", postfix.smtp)
    assert_up(outcome)
    assert outcome.banner == "mx.example.com ESMTP Postfix"


@pytest.mark.root
@pytest.mark.parametrize(("port", "tls"), [("submission", "starttls"), ("submissions", "implicit")])
async def test_smtp_in_tls(postfix: Mail, certificates: Certificates, port: str, tls: Tls) -> None:
    outcome = await check("smtp", getattr(postfix, port), tls=tls)
    assert_up(outcome, tls=True)
    assert outcome.cert_expires_at == certificates.good.until_ms


@pytest.mark.root
async def test_smtp_without_the_starttls_that_is_asked_for(postfix: Mail) -> None:
    outcome = await check("smtp", postfix.smtp, tls="starttls")
    assert_down(outcome, "tls_failed", "not implemented")


@pytest.mark.root
@pytest.mark.usefixtures("certificates")
async def test_a_certificate_that_has_expired(
    postfix: Mail, made_certificates: Certificates
) -> None:
    outcome = await check("smtp", postfix.expired, tls="starttls")
    assert_down(outcome, "certificate_expired", "certificate has expired: it was valid until 20")
    assert outcome.cert_expires_at == made_certificates.expired.until_ms
    assert outcome.banner is not None
    assert (await check("smtp", postfix.expired, tls="starttls", verify=False)).status == "up"


@pytest.mark.root
async def test_a_renewal_that_failed_behind_starttls_shows_before_the_certificate_expires(
    postfix: Mail, certificates: Certificates
) -> None:
    outcome = await check("smtp", postfix.submission, tls="starttls", critical_days=30)
    assert_down(outcome, "certificate_ending", "days, less than 30 days")
    assert outcome.cert_expires_at == certificates.good.until_ms
    soon = await check("smtp", postfix.submission, tls="starttls", warn_days=30)
    assert (soon.status, soon.reason) == ("up", None)
    assert soon.detail is not None
    assert soon.detail.endswith("days, less than 30 days")


@pytest.mark.root
@pytest.mark.usefixtures("certificates")
async def test_a_certificate_of_a_name_that_was_given(postfix: Mail) -> None:
    outcome = await check("smtp", postfix.other, tls="starttls", server_name="other.example.com")
    assert_up(outcome, tls=True)


@pytest.mark.root
@pytest.mark.usefixtures("certificates")
async def test_a_certificate_of_another_name(postfix: Mail) -> None:
    outcome = await check("smtp", postfix.other, tls="starttls", host="localhost")
    assert_down(outcome, "certificate_invalid", "Hostname mismatch")


@pytest.mark.root
async def test_a_certificate_that_nobody_trusts(postfix: Mail) -> None:
    outcome = await check("smtp", postfix.submission, tls="starttls")
    assert_down(outcome, "certificate_invalid", "certificate")


# A step's match ends where the answer ends: TLS begins behind it.
STEPS = [
    {"expect_regex": "^220 [^\n]*\n"},
    {"send": "EHLO [127.0.0.1]\r\n", "expect_regex": "250 [^\n]*\n"},
    {"send": "STARTTLS\r\n", "expect_regex": "^220 [^\n]*\n", "starttls": True},
    {"send": "EHLO [127.0.0.1]\r\n", "expect_regex": "250 [^\n]*\n"},
    {"send": "QUIT\r\n", "expect": "221 2.0.0 Bye"},
]


async def dialogue(port: int, *, timeout_s: float = 10, **probe: Any) -> CheckOutcome:
    options = probe_of("tcp", {"steps": STEPS} | probe, port)
    return await measured(lambda: check_once("localhost", port, "tcp", timeout_s, probe=options))


@pytest.mark.root
async def test_a_dialogue_of_ones_own_that_begins_tls(
    postfix: Mail, certificates: Certificates
) -> None:
    outcome = await dialogue(postfix.submission)
    assert_up(outcome, tls=True)
    assert outcome.cert_expires_at == certificates.good.until_ms
    ending = await dialogue(postfix.submission, critical_days=30)
    assert_down(ending, "certificate_ending", "less than 30 days")
    soon = await dialogue(postfix.submission, warn_days=30)
    assert soon.status == "up"
    assert (soon.detail or "").endswith("less than 30 days")
    short = [*STEPS[:2], STEPS[2] | {"expect_regex": None, "expect": "220"}, *STEPS[3:]]
    assert_up(await dialogue(postfix.submission, steps=short), tls=True)


@pytest.mark.root
async def test_a_wrong_certificate_in_a_dialogue_of_ones_own(
    postfix: Mail, certificates: Certificates
) -> None:
    expired = await dialogue(postfix.expired)
    assert_down(expired, "certificate_expired", "certificate has expired")
    assert expired.cert_expires_at == certificates.expired.until_ms
    assert_up(await dialogue(postfix.expired, verify=False), tls=True)
    assert_down(await dialogue(postfix.other), "certificate_invalid", "Hostname mismatch")
    assert_up(await dialogue(postfix.other, server_name="other.example.com"), tls=True)
    plain = await dialogue(postfix.smtp, timeout_s=0.5)
    assert_down(plain, "unexpected_response", "step 3: expected a match of")


class Boxes(Struct):
    imap: int
    imaps: int
    pop3: int
    pop3s: int


@pytest.fixture(scope="module")
def dovecot(made_certificates: Certificates) -> Iterator[Boxes]:
    server = program("dovecot")
    ports = Boxes(*(free_port() for _ in Boxes.__struct_fields__))
    pair = made_certificates.good

    def service(name: str, plain: int, secure: int) -> str:
        return (
            f"service {name}-login {{\n"
            f"  inet_listener {name} {{\n address = 127.0.0.1\n port = {plain}\n }}\n"
            f"  inet_listener {name}s {{\n address = 127.0.0.1\n port = {secure}\n ssl = yes\n }}\n"
            "  chroot =\n}\n"
        )

    with folder() as path:
        config = path / "dovecot.conf"
        config.write_text(
            f"base_dir = {path}/run\nstate_dir = {path}/state\nlog_path = /dev/stderr\n"
            "protocols = imap pop3\nmail_location = maildir:~/mail\nssl = yes\n"
            f"ssl_cert = <{pair.certificate}\nssl_key = <{pair.key}\n"
            "passdb {\n driver = static\n args = nopassword=y\n}\n"
            "userdb {\n driver = static\n args = uid=65534 gid=65534 home=/nonexistent\n}\n"
            + service("imap", ports.imap, ports.imaps)
            + service("pop3", ports.pop3, ports.pop3s)
        )
        with running([server, "-F", "-c", str(config)], ports.imap, path / "log"):
            yield ports


@pytest.mark.root
@pytest.mark.parametrize(
    ("kind", "port", "tls"),
    [
        ("imap", "imap", "none"),
        ("imap", "imap", "starttls"),
        ("imap", "imaps", "implicit"),
        ("pop3", "pop3", "none"),
        ("pop3", "pop3", "starttls"),
        ("pop3", "pop3s", "implicit"),
    ],
)
async def test_a_mailbox_server(
    dovecot: Boxes, certificates: Certificates, kind: str, port: str, tls: Tls
) -> None:
    outcome = await check(kind, getattr(dovecot, port), tls=tls)
    assert_up(outcome, tls=tls != "none")
    assert outcome.banner == "Dovecot (Debian) ready."
    if tls != "none":
        assert outcome.cert_expires_at == certificates.good.until_ms


@pytest.mark.root
async def test_one_mailbox_protocol_is_not_the_other(dovecot: Boxes) -> None:
    assert_down(await check("pop3", dovecot.imap), "protocol_mismatch", "found '* OK")
    assert_down(await check("imap", dovecot.pop3), "protocol_mismatch", "found '+OK")
    assert_down(await check("ssh", dovecot.pop3, timeout_s=1), "protocol_mismatch", "SSH ident")
