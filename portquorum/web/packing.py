"""How answers are packed for the way: Brotli where a client takes it, else gzip."""

import gzip
from collections.abc import Iterable
from typing import Final

import brotli

BROTLI: Final = "br"
GZIP: Final = "gzip"
NOT_PACKED: Final = "identity"
PACKED_FROM: Final = 800
"""Smaller answers are sent as they are, in bytes."""
BROTLI_QUALITY: Final = 4
GZIP_LEVEL: Final = 6


def encoding_for(accepted: Iterable[str]) -> str:
    """The content coding for the values of `Accept-Encoding` (RFC 9110, section 12.5.3)."""
    refused: set[str] = set()
    taken: set[str] = set()
    for one in ",".join(accepted).lower().split(","):
        name, _, weight = one.replace(" ", "").partition(";")
        (refused if _is_zero(weight) else taken).add(name)
    named = next((one for one in (BROTLI, GZIP) if one in taken), None)
    if named is None and "*" in taken:
        named = next((one for one in (BROTLI, GZIP) if one not in refused), None)
    return named or NOT_PACKED


def packed(body: bytes, encoding: str) -> bytes:
    """The bytes in this coding."""
    match encoding:
        case "br":
            return bytes(brotli.compress(body, mode=brotli.MODE_TEXT, quality=BROTLI_QUALITY))
        case "gzip":
            return gzip.compress(body, GZIP_LEVEL, mtime=0)
        case _:
            return body


def _is_zero(weight: str) -> bool:
    name, _, value = weight.partition("=")
    return name == "q" and value.strip("0.") == "" and value != ""
