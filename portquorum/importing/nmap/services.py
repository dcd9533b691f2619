"""Services as nmap names them (nmap-services, nmap-service-probes), as kinds of checks."""

from typing import Final

from msgspec import Struct

from portquorum.inventory import ports


class Service(Struct, frozen=True):
    """A kind, whether TLS begins with the first byte, and what people call it."""

    kind: str
    tls: bool = False
    name: str = ""


_PLAIN: Final = {
    **dict.fromkeys(("http", "http-alt", "http-proxy", "www", "http-mgmt", "soap"), "http"),
    **dict.fromkeys(("upnp", "caldav", "ipp", "websocket", "http-rpc-epmap"), "http"),
    "ssh": "ssh",
    **dict.fromkeys(("smtp", "submission"), "smtp"),
    "imap": "imap",
    "pop3": "pop3",
    "ftp": "ftp",
    **dict.fromkeys(("mysql", "mariadb"), "mysql"),
    "postgresql": "postgres",
    "ms-sql-s": "mssql",
    **dict.fromkeys(("mongodb", "mongod"), "mongodb"),
    "redis": "redis",
    **dict.fromkeys(("memcached", "memcache"), "memcached"),
    "amqp": "amqp",
    **dict.fromkeys(("kafka", "apache-kafka"), "kafka"),
    "mqtt": "mqtt",
    **dict.fromkeys(("ldap", "globalcatldap"), "ldap"),
    "nats": "nats",
    **dict.fromkeys(("zookeeper", "eforward"), "zookeeper"),
}
_WITH_TLS: Final = {
    **dict.fromkeys(("https", "https-alt", "ssl/http", "http-ssl"), "http"),
    "smtps": "smtp",
    "imaps": "imap",
    "pop3s": "pop3",
    "ftps": "ftp",
    **dict.fromkeys(("ldaps", "ldapssl", "globalcatldapssl"), "ldap"),
    "amqps": "amqp",
    "secure-mqtt": "mqtt",
}
_DATAGRAMS: Final = {"domain": "dns", "ntp": "ntp", "snmp": "snmp"}
_IMPLICIT: Final = frozenset(
    {"smtp", "imap", "pop3", "ftp", "redis", "memcached", "mongodb", "amqp", "kafka", "mqtt"}
    | {"ldap", "nats", "zookeeper"}
)
"""Kinds that take `tls: implicit`."""


def of_tcp(name: str, number: int, *, tunnel: bool, probed: bool) -> Service | None:
    """The check for a service; None: nothing more than that the port is open, or that it has TLS.

    What nmap knows by the number alone (`probed` is false) counts where our own table of ports
    says the same.
    """
    bare = name.removeprefix("ssl/")
    kind = _PLAIN.get(bare) or _WITH_TLS.get(name)
    if kind is None:
        return None
    if not probed:
        known = ports.SERVICES.get(number)
        if known is None or known.kind != kind:
            return None
    tls = tunnel or name in _WITH_TLS or name != bare
    if tls and kind != "http" and kind not in _IMPLICIT:
        return None
    return Service(kind, tls)


def of_udp(name: str) -> str | None:
    """The kind for a service over UDP."""
    return _DATAGRAMS.get(name)


def shown(name: str, number: int) -> str:
    """What people call a service: as our table of ports, else as nmap has it."""
    known = ports.SERVICES.get(number)
    if known is not None:
        return known.name
    return name.upper() if name in {"http", "https", "ssh", "ftp", "smtp"} else name or "port"
