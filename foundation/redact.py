"""Texts for people and logs, without passwords."""

import re
from collections.abc import Iterable
from typing import Final

HIDDEN: Final = "…"

_SHORTEST: Final = 8
_WORDS: Final = frozenset({"portquorum", "clickhouse"})
_USER_INFO: Final = re.compile(r"(?<=://)[^\s'\"<>]*@")
"""Up to the last `@`: a password may contain an `@` that is not percent-encoded, or a slash."""


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` with `…` in place of the user and password of each URL, and of each of the secrets.

    Secrets below 8 characters and words of our own stay: replacing every equal word would make the
    text useless, and such a password is weak anyway.
    """
    if "://" in text:
        text = _USER_INFO.sub(f"{HIDDEN}@", text)
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST and secret not in _WORDS:
            text = text.replace(secret, HIDDEN)
    return text
