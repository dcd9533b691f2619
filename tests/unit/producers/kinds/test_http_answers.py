"""Head and body of an HTTP answer: alike in whatever pieces they come, and one kind of error."""

import gzip
import sys
import zlib
from collections.abc import Callable

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.checks.errors import CheckFailedError
from producers.kinds.http_body import BodyReader
from producers.kinds.http_coding import Unpacker, charset_of, needles
from producers.kinds.http_head import MOST_HEAD_BYTES, Head, HeadReader
from tests.integration.kinds.odd_answers import ANSWERS

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MOST = 900_000

Read = tuple[int, str, bytes] | str
"""Status, phrase and body, or the reason of the error."""


def read(answer: bytes, size: int) -> Read:
    """What is read of an answer that comes in pieces of so many bytes."""
    pieces = [answer[at : at + size] for at in range(0, len(answer), size)]
    heads, head = HeadReader(), None
    try:
        while head is None:
            if not pieces:
                head = heads.end()
                return head.status, head.phrase, b""
            head = heads.feed(pieces.pop(0))
        body, unpacker = BodyReader(head, "GET"), Unpacker(head, MOST)
        found = unpacker.feed(body.feed(heads.rest))
        for piece in pieces:
            found += unpacker.feed(body.feed(piece))
    except CheckFailedError as error:
        return error.reason
    return head.status, head.phrase, found


@pytest.mark.parametrize("odd", [odd for odd in ANSWERS if len(ANSWERS[odd]) < 10_000])
def test_it_is_read_alike_in_whatever_pieces_it_comes(odd: str) -> None:
    assert {size: read(ANSWERS[odd], size) for size in (1, 2, 3, 7)} == dict.fromkeys(
        (1, 2, 3, 7), read(ANSWERS[odd], 1 << 20)
    )


PIECES = st.sampled_from(
    [
        *(b"HTTP/1.1 ", b"HTTP/1.1 200 OK\r\n", b"200", b" ", b"\r\n", b"\n", b"\r", b"\0", b":"),
        *(b"Content-Length: ", b"Transfer-Encoding: chunked\r\n", b"\r\n\r\n", b"2\r\nok\r\n"),
        *(
            b"Content-Encoding: gzip\r\n",
            gzip.compress(b"ok", mtime=0),
            b"0\r\n\r\n",
            b"\t",
            b"100",
        ),
        *(b"Content-Encoding: deflate\r\n", zlib.compress(b"ok"), b"f" * 17, b"2", b"-1"),
    ]
)


@given(st.lists(PIECES | st.binary(max_size=8), max_size=14), st.integers(1, 40))
def test_no_answer_is_another_error(parts: list[bytes], size: int) -> None:
    answer = b"".join(parts)
    found = read(answer, size)
    assert found == read(answer, 1 << 20)
    assert not isinstance(found, str) or found in {"unexpected_response", "protocol_mismatch"}


def head_of(*fields: str) -> Head:
    found = HeadReader().feed("\r\n".join(["HTTP/1.1 200 OK", *fields, "", ""]).encode("latin-1"))
    assert found is not None
    return found


def test_names_have_no_case_and_blanks_around_a_value_are_no_part_of_it() -> None:
    head = head_of("X-A : \t b \t", "x-a: c", "X-B: d\r\n  e\r\n\tf", "nothing", ": nameless")
    assert (head.value("X-a"), head.values("x-A")) == (b"b, c", [b"b", b"c"])
    assert head.value("x-b") == b"d e f"
    assert head.value("") is None


def fed(data: bytes, size: int) -> None:
    heads = HeadReader()
    for at in range(0, len(data), size):
        assert heads.feed(data[at : at + size]) is None


