"""Secrets within requests: headers, paths and bodies, with names in place of values.

All texts are those of options that may have secrets: `$` is `$$` in them (`urls.literal`), and a
`${PORTQUORUM_SECRET_…}` that is there already is left alone.
"""

import json
import re
from typing import Any, Final

from portquorum.importing.model import Place
from portquorum.importing.secrets import Secrets, looks_secret
from producers.kinds.secrets import PREFIX

_NAMED: Final = "${" + PREFIX
_SCHEME: Final = re.compile(
    r"(bearer|basic|token|apikey|digest|splunk)(\s+)(\S.*)", re.IGNORECASE | re.DOTALL
)
_PARAMETER: Final = re.compile(r"([?&])([^=&]+)=([^&]*)")
_SEGMENT: Final = re.compile(r"(?<=/)[A-Za-z0-9_-]{24,}(?=/|\?|$)")
_FORM: Final = re.compile(r"[A-Za-z0-9_.%+-]+=[^&=\s]*(&[A-Za-z0-9_.%+-]+=[^&=\s]*)*")
_SHORTEST: Final = 4


def header(name: str, text: str, secrets: Secrets, place: Place, owner: str) -> str:
    """The value of a header, with a name in place of a secret; its scheme (`Bearer`) stays."""
    if _NAMED in text or not looks_secret(name) or len(text) < _SHORTEST:
        return text
    scheme = _SCHEME.fullmatch(text)
    lead, value = (scheme[1] + scheme[2], scheme[3]) if scheme else ("", text)
    what = f"the header {name} of {owner}"
    if scheme:
        what += f", without its `{scheme[1]}`"
    return lead + secrets.check(f"{owner} {name}", place, what, value=value)


def path(text: str, secrets: Secrets, place: Place, owner: str) -> str:
    """A path with its query, with names in place of values that are most often secrets.

    Those are the values of parameters with such a name, and parts of the path that are long and
    look made by a machine.
    """

    def parameter(found: re.Match[str]) -> str:
        name, value = found[2], found[3]
        if _NAMED in value or not looks_secret(name) or len(value) < _SHORTEST:
            return found[0]
        what = f"the parameter {name} of the URL of {owner}"
        return f"{found[1]}{name}={secrets.check(f'{owner} {name}', place, what, value=value)}"

    def segment(found: re.Match[str]) -> str:
        value = found[0]
        digits = sum(char.isdecimal() for char in value)
        if digits < 3 or digits == len(value) or _is_words(value):
            return value
        what = f"a part of the path of {owner}"
        return secrets.check(f"{owner} path", place, what, value=value)

    before, question, query = text.partition("?")
    before = _SEGMENT.sub(segment, before)
    return before + _PARAMETER.sub(parameter, question + query)


def body(text: str, secrets: Secrets, place: Place, owner: str) -> str:
    """The body of a request: fields of JSON or a form with such names, or all of it."""
    if _NAMED in text:
        return text
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if isinstance(value, dict | list):
        hidden, found = _in_json(value, secrets, place, owner)
        return json.dumps(hidden, ensure_ascii=False) if found else text
    if _FORM.fullmatch(text):
        return path(f"?{text}", secrets, place, owner)[1:]
    if looks_secret(text):
        return secrets.check(f"{owner} body", place, f"the body of {owner}", value=text)
    return text


def _in_json(
    value: Any, secrets: Secrets, place: Place, owner: str, name: str = ""
) -> tuple[Any, bool]:
    if isinstance(value, dict):
        pairs = {key: _in_json(one, secrets, place, owner, key) for key, one in value.items()}
        return {k: one for k, (one, _) in pairs.items()}, any(hid for _, hid in pairs.values())
    if isinstance(value, list):
        items = [_in_json(one, secrets, place, owner, name) for one in value]
        return [one for one, _ in items], any(hid for _, hid in items)
    if isinstance(value, str) and looks_secret(name) and len(value) >= _SHORTEST:
        what = f"{name} in the body of {owner}"
        return secrets.check(f"{owner} {name}", place, what, value=value), True
    return value, False


def _is_words(text: str) -> bool:
    """Whether it is made of words and numbers such as `release-2024-notes-of-the-week`."""
    parts = re.split(r"[-_]", text)
    return len(parts) > 1 and all(part.isalpha() or part.isdecimal() for part in parts)
