"""What servers say when all is well, byte by byte, and what helps to write it down.

For MongoDB and SQL Server, which no package of Debian brings, and for MySQL 8, it is put together
from the pages of their protocols (named beside each).
"""

import struct

from producers.kinds import (
    amqp,
    ber,
    ftp,
    imap,
    kafka,
    ldap,
    memcached,
    mongodb,
    mqtt,
    mssql,
    mysql,
    nats,
    pop3,
    postgres,
    redis,
    smtp,
    ssh,
    zookeeper,
)
from producers.kinds.dialogue import Dialogue


def message(document: bytes) -> bytes:
    """An OP_MSG that answers ours (MongoDB wire protocol: standard message header, OP_MSG)."""
    body = struct.pack("<I", 0) + b"\0" + struct.pack("<i", len(document) + 5) + document + b"\0"
    return struct.pack("<iiii", 16 + len(body), 77, 1, 2013) + body


OK, NOT_OK = (b"\x01ok\0" + struct.pack("<d", value) for value in (1.0, 0.0))
WIRE = b"\x10maxWireVersion\0" + struct.pack("<i", 21)


def packet(number: int, payload: bytes) -> bytes:
    """MySQL's basic packet (page_protocol_basic_packets)."""
    return struct.pack("<I", len(payload))[:3] + bytes([number]) + payload


# Protocol::HandshakeV10 (page_protocol_connection_phase_packets_protocol_handshake_v10)
GREETING = packet(
    0,
    b"\x0a8.4.3\0" + struct.pack("<I", 9) + b"12345678\0" + b"\xff\xff\xff\x02\0\xff\xdf\x15"
    b"\0\0\0\0\0\0\0\0\0\0" + b"123456789012\0caching_sha2_password\0",
)
# Protocol::AuthSwitchRequest
SWITCH = packet(2, b"\xfecaching_sha2_password\0" + b"12345678901234567890\0")


def mysql_error(number: int, code: int, text: bytes, state: bytes = b"") -> bytes:
    return packet(number, b"\xff" + struct.pack("<H", code) + state + text)


DENIED = mysql_error(4, 1045, b"Access denied for user", b"#28000")

# [MS-TDS] 4.2, "Pre-Login Response" with the version of SQL Server 2019
PRELOGIN = (
    struct.pack(">BBHHBB", 4, 1, 8 + 11 + 7, 0, 1, 0)
    + struct.pack(">BHHBHHB", 0, 11, 6, 1, 17, 1, 0xFF)
    + struct.pack(">BBHH", 15, 0, 2000, 0)
    + b"\x02"
)


def pg(kind: bytes, payload: bytes) -> bytes:
    return kind + struct.pack(">I", len(payload) + 4) + payload


def pg_error(code: bytes, text: bytes) -> bytes:
    return pg(b"E", b"SFATAL\0VFATAL\0C" + code + b"\0M" + text + b"\0Fauth.c\0L1\0Rx\0\0")


# Connection.Start: class and method 10, version 0-9, the server's properties
PROPERTIES = b"\x07productS\0\0\0\x08RabbitMQ\x07versionS\0\0\0\x023."
START = b"\0\x0a\0\x0a\0\x09" + struct.pack(">I", len(PROPERTIES)) + PROPERTIES

# OpenLDAP's answer to an anonymous bind (RFC 4511, section 4.2.2), and with another result
BOUND = b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\0\x04\0\x04\0"


def bind_answer(code: int, text: bytes = b"") -> bytes:
    said = b"\x0a\x01" + bytes([code]) + b"\x04\0\x04" + bytes([len(text)]) + text
    operation = b"\x02\x01\x01\x61" + bytes([len(said)]) + said
    return b"\x30" + bytes([len(operation)]) + operation


INFO = b'INFO {"server_id":"N","version":"2.9.10","proto":1,"max_payload":1048576} \r\n'
SRVR = (
    b"Zookeeper version: 3.8.0-5a02a05eddb59aee6ac762f7ea82e92a68eb9c0f, built on 2022-02-25 UTC\n"
    b"Latency min/avg/max: 0/0.0/0\nReceived: 1\nSent: 0\nConnections: 1\nOutstanding: 0\n"
    b"Zxid: 0x0\nMode: standalone\nNode count: 5\n"
)

