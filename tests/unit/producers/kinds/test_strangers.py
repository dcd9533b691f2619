"""Each dialogue hears every other server, and its own in all the forms that it may have.

What is said begins with the greeting; then come the answers to whatever is asked.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest
from msgspec import Struct

from producers.checks.errors import CheckFailedError
from producers.checks.resolver import Resolver
from producers.kinds.connection import Connection
from producers.kinds.dialogue import converse
from schemas.probe import HandshakeProbe
from tests.unit.producers.answers import GOOD, GREETING, mysql_error
from tests.unit.producers.kinds.recorded import DIALOGUES, PLAIN, context_of, heard


class Stranger(Struct, frozen=True):
    """A server: whose it is, and what it says."""

    said: bytes
    kinds: str = ""


REFUSED = b"500 5.5.2 Error: command not recognized\r\n"

STRANGERS = {
    # Mail
    "Postfix": Stranger(
        b"220 mx.example.com ESMTP Postfix (Debian)\r\n" + b"250 2.0.0 Ok\r\n" * 4, "smtp"
    ),
    "Exim": Stranger(b"220 mx ESMTP Exim 4.98.2 Sun, 29 Nov 2026\r\n" + b"250 OK\r\n" * 4, "smtp"),
    "OpenSMTPD": Stranger(b"220 mx ESMTP OpenSMTPD\r\n" + b"250 2.0.0 Ok\r\n" * 4, "smtp"),
    "qmail": Stranger(b"220 mx.example.com ESMTP\r\n" + b"250 ok\r\n" * 4, "smtp"),
    "a mail server without a word": Stranger(b"220 mx\r\n" + b"250 Ok\r\n" * 4, "smtp"),
    "a mail server that wants HELO first": Stranger(
        b"220 mx.example.com ESMTP\r\n" + b"503 HELO first\r\n" * 4
    ),
    "Dovecot LMTP": Stranger(
        b"220 mx.example.com Dovecot ready.\r\n" + b"500 5.5.2 Unknown command\r\n" * 4
    ),
    "Dovecot ManageSieve": Stranger(
        b'"IMPLEMENTATION" "Dovecot Pigeonhole"\r\n"SIEVE" "fileinto"\r\nOK "Dovecot ready."\r\n'
        + b'NO "Error in MANAGESIEVE command."\r\n' * 3
    ),
    "Dovecot IMAP": Stranger(
        b"* OK [CAPABILITY IMAP4rev1 STARTTLS] Dovecot ready.\r\na1 OK NOOP completed.\r\n", "imap"
    ),
    "Dovecot POP3": Stranger(b"+OK Dovecot ready.\r\n" + b"-ERR Unknown command.\r\n" * 3, "pop3"),
    "Cyrus poppassd": Stranger(b"200 hello\r\n" + b"500 expecting user\r\n" * 3),
    # News, words, pages
    "INN": Stranger(
        b"200 news InterNetNews NNRP server INN 2.7.1 ready (posting ok)\r\n" + b"500 What?\r\n" * 3
    ),
    "dictd": Stranger(
        b"220 dict dictd 1.13.1/rf on Linux 6.1.0 <auth.mime> <1.2@dict>\r\n"
        + b"500 unknown command\r\n" * 4
    ),
    "SNPP": Stranger(b"220 SNPP Gateway Ready\r\n" + b"500 Command Not Implemented\r\n" * 4),
    "a greeting of a stranger": Stranger(b"220 hello\r\n" + REFUSED * 4),
    # Files
    "vsftpd": Stranger(
        b"220 (vsFTPd 3.0.5)\r\n" + b"530 Please login with USER and PASS.\r\n" * 3, "ftp"
    ),
    "ProFTPD": Stranger(
        b"220 ProFTPD Server (Debian) [127.0.0.1]\r\n200 NOOP command successful\r\n", "ftp"
    ),
    "IIS FTP": Stranger(
        b"220 Microsoft FTP Service\r\n" + b"530 Please login with USER and PASS.\r\n" * 3, "ftp"
    ),
    "rsync": Stranger(b"@RSYNCD: 31.0 sha512 sha256\n" + b"@ERROR: protocol startup error\n"),
    "Subversion": Stranger(b"( success ( 2 2 ( ) ( edit-pipeline svndiff1 ) ) ) "),
    # Shells and screens
    "OpenSSH": Stranger(b"SSH-2.0-OpenSSH_9.9\r\nInvalid SSH identification string.\r\n", "ssh"),
    "telnetd": Stranger(b"\xff\xfd\x18\xff\xfd\x20\xff\xfd\x23\xff\xfd\x27Debian login: "),
    "VNC": Stranger(b"RFB 003.008\n"),
    # Stores
    "Redis": Stranger(b"-ERR unknown command 'version', with args beginning with: \r\n" * 3),
    "memcached": Stranger(b"ERROR\r\n" * 3),
    "beanstalkd": Stranger(b"UNKNOWN_COMMAND\r\n" * 3),
    "gearmand": Stranger(b"ERR UNKNOWN_COMMAND Unknown+server+command\r\n" * 3),
    "MPD": Stranger(b"OK MPD 0.23.5\n" + b'ACK [5@0] {} unknown command "version"\n' * 3),
    "MySQL": Stranger(GREETING + mysql_error(2, 1045, b"Access denied", b"#28000"), "mysql"),
    "MySQL X Protocol": Stranger(b"\x05\0\0\0\x0b\x08\x05\x1a\0"),
    "ZooKeeper": Stranger(b"\0\0\0\x29\0\0\0\0\0\0\x75\x30" + bytes(33)),
    "Cassandra": Stranger(b"\x84\0\0\0\0\0\0\0\x0c\0\0\0\x0a\0\x06no way"),
    # Messages
    "NATS": Stranger(
        b'INFO {"server_id":"N","version":"2.11.0","max_payload":1048576} \r\n'
        b"-ERR 'Unknown Protocol Operation'\r\n"
    ),
    "STOMP": Stranger(b"ERROR\nmessage:Unknown STOMP action\n\n\0"),
    "XMPP": Stranger(b"<?xml version='1.0'?><stream:stream><stream:error><not-well-formed/>"),
    "IRC": Stranger(
        b":irc NOTICE * :*** Looking up your hostname...\r\nERROR :Closing Link: bye\r\n"
    ),
    # Web, TLS, directories
    "a web server": Stranger(
        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    ),
    "TLS": Stranger(b"\x15\x03\x01\0\x02\x02\x46"),
    "HTTP/2": Stranger(b"\0\0\x06\x04\0\0\0\0\0\0\x05\0\0\x40\0\0\0\0\x07\0\0\0\0\0\0\0\0\0"),
    "LDAP": Stranger(b"\x30\x24\x02\x01\0\x78\x1f\x0a\x01\x02\x04\0\x04\0\x8a\x161.3.6.1.4.1.1466"),
    "zeros": Stranger(bytes(200)),
    "ones": Stranger(b"\x01" * 200),
    "S and N": Stranger(b"SN" * 20),
}


@pytest.fixture
async def resolver() -> AsyncIterator[Resolver]:
    made = Resolver()
    yield made
    made.close()


@pytest.mark.parametrize("name", STRANGERS)
async def test_no_dialogue_takes_a_stranger(name: str, resolver: Resolver) -> None:
    stranger = STRANGERS[name]
    for kind in DIALOGUES:
        reason, detail = await heard(kind, stranger.said, resolver)
        if kind in stranger.kinds.split():
            assert reason == "up", (kind, detail)
        else:
            assert reason in {"protocol_mismatch", "unexpected_response"}, (kind, reason, detail)


@pytest.mark.parametrize("name", STRANGERS)
async def test_no_starttls_begins_with_a_stranger(name: str, resolver: Resolver) -> None:
    stranger = STRANGERS[name]
    options = HandshakeProbe(tls="starttls", verify=False)
    for kind, dialogue in DIALOGUES.items():
        if dialogue.starttls and kind not in stranger.kinds.split():
            reason, detail = await heard(kind, stranger.said, resolver, options)
            assert reason in {"protocol_mismatch", "unexpected_response", "tls_failed"}, detail
    if "smtp" in stranger.kinds.split():
        reason, detail = await heard("ftp", stranger.said, resolver, options)
        assert reason in {"protocol_mismatch", "tls_failed"}, detail


@pytest.mark.parametrize("ours", GOOD, ids=lambda dialogue: dialogue.protocol)
async def test_no_dialogue_takes_another_protocol_of_ours(ours: object, resolver: Resolver) -> None:
    for kind, dialogue in DIALOGUES.items():
        if dialogue is not ours:
            reason, detail = await heard(kind, GOOD[ours], resolver)  # type: ignore[index]
            assert reason in {"protocol_mismatch", "unexpected_response"}, (kind, reason, detail)


@pytest.mark.parametrize("kind", DIALOGUES)
async def test_no_dialogue_takes_its_own_words_for_an_answer(kind: str, resolver: Resolver) -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    loop = asyncio.get_running_loop()

    async def echo() -> None:
        with contextlib.suppress(OSError):
            while data := await loop.sock_recv(theirs, 65_536):
                await loop.sock_sendall(theirs, data)

    with ours, theirs:
        if DIALOGUES[kind].steps[0].send == b"":  # it hears first: nobody would ever say a word
            theirs.shutdown(socket.SHUT_WR)
        echoing = asyncio.create_task(echo())
        with pytest.raises(CheckFailedError) as failed:
            await converse(DIALOGUES[kind], PLAIN, context_of(kind, resolver), Connection(ours))
        assert failed.value.reason == "protocol_mismatch", failed.value.detail
        echoing.cancel()
        await asyncio.gather(echoing, return_exceptions=True)


LONG_GREETING = (
    b"220-Welcome\r\n Please be polite\r\n230 users\r\n220-more\r\n211-x\r\n220 ready\r\n"
)


@pytest.mark.parametrize(
    ("kind", "said", "words"),
    [
        # RFC 959, section 4.2: the same code and a blank end it, whatever comes between
        ("ftp", LONG_GREETING + b"200 Zzz...\r\n", "Welcome"),
        ("ftp", b"220\r\n200\r\n", ""),
        ("ftp", b"220 \n200 ok\n", ""),
        ("ftp", b"220-\r\n\r\n220 x\r\n530 Log in with USER and PASS first.\r\n", ""),
        # FileZilla Server that wants TLS
        (
            "ftp",
            b"220-FileZilla Server 1.10.4\r\n220 Please\r\n503 Use AUTH first.\r\n",
            "FileZilla",
        ),
        ("ftp", b"220 x\r\n534 Policy requires SSL.\r\n", "x"),
        # NOOP unknown, or TLS wanted: SYST tells
        ("ftp", b"220 x\r\n502 Command not implemented.\r\n215 UNIX Type: L8\r\n", "x"),
        ("ftp", b"220 x\r\n500 'NOOP': command not understood\r\n530 Not logged in\r\n", "x"),
        ("ftp", b"220 FTP and SMTP of example.com\r\n530 Please login\r\n", "FTP and SMTP"),
        ("ftp", b"220 SMTP relay\r\n200 NOOP ok\r\n", "SMTP relay"),
        ("smtp", b"220\r\n250\r\n", ""),
        ("smtp", b"220\n250-mx\n250 SIZE\n", ""),
        ("smtp", b"220-mx ESMTP\r\n220-we do not authorize\r\n220 spam\r\n250 mx\r\n", "mx ESMTP"),
        # RFC 5321, section 3.2: without EHLO
        ("smtp", b"220 ****\r\n502 command not implemented\r\n250 mx\r\n", "****"),
        ("smtp", b"220 old\r\n500 Command unrecognized\r\n250 hello\r\n", "old"),
        ("imap", b"* OK\r\na1 OK\r\n", ""),
        ("imap", b"* ok hi\r\n* 3 EXISTS\r\na1 ok done\r\n", "hi"),
        ("imap", b"* PREAUTH IMAP4rev1 server\r\na1 OK NOOP\r\n", "IMAP4rev1 server"),
        ("pop3", b"+OK\r\n", ""),
        ("pop3", b"+OK <1896.697170952@dbc.mtview.ca.us>\r\n", "<1896"),
        ("ssh", b"line\r\nSSH\r\n\xe2\x98\xba\nSSH-1.99-Cisco-1.25\n", "Cisco-1.25"),
        ("redis", b"-DENIED Redis is running in protected mode because\r\n", "-DENIED"),
        ("redis", b"-NOAUTH Authentication required.\r\n", "-NOAUTH"),
        ("redis", b"+PONG\n", "+PONG"),
        ("amqp", b"AMQP\0\x01\0\0", "the server speaks AMQP 1.0, not 0-9-1"),
        ("amqp", b"AMQP\x03\x01\0\0", "AMQP 1.0 (SASL)"),
        ("amqp", b"AMQP\x01\x01\0\x0a", "AMQP 0-10"),
        ("mqtt", b"\x20\x02\0\x01", "another version of MQTT"),
        ("mqtt", b"\x20\x03\0\x84\0", "another version of MQTT"),
        ("mqtt", b"\x20\x03\0\x87\0", ""),
        ("mqtt", b"\x20\x02\0\x02", ""),
        ("memcached", b"CLIENT_ERROR unauthenticated\r\n", ""),
    ],
)
async def test_the_right_server_is_up(
    kind: str, said: bytes, words: str, resolver: Resolver
) -> None:
    reason, found = await heard(kind, said, resolver)
    assert reason == "up", found
    assert words in found


@pytest.mark.parametrize(
    ("kind", "said", "reason", "words"),
    [
        ("smtp", b"220-mx\r\n250 x\r\n", "protocol_mismatch", "after '220-mx 250 x'"),
        ("smtp", b"220 mx\r\n500 no\r\n502 no\r\n", "protocol_mismatch", "answer to HELO"),
        (
            "smtp",
            b"220 mx\r\n501 5.5.4 Invalid name\r\n501 5.5.4 Invalid name\r\n",
            "unexpected_response",
            "501 5.5.4",
        ),
        ("smtp", b"220 mx\r\n530 Please login\r\n", "protocol_mismatch", "answer to EHLO"),
        ("smtp", b"220 mx\r\n530 5.7.0 Not now\r\n", "unexpected_response", "530 5.7.0 Not now"),
        ("ftp", b"220 x\r\n250 Ok\r\n", "protocol_mismatch", "answer to NOOP, found '250 Ok'"),
        ("ftp", b"220 x\r\n500 no\r\n502 no\r\n", "protocol_mismatch", "answer to SYST"),
        ("ftp", b"220 x ESMTP\r\n503 EHLO first\r\n", "protocol_mismatch", "answer to NOOP"),
        ("ftp", b"120 Service ready in 5 minutes\r\n", "unexpected_response", "120 Service"),
        ("imap", b"* OK hi\r\n* BYE Autologout\r\n", "unexpected_response", "Autologout"),
    ],
)
async def test_a_wrong_answer_is_told(
    kind: str, said: bytes, reason: str, words: str, resolver: Resolver
) -> None:
    found, detail = await heard(kind, said, resolver)
    assert found == reason, detail
    assert words in detail or words in detail.replace("\r\n", " ")


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-portquorum\r\n",
        (
            b"* OK [CAPABILITY IMAP4rev1] Dovecot ready.\r\n"
            b"SSH-2.0-portquorum BAD Error in IMAP command received by server.\r\n"
        ),
    ],
)
async def test_our_own_identification_is_none_of_a_server(said: bytes, resolver: Resolver) -> None:
    reason, _ = await heard("ssh", said, resolver)
    assert reason == "protocol_mismatch"
