"""What a request asks for: path, query and headers of the three APIs, as values. Pure."""

import re
import uuid
from collections.abc import Iterable
from typing import Final
from urllib.parse import parse_qsl

from msgspec import Struct

from portquorum.receiver.report import Surface
from schemas.result import Signal

MOST_FIELDS: Final = 50
LONGEST_PATH: Final = 600

_SECOND_MS: Final = 1_000.0
_UNITS_MS: Final = {
    "ns": 1e-6,
    "us": 1e-3,
    "\u00b5s": 1e-3,
    "\u03bcs": 1e-3,
    "ms": 1.0,
    "s": _SECOND_MS,
    "m": 60 * _SECOND_MS,
    "h": 3600 * _SECOND_MS,
}
_GO_PART: Final = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)")
_GO: Final = re.compile(rf"(?:{_GO_PART.pattern})+")
_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_SIGNALS: Final[dict[str, Signal]] = {"": "success", "start": "start", "fail": "fail", "log": "log"}
_MOST_CODE: Final = 255


class BadUrlError(ValueError):
    """The address is none of ours; the text is what Healthchecks answers (400)."""


class Path(Struct, frozen=True):
    """A path: whose API it is, and what stands behind its beginning."""

    surface: Surface
    parts: tuple[str, ...]


class Ending(Struct, frozen=True):
    """The end of an address of Healthchecks."""

    signal: Signal
    exit_code: int | None = None


def path_of(path: str) -> Path | None:
    """The path of a request; None: it is none of the receiver's."""
    if path.startswith("/ping/"):
        return Path("healthchecks", _parts(path, 2))
    if path.startswith("/api/push/"):
        return Path("kuma", _parts(path, 3))
    if path.startswith("/api/v1/endpoints/") and path.endswith("/external"):
        parts = _parts(path, 4)
        return Path("gatus", parts[:-1]) if len(parts) == 2 else None
    return None


def _parts(path: str, first: int) -> tuple[str, ...]:
    """What stands behind the first slashes; a slash at the end is left out."""
    if len(path) > LONGEST_PATH:
        return ()
    return tuple(path.removesuffix("/").split("/")[first:])


def query_of(raw: bytes) -> dict[str, str]:
    """The fields of a query; of two with one name the last one counts."""
    if not raw:
        return {}
    try:
        return dict(
            parse_qsl(raw.decode("latin-1"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
        )
    except ValueError:
        return {}


def ending_of(text: str) -> Ending | None:
    """What the end of an address says: nothing, `start`, `fail`, `log`, or an exit code.

    None: it is none of these.

    Raises:
        BadUrlError: an exit code above 255.
    """
    signal = _SIGNALS.get(text)
    if signal is not None:
        return Ending(signal)
    if not text.isascii() or not text.isdecimal():
        return None
    code = int(text) if len(text) <= 10 else _MOST_CODE + 1
    if code > _MOST_CODE:
        raise BadUrlError("invalid url format")
    return Ending("fail" if code else "success", code)


def run_of(query: dict[str, str]) -> str | None:
    """The id of a run (`rid`), in lower case; None: it has none.

    Raises:
        BadUrlError: it is no UUID.
    """
    given = query.get("rid")
    if given is None:
        return None
    if not _UUID.fullmatch(given):
        raise BadUrlError("invalid uuid format")
    return str(uuid.UUID(given))


def bearer_of(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The token of `Authorization: Bearer …`; "": it is empty, None: there is no such header."""
    for name, value in headers:
        if name.lower() == b"authorization" and value[:7] == b"Bearer ":
            return value[7:].decode("latin-1").strip()
    return None


def go_duration_ms(text: str) -> float | None:
    """A duration as Go writes it (`1m2.5s`, time.ParseDuration), in ms; None: it is none."""
    unsigned = text.removeprefix("+")
    if unsigned == "0":
        return 0.0
    if len(text) > 100 or not _GO.fullmatch(unsigned.removeprefix("-")):
        return None
    whole = sum(float(one) * _UNITS_MS[unit] for one, unit in _GO_PART.findall(unsigned))
    return -whole if unsigned.startswith("-") else whole
