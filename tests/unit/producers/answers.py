"""What servers say when all is well, byte by byte, and what helps to write it down.

For MongoDB and SQL Server, which no package of Debian brings, and for MySQL 8, it is put together
from the pages of their protocols (named beside each).
"""

import struct

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
}
