"""TCP ports of known services, and the notation of port ranges."""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

MOST: Final = 65_535


class Service(Struct, frozen=True):
    """The usual service of a port, and the kind of check for it."""

    name: str
    kind: str = "tcp"


_HTTP: Final = Service("HTTP", "http")
_HTTPS: Final = Service("HTTPS", "http")

# From IANA's registry and the defaults of what people run.
SERVICES: Final[dict[int, Service]] = {
    21: Service("FTP", "ftp"),
    22: Service("SSH", "ssh"),
    23: Service("Telnet"),
    25: Service("SMTP", "smtp"),
    53: Service("DNS"),
    80: _HTTP,
    88: Service("Kerberos"),
    110: Service("POP3", "pop3"),
    111: Service("rpcbind"),
    135: Service("MS RPC"),
    139: Service("NetBIOS"),
    143: Service("IMAP", "imap"),
    179: Service("BGP"),
    389: Service("LDAP", "ldap"),
    443: _HTTPS,
    445: Service("SMB"),
    465: Service("SMTP submission", "smtp"),
    514: Service("Syslog"),
    515: Service("LPD"),
    554: Service("RTSP"),
    587: Service("SMTP submission", "smtp"),
    631: Service("IPP"),
    636: Service("LDAPS", "ldap"),
    853: Service("DNS over TLS", "tls"),
    873: Service("rsync"),
    990: Service("FTPS", "ftp"),
    993: Service("IMAPS", "imap"),
    995: Service("POP3S", "pop3"),
    1080: Service("SOCKS"),
    1194: Service("OpenVPN"),
    1433: Service("SQL Server", "mssql"),
    1521: Service("Oracle"),
    1723: Service("PPTP"),
    1883: Service("MQTT", "mqtt"),
    2049: Service("NFS"),
    2181: Service("ZooKeeper", "zookeeper"),
    2222: Service("SSH", "ssh"),
    2375: Service("Docker"),
    2376: Service("Docker over TLS", "tls"),
    2379: Service("etcd"),
    2380: Service("etcd peer"),
    3000: _HTTP,
    3128: Service("Squid"),
    3260: Service("iSCSI"),
    3268: Service("LDAP global catalog", "ldap"),
    3269: Service("LDAPS global catalog", "ldap"),
    3306: Service("MySQL", "mysql"),
    3389: Service("RDP"),
    4222: Service("NATS", "nats"),
    4369: Service("epmd"),
    4443: Service("HTTPS", "tls"),
    5000: _HTTP,
    5044: Service("Beats"),
    5060: Service("SIP"),
    5061: Service("SIP over TLS", "tls"),
    5222: Service("XMPP"),
    5269: Service("XMPP servers"),
    5432: Service("PostgreSQL", "postgres"),
    5601: Service("Kibana", "http"),
    5666: Service("NRPE"),
    5671: Service("AMQPS", "amqp"),
    5672: Service("AMQP", "amqp"),
    5900: Service("VNC"),
    5984: Service("CouchDB", "http"),
    5985: Service("WinRM"),
    5986: Service("WinRM over TLS", "tls"),
    6000: Service("X11"),
    6379: Service("Redis", "redis"),
    6443: Service("Kubernetes API", "tls"),
    6667: Service("IRC"),
    7000: Service("Cassandra peer"),
    7077: Service("Spark"),
    7474: Service("Neo4j", "http"),
    7687: Service("Neo4j Bolt"),
    8000: _HTTP,
    8008: _HTTP,
    8080: _HTTP,
    8081: _HTTP,
    8086: Service("InfluxDB"),
    8088: _HTTP,
    8123: Service("ClickHouse HTTP", "http"),
    8200: Service("Vault"),
    8443: _HTTPS,
    8500: Service("Consul", "http"),
    8883: Service("MQTT over TLS", "mqtt"),
    8888: _HTTP,
    9000: Service("ClickHouse native"),
    9042: Service("Cassandra"),
    9090: Service("Prometheus", "http"),
    9092: Service("Kafka", "kafka"),
    9093: Service("Alertmanager", "http"),
    9100: Service("node exporter", "http"),
    9200: Service("Elasticsearch"),
    9300: Service("Elasticsearch peer"),
    9418: Service("Git"),
    9443: Service("HTTPS", "tls"),
    10000: Service("Webmin"),
    10050: Service("Zabbix agent"),
    10051: Service("Zabbix server"),
    10250: Service("kubelet", "tls"),
    11211: Service("memcached", "memcached"),
    15672: Service("RabbitMQ management", "http"),
    25565: Service("Minecraft"),
    26257: Service("CockroachDB", "postgres"),
    27017: Service("MongoDB", "mongodb"),
    50051: Service("gRPC", "grpc"),
    61616: Service("ActiveMQ"),
}


CLOSED_FROM_OUTSIDE: Final = frozenset(
    {
        *(23, 111, 135, 139, 445, 514, 515, 631, 2049, 3260, 3389, 5900, 5985, 6000),
        *(1433, 1521, 3306, 5432, 5984, 6379, 7000, 7474, 7687, 8086, 8123, 9000, 9042, 9200),
        *(9300, 11211, 26257, 27017, 61616),
        *(2181, 2375, 2376, 2379, 2380, 4369, 5044, 5601, 5666, 7077, 8200, 8500, 9092, 9093),
        *(9100, 10050, 10051, 10250, 15672),
    }
)
"""Ports that hardly anybody opens to all on purpose: shares and remote control, databases, and what
clusters say among themselves. Of a host that is watched from outside they should be closed."""


def parse(text: str) -> tuple[int, ...]:
    """The ports of `22`, `1-1024` or `1-1024,5432`, ascending.

    Raises:
        ValueError: not of that form.
    """
    found: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        low, high = _number(first), _number(last) if dash else _number(first)
        if low is None or high is None or low > high:
            raise ValueError(f"expected ports such as 1-1024,5432 (1 to {MOST}), found {text!r}")
        found.update(range(low, high + 1))
    return tuple(sorted(found))


def text(ports: Iterable[int]) -> str:
    """Ports in the notation of `parse`, with blanks after the commas."""
    ranges: list[tuple[int, int]] = []
    for port in sorted(ports):
        if ranges and ranges[-1][1] == port - 1:
            ranges[-1] = (ranges[-1][0], port)
        else:
            ranges.append((port, port))
    return ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in ranges)


def _number(text: str) -> int | None:
    plain = text.strip()
    if not (plain.isascii() and plain.isdecimal()) or len(plain) > len(str(MOST)):
        return None
    return int(plain) if 0 < int(plain) <= MOST else None
