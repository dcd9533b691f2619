"""The kinds in a sentence each, and how their targets may be written."""

from typing import Final

from msgspec import Struct

from portquorum.inventory.heartbeats import KIND as HEARTBEAT
from producers.kinds.registry import KINDS
from schemas.probe import HandshakeProbe, Tls

TEXT: Final[dict[str, str]] = {
    "tcp": "The port takes connections, and answers a dialogue of your own.",
    "udp": "An answer comes to a datagram.",
    "tls": "A TLS handshake, and a certificate that holds.",
    "http": "A web page or an API: status, header fields, body.",
    "websocket": "A WebSocket: the upgrade, and messages.",
    "grpc": "The health service of a gRPC server.",
    "dns": "A name server's answer.",
    "icmp": "Ping.",
    "domain": "The registration of a domain, and when it ends.",
    "smtp": "A mail server.",
    "imap": "An IMAP server.",
    "pop3": "A POP3 server.",
    "ftp": "An FTP server.",
    "ssh": "An SSH server.",
    "redis": "Redis, Valkey and what speaks like them.",
    "memcached": "memcached.",
    "postgres": "PostgreSQL, and poolers before it.",
    "mysql": "MySQL and MariaDB.",
    "mongodb": "MongoDB.",
    "mssql": "Microsoft SQL Server.",
    "amqp": "RabbitMQ and other brokers of AMQP.",
    "kafka": "A broker of Kafka.",
    "mqtt": "A broker of MQTT.",
    "ldap": "An LDAP server.",
    "nats": "NATS.",
    "zookeeper": "ZooKeeper, ClickHouse Keeper.",
    "snmp": "An SNMP agent.",
    "ntp": "A time server.",
    HEARTBEAT: "A job that reports itself; nothing is connected to.",
}
"""Kind → what is checked."""

_WAYS: Final[tuple[Tls, ...]] = ("none", "starttls", "implicit")
_VERSIONS: Final = ("1.0", "0-9-1")


def tls_ways(kind: str) -> tuple[str, ...]:
    """The values of `tls` that a kind of a handshake takes."""
    return tuple(way for way in _WAYS if _takes(kind, HandshakeProbe(tls=way)))


def versions(kind: str) -> tuple[str, ...]:
    """The values of `version` that a kind of a handshake takes."""
    return tuple(one for one in _VERSIONS if _takes(kind, HandshakeProbe(version=one)))


def _takes(kind: str, probe: HandshakeProbe) -> bool:
    known = KINDS[kind]
    try:
        known.settle(probe, known.port)
    except ValueError:
        return False
    return True


def options_of(kind: str) -> type[Struct] | None:
    """The Struct of the options of a kind; None without options, as of a heartbeat."""
    known = KINDS.get(kind)
    return None if known is None else known.options
