"""What to write in place of a host that is none."""

from typing import Final
from urllib.parse import urlsplit

from portquorum.inventory.explain import placeholder

_KINDS: Final = {
    "http": ("http", 80),
    "https": ("http", 443),
    "ws": ("websocket", 80),
    "wss": ("websocket", 443),
    "tcp": ("tcp", None),
    "postgres": ("postgres", 5432),
    "postgresql": ("postgres", 5432),
    "redis": ("redis", 6379),
    "mysql": ("mysql", 3306),
    "smtp": ("smtp", 25),
    "ldap": ("ldap", 389),
}
"""The kind of a scheme, and the port that it has without a word."""


def beside(host: str) -> str:
    """What a host that is a URL, has a port or a variable is to be split into; empty for others."""
    variable = placeholder(host)
    if variable:
        return variable
    if "://" in host:
        text = ": of a URL the host alone, the rest is kind, port and probe: {path: …}"
        return f"{text}{_parts(host)}"
    name, colon, port = host.rpartition(":")
    if name and colon and port.isdecimal():
        return f": the port is a field of its own; write host: {name}, port: {port}"
    if "," in host:
        return ": each host is a target of its own"
    return ""


def _parts(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return ""
    kind, usual = _KINDS.get(parts.scheme, (None, None))
    if not host or kind is None or parts.username or parts.password:
        return ""
    fields = [f"kind: {kind}", f"host: {host}"]
    shown = port or (443 if usual == 443 else None)
    fields += [f"port: {shown}"] if shown is not None else []
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    if path not in {"", "/"} and kind in {"http", "websocket"} and len(path) <= 80:
        fields.append(f"probe: {{path: {path}}}")
    return f"; write {', '.join(fields)}"
