"""What servers say at their limit, and what is no such thing.

A text whose source is a file beside it was found there. Others are variants of such texts, or as
users report them; those of Postfix, `MaxStartups`, MySQL and PostgreSQL are from memory.
"""

from collections.abc import AsyncIterator

import pytest

from producers.checks.resolver import Resolver
from tests.unit.producers.answers import mysql_error, pg, pg_error
from tests.unit.producers.kinds.recorded import heard


@pytest.fixture
async def resolver() -> AsyncIterator[Resolver]:
    made = Resolver()
    yield made
    made.close()


def closing(code: int, text: bytes) -> bytes:
    """Connection.Close of AMQP 0-9-1 (section 1.4.2.5)."""
    payload = b"\0\x0a\0\x32" + code.to_bytes(2, "big") + bytes([len(text)]) + text + bytes(4)
    return b"\x01\0\0" + len(payload).to_bytes(4, "big") + payload + b"\xce"


AT_THEIR_LIMIT = [
    # Exim: src/smtp_in.c, daemon.c
    (
        "smtp",
        b"421 mx.example.com: Too many concurrent SMTP connections; please try again later\r\n",
    ),
    (
        "smtp",
        b"421 Too many concurrent SMTP connections from this IP address; try again later.\r\n",
    ),
    # As Postfix and postscreen have it
    ("smtp", b"421 4.7.0 mx.example.com Error: too many connections from 192.0.2.7\r\n"),
    ("smtp", b"421 4.3.2 All server ports are busy\r\n"),
    # Sendmail: the first as in its log ("reject=421 4.3.2 …")
    ("smtp", b"421 4.3.2 Connection rate limit exceeded.\r\n"),
    ("smtp", b"421 4.3.2 Too many open connections.\r\n"),
    ("smtp", b"452 4.3.2 Too many processes; try again later, connection limit reached\r\n"),
    # Exchange: SmtpResponse.TooManyConnectionsPerSource
    (
        "smtp",
        (
            b"421 4.3.2 The maximum number of concurrent connections has exceeded a limit, "
            b"closing transmission channel\r\n"
        ),
    ),
    ("smtp", b"421 4.3.2 The maximum number of concurrent server connections has exceeded\r\n"),
    ("smtp", b"421 4.3.2 Service not available\r\n"),
    # npm smtp-server: lib/smtp-connection.js
    ("smtp", b"421 mx.example.com Too many connected clients, try again in a moment\r\n"),
    # Variants
    ("smtp", b"421 4.3.0 Too many connections\r\n"),
    ("smtp", b"421 Too many concurrent connections\r\n"),
    # Amazon SES: its page of SMTP responses; of several lines
    ("smtp", b"421 Too many concurrent SMTP connections\r\n"),
    (
        "smtp",
        b"421-4.7.28 Our system has detected an unusual rate of mail\r\n421 4.7.28 s9-20 gsmtp\r\n",
    ),
    (
        "smtp",
        b"554-mx.example.com\r\n554 Maximum number of simultaneous connections reached\r\n",
    ),
    # After the greeting
    ("smtp", b"220 mx ESMTP\r\n421 4.7.0 Too many connections from your host\r\n"),
    # Pure-FTPd: src/messages_en.h, MSG_MAX_USERS
    ("ftp", b"421 3 users (the maximum) are already logged in, sorry\r\n"),
    ("ftp", b"421 Too many connections (8) from this IP\r\n"),
    # ProFTPD: modules/mod_auth.c
    (
        "ftp",
        b"530 Sorry, the maximum number of clients (5) from your class are already connected.\r\n",
    ),
    ("ftp", b"530 Sorry, the maximum number of allowed clients (10) are already connected.\r\n"),
    ("ftp", b"500 Sorry, no server available: maximum connections reached\r\n"),
    # vsftpd: prelogin.c
    ("ftp", b"421 There are too many connected users, please try later.\r\n"),
    ("ftp", b"421 There are too many connections from your internet address.\r\n"),
    # pyftpdlib: handlers.py, handle_max_cons; then variants
    ("ftp", b"421 Too many connections. Service temporarily unavailable.\r\n"),
    ("ftp", b"421 8 users (the maximum number) are logged on, closing control connection\r\n"),
    ("ftp", b"421 Too many users logged in for this account.\r\n"),
    ("ftp", b"421 Sorry, too many users - please try again later.\r\n"),
    ("ftp", b"421 Sorry, I don't accept more connections at the moment\r\n"),
    # Dovecot: login-common/sasl-server.c; then variants
    (
        "imap",
        (
            b"* BYE Disconnected: Maximum number of connections from user+IP exceeded "
            b"(mail_max_userip_connections=10)\r\n"
        ),
    ),
    ("imap", b"* OK ready\r\n* BYE Too many simultaneous connections\r\n"),
    ("imap", b"* bye too many open connections\r\n"),
    ("imap", b"* BYE [ALERT] Maximum number of connections exceeded\r\n"),
    (
        "pop3",
        (
            b"-ERR [IN-USE] Maximum number of connections from user+IP exceeded "
            b"(mail_max_userip_connections=3)\r\n"
        ),
    ),
    ("pop3", b"-ERR [SYS/TEMP] Too many concurrent connections to this server\r\n"),
    # OpenSSH: sshd.c up to 9.7, and later; then variants
    ("ssh", b"Exceeded MaxStartups\r\n"),
    ("ssh", b"Not allowed at this time\r\n"),
    ("ssh", b"Welcome\r\nNot allowed at this time\r\n"),
    ("ssh", b"% Too many connections, try again later\r\n"),
    # Redis, KeyDB: networking.c
    ("redis", b"-ERR max number of clients reached\r\n"),
    ("redis", b"-ERR max number of clients + cluster connections reached\r\n"),
    # memcached: memcached.c; then a variant
    ("memcached", b"ERROR Too many open connections\r\n"),
    ("memcached", b"SERVER_ERROR Too many open connections\r\n"),
    # PostgreSQL: proc.c, postinit.c; PgBouncer: src/client.c; Supavisor (EMAXCONN)
    ("postgres", pg_error(b"53300", b"sorry, too many clients already")),
    (
        "postgres",
        pg_error(b"53300", b"remaining connection slots are reserved for roles with SUPERUSER"),
    ),
    ("postgres", pg_error(b"08P01", b"no more connections allowed (max_client_conn)")),
    (
        "postgres",
        pg_error(b"08P01", b"client connections exceeded (max_db_client_connections)"),
    ),
    (
        "postgres",
        pg(b"R", bytes(4)) + pg_error(b"XX000", b"(EMAXCONN) max client connections reached"),
    ),
    # MySQL: ER_CON_COUNT_ERROR, ER_TOO_MANY_USER_CONNECTIONS, ER_USER_LIMIT_REACHED
    ("mysql", mysql_error(0, 1040, b"Too many connections")),
    ("mysql", mysql_error(0, 1203, b"User x already has more than 'max_user_connections'")),
    ("mysql", mysql_error(0, 1226, b"User 'x' has exceeded the 'max_user_connections' resource")),
    # AMQP 0-9-1; MQTT 5.0, section 3.2.2.2
    ("amqp", closing(506, b"connection limit (100) is reached")),
    ("mqtt", b"\x20\x03\0\x97\0"),
    ("mqtt", b"\x20\x03\0\x9f\0"),
]


