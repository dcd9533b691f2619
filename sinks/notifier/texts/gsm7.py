"""The alphabet of SMS (GSM 03.38, 3GPP TS 23.038 section 6.2.1): 160 characters a message.

One character outside of it makes the whole message UCS-2, with 70 characters.
"""

import unicodedata
from typing import Final

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà\n"
)
_EXTENDED: Final = frozenset("^{}\\[~]|€")
"""These take two septets each."""

_ALIKE: Final = str.maketrans(
    {
        "\N{HORIZONTAL ELLIPSIS}": "...",
        "\N{EN DASH}": "-",
        "\N{EM DASH}": "-",
        "\N{LEFT SINGLE QUOTATION MARK}": "'",
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
        "\N{LEFT DOUBLE QUOTATION MARK}": '"',
        "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
        "\N{GRAVE ACCENT}": "'",
        "\N{NO-BREAK SPACE}": " ",
        "\N{MULTIPLICATION SIGN}": "x",
        "\N{LATIN CAPITAL LETTER L WITH STROKE}": "L",
        "\N{LATIN SMALL LETTER L WITH STROKE}": "l",
        "\N{LATIN CAPITAL LETTER D WITH STROKE}": "D",
        "\N{LATIN SMALL LETTER D WITH STROKE}": "d",
        "\N{LATIN SMALL LETTER DOTLESS I}": "i",
        "\N{LATIN CAPITAL LIGATURE OE}": "OE",
        "\N{LATIN SMALL LIGATURE OE}": "oe",
    }
)
_UNWRITTEN: Final = frozenset({"Mn", "Me", "Cf", "Sk", "So", "Cs", "Co", "Cn", "Cc"})


def septets(text: str) -> int:
    """The length of `text` in an SMS; `text` is in the alphabet."""
    return len(text) + sum(char in _EXTENDED for char in text)


def transliterated(text: str) -> str:
    """`text` in the alphabet: letters without their marks, no emoji, `?` for what has no likeness.

    A run of such characters is one `?`.
    """
    found: list[str] = []
    for char in text.translate(_ALIKE):
        for part in _likeness(char):
            if part != "?" or char == "?" or found[-1:] != ["?"]:
                found.append(part)
    return "".join(found)


def legible(text: str) -> bool:
    """Whether more than half of the letters of `text` are in the alphabet."""
    letters = [char for char in text if char.isalnum()]
    known = sum(_likeness(char) != "?" for char in letters)
    return known * 2 > len(letters)


def _likeness(char: str) -> str:
    if char in _BASIC or char in _EXTENDED:
        return char
    parts = unicodedata.normalize("NFKD", char)
    kept = "".join(part for part in parts if part in _BASIC)
    if kept:
        return kept
    return "" if unicodedata.category(char) in _UNWRITTEN else "?"
