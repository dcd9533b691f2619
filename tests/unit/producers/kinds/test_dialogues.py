"""Every dialogue against recorded answers, and against what no server should ever say.

For MongoDB, SQL Server and MySQL 8 the answers are put together from the pages of their protocols
(`answers`): they show that we read what these pages say, not that a server says it. What random and
mutated answers do is in `kinds/test_banners.py`.
"""

import asyncio
import re
import socket
import struct
import time
from collections.abc import AsyncIterator

import pytest

from producers.checks.errors import CheckFailedError
from producers.checks.model import Vantage
from producers.checks.resolver import Resolver
from producers.judging.judges import Judges
from producers.kinds import (
    amqp,
    ftp,
    imap,
    kafka,
    memcached,
    mongodb,
    mqtt,
    mssql,
    mysql,
    pop3,
    postgres,
    redis,
    smtp,
    ssh,
)
from producers.kinds.check_context import CheckContext
from producers.kinds.connection import Connection
from producers.kinds.dialogue import Dialogue, converse
from producers.kinds.registry import KINDS
from schemas.probe import HandshakeProbe
from schemas.target import Target
from tests.unit.producers.answers import (
    DENIED,
    GOOD,
    GREETING,
    NOT_OK,
    OK,
    PRELOGIN,
    SWITCH,
    WIRE,
    message,
    mysql_error,
    pg,
    pg_error,
)

PLAIN = HandshakeProbe()


@pytest.fixture
async def resolver() -> AsyncIterator[Resolver]:
    made = Resolver()
    yield made
    made.close()


def context_of(resolver: Resolver) -> CheckContext:
    target = Target(
        id="t",
        name="t",
        kind="smtp",
        host="127.0.0.1",
        port=1,
        regions=("r",),
        interval_ms=60_000,
        timeout_ms=5_000,
        version=1,
        source="test",
    )
    return CheckContext(target, Vantage(internal=True), resolver, Judges())