@pytest.mark.parametrize(("kind", "said"), AT_THEIR_LIMIT)
async def test_a_limit_is_known_by_its_words(kind: str, said: bytes, resolver: Resolver) -> None:
    reason, detail = await heard(kind, said, resolver)
    assert reason == "too_many_connections", detail
    assert detail


@pytest.mark.parametrize(
    ("kind", "said", "reason"),
    [
        # A greeting that has such words, and goes on
        ("smtp", b"220 mx ESMTP, maximum message size 10 MB\r\n250-mx\r\n250 SIZE\r\n", "up"),
        ("ftp", b"220-Too many users? Maximum is 50\r\n220 ready\r\n200 Zzz...\r\n", "up"),
        ("imap", b"* OK no more than the maximum number of connections\r\na1 OK\r\n", "up"),
        ("pop3", b"+OK too many cooks\r\n", "up"),
        ("ssh", b"This host is at its maximum security\r\nSSH-2.0-OpenSSH_9.9\r\n", "up"),
        # Too many of something else, and other refusals
        ("smtp", b"550 5.7.1 Too many invalid recipients\r\n", "unexpected_response"),
        ("smtp", b"554 5.7.1 You are not welcome here\r\n", "unexpected_response"),
        ("ftp", b"530 Too many failed login attempts\r\n", "unexpected_response"),
        (
            "smtp",
            b"554 Maximum number of failed login attempts exceeded, you are banned\r\n",
            "unexpected_response",
        ),
        ("imap", b"* BYE Maximum login attempts reached\r\n", "unexpected_response"),
        ("ftp", b"530 Sorry, your address is blocked\r\n", "unexpected_response"),
        ("imap", b"* BYE Internal error occurred\r\n", "unexpected_response"),
        ("pop3", b"-ERR [SYS/PERM] Permission denied\r\n", "unexpected_response"),
        ("redis", b"-LOADING Redis is loading the dataset in memory\r\n", "unexpected_response"),
        ("redis", b"-BUSY Redis is busy running a script\r\n", "unexpected_response"),
        ("redis", b"-MASTERDOWN Link with MASTER is down\r\n", "unexpected_response"),
        (
            "postgres",
            pg_error(b"57P03", b"the database system is starting up"),
            "unexpected_response",
        ),
        ("postgres", pg_error(b"28000", b'role "too many clients" does not exist'), "up"),
        (
            "mysql",
            mysql_error(0, 1129, b"Host '192.0.2.7' is blocked because of many connection errors"),
            "unexpected_response",
        ),
        ("amqp", closing(320, b"CONNECTION_FORCED - broker forced it"), "unexpected_response"),
        ("mqtt", b"\x20\x02\0\x03", "unexpected_response"),
    ],
)
async def test_other_words_are_no_limit(
    kind: str, said: bytes, reason: str, resolver: Resolver
) -> None:
    found, detail = await heard(kind, said, resolver)
    assert found == reason, detail


async def test_the_detail_has_the_words(resolver: Resolver) -> None:
    _, detail = await heard("amqp", closing(506, b"connection limit (100) is reached"), resolver)
    assert detail == "AMQP: 506 connection limit (100) is reached"
    _, detail = await heard("mqtt", b"\x20\x03\0\x9f\0", resolver)
    assert detail == "MQTT: connection rate exceeded (0x9f)"
    _, detail = await heard(
        "smtp", b"554-mx.example.com\r\n554 Maximum number of connections reached\r\n", resolver
    )
    assert detail == "SMTP: Maximum number of connections reached"
