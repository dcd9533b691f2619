"""What servers say to strangers: alive. And what only resembles it.

A text whose source is beside it was found there (a file, or a report of a user).
"""

from collections.abc import AsyncIterator

import pytest

from producers.checks.resolver import Resolver
from tests.unit.producers.answers import GREETING, NOT_OK, message, mysql_error, pg_error
from tests.unit.producers.kinds.recorded import heard


@pytest.fixture
async def resolver() -> AsyncIterator[Resolver]:
    made = Resolver()
    yield made
    made.close()


def refused(code: int, text: bytes, state: bytes = b"#HY000") -> bytes:
    return GREETING + mysql_error(2, code, text, state)


def said(text: str, code: int) -> bytes:
    """`errmsg` and `code` of a document of MongoDB."""
    data = text.encode() + b"\0"
    words = b"\x02errmsg\0" + len(data).to_bytes(4, "little") + data
    return words + b"\x10code\0" + code.to_bytes(4, "little")


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        # open-falcon/falcon-plus#221: Redis before 2.8
        ("redis", b"-ERR operation not permitted\r\n"),
        # openresty's lua-resty-shdict-server, twemproxy, Tile38
        ("redis", b"-ERR authentication required\r\n"),
        ("redis", b"-ERR Authentication required. Use AUTH <password>\r\n"),
        ("redis", b"-ERR NOAUTH Authentication required.\r\n"),
        ("redis", b"-WRONGPASS invalid username-password pair or user is disabled.\r\n"),
        # pgbouncer/pgbouncer#375, pgbouncer/pgbouncer#988
        ("postgres", pg_error(b"08P01", b"no such user: portquorum")),
        ("postgres", pg_error(b"08P01", b"no such database: postgres")),
        ("postgres", pg_error(b"08P01", b'database "postgres" is disabled')),
        # PgCat: src/client.rs (58000), later 3D000
        ("postgres", pg_error(b"58000", b'No pool configured for database: "postgres"')),
        ("postgres", pg_error(b"3D000", b"No pool configured for database: postgres")),
        # Odyssey: sources/frontend.c
        ("postgres", pg_error(b"08P01", b"odyssey: c1: route for 'postgres.p' is not found")),
        # supabase/supavisor#364
        ("postgres", pg_error(b"XX000", b"Tenant or user not found")),
        # Neon and CockroachDB, as users report them
        ("postgres", pg_error(b"08P01", b"Endpoint ID is not specified. Either please upgrade")),
        ("postgres", pg_error(b"08004", b"node is running secure mode, SSL connection required")),
        # NginxProxyManager/nginx-proxy-manager#828, mtxr/vscode-sqltools#491
        ("mysql", refused(9002, b"SSL connection is required. Please specify", b"#28000")),
        ("mysql", refused(9009, b"Client with IP address '192.0.2.7' is not allowed", b"#28000")),
        # cloudreve/cloudreve#1604, ariga/atlas#1717: PlanetScale
        (
            "mysql",
            refused(
                1105,
                b"unknown error: Code: UNAVAILABLE\nserver does not allow insecure connections, "
                b"client must use SSL/TLS",
            ),
        ),
        ("mongodb", message(NOT_OK + said("command hello requires auth", 13))),
        ("mongodb", message(NOT_OK + said("Authentication failed.", 18))),
        ("mongodb", message(b"\x12ok\0" + (1).to_bytes(8, "little"))),
        ("mongodb", message(b"\x08ok\0\1")),
        ("mysql", refused(3118, b"Access denied for user 'portquorum'. Account is locked.")),
        ("mysql", refused(1130, b"Host '192.0.2.7' is not allowed to connect")),
    ],
)
async def test_who_lets_no_stranger_in_is_alive(
    kind: str, answer: bytes, resolver: Resolver
) -> None:
    found, detail = await heard(kind, answer, resolver)
    assert found == "up", detail


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("redis", b"-ERR unknown command 'PING'\r\n"),
        ("redis", b"-MISCONF Redis is configured to save RDB snapshots\r\n"),
        # The server behind the pooler lets the pooler not in: nobody gets there.
        ("postgres", pg_error(b"08P01", b"server login failed: FATAL no such user: app")),
        ("postgres", pg_error(b"08P01", b"server login has been failing, try again later")),
        ("postgres", pg_error(b"57P03", b"the database system is starting up")),
        ("postgres", pg_error(b"XX000", b"could not reach the metadata of the tenant")),
        ("mongodb", message(NOT_OK + said("node is shutting down", 91))),
        ("mongodb", message(b"\x08ok\0\0" + said("node is recovering", 13436))),
        ("mysql", refused(1105, b"unknown error: no healthy tablet available")),
        ("mysql", refused(9001, b"Max connect timeout reached while reaching hostgroup 10")),
        ("mysql", refused(1053, b"Server shutdown in progress", b"#08S01")),
    ],
)
async def test_who_can_not_serve_is_down(kind: str, answer: bytes, resolver: Resolver) -> None:
    found, detail = await heard(kind, answer, resolver)
    assert found == "unexpected_response", detail


@pytest.mark.parametrize(
    ("kind", "hint"),
    [("redis", " (tls: implicit)"), ("smtp", " (tls: implicit)"), ("postgres", "")],
)
async def test_an_answer_in_tls_is_told(kind: str, hint: str, resolver: Resolver) -> None:
    found, detail = await heard(kind, b"\x15\x03\x01\0\x02\x02\x46", resolver)
    assert found == "protocol_mismatch"
    assert detail.endswith(f"'0x15030100020246': the server speaks TLS there{hint}")
