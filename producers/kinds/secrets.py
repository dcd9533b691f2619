"""Secrets of checks: `${PORTQUORUM_SECRET_NAME}` in some options, replaced in the prober alone.

Whoever edits the inventory chooses where a check leads. So no other variable of the prober is ever
read, a secret may be bound to hosts (`PORTQUORUM_SECRET_NAME_HOSTS`), and none goes in clear
without `insecure: true`. `$$` stands for a single `$`.
"""

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from urllib.parse import quote

from foundation import settings
from producers.checks.errors import CheckFailedError

PREFIX: Final = settings.SECRETS
HOSTS: Final = "_HOSTS"
"""The end of the name of a variable with the hosts of a secret; no secret has such a name."""

SHORTEST: Final = 4
"""The fewest characters of a secret: a shorter one can't be told from other text in an answer."""
LONGEST: Final = 65_536

MOST_FILLED_IN: Final = 2**20
"""The most characters of secrets in one option: a short text may name a long secret many times."""

_TOKEN: Final = re.compile(r"\$\$|\$\{([^}]*)\}|\$\{")
_NAME: Final = re.compile(r"PORTQUORUM_SECRET_[A-Z0-9_]{1,100}\Z")
_PORT: Final = re.compile(r"(?<=[^:]):[0-9]*\Z")
_ONE_LINE: Final = ("headers", "metadata", "bearer", "basic_auth", "community", "proxy")
# What may stand in a request's target as it is (RFC 3986), and a percent sign: a secret may be
# encoded already. "#" would end the target.
_OF_PATH: Final = "/:@!$&'()*+,;=-._~%?"


def names(text: str) -> tuple[str, ...]:
    """The names in the placeholders of `text`, each once, in order; any name, also a wrong one."""
    return tuple(dict.fromkeys(_placeholders(text)))


def is_secret(name: str) -> bool:
    """Whether a variable of this name may be a secret of checks."""
    return _NAME.match(name) is not None and not name.endswith(HOSTS)


def between(text: str) -> list[str]:
    """The parts of `text` before, between and after its placeholders, as a check has them."""
    plain = _TOKEN.sub(lambda found: "$" if found[0] == "$$" else "\0", text)
    return [part for part in plain.split("\0") if part]


def unescaped(text: str) -> str:
    """`text` with `$$` as `$`; its placeholders stay."""
    return _TOKEN.sub(lambda found: "$" if found[0] == "$$" else found[0], text)


def filled_in(text: str, field: str, values: Mapping[str, str]) -> str:
    """`text` with the values of its placeholders, each written as the option `field` needs it.

    In `json` a value is escaped as in a string of JSON. In `path` it is percent-encoded: behind a
    `=` all of it, elsewhere what can't stand in a path. In `proxy` all of it is.
    """

    def value(found: re.Match[str]) -> str:
        if found[0] == "$$":
            return "$"
        secret = values[found[1]]
        if field == "json":
            return json.dumps(secret)[1:-1]
        if field == "path":
            after_equals = text[: found.start()].endswith("=")
            return quote(secret, safe="" if after_equals else _OF_PATH)
        return quote(secret, safe="") if field == "proxy" else secret

    return _TOKEN.sub(value, text)


def values_of(
    text: str, field: str, seen_by: Iterable[tuple[str, str]], env: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """The values of the secrets in `text`.

    `seen_by` are the hosts that could see them, each with the option that leads there.

    Raises:
        CheckFailedError: `secret_missing`; the detail names the variables, never a value.
            `prober_error`: they are too much for one option.
    """
    hosts = tuple(seen_by)
    found: dict[str, str] = {}
    unset: list[str] = []
    for name in names(text):
        if not is_secret(name):
            text = f"{field}: expected a name {PREFIX}…, found {name[:100]!r}: no other variable"
            raise CheckFailedError("secret_missing", f"{text} of the prober is given to a check")
        value = env.get(name, "")
        if value:
            _check(name, value, field, hosts, env.get(name + HOSTS))
            found[name] = value
        else:
            unset.append(name)
    if unset:
        are = "is" if len(unset) == 1 else "are"
        where = "in this prober's environment"
        raise CheckFailedError("secret_missing", f"{', '.join(unset)} {are} not set {where}")
    size = sum(len(found[name]) for name in _placeholders(text))
    if size > MOST_FILLED_IN:
        said = f"{field}: expected secrets of at most {MOST_FILLED_IN} characters, found {size}"
        raise CheckFailedError("prober_error", said)
    return found


def bound_to(written: str, host: str) -> bool:
    """Whether `host` is one of the hosts of a binding: `api.example.com,*.example.org`.

    `*.` stands for one or more labels; upper and lower case are the same.
    """
    name = _plain(host)
    for one in written.split(","):
        pattern = _plain(one)
        if pattern.startswith("*."):
            if len(pattern) > len("*.") and name.endswith(pattern[1:]) and name != pattern[1:]:
                return True
        elif pattern and name == pattern:
            return True
    return False


def _check(
    name: str, value: str, field: str, seen_by: tuple[tuple[str, str], ...], bound: str | None
) -> None:
    if not SHORTEST <= len(value) <= LONGEST:
        text = f"{name} has {len(value)} characters, expected {SHORTEST} to {LONGEST}"
        raise CheckFailedError("secret_missing", text)
    if field.startswith(_ONE_LINE) and any(mark in value for mark in "\r\n\0"):
        text = f"{name} has a line break or NUL, which can't stand in {field}"
        raise CheckFailedError("secret_missing", text)
    for host, option in seen_by if bound is not None else ():
        if not bound_to(bound or "", host):
            text = f"{name} is not for {option} {host}: expected one of those in {name}{HOSTS}"
            raise CheckFailedError("secret_missing", text)


def _placeholders(text: str) -> Iterator[str]:
    for found in _TOKEN.finditer(text):
        if found[0] != "$$":
            yield found[1] or ""


def _plain(host: str) -> str:
    name = host.strip()
    if name.count(":") < 2 or name.startswith("["):  # else an address of IPv6, without a port
        name = _PORT.sub("", name)
    return name.strip("[]").rstrip(".").lower()
