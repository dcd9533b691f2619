"""The sentence for a kind that is none, with the right one if another monitor calls it so."""

from typing import Final

from portquorum.inventory.heartbeats import KIND as HEARTBEAT
from portquorum.inventory.suggest import did_you_mean
from producers.kinds.registry import KINDS

_MEANT: Final[dict[str, str]] = {
    "https": "http, with port: 443 or probe: {tls: true}",
    "ws": "websocket",
    "wss": "websocket, with port: 443 or probe: {tls: true}",
    "grpcs": "grpc, with probe: {tls: true}",
    "ldaps": "ldap, with probe: {tls: implicit}",
    "smtps": "smtp, with port: 465",
    "imaps": "imap, with port: 993",
    "pop3s": "pop3, with port: 995",
    "ftps": "ftp, with port: 990",
    "amqps": "amqp, with port: 5671",
    "mqtts": "mqtt, with port: 8883",
    "ping": "icmp",
    "ssl": "tls",
    "port": "tcp",
    "keyword": "http, with probe: {expect: …}",
    "mariadb": "mysql",
    "postgresql": "postgres",
    "rabbitmq": "amqp",
    "sqlserver": "mssql",
    "mongo": "mongodb",
    "whois": "domain",
    "rdap": "domain",
    "push": HEARTBEAT,
    "passive": HEARTBEAT,
    "cron": HEARTBEAT,
    "job": HEARTBEAT,
    "cronjob": HEARTBEAT,
    "heartbeats": HEARTBEAT,
}
"""Names that other monitors or URLs have for a kind."""


def unknown(kind: str) -> str:
    """What was expected in place of `kind`, which is no kind."""
    kinds = (*KINDS, HEARTBEAT)
    expected = "expected a kind that can be checked"
    meant = _MEANT.get(kind.lower())
    if meant is None:
        hint = did_you_mean(kind, kinds)
        if hint:
            return f"{expected}, found {kind!r}{hint}"
        meant = ", ".join(kinds)
    return f"{expected} ({meant}), found {kind!r}"
