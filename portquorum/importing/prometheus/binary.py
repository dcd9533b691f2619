"""`!!binary` in YAML: bytes as base64, which our reader of YAML has not."""

import base64
import binascii
import re
from typing import Final

_MARK: Final = "\ue000"
_TAGGED: Final = re.compile(r"!!binary[ \t]+[\"']?([A-Za-z0-9+/=]+)[\"']?")


def with_marks(text: str) -> str:
    """YAML in which each `!!binary` is a text with a mark."""
    return _TAGGED.sub(rf'"{_MARK}\1"', text)


def as_bytes(text: str) -> bytes:
    """The bytes of a scalar: those of base64 where it has the mark.

    Raises:
        ValueError: it is no base64.
    """
    if not text.startswith(_MARK):
        return text.encode("utf-8", "surrogateescape")
    try:
        return base64.b64decode(text[len(_MARK) :], validate=True)
    except binascii.Error as error:
        raise ValueError("expected base64 after !!binary") from error