async def told(
    dialogue: Dialogue, answers: list[bytes], resolver: Resolver
) -> tuple[str | None, str | None]:
    """Reason (None: up) and banner or detail, when the server says these, one after the other."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        theirs.sendall(b"".join(answers))
        theirs.shutdown(socket.SHUT_WR)
        context = context_of(resolver)
        try:
            await converse(dialogue, PLAIN, context, Connection(ours))
        except CheckFailedError as error:
            return error.reason, error.detail
        return None, context.banner


@pytest.mark.parametrize(
    ("dialogue", "answers", "reason", "words"),
    [
        (mongodb, [message(WIRE + OK)], None, "standalone, wire version 21"),
        (
            mongodb,
            [message(b"\x02setName\0\x04\0\0\0rs0\0" + WIRE + OK)],
            None,
            "replica set, wire version 21",
        ),
        (
            mongodb,
            [message(b"\x02msg\0\x09\0\0\0isdbgrid\0" + WIRE + OK)],
            None,
            "mongos, wire version 21",
        ),
        (
            mongodb,
            [message(NOT_OK + b"\x02errmsg\0\x05\0\0\0busy\0")],
            "unexpected_response",
            "MongoDB: busy",
        ),
        (mongodb, [b"It looks like you are trying to access"], "protocol_mismatch", "found 'It"),
        (mssql, [PRELOGIN], None, "Microsoft SQL Server 15.0.2000"),
        (mssql, [b"\x15\x03\x01\0\x02\x02\x50"], "protocol_mismatch", "after '0x15030100020250'"),
        (mssql, [b"\x15\x03\x01\0\x02\x02\x50"], "protocol_mismatch", "speaks TLS there"),
        (
            redis,
            [b"\x15\x03\x03\0\x02\x02\x0a"],
            "protocol_mismatch",
            "found '0x1503030002020a': the server speaks TLS there (tls: implicit)",
        ),
        (mysql, [GREETING, DENIED], None, "8.4.3"),
        (mysql, [GREETING, SWITCH, DENIED], None, "8.4.3"),
        # As Dolt's go-mysql-server 0.20 answered.
        (mysql, [GREETING, mysql_error(2, 2012, b"No authentication", b"#HY000")], None, "8.4.3"),
        (
            mysql,
            [mysql_error(0, 1040, b"Too many connections")],
            "too_many_connections",
            "MySQL: Too many connections",
        ),
        (
            mysql,
            [GREETING, mysql_error(2, 1040, b"Too many connections", b"#08004")],
            "too_many_connections",
            "MySQL: Too many connections",
        ),
        (mysql, [mysql_error(0, 1130, b"Host '10.0.0.7' is not allowed")], None, None),
        (
            mysql,
            [GREETING, mysql_error(2, 1053, b"Server shutdown in progress", b"#08S01")],
            "unexpected_response",
            "MySQL: Server shutdown in progress",
        ),
        (postgres, [pg(b"R", struct.pack(">I", 10) + b"SCRAM-SHA-256\0\0")], None, None),
        (postgres, [pg_error(b"28000", b"no pg_hba.conf entry for host")], None, None),
        (
            postgres,
            [pg_error(b"57P03", b"the database system is starting up")],
            "unexpected_response",
            "PostgreSQL: the database system is starting up",
        ),
        (
            postgres,
            [pg(b"R", struct.pack(">I", 0)), pg_error(b"53300", b"too many connections for role")],
            "too_many_connections",
            "PostgreSQL: too many connections for role",
        ),
        (
            postgres,
            [b"Ecould not fork new process for connection\n\0"],
            "unexpected_response",
            "PostgreSQL: could not fork new process",
        ),
        (redis, [b"-LOADING Redis is loading\r\n"], "unexpected_response", "Redis: LOADING"),
        (memcached, [b"CLIENT_ERROR unauthenticated\r\n"], None, None),
        (amqp, [b"AMQP\0\x01\0\0"], None, None),
        (amqp, [b"AMQP\0\0\x09\x01"], "protocol_mismatch", "Connection.Start, found '0x414d"),
        (amqp, [b"AMQP\0\0\x08\0"], "unexpected_response", "the server speaks AMQP 0-8-0"),
        (kafka, [b"\0\0\0\x06\0\0\0\x07\0\x23"], "unexpected_response", "Kafka: 0x0023"),
        (mqtt, [b"\x20\x02\0\x03"], "unexpected_response", "MQTT: server unavailable"),
        (ssh, [b"Go away\r\nSSH-2.0-x\r\n"], None, "x"),
        (imap, [b"* BYE Too many connections\r\n"], "too_many_connections", "Too many"),
        (pop3, [b"-ERR [SYS/TEMP] out of order\r\n"], "unexpected_response", "POP3: -ERR"),
        (ftp, [b"120-later\r\n120 in 5 minutes\r\n"], "unexpected_response", "FTP: 120-later"),
        (smtp, [b"220-one\r\n220 two\r\n250-a\r\n250 b\r\n"], None, "one"),
    ],
)
async def test_what_an_answer_means(
    dialogue: object,
    answers: list[bytes],
    reason: str | None,
    words: str | None,
    resolver: Resolver,
) -> None:
    found_reason, found_words = await told(dialogue.DIALOGUE, answers, resolver)  # type: ignore[attr-defined]
    assert found_reason == reason, found_words
    if words is None:
        assert found_words is None
    else:
        assert words in (found_words or "")


def test_every_dialogue_is_held_against_garbage() -> None:
    others = {name for name, kind in KINDS.items() if kind.options is not HandshakeProbe}
    assert len(GOOD) == len(KINDS) - len(others)


@pytest.mark.parametrize("dialogue", GOOD, ids=lambda dialogue: dialogue.protocol)
async def test_the_good_answers_are_good(dialogue: Dialogue, resolver: Resolver) -> None:
    assert (await told(dialogue, [GOOD[dialogue]], resolver))[0] is None


@pytest.mark.parametrize("dialogue", GOOD, ids=lambda dialogue: dialogue.protocol)
async def test_an_answer_without_end_is_cut_off(dialogue: Dialogue, resolver: Resolver) -> None:
    for pattern in (b"A", b"\0", b"220-x\r\n", b"\x7f\xff\xff\xff", b"* x\r\n"):
        said = pattern * (200_000 // len(pattern))
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.setblocking(False)
        with ours, theirs:
            sending = asyncio.ensure_future(asyncio.get_running_loop().sock_sendall(theirs, said))
            with pytest.raises(CheckFailedError) as failed:
                async with asyncio.timeout(20):
                    await converse(dialogue, PLAIN, context_of(resolver), Connection(ours))
            assert failed.value.reason in {"protocol_mismatch", "unexpected_response"}
            assert len(failed.value.detail) < 300
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)


def test_no_pattern_of_ours_backtracks_without_end() -> None:
    """Each is tried on what such patterns are slow on: long rows of what they repeat."""
    rows = [unit * (60_000 // len(unit)) for unit in (b"A", b"\0", b"\0C28", b"SSH", b"a1 ", b"E")]
    for dialogue in GOOD:
        for step in (*dialogue.steps, *dialogue.starttls):
            for pattern in (step.good, *(bad for bad, _ in step.bad)):
                began = time.process_time()
                for row in rows:
                    for start in (b"", GOOD[dialogue][:20]):
                        re.match(pattern, start + row)
                assert time.process_time() - began < 20, (dialogue.protocol, step.name)
