"""What LDAP, NATS, ZooKeeper and AMQP 1.0 servers say, and what it means."""

from collections.abc import AsyncIterator

import pytest

from producers.checks.resolver import Resolver
from schemas.probe import HandshakeProbe
from tests.unit.producers.answers import INFO, SRVR, bind_answer
from tests.unit.producers.kinds.recorded import heard

AMQP_1_0 = HandshakeProbe(version="1.0")
# sasl-mechanisms (AMQP security 5.3.3.1) with an array of symbols, as RabbitMQ sends it
MECHANISMS = (
    b"\0\0\0\x2d\x02\x01\0\0\0\x53\x40\xc0\x20\x01\xe0\x1d\x03\xa3"
    b"\x05PLAIN\x08AMQPLAIN\x09ANONYMOUS\0\0"
)
# Active Directory: lengths of four bytes each
FROM_ACTIVE_DIRECTORY = bytes.fromhex("308400000010020101618400000007 0a0100 0400 0400")
# RFC 4511, section 4.4.1: the server is about to close
NOTICE = (
    b"\x30\x2f\x02\x01\0\x78\x2a\x0a\x01\x34\x04\0\x04\x0bgoing away.\x8a\x161.3.6.1.4.1.1466.20036"
)


@pytest.fixture
async def resolver() -> AsyncIterator[Resolver]:
    made = Resolver()
    yield made
    made.close()


@pytest.mark.parametrize(
    ("kind", "said", "reason", "words"),
    [
        ("ldap", bind_answer(0), "up", ""),
        ("ldap", FROM_ACTIVE_DIRECTORY, "up", ""),
        ("ldap", bind_answer(48, b"no anonymous"), "up", "inappropriateAuthentication (48): no"),
        ("ldap", bind_answer(13), "up", "confidentialityRequired (13)"),
        ("ldap", bind_answer(51, b"later"), "unexpected_response", "LDAP: busy (51): later"),
        ("ldap", bind_answer(52), "unexpected_response", "LDAP: unavailable (52)"),
        ("ldap", bind_answer(99, b"?"), "unexpected_response", "LDAP: result 99: ?"),
        (
            "ldap",
            bind_answer(51, b"too many connections"),
            "too_many_connections",
            "too many connections",
        ),
        ("ldap", NOTICE, "unexpected_response", "unavailable (52): going away."),
        ("ldap", b"\x30\x80\0\0", "protocol_mismatch", "expected the LDAP answer"),
        ("ldap", b"\x30\x84\x7f\xff\xff\xff\x02", "protocol_mismatch", "expected the LDAP answer"),
        ("ldap", bind_answer(0)[:-3], "protocol_mismatch", "closed by the server after"),
        ("nats", INFO + b"PING\r\nPONG\r\n", "up", "version 2.9.10"),
        ("nats", INFO + b"-ERR 'Authorization Violation'\r\n", "up", "version 2.9.10"),
        ("nats", INFO + b"-ERR 'Parser Error'\r\n", "unexpected_response", "'Parser Error'"),
        (
            "nats",
            INFO + b"-ERR 'maximum connections exceeded'\r\n",
            "too_many_connections",
            "maximum connections exceeded",
        ),
        ("nats", b"-ERR 'maximum connections exceeded'\r\n", "too_many_connections", "maximum"),
        (
            "nats",
            INFO.replace(b'"proto":1', b'"tls_required":true'),
            "up",
            "the server wants TLS (tls: starttls)",
        ),
        ("nats", INFO, "unexpected_response", "without NATS PONG"),
        ("zookeeper", SRVR, "up", "3.8.0, standalone"),
        (
            "zookeeper",
            SRVR.replace(b"standalone", b"read-only"),
            "up",
            "the server serves reads only",
        ),
        (
            "zookeeper",
            SRVR.replace(b"Zookeeper", b"ClickHouse Keeper").replace(b"3.8.0", b"v25.8.1.1"),
            "up",
            "v25.8.1.1, standalone",
        ),
        (
            "zookeeper",
            b"This ZooKeeper instance is not currently serving requests\n",
            "unexpected_response",
            "ZooKeeper: This ZooKeeper instance is not currently serving requests",
        ),
        ("zookeeper", SRVR[:80], "protocol_mismatch", "closed by the server after"),
    ],
)
async def test_what_is_said(
    kind: str, said: bytes, reason: str, words: str, resolver: Resolver
) -> None:
    found, detail = await heard(kind, said, resolver)
    assert found == reason, detail
    assert words in detail


@pytest.mark.parametrize(
    ("said", "reason", "words"),
    [
        (b"AMQP\x03\x01\0\0" + MECHANISMS, "up", "SASL PLAIN, AMQPLAIN, ANONYMOUS"),
        (b"AMQP\0\x01\0\0", "up", ""),
        (b"AMQP\x02\x01\0\0", "up", "the server wants TLS (tls: implicit)"),
        (b"AMQP\0\0\x09\x01", "unexpected_response", "speaks AMQP 0-9-1, not 1.0"),
        (b"AMQP\x01\x01\0\x0a", "unexpected_response", "speaks AMQP 0-10, not 1.0"),
        (b"AMQP\x03\x01\0\0" * 2, "unexpected_response", "list of SASL mechanisms"),
        (b"AMQP\x03\x01\0\0", "unexpected_response", "closed by the server"),
        (b"HTTP/1.1 400 Bad Request\r\n", "protocol_mismatch", "AMQP header of version 1.0"),
    ],
)
async def test_a_broker_of_amqp_1_0(
    said: bytes, reason: str, words: str, resolver: Resolver
) -> None:
    found, detail = await heard("amqp", said, resolver, AMQP_1_0)
    assert found == reason, detail
    assert words in detail


@pytest.mark.parametrize("kind", ["nats", "ldap"])
async def test_no_tls_where_it_is_asked_for(kind: str, resolver: Resolver) -> None:
    said = {
        "nats": INFO,
        "ldap": b"\x30\x10\x02\x01\x01\x78\x0b\x0a\x01\x02\x04\0\x04\x04what",
    }[kind]
    found, detail = await heard(kind, said, resolver, HandshakeProbe(tls="starttls"))
    assert found == "tls_failed", detail
    assert {"nats": "offers no TLS", "ldap": "protocolError (2): what"}[kind] in detail


async def test_data_before_tls_is_none_inside_of_it(resolver: Resolver) -> None:
    said = INFO.replace(b'"proto":1', b'"tls_available":true') + b"PONG\r\n"
    found, detail = await heard("nats", said, resolver, HandshakeProbe(tls="starttls"))
    assert (found, detail) == (
        "unexpected_response",
        "NATS: the server went on before TLS began",
    )
