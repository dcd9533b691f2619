"""Whom a row asks: a host, a host with a port, or a URL of any scheme."""

import re
from typing import Any, Final
from urllib.parse import urlsplit

from portquorum.importing.private_hosts import is_address
from portquorum.importing.urls import http_place, tls_option
from producers.kinds.registry import KINDS
from schemas.partition import canonical_host

_KIND_WORDS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "https": ("http", {"tls": True}),
    "website": ("http", {}),
    "web": ("http", {}),
    "http(s)": ("http", {}),
    "keyword": ("http", {}),
    "ping": ("icmp", {}),
    "icmpping": ("icmp", {}),
    "port": ("tcp", {}),
    "tcpport": ("tcp", {}),
    "socket": ("tcp", {}),
    "ssl": ("tls", {}),
    "certificate": ("tls", {}),
    "cert": ("tls", {}),
    "ws": ("websocket", {}),
    "wss": ("websocket", {"tls": True}),
    "postgresql": ("postgres", {}),
    "mariadb": ("mysql", {}),
    "sqlserver": ("mssql", {}),
    "mongo": ("mongodb", {}),
    "rabbitmq": ("amqp", {}),
    "rediss": ("redis", {"tls": "implicit"}),
    "amqps": ("amqp", {"tls": "implicit"}),
    "mqtts": ("mqtt", {"tls": "implicit"}),
    "ldaps": ("ldap", {"tls": "implicit"}),
    "smtps": ("smtp", {"tls": "implicit"}),
    "imaps": ("imap", {"tls": "implicit"}),
    "pop3s": ("pop3", {"tls": "implicit"}),
    "ftps": ("ftp", {"tls": "implicit"}),
    "sftp": ("ssh", {}),
    "rdap": ("domain", {}),
    "whois": ("domain", {}),
    "push": ("heartbeat", {}),
    "cron": ("heartbeat", {}),
}
_USUAL_PORTS: Final = {
    "ldaps": 636,
    "smtps": 465,
    "imaps": 993,
    "pop3s": 995,
    "ftps": 990,
    "amqps": 5671,
    "mqtts": 8883,
    "https": 443,
    "wss": 443,
}
_HTTP: Final = frozenset({"http", "https", "ws", "wss"})
_BRACKETS: Final = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::([0-9]{1,5}))?")
_SEPARATED: Final = re.compile(r"(\S+?)(?::|\s+|/)([0-9]{1,5})(?:/(tcp|udp))?")


def kind(word: str) -> tuple[str, dict[str, Any], int | None]:
    """The kind for a word, the options that it means, and its usual port if it is not the kind's.

    Raises:
        ValueError: an unknown word.
    """
    text = re.sub(r"[\s_-]", "", word.strip().lower())
    if text in KINDS or text == "heartbeat":
        return text, {}, None
    if text not in _KIND_WORDS:
        shown = ", ".join(KINDS)
        raise ValueError(f"expected a kind ({shown}), found another word")
    name, options = _KIND_WORDS[text]
    return name, dict(options), _USUAL_PORTS.get(text)


def place(text: str) -> dict[str, Any]:
    """The fields that a host, `host:port`, `host port`, `[::1]:22` or URL says.

    Raises:
        ValueError: it is none of these.
    """
    bare = text.strip().rstrip("/") if "://" not in text else text.strip()
    if "://" in bare:
        return _of_url(bare)
    brackets = _BRACKETS.fullmatch(bare)
    if brackets:
        return _host(brackets[1]) | _port(brackets[2])
    if bare.count(":") > 1:
        return _host(bare)
    both = _SEPARATED.fullmatch(bare)
    if both:
        found = _host(both[1]) | _port(both[2])
        return found | ({"kind": "udp"} if both[3] == "udp" else {})
    if "/" in bare and not is_address(bare):
        return _of_url(f"http://{bare}")
    return _host(bare)


def _of_url(text: str) -> dict[str, Any]:
    scheme = text.partition("://")[0].lower()
    if scheme in _HTTP:
        found = http_place(text)
        entry: dict[str, Any] = {
            "kind": "http" if scheme.startswith("http") else "websocket",
            "host": found.host,
        }
        if found.port != 80:
            entry["port"] = found.port
        probe: dict[str, Any] = {} if found.path == "/" else {"path": found.path}
        probe |= tls_option(found.port, tls=found.tls)
        return entry | ({"probe": probe} if probe else {})
    name, options, usual = kind(scheme)
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("expected a URL with a host and perhaps a port") from None
    entry = {"kind": name} | _host(host) | ({"port": port or usual} if port or usual else {})
    return entry | ({"probe": options} if options else {})


def _host(text: str) -> dict[str, Any]:
    return {"host": canonical_host(text.strip())}


def _port(text: str | None) -> dict[str, Any]:
    if not text:
        return {}
    if not 0 < int(text) < 65_536:
        raise ValueError("expected a port from 1 to 65535")
    return {"port": int(text)}
