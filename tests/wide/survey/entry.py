"""An entry of another monitor's file, and how an inventory says it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from msgspec import Struct

_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][\w.]*)[^}]*\}+|\$([A-Z_][A-Z0-9_]+)|\{\{[^}]*\}\}")
_PORTS: Final = {"http": 80, "https": 443}


class Entry(Struct, kw_only=True):
    """An entry: what it asks for, and the target that says it.

    `features` are keys of `features.FEATURES`. `targets` is empty when nothing says it; `missing`
    tells why. `networked` is false for what no check over a network can be (disks, processes).
    """

    where: str
    name: str
    features: list[str]
    targets: list[dict[str, Any]] = []
    missing: str | None = None
    networked: bool = True


def literal(text: str, features: list[str]) -> str:
    """The text with its variables written out, as `envsubst` would do before `inventory apply`."""
    found = _VARIABLE.sub(lambda mark: _value(mark[1] or mark[2] or "value"), text)
    if found != text:
        features.append("variable in host, URL or condition")
    return found


def secret(text: str, features: list[str]) -> str:
    """The text with its variables as secrets of the prober."""
    found = _VARIABLE.sub(lambda mark: _secret(mark[1] or mark[2] or "VALUE"), text)
    if found != text:
        features.append("secret in header, path or body")
    return found


def _secret(name: str) -> str:
    return f"${{PORTQUORUM_SECRET_{re.sub('[^A-Z0-9_]', '_', name.upper())}}}"


def _value(name: str) -> str:
    return re.sub("[^a-z0-9]", "-", name.lower()).strip("-") or "value"


def http_target(name: str, url: str, features: list[str]) -> dict[str, Any]:
    """The target of an `http` URL, without expectations."""
    whole = literal(url.strip(), features)
    if "://" not in whole:  # a variable that is a whole URL
        host, _, path = whole.partition("/")
        whole = f"https://{host}.example.com/{path}"
    parts = urlsplit(whole)
    probe: dict[str, Any] = {"tls": parts.scheme in {"https", "wss"}}
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if path != "/":
        probe["path"] = re.sub(r"[^\x21-\x7e]", "%20", path)
    if parts.username:
        features.append("basic auth")
        probe["basic_auth"] = {
            "username": parts.username,
            "password": parts.password or "${PORTQUORUM_SECRET_PASSWORD}",
        }
        probe["insecure"] = not probe["tls"]
    port = parts.port or _PORTS.get(parts.scheme, 443)
    return {
        "name": name,
        "kind": "http",
        "host": parts.hostname or "example.com",
        "port": port,
        "probe": probe,
    }


def each(value: Any, key: str) -> Iterator[Mapping[str, Any]]:
    """Every mapping in the lists below `key`, however deep it lies."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name == key and isinstance(inner, list):
                yield from (one for one in inner if isinstance(one, Mapping))
            else:
                yield from each(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from each(inner, key)


def milliseconds(text: str) -> float:
    """A duration as Go and people write it (`500ms`, `5s`, `48h`); a bare number is ms."""
    factors = {"ms": 1.0, "s": 1e3, "m": 6e4, "h": 3.6e6, "d": 8.64e7, "": 1.0}
    found = re.findall(r"([0-9.]+)(ms|s|m|h|d|)", text.strip())
    return sum(float(number) * factors[unit] for number, unit in found)