@pytest.mark.parametrize("field", [b"a: b\r\n", b" \n", b" folded\r\n", b"x" * 16_000])
@pytest.mark.parametrize("size", [1, 16_384])
def test_a_head_without_an_end_is_refused_with_its_status(field: bytes, size: int) -> None:
    """In single bytes, too, its work is linear: the square of it would take an hour."""
    data = b"HTTP/1.1 200 OK\r\na: b\r\n" + field * (MOST_HEAD_BYTES // len(field) + 1)
    with pytest.raises(CheckFailedError, match="status 200 can't be read: its head "):
        fed(data + bytes(field), size)


@pytest.mark.parametrize(
    ("coding", "packed", "body"),
    [
        ("gzip", gzip.compress(b"state ok", mtime=0), b"state ok"),
        ("x-gzip", gzip.compress(b"state ok", mtime=0), b"state ok"),
        ("GZIP", gzip.compress(b"state ok", mtime=0), b"state ok"),
        ("gzip", gzip.compress(b"state ", mtime=0) + gzip.compress(b"ok", mtime=0), b"state ok"),
        ("gzip", gzip.compress(b"state ok", mtime=0) + b"trailing", b"state ok"),
        ("gzip", gzip.compress(b"state ok", mtime=0)[:-8], b"state ok"),
        ("gzip", b"", b""),
        ("deflate", zlib.compress(b"state ok"), b"state ok"),
        ("deflate", zlib.compress(b"state ok", wbits=-15), b"state ok"),
        ("deflate, gzip", gzip.compress(zlib.compress(b"state ok"), mtime=0), b"state ok"),
        ("br", brotli.compress(b"state ok"), b"state ok"),
        ("br", brotli.compress(b"state ok")[:-1], b"state ok"),
        ("gzip, BR", brotli.compress(gzip.compress(b"state ok", mtime=0)), b"state ok"),
        ("zstd", zstd.compress(b"state ok"), b"state ok"),
        ("zstd", zstd.compress(b"state ") + zstd.compress(b"ok"), b"state ok"),
        ("zstd", zstd.compress(b"state ok") + b"trailing", b"state ok"),
        ("identity", b"state ok", b"state ok"),
        ("", b"state ok", b"state ok"),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 1 << 20])
def test_packed_bodies_are_unpacked(coding: str, packed: bytes, body: bytes, size: int) -> None:
    unpacker = Unpacker(head_of(f"Content-Encoding: {coding}"), MOST)
    pieces = (packed[at : at + size] for at in range(0, len(packed), size))
    assert b"".join(map(unpacker.feed, pieces)) == body


def test_packed_data_that_ends_too_early_is_noticed() -> None:
    unpacker = Unpacker(head_of("Content-Encoding: gzip"), MOST)
    unpacker.feed(gzip.compress(b"state ok", mtime=0)[:-8])
    assert unpacker.cut
    unpacker.feed(gzip.compress(b"state ok", mtime=0)[-8:])
    assert not unpacker.cut


@pytest.mark.parametrize("coding", ["compress", "gzip, dcb", "gzip,gzip,gzip,gzip"])
def test_an_unknown_coding_is_named(coding: str) -> None:
    with pytest.raises(CheckFailedError, match="only gzip, deflate, br and zstd can be") as found:
        Unpacker(head_of(f"Content-Encoding: {coding}"), MOST)
    assert coding.replace(",", ", ").replace("  ", " ") in found.value.detail


@pytest.mark.parametrize("name", ["utf-8", "none", "binary", "8bit", "gzip, utf-8", "UTF-8, gzip"])
def test_what_is_no_coding_packs_nothing(name: str) -> None:
    body = gzip.compress(b"state ok", mtime=0) if "gzip" in name else b"state ok"
    assert Unpacker(head_of(f"Content-Encoding: {name}"), MOST).feed(body) == b"state ok"


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_what_is_not_packed_as_the_head_says_is_refused(coding: str) -> None:
    with pytest.raises(CheckFailedError, match=f"is not {coding}, as its head says") as found:
        Unpacker(head_of(f"Content-Encoding: {coding}"), MOST).feed(b"<!doctype html>" * 9)
    assert found.value.reason == "unexpected_response"


@pytest.mark.parametrize(("window", "fine"), [(23, True), (27, False)])
def test_zstd_has_no_larger_window_than_clients_must_have(window: int, fine: bool) -> None:
    packer = zstd.ZstdCompressor(options={int(zstd.CompressionParameter.window_log): window})
    packed = b"".join(packer.compress(b"state ok" * 5_000_000, mode) for mode in (0,))
    unpacker = Unpacker(head_of("Content-Encoding: zstd"), MOST)
    if fine:
        assert unpacker.feed(packed).startswith(b"state ok")
    else:
        with pytest.raises(CheckFailedError, match="is not zstd"):
            unpacker.feed(packed)


@pytest.mark.parametrize(
    ("coding", "pack"), [("br", brotli.compress), ("zstd", zstd.compress)], ids=["br", "zstd"]
)
def test_a_bomb_of_another_coding_is_bounded(coding: str, pack: Callable[[bytes], bytes]) -> None:
    packed = pack(bytes(50_000_000))
    assert len(Unpacker(head_of(f"Content-Encoding: {coding}"), MOST).feed(packed)) == MOST
    twice = Unpacker(head_of(f"Content-Encoding: {coding}, gzip"), MOST)
    assert len(twice.feed(gzip.compress(packed, mtime=0))) == MOST


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_a_bomb_is_unpacked_to_no_more_than_the_most(layers: int) -> None:
    packed = bytes(50_000_000)
    for _ in range(layers):
        packed = gzip.compress(packed, mtime=0)
    coding = ", ".join(["gzip"] * layers)
    assert len(Unpacker(head_of(f"Content-Encoding: {coding}"), MOST).feed(packed)) == MOST


def test_many_small_members_are_not_unpacked_without_end() -> None:
    unpacker = Unpacker(head_of("Content-Encoding: gzip"), MOST)
    assert len(unpacker.feed(gzip.compress(b"x", mtime=0) * 40_000)) == 100


@pytest.mark.parametrize(
    ("content_type", "body", "charset"),
    [
        # As browsers: a wider encoding of the same name.
        ("text/html; charset=ISO-8859-1", b"", "cp1252"),
        ("text/html; charset=us-ascii", b"", "cp1252"),
        ("text/html; charset=iso-8859-9", b"", "cp1254"),
        ("text/html; charset=GB2312", b"", "gb18030"),
        ("text/html; charset=euc-kr", b"", "cp949"),
        ("text/html; charset=Windows-31J", b"", "cp932"),
        ("text/html; charset=x-mac-cyrillic", b"", "mac-cyrillic"),
        ("text/html;Charset = 'windows-1252'", b"", "cp1252"),
        ("text/html; charset=utf-8", b"", None),
        ("text/html", b"\xff\xfea\0", "utf-16-le"),
        ("text/html; charset=utf-8", b"\xfe\xff\0a", "utf-16-be"),
        ("text/html", b'<html><meta charset="shift_jis">', "cp932"),
        ("text/html", b"<META http-equiv=x content='text/html; charset=koi8-r'>", "koi8-r"),
        ("text/html", b" " * 1_024 + b"<meta charset=koi8-r>", None),
        ("text/html", b"", None),
        # Codecs of Python that are no character encodings, or whose work is not linear.
        *((f"text/html; charset={name}", b"", None) for name in ("zip", "hex", "idna", "punycode")),
        ("text/html; charset=unicode_escape", b"", None),
        ("text/html; charset=nonsense", b"", None),
    ],
)
def test_the_encoding_of_a_page(content_type: str, body: bytes, charset: str | None) -> None:
    assert charset_of(head_of(f"Content-Type: {content_type}"), body) == charset


def test_text_is_looked_for_in_the_encoding_of_the_page() -> None:
    assert needles("café", "iso8859-1") == [b"caf\xc3\xa9", b"caf\xe9"]
    assert needles("cafe", "iso8859-1") == [b"cafe"]
    assert needles("日", "iso8859-1") == ["日".encode()]


def test_the_fields_of_a_head_are_counted() -> None:
    start = b"HTTP/1.1 103 Early\r\n" + b"a:\r\n" * 1_000 + b"\r\nHTTP/1.1 200 OK\r\n"
    head = HeadReader().feed(start + b"b:\r\n" * 29_000 + b"\r\n")
    assert head is not None
    assert len(head.values("b")) == 29_000
    with pytest.raises(CheckFailedError, match="head has more than 30000 fields") as error:
        HeadReader().feed(start + b"b:\r\n" * 29_001)
    assert error.value.reason == "unexpected_response"