GOOD: dict[Dialogue, bytes] = {
    smtp.DIALOGUE: b"220-one\r\n220 two\r\n250-a\r\n250 b\r\n",
    imap.DIALOGUE: b"* OK [CAPABILITY IMAP4rev1] ready\r\na1 OK done\r\n",
    pop3.DIALOGUE: b"+OK ready\r\n",
    ftp.DIALOGUE: b"220 ready\r\n200 NOOP ok\r\n",
    ssh.DIALOGUE: b"SSH-2.0-OpenSSH_9.2p1\r\n",
    redis.DIALOGUE: b"+PONG\r\n",
    memcached.DIALOGUE: b"VERSION 1.6.18\r\n",
    postgres.DIALOGUE: pg(b"R", struct.pack(">I", 10) + b"SCRAM-SHA-256\0\0"),
    mysql.DIALOGUE: GREETING + SWITCH + DENIED,
    mongodb.DIALOGUE: message(WIRE + OK),
    mssql.DIALOGUE: PRELOGIN,
    amqp.DIALOGUE: b"\x01\0\0" + struct.pack(">I", len(START)) + START + b"\xce",
    kafka.DIALOGUE: b"\0\0\0\x10\0\0\0\x07\0\0\0\0\0\x01\0\x12\0\0\0\x03",
    mqtt.DIALOGUE: b"\x20\x02\0\0",
    ldap.DIALOGUE: BOUND,
    nats.DIALOGUE: INFO + b"PONG\r\n",
    zookeeper.DIALOGUE: SRVR,
}


def snmp_answer(question: bytes, value: bytes = b"\x43\x02\x30\x39", error: int = 0) -> bytes:
    """An agent's answer to a GET of version 1 or 2c (RFC 3416, section 3): this value."""
    message, _ = ber.read(question)
    version, rest = ber.read_integer(message.content)
    community, rest = ber.read(rest)
    get, _ = ber.read(rest)
    number, rest = ber.read_integer(get.content)
    _, rest = ber.read_integer(rest)
    _, rest = ber.read_integer(rest)
    bindings, _ = ber.read(rest)
    binding, _ = ber.read(bindings.content)
    name, _ = ber.read(binding.content)
    found = ber.encoded(ber.SEQUENCE, ber.encoded(name.tag, name.content), value)
    status = ber.integer(error) + ber.integer(1 if error else 0)
    answer = ber.integer(number) + status + ber.encoded(ber.SEQUENCE, found)
    return ber.encoded(
        ber.SEQUENCE,
        ber.integer(version),
        ber.encoded(ber.OCTET_STRING, community.content),
        ber.encoded(0xA2, answer),
    )


def snmp_report(question: bytes, engine: bytes = b"\x80\0\x1f\x88\x80abcd") -> bytes:
    """A report of version 3 (RFC 3414, section 3.2): the sender's engine was not known."""
    message, _ = ber.read(question)
    _, rest = ber.read_integer(message.content)
    header, _ = ber.read(rest)
    number, _ = ber.read_integer(header.content)
    nothing = ber.encoded(ber.OCTET_STRING)
    user = (ber.encoded(ber.OCTET_STRING, engine), ber.integer(3), ber.integer(77), nothing * 3)
    counter = ber.object_identifier("1.3.6.1.6.3.15.1.1.4.0") + b"\x41\x01\x01"
    listed = ber.encoded(ber.SEQUENCE, ber.encoded(ber.SEQUENCE, counter))
    report = ber.encoded(0xA8, ber.integer(0) * 3, listed)
    return ber.encoded(
        ber.SEQUENCE,
        ber.integer(3),
        ber.encoded(
            ber.SEQUENCE,
            ber.integer(number),
            ber.integer(65_507),
            ber.encoded(ber.OCTET_STRING, b"\0"),
            ber.integer(3),
        ),
        ber.encoded(ber.OCTET_STRING, ber.encoded(ber.SEQUENCE, *user)),
        ber.encoded(ber.SEQUENCE, ber.encoded(ber.OCTET_STRING, engine), nothing, report),
    )
