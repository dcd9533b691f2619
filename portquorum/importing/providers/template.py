"""Channels by a template: `tgram://{!token}/{id}?topic={topic}`.

In the braces stands the name of a field of the source, as it is written, encoded for its place;
with a mark: `!` a secret; `*` each of a list, a URL for each; `@` an http(s) address of which host,
port and path stand there, and whose `s` of https is `{s}`; `#` such an address of which the host
and port stand there alone. `{@url=https://ntfy.sh}` has a default. A parameter whose field is not
there is left out.
"""

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import SplitResult, quote, urlsplit

from msgspec import Struct

from portquorum.importing.providers.given import Given, MissingFieldError, RefusedError

Maker = Callable[[Given], list[str]]
"""The URLs of a channel; raises MissingFieldError and RefusedError."""

_FIELD: Final = re.compile(r"\{([!*@#]?)([A-Za-z0-9_-]+)(?:=([^{}]*))?\}")
_LATER: Final = "\0"
_PLACEHOLDER: Final = re.compile(r"(\$\{[A-Za-z_][A-Za-z0-9_]*\})")


class Address(Struct, frozen=True):
    """An http(s) address: `place` is host and port."""

    tls: bool
    place: str
    path: str = ""


def by(template: str, *notes: str) -> Maker:
    """Makes URLs by a template; `notes` are differences that there always are."""
    base, _, query = template.partition("?")

    def make(given: Given) -> list[str]:
        for note in notes:
            given.differ(note)
        each = [name for mark, name, _ in _FIELD.findall(base) if mark == "*"]
        made = _filled(base, given)
        kept = [one for pair in query.split("&") if pair and (one := _parameter(pair, given))]
        whole = f"{made}?{'&'.join(kept)}" if kept else made
        if not each:
            return [whole]
        safe = _safe(base[base.index(f"{{*{each[0]}}}") + len(each[0]) + 3 :])
        return [whole.replace(_LATER, encoded(one, safe)) for one in given.listed(each[0])]

    return make


def address(given: Given, name: str, default: str = "") -> Address:
    """The address in a field; a variable there has no host that is known.

    Raises:
        MissingFieldError: there is none.
    """
    text = (given.optional(name) or default) if default else given.text(name)
    if text.startswith("${"):
        given.differ(f"its variable has to have host and port of {name} alone, such as HOST:443")
        return Address(tls=True, place=text)
    parts = split(text if "://" in text else f"https://{text}", name)
    place = parts.netloc.rpartition("@")[2]
    if not place:
        raise MissingFieldError(name)
    if "@" in parts.netloc:
        given.differ(f"user and password of {name} are not taken over")
    return Address(tls=parts.scheme != "http", place=place, path=parts.path.rstrip("/"))


def split(url: str, name: str) -> SplitResult:
    """The parts of a URL.

    Raises:
        RefusedError: it is none.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port  # what is no port may be a password with a slash in it
    except ValueError:
        raise RefusedError(f"{name}: expected a URL, found another text") from None
    return parts


def encoded(text: str, safe: str) -> str:
    """Percent-encoded, save the placeholders."""
    return "".join(
        part if number % 2 else quote(part, safe=safe)
        for number, part in enumerate(_PLACEHOLDER.split(text))
    )


def _filled(base: str, given: Given) -> str:
    tls: list[bool] = []

    def value(found: re.Match[str]) -> str:
        mark, name = found[1], found[2]
        if mark == "!":
            return given.secret(name)
        if mark == "*":
            return _LATER
        if mark in {"@", "#"}:
            one = address(given, name, found[3] or "")
            tls.append(one.tls)
            return one.place + (one.path if mark == "@" else "")
        if name == "s":
            return found[0]
        return encoded(_plain(given, name, found[3]), _safe(base[found.end() :]))

    made = _FIELD.sub(value, base)
    return made.replace("{s}", "s" if all(tls) else "")


def _plain(given: Given, name: str, default: str | None) -> str:
    return given.text(name) if default is None else given.optional(name) or default


def _parameter(pair: str, given: Given) -> str:
    """A parameter with its value; empty without one."""
    name, _, value = pair.partition("=")
    found = _FIELD.fullmatch(value)
    if found is None:
        return pair
    if found[1] == "!":
        return f"{name}={given.secret(found[2])}" if given.has(found[2]) else ""
    text = given.optional(found[2])
    return f"{name}={encoded(text, '')}" if text else ""


def _safe(after: str) -> str:
    """Characters that stay: none before the `@` of credentials."""
    return "" if "@" in after.partition("/")[0] else "#@+:!"
