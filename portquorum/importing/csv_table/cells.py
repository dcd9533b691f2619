"""The cells of a table: numbers, truth values, lists and lengths of time as people write them."""

import json
import re
from typing import Any, Final

from portquorum.importing.durations import seconds
from portquorum.importing.timing import text as duration_text

_YES: Final = frozenset(
    {
        "true",
        "yes",
        "y",
        "1",
        "on",
        "x",
        "active",
        "enabled",
        "ja",
        "wahr",
        "oui",
        "si",
        "sí",
        "vrai",
        "up",
    }
)
_NO: Final = frozenset(
    {
        "false",
        "no",
        "n",
        "0",
        "off",
        "",
        "-",
        "inactive",
        "disabled",
        "nein",
        "falsch",
        "non",
        "faux",
        "paused",
    }
)
_CRITICALITY: Final = {
    **dict.fromkeys(
        ("critical", "highest", "p1", "1", "high", "urgent", "yes", "true"), "critical"
    ),
    **dict.fromkeys(("important", "medium", "p2", "2", "major", "warning"), "important"),
    **dict.fromkeys(
        ("normal", "low", "p3", "p4", "3", "4", "5", "minor", "info", "no", "false"), "normal"
    ),
}
_SHORT: Final = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?[eE][+-]?[0-9]{1,3}")
_FAULTS: Final = re.compile(
    r"#(REF|N/A|VALUE|NAME|DIV/0|NUM|NULL|WERT|BEZUG|NV)[!?]?", re.IGNORECASE
)
_AS_TEXT: Final = re.compile(r'="(.*)"', re.DOTALL)
_WORDS: Final = {
    "sec": "s",
    "secs": "s",
    "second": "s",
    "seconds": "s",
    "min": "m",
    "mins": "m",
    "minute": "m",
    "minutes": "m",
    "hour": "h",
    "hours": "h",
    "hr": "h",
    "hrs": "h",
    "day": "d",
    "days": "d",
    "msec": "ms",
    "millis": "ms",
}
_MOST_PORTS: Final = 1_000
_MOST: Final = 65_535


def plain(cell: str) -> str:
    """A cell without a spreadsheet's habits: `="007"` and `'007` are 007.

    Raises:
        ValueError: a formula, or a spreadsheet's word for an error.
    """
    match = _AS_TEXT.fullmatch(cell)
    if match:
        return match[1].replace('""', '"').strip()
    if cell[:1] == "'" and cell[-1:] != "'":
        return cell[1:].strip()
    if _FAULTS.fullmatch(cell):
        raise ValueError("expected a value, found a spreadsheet's word for an error")
    if cell[:1] == "=" or (cell[:1] == "@" and len(cell) > 1):
        raise ValueError("expected a value, found a formula: save the table with its values")
    return cell


def whole(cell: str) -> int:
    """A whole number: `443`, `443.0`, `1,000`.

    Raises:
        ValueError: something else, or one whose last digits a spreadsheet has cut off.
    """
    text = cell.strip()
    if _SHORT.fullmatch(text):
        raise ValueError(
            "expected a whole number, found one in the short form of spreadsheets (1.0E+5), "
            "which may lack digits"
        )
    text = re.sub(r"[.,]0+$", "", text)
    if re.fullmatch(r"[0-9]{1,3}([,.\u00a0 ][0-9]{3})+", text):
        text = re.sub(r"[^0-9]", "", text)
    if not text.isascii() or not text.isdecimal() or len(text) > 15:
        raise ValueError("expected a whole number, found something else")
    return int(text)


def number(cell: str) -> float:
    """A number with a point or a comma.

    Raises:
        ValueError: something else.
    """
    text = cell.strip().removesuffix("%").strip()
    try:
        found = float(text.replace(",", ".") if text.count(",") == 1 else text)
    except ValueError:
        raise ValueError("expected a number, found something else") from None
    if not -1e15 < found < 1e15:
        raise ValueError("expected a number, found something else")
    return found


def port_list(cell: str) -> list[int]:
    """The ports of `443`, `25;587`, `80, 443`, `8000-8003`, `tcp/443`, `443/tcp`.

    Raises:
        ValueError: something else.
    """
    text = re.sub(r"(?i)\b(tcp|udp)\s*/|/\s*(tcp|udp)\b", "", cell.strip())
    found: list[int] = []
    for part in filter(None, re.split(r"[;,\s|]+(?!-)(?<!-)", text)):
        low, dash, high = part.partition("-")
        if re.match(r"0[0-9]", low):
            raise ValueError("expected ports, found a number with a separator of thousands")
        first = whole(low)
        last = whole(high) if dash else first
        if not 0 < first <= last <= _MOST:
            raise ValueError("expected ports from 1 to 65535, found others")
        if last - first + len(found) >= _MOST_PORTS:
            raise ValueError(f"expected at most {_MOST_PORTS} ports in a row, found more")
        found += range(first, last + 1)
    if not found:
        raise ValueError("expected a port from 1 to 65535, found none")
    return list(dict.fromkeys(found))


def truth(cell: str) -> bool:
    """True or false, in several languages' words.

    Raises:
        ValueError: something else.
    """
    text = cell.strip().lower()
    if text in _YES or text in _NO:
        return text in _YES
    raise ValueError("expected true or false, found something else")


def criticality(cell: str) -> str:
    """One of ours, for a priority or severity.

    Raises:
        ValueError: an unknown word.
    """
    found = _CRITICALITY.get(cell.strip().lower())
    if found is None:
        raise ValueError("expected critical, important or normal, found something else")
    return found


def length(cell: str) -> str:
    """A length of time as an inventory has it; a bare number is seconds, `1.0E+2` too.

    Raises:
        ValueError: something else.
    """
    text = cell.strip().lower().replace(",", ".")
    text = re.sub(r"([0-9.]+)\s*([a-z]+)", lambda one: one[1] + _WORDS.get(one[2], one[2]), text)
    if _SHORT.fullmatch(text):
        text = f"{float(text):f}".rstrip("0").rstrip(".")
    found = duration_text(seconds(text.replace(" ", ""), unit_s=1))
    if found in {"0s", "0ms"} and text.strip("0.smhd"):
        raise ValueError("expected a length of time such as 30s, found a shorter one than 1 ms")
    return found


def listed(cell: str) -> list[str]:
    """The parts of a cell that has several, by commas, semicolons or bars."""
    return [part.strip() for part in re.split(r"[;,|]", cell) if part.strip()]


def value(cell: str) -> Any:
    """A value of JSON, else the text: for options of checks."""
    text = cell.strip()
    if text.lower() in {"true", "false"}:
        return text.lower() == "true"
    if text[:1] in {"{", "[", '"'} or re.fullmatch(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]+)?", text):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text
    return text
