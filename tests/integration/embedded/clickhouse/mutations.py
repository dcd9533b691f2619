"""Requests as nobody would write them: known ones, changed by chance.

A pure function of a seed and a number, so that each can be sent again.
"""

import random
import re
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from tests.integration.embedded.clickhouse.attack_requests import HOSTILE, VALID

MOST_BYTES: Final = 96 << 10
"""Longer seeds are cut: what they are about is tried by itself (attack_requests)."""

# What servers, parsers and ClickHouse look for.
_TOKENS: Final = (
    *(b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\x00", b"\xff", b"\xc3", b"\t", b" ", b":", b";", b","),
    *(b"%00", b"%0d%0a", b"%ff", b"%", b"%u0041", b"&", b"=", b"?", b"#", b"/", b"//", b"..", b"*"),
    *(
        b"Content-Length: 5\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Host: x\r\n",
        b"Expect: x\r\n",
    ),
    *(b"Content-Encoding: gzip\r\n", b"Content-Encoding: lz4\r\n", b"Connection: close\r\n"),
    *(b"Content-Type: multipart/form-data; boundary=b\r\n", b"Accept-Encoding: br;q=x, *\r\n"),
    *(b"&compress=1", b"&decompress=1", b"&wait_end_of_query=1", b"&default_format=Native"),
    *(b"&session_id=m", b"&session_timeout=1", b"&readonly=1", b"&query=SELECT+1", b"&extremes=1"),
    *(b"&enable_http_compression=1", b"&max_threads=x", b"&param_x=", b"&database=x", b"&limit=1"),
    *(b"'", b'"', b"`", b"\\", b"/*", b"*/", b"--", b"$a$", b"(", b")", b"[", b"]", b"{", b"}"),
    *(
        b" FORMAT ",
        b" SETTINGS ",
        b" VALUES ",
        b"SELECT ",
        b"INSERT INTO mutants.t ",
        b" UNION ALL ",
    ),
    *(b"JSON", b"Parquet", b"Native", b"Arrow", b"ORC", b"Avro", b"Template", b"Protobuf", b"XML"),
)
_NUMBERS: Final = (b"0", b"-1", b"1", b"255", b"65536", b"2147483648", b"18446744073709551616")
_METHODS: Final = (b"GET", b"POST", b"PUT", b"HEAD", b"OPTIONS", b"get", b"PATCH", b"", b"G\x00T")

Change = Callable[[random.Random, bytearray], None]


class Mutant(NamedTuple):
    """What is sent."""

    parts: Sequence[bytes]
    """One after the other, with a moment in between."""
    waits: bool
    """The client reads the answer; otherwise it leaves at once."""
    seed: bytes
    """The known request, as far as it helps to tell what this was."""


def mutant(seed: int, number: int) -> Mutant:
    """The request of that number."""
    draw = random.Random(f"{seed}/{number}")  # noqa: S311 - no secret
    known = bytes(draw.choice(VALID if draw.random() < 0.6 else HOSTILE)[:MOST_BYTES])
    text = bytearray(known)
    for _ in range(draw.choice((0, 1, 1, 1, 2, 2, 3, 5, 8))):
        draw.choice(_CHANGES)(draw, text)
    if draw.random() < 0.05:
        text += draw.choice(VALID)[:MOST_BYTES]
    parts = [bytes(text)]
    if draw.random() < 0.1:
        cuts = sorted(draw.randrange(len(text) + 1) for _ in range(draw.randint(1, 4)))
        ends = [*cuts, len(text)]
        parts = [bytes(text[at:end]) for at, end in zip([0, *cuts], ends, strict=True)]
    return Mutant(parts, draw.random() < 0.9, known[:80])


def _flip(draw: random.Random, text: bytearray) -> None:
    if text:
        text[draw.randrange(len(text))] ^= 1 << draw.randrange(8)


def _insert_bytes(draw: random.Random, text: bytearray) -> None:
    at = draw.randrange(len(text) + 1)
    text[at:at] = draw.randbytes(draw.choice((1, 1, 2, 8, 64)))


def _insert_token(draw: random.Random, text: bytearray) -> None:
    at = draw.randrange(len(text) + 1)
    text[at:at] = draw.choice(_TOKENS) * draw.choice((1, 1, 1, 2, 50))


def _insert_header(draw: random.Random, text: bytearray) -> None:
    at = text.find(b"\r\n")
    if at >= 0:
        name = draw.choice(
            (b"X-ClickHouse-Format", b"X-ClickHouse-User", b"Host", b"Range", b"Via")
        )
        value = draw.choice(_TOKENS).strip(b"\r\n")
        text[at + 2 : at + 2] = name + b": " + value + b"\r\n"


def _insert_parameter(draw: random.Random, text: bytearray) -> None:
    at = text.find(b" HTTP/1.1")
    if at >= 0:
        parameters = [token for token in _TOKENS if token.startswith((b"&", b"%"))]
        text[at:at] = draw.choice((b"?", b"", b"")) + draw.choice(parameters)


def _delete(draw: random.Random, text: bytearray) -> None:
    at = draw.randrange(len(text) + 1)
    del text[at : at + draw.choice((1, 1, 2, 8, 64, 1024))]


def _double(draw: random.Random, text: bytearray) -> None:
    at = draw.randrange(len(text) + 1)
    piece = text[at : at + draw.choice((1, 4, 16, 256))]
    text[at:at] = piece * draw.choice((1, 1, 2, 20))


def _cut(draw: random.Random, text: bytearray) -> None:
    del text[draw.randrange(len(text) + 1) :]


def _splice(draw: random.Random, text: bytearray) -> None:
    other = draw.choice(VALID if draw.random() < 0.5 else HOSTILE)[:MOST_BYTES]
    text[draw.randrange(len(text) + 1) :] = other[draw.randrange(len(other) + 1) :]


def _number(draw: random.Random, text: bytearray) -> None:
    found = list(re.finditer(rb"\d+", text[:2_000]))
    if found:
        start, end = draw.choice(found).span()
        text[start:end] = draw.choice(_NUMBERS)


def _method(draw: random.Random, text: bytearray) -> None:
    end = text.find(b" ")
    if 0 <= end < 10:
        text[:end] = draw.choice(_METHODS)


def _case(draw: random.Random, text: bytearray) -> None:
    at = draw.randrange(len(text) + 1)
    text[at : at + 40] = text[at : at + 40].swapcase()


_CHANGES: Final[Sequence[Change]] = (
    *(_flip, _flip, _insert_bytes, _insert_token, _insert_token, _insert_header, _insert_parameter),
    *(_insert_parameter, _delete, _double, _cut, _splice, _number, _method, _case),
)
