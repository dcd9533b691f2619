"""The meaning of a DNS record: two texts of one record are equal, whatever their spelling.

Names are equal whatever their case (RFC 4343), with and without the final dot: all names are
absolute. The strings of a TXT are one text (RFC 7208, section 3.3). Everything else is compared as
it stands on the wire.
"""

from functools import lru_cache
from typing import Final

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.tokenizer
from dns.rdtypes.ANY.CAA import CAA
from dns.rdtypes.svcbbase import SVCBBase
from dns.rdtypes.txtbase import TXTBase

Meaning = bytes | str
"""Equal for records that mean the same."""

_TEXTS: Final = frozenset({"TXT", "SPF"})
_STRING_BYTES: Final = 255
"""The most bytes of a character-string (RFC 1035, section 3.3)."""
_CAA_FIELDS: Final = 2


def read(record: str, text: str) -> dns.rdata.Rdata:
    """The record of type `record` that `text` is, in zone format (RFC 1035, section 5.1).

    A TXT without quotes is one text, up to its end: blanks and semicolons belong to it. So does the
    value of a CAA.

    Raises:
        ValueError: `text` is no such record.
    """
    try:
        if record in _TEXTS:
            return _read_text(record, text)
        if record == "CAA":
            text = _quoted_value(text)
        return dns.rdata.from_text(
            dns.rdataclass.IN, record, text, origin=dns.name.root, relativize=False
        )
    except (dns.exception.DNSException, ValueError, OverflowError) as error:
        raise ValueError(str(error)) from error


def meaning(record: dns.rdata.Rdata) -> Meaning:
    """See the module."""
    if isinstance(record, TXTBase):
        return b"".join(record.strings)
    if isinstance(record, SVCBBase):
        # Their names are no names of RFC 4034, section 6.2, whose case that form would level.
        record = record.replace(target=record.target.canonicalize())
    if isinstance(record, CAA):
        record = record.replace(tag=record.tag.lower())  # RFC 8659, section 4.1
    return record.to_digestable(dns.name.root)


@lru_cache(maxsize=4096)
def meaning_of(record: str, text: str) -> Meaning:
    """The meaning of a record in zone format; `text` itself if it is no such record.

    Targets that another version has published are not believed to be right.
    """
    try:
        return meaning(read(record, text))
    except ValueError:
        return text


def _read_text(record: str, text: str) -> dns.rdata.Rdata:
    """The strings of `text`, joined and cut anew."""
    if not text.lstrip().startswith('"'):
        text = _quoted(text)
    tokens = dns.tokenizer.Tokenizer(text)
    whole = b""
    while not (token := tokens.get()).is_eol_or_eof():
        whole += token.unescape_to_bytes().value
    pieces = [whole[at : at + _STRING_BYTES] for at in range(0, len(whole), _STRING_BYTES)]
    kind = dns.rdatatype.from_text(record)
    data = b"".join(bytes([len(piece)]) + piece for piece in pieces or [b""])
    return dns.rdata.from_wire(dns.rdataclass.IN, kind, data, 0, len(data))


def _quoted_value(text: str) -> str:
    """The flags and the tag as they stand, and the value in quotes."""
    parts = text.split(None, _CAA_FIELDS)
    if len(parts) <= _CAA_FIELDS or parts[-1].startswith('"') or parts[0] == "\\#":
        return text
    return f"{parts[0]} {parts[1]} {_quoted(parts[2])}"


def _quoted(text: str) -> str:
    r"""`text` in quotes; those within it become \"."""
    return f'"{text.replace(chr(92) + chr(34), chr(34)).replace(chr(34), chr(92) + chr(34))}"'
