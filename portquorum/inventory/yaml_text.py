"""Values as YAML that our reader, and readers of YAML 1.1, take for what they are."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9._/-]*( [A-Za-z0-9._/()-]+)*\Z")
_WORDS: Final = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}
"""Words to quote, so that a YAML 1.1 reader takes them for text too."""

_NOT_PRINTED: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")
"""Characters beside those that JSON escapes which YAML reads as line ends, or not at all."""


def yaml_text(value: Any) -> str:
    """A value in one line: lists and mappings in brackets, text in quotes where it needs them.

    Of a Struct the fields that are not None, by the names of a document.
    """
    if isinstance(value, tuple | list):
        return "[" + ", ".join(map(yaml_text, value)) + "]"
    if isinstance(value, Struct):
        names = zip(value.__struct_fields__, value.__struct_encode_fields__, strict=True)
        pairs = ((written, getattr(value, name)) for name, written in names)
        return yaml_text({written: one for written, one in pairs if one is not None})
    if isinstance(value, Mapping):
        pairs = ((yaml_text(str(name)), yaml_text(one)) for name, one in value.items())
        return "{" + ", ".join(f"{name}: {one}" for name, one in pairs) + "}"
    if isinstance(value, str):
        return value if _PLAIN.match(value) and value.lower() not in _WORDS else _quoted(value)
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return str(value)


def _quoted(text: str) -> str:
    shown = json.dumps(text, ensure_ascii=False)
    return _NOT_PRINTED.sub(lambda found: f"\\u{ord(found[0]):04x}", shown)
