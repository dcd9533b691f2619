"""Text of others in which a secret may stand: which of it may be copied, and what is left of it."""

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Final

from portquorum.importing.secrets import looks_secret

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_KNOWN: Final = re.compile(
    r"(?:sk|pk|rk|ghp|gho|ghs|glpat|xox[abposr]|AKIA|ASIA|AIza|dop_v1|hvs|npm|pypi|shpat|SG)"
    r"[-_.][A-Za-z0-9_-]{8,}|AKIA[0-9A-Z]{12,}|AIza[A-Za-z0-9_-]{20,}|eyJ[A-Za-z0-9_-]{10,}"
)
"""How tokens of well-known services begin; `eyJ` is a JSON Web Token (RFC 7519)."""

_PIECE: Final = re.compile(r"[A-Za-z0-9+/]+")
_LONG: Final = 16
_VERY_LONG: Final = 24
_MANY_DIGITS: Final = 3
_WORD: Final = re.compile(r"\S+")
_URL_LOGIN: Final = re.compile(r"(?<=://)[^/\s@]+@")
HIDDEN: Final = "***"


def looks_token(text: str) -> bool:
    """Whether a text is most likely a token: a UUID, a known beginning, long and without words."""
    if _UUID.search(text) or _KNOWN.search(text):
        return True
    return any(_is_random(piece) for piece in _PIECE.findall(text))


def _is_random(piece: str) -> bool:
    digits = sum(letter.isdigit() for letter in piece)
    letters = len(piece) - digits
    if len(piece) >= _LONG and digits >= _MANY_DIGITS and letters >= _MANY_DIGITS:
        return "/" not in piece.strip("/") or len(piece) >= 2 * _VERY_LONG
    mixed = piece.lower() not in {piece, piece.upper().lower()} and _changes(piece) >= _LONG // 2
    return len(piece) >= _VERY_LONG and mixed


def _changes(piece: str) -> int:
    """How often a letter of the other case follows."""
    return sum(a.isupper() != b.isupper() for a, b in pairwise(piece))


def scrubbed(text: str) -> str:
    """Free text without what may be a secret in it: tokens, logins of URLs, `password: …`."""
    plain = re.sub(
        r"(?i)\b((?:pass(?:word|wd|phrase)?|secret|token|api.?key|pin)\b\s*(?:[:=]|is)\s*)\S+",
        rf"\1{HIDDEN}",
        _URL_LOGIN.sub(f"{HIDDEN}@", text),
    )
    return _WORD.sub(lambda word: HIDDEN if looks_token(word[0]) else word[0], plain)


def hidden_path(path: str, secret: Callable[[str, str], str]) -> str:
    """A path with its query in which `secret(hint, value)` stands for what looks like a secret."""
    plain, question, query = path.partition("?")
    parts = [
        secret("path", part) if part and looks_token(part) else part for part in plain.split("/")
    ]

    def value(written: str) -> str:
        name, equals, text = written.partition("=")
        if not equals:
            return secret("query", written) if looks_token(written) else written
        if text and (looks_secret(name) or looks_token(text)):
            return f"{name}={secret(name, text)}"
        return written

    return "/".join(parts) + question + "&".join(map(value, query.split("&")))
