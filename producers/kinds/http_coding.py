"""Packed bodies (RFC 9110, section 8.4) unpacked, and the character encoding of a page."""

import codecs
import re
from typing import Final

from producers.checks.errors import CheckFailedError
from producers.checks.os_errors import shown
from producers.kinds.http_body import codings
from producers.kinds.http_head import Head
from producers.kinds.http_unpacking import KNOWN, Layer

_MOST_CODINGS: Final = 3
# Of IANA's list of codings those that are in use and have no reader here.
_UNREADABLE: Final = frozenset({"compress", "x-compress", "dcb", "dcz"})

_CHARSET: Final = re.compile(rb"charset[ \t]*=[ \t\"']*([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
_META: Final = re.compile(rb"<meta[^>]{0,200}" + _CHARSET.pattern, re.IGNORECASE)
_META_BYTES: Final = 1_024
_TYPE_BYTES: Final = 4_096
_BOMS: Final = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
# Encodings of the web (WHATWG) in which each character always has the same bytes. Python has more
# under such names, as "zip" and "unicode_escape", which no server may choose.
_CHARSETS: Final = frozenset(
    {
        *(f"iso8859-{number}" for number in range(2, 17)),
        *(f"cp{number}" for number in (866, 874, 932, 949, 950, *range(1250, 1259))),
        *("koi8-r", "koi8-u", "mac-roman", "mac-cyrillic", "gb18030", "big5hkscs"),
        *("euc_jp", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"),
    }
)
# What browsers read by a name is more than what the name's own standard has (WHATWG Encoding, 4.2):
# pages of "ISO-8859-1" have the euro sign and quotes of windows-1252.
# Labels of the same standard that Python does not know.
_LABELS: Final = {
    "windows-31j": "cp932",
    "windows-874": "cp874",
    "windows-949": "cp949",
    "x-euc-jp": "euc_jp",
    "x-gbk": "gbk",
    "x-mac-cyrillic": "mac_cyrillic",
    "x-sjis": "cp932",
    "x-x-big5": "big5",
}
_AS_BROWSERS: Final = {
    "utf-16": "utf-16-le",
    "utf-32": "utf-32-le",
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "cp936": "gb18030",
    "big5": "big5hkscs",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
}


class Unpacker:
    """Takes the bytes of a body; `feed` returns them unpacked, as far as there are `most` of them.

    Raises:
        CheckFailedError: `unexpected_response`: a coding that is not known here.
    """

    def __init__(self, head: Head, most: int) -> None:
        names = codings(head, "content-encoding")
        names += [one for one in codings(head, "transfer-encoding") if one != "chunked"]
        # As in browsers: what is no coding ("utf-8", "none", "binary") packs nothing.
        names = [name for name in names if name in KNOWN | _UNREADABLE]
        for name in names:
            if name in _UNREADABLE or len(names) > _MOST_CODINGS:
                found = shown(", ".join(names).encode())
                text = f"the body (status {head.status}) is packed as {found}"
                raise CheckFailedError(
                    "unexpected_response",
                    f"{text}, and only gzip, deflate, br and zstd can be unpacked",
                )
        # The last coding that was applied is the first to be undone.
        self._layers = [Layer(name, head.status, most) for name in reversed(names)]

    def feed(self, data: bytes) -> bytes:
        """The unpacked bytes of `data`.

        Raises:
            CheckFailedError: `unexpected_response`: it is not packed as the head says.
        """
        for layer in self._layers:
            data = layer.feed(data)
        return data

    @property
    def cut(self) -> bool:
        """Whether packed data has begun and not ended."""
        return any(layer.cut for layer in self._layers)


def charset_of(head: Head, body: bytes | bytearray) -> str | None:
    """Python's name for the character encoding that head or page name; None for UTF-8 and others.

    The order is that of browsers: byte order mark, Content-Type, `<meta>`.
    """
    for mark, name in _BOMS.items():
        if body.startswith(mark):
            return name
    found = _CHARSET.search((head.value("content-type") or b"")[:_TYPE_BYTES]) or _META.search(
        body[:_META_BYTES]
    )
    if found is None:
        return None
    label = found[1].decode().lower()
    try:
        name = codecs.lookup(_LABELS.get(label, label)).name
    except LookupError:
        return None
    name = _AS_BROWSERS.get(name, name)
    return name if name in _CHARSETS else None


def needles(text: str, charset: str | None) -> list[bytes]:
    """The bytes of `text` in UTF-8, and in the character encoding of the page if it has them."""
    found = [text.encode()]
    if charset is not None:
        try:
            other = text.encode(charset)
        except UnicodeError:
            return found
        if other not in found:
            found.append(other)
    return found
