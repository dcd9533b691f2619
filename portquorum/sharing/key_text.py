"""The texts of keys: new ones, those that are taken over, and what is kept of them. Pure.

What is kept is the SHA-256 of the whole text: a random text needs no slow hash.
"""

import hashlib
import re
import secrets
import uuid
from typing import Final

from portquorum.changing.keys import KeyUse

SHORTEST: Final = 16
LONGEST: Final = 200
_RANDOM_BYTES: Final = 16
_FEWEST_DIFFERENT: Final = 5
"""Different characters of a text that is taken over."""

_FORM: Final = re.compile(r"[A-Za-z0-9._~-]*")
_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


def new_text(use: KeyUse, about: str | None) -> str:
    """A text that nobody can guess.

    A UUID for the reports of one heartbeat, as clients of Healthchecks expect it; else 22
    characters (128 bits).
    """
    if use == "ping" and about is not None:
        return str(uuid.uuid4())
    return secrets.token_urlsafe(_RANDOM_BYTES)


def problem_of(text: str) -> str | None:
    """Why this text can't be taken over, in one sentence without it; None: it can."""
    if not SHORTEST <= len(text) <= LONGEST:
        return f"expected {SHORTEST} to {LONGEST} characters, found {len(text)}"
    if _FORM.fullmatch(text) is None:
        return "expected letters, digits and . _ ~ - alone"
    if len(set(text)) < _FEWEST_DIFFERENT:
        return f"expected at least {_FEWEST_DIFFERENT} different characters"
    return None


def digest_of(text: str) -> str:
    """What is kept of a text: its SHA-256 in hex; of a UUID in small letters, however written."""
    one = text.lower() if _UUID.fullmatch(text) else text
    return hashlib.sha256(one.encode(errors="replace")).hexdigest()
