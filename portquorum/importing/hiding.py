"""Text of others in which a secret may stand: names in place of values, or what may be copied.

Texts of requests may be those of options that may have secrets, as well: `$` is `$$` in them
(`urls.literal`), and a `${PORTQUORUM_SECRET_…}` that is there already is left alone.
"""

import json
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any, Final
from urllib.parse import unquote

from portquorum.importing.model import Place
from portquorum.importing.secrets import Secrets, looks_secret
from producers.kinds.secrets import PREFIX, SHORTEST

Hide = Callable[[str, str], str]
"""What stands for a secret: of a hint for its name (`path`, a parameter) and its value."""

HIDDEN: Final = "***"
LONGEST: Final = 70_000
"""Characters above which a text is hidden as a whole: no option takes one of more than 65,536."""

_NAMED: Final = "${" + PREFIX
_PLACEHOLDER: Final = re.compile(rf"\$\{{{PREFIX}[A-Z0-9_]*\}}")

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_KNOWN: Final = re.compile(
    r"(?:sk|pk|rk|ghp|gho|ghs|github_pat|glpat|xox[abposr]|AKIA|ASIA|AIza|dop_v1|hvs|npm|pypi"
    r"|shpat|whsec|SG)[-_.][A-Za-z0-9_-]{8,}|AKIA[0-9A-Z]{12,}|AIza[A-Za-z0-9_-]{20,}"
    r"|eyJ[A-Za-z0-9_-]{10,}|-----BEGIN [A-Z ]*PRIVATE KEY"
)
"""How tokens of well-known services begin; `eyJ` is a JSON Web Token (RFC 7519)."""

_PIECE: Final = re.compile(r"[A-Za-z0-9+/]+")
_SHORTEST_TOKEN: Final = 10
_LONG: Final = 16
_VERY_LONG: Final = 24
_MANY_DIGITS: Final = 3
_WORD: Final = re.compile(r"\S+")
_URL_LOGIN: Final = re.compile(
    r"(?<=://)(?!\[user)(?:[^/?#\s@]+(?:@[^/?#\s@]*)*|[^\s@:/?#]*:(?![0-9]{1,5}/)[^\s@]*"
    r"|[^\s@/?#]*[^\w.:\[\]@/?#\s-][^\s@]*)@"
)
"""User and password of a URL; also one with a slash in it, which ends them for programs."""

_BARE_LOGIN: Final = re.compile(
    r"(?<![\w/*])(?!(?:sips?|mailto|xmpp|tel|acct):)[^\s'\"`/@:|]{1,200}:"
    r"(?!//|[0-9]{1,5}/)[^\s'\"`]{1,200}@(?=[\w.\[-])"
)
"""The same without a scheme before it."""

_SCHEME: Final = re.compile(
    r"(bearer|basic|token|apikey|digest|splunk|negotiate)(\s+)(\S.*)", re.IGNORECASE | re.DOTALL
)
_LOGIN: Final = re.compile(r"\b((?i:bearer|basic))\s+(?=\S*(?:[0-9=]|[a-z][A-Z]))\S{6,}")
_SAID: Final = re.compile(
    r"(?i)((?:pass(?:word|wd|phrase)?|pwd|secret|token|api[ _-]?key|access[ _-]?key|\bpin"
    r"|community|credentials?)\b[\"']?\s*(?:[:=>]|\bis\b\s*:?)\s*)(\"[^\"]*\"|'[^']*'|[^\s&,;<]+)"
)
"""`password: …`, `?api_key=…`, `"token": "…"`, in whatever text."""

_PARAMETER: Final = re.compile(r"([?&;#])([^=&;?#\s]+)=([^&;#\s]*)")
_QUOTED: Final = re.compile(r"'[^']{1,500}'|\"[^\"]{1,500}\"")
_LOGIN_LINE: Final = re.compile(
    r"((?:\S+ )?(?:auth(?: (?:plain|login|xoauth2|cram-md5|external))?|pass|login|community) )"
    r"(\S[^\r\n]*?)(\s*)",
    re.IGNORECASE,
)
"""A line of a dialogue that logs in: what is behind the command is a secret."""

_ODD_PARAMETERS: Final = frozenset({"code"})
"""Names of parameters that are secrets in URLs alone: `code` of Azure Functions."""

_NAME: Final = re.compile(r"[\w.\[\]%$:-]*")
_SEGMENT: Final = re.compile(r"(?<=/)[A-Za-z0-9_-]{24,}(?=/|\?|$)")
_FORM: Final = re.compile(r"[A-Za-z0-9_.%+\[\]-]+=[^&=\s]*(&[A-Za-z0-9_.%+\[\]-]+=[^&=\s]*)*")
_PLAIN_HEADERS: Final = frozenset(
    {
        *("accept", "accept-charset", "accept-encoding", "accept-language", "cache-control"),
        *("content-type", "content-language", "host", "origin", "pragma", "referer", "user-agent"),
        *("x-requested-with", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-for"),
        *("x-forwarded-port", "x-real-ip", "upgrade-insecure-requests", "dnt", "range", "expect"),
        *("soapaction", "prefer", "forwarded", "sec-websocket-protocol"),
    }
)
"""Headers whose values are no secrets."""

_NUMBERS: Final = re.compile(r"[0-9]{1,3}(?:[., ]+[0-9]{1,3}){0,3}")
_HARMLESS: Final = frozenset({"true", "false", "yes", "no", "on", "off", "null", "none"})


def looks_token(text: str) -> bool:
    """Whether a text is most likely a token: a UUID, a known beginning, long and without words."""
    if len(text) < _SHORTEST_TOKEN:
        return False
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


def is_secret(name: str, value: str) -> bool:
    """Whether the value of a parameter or field is most often a secret, by its name or itself."""
    if len(value) > LONGEST:
        return True
    plain = unquote(value)
    return looks_secret(unquote(name)) or scrubbed(plain) != plain


def scrubbed(text: str) -> str:
    """Free text without what may be a secret in it: as `named`, and without any token."""
    return _WORD.sub(lambda word: HIDDEN if looks_token(word[0]) else word[0], named(text))


def named(text: str) -> str:
    """A name, a host or a label as `sentence`, and without what follows `password:` and the like.

    Unlike `scrubbed` it keeps what is only long and odd, as names of machines are.
    """
    return _SAID.sub(rf"\1{HIDDEN}", _LOGIN.sub(rf"\1 {HIDDEN}", sentence(text)))


def sentence(text: str) -> str:
    """A sentence that quotes others: without logins and secret parameters of URLs, known tokens."""
    if len(text) > LONGEST:
        return HIDDEN
    plain = _PARAMETER.sub(
        lambda one: f"{one[1]}{one[2]}={HIDDEN}" if _is_odd_parameter(one[2], one[3]) else one[0],
        _BARE_LOGIN.sub(f"{HIDDEN}@", _URL_LOGIN.sub(f"{HIDDEN}@", text)),
    )
    plain = _WORD.sub(lambda word: HIDDEN if _KNOWN.search(word[0]) else word[0], plain)
    return _QUOTED.sub(lambda one: _SAID.sub(rf"\1{HIDDEN}", one[0]), plain)


def hider(secrets: Secrets, place: Place, owner: str) -> Hide:
    """Names for secrets in the URL of `owner`, in words (such as group and name)."""

    def hide(hint: str, value: str) -> str:
        part = {"path": "a part of the path", "query": "the query"}.get(hint)
        what = f"{part or f'the parameter {hint}'} of the URL of {owner}"
        return secrets.check(f"{owner} {hint}", place, what, value=value)

    return hide


def header(name: str, text: str, secrets: Secrets, place: Place, owner: str) -> str:
    """The value of a header, with a name in place of a secret; its scheme (`Bearer`) stays.

    A header whose name says nothing may have one as well.
    """
    if len(text) <= LONGEST and (may_be_copied(name, text) or _is_named(text)):
        return text
    scheme = _SCHEME.fullmatch(text)
    lead, value = (scheme[1] + scheme[2], scheme[3]) if scheme else ("", text)
    what = f"the header {name} of {owner}"
    if scheme:
        what += f", without its `{scheme[1]}`"
    return lead + secrets.check(f"{owner} {name}", place, what, value=value)


def _is_named(text: str) -> bool:
    """Whether a value is that of a name already, but for its scheme."""
    rest = _PLACEHOLDER.sub("", text)
    scheme = _SCHEME.fullmatch(text)
    rest = rest[len(scheme[1]) :] if scheme else rest
    return rest != text and len(rest.strip()) < SHORTEST


def may_be_copied(name: str, text: str) -> bool:
    """Whether the value of a header is no secret, or too short to be one that a prober takes."""
    if len(text) < SHORTEST or text.lower() in _HARMLESS or _NUMBERS.fullmatch(text):
        return True
    return name.strip().lower() in _PLAIN_HEADERS and scrubbed(text) == text


def path(text: str, hide: Hide) -> str:
    """A path with its query, with names in place of values that are most often secrets.

    Those are the values of parameters with such a name, and parts that look made by a machine.
    """
    if len(text) > LONGEST:
        return f"/{hide('path', text)}"
    plain, question, query = text.partition("?")
    plain = "/".join(
        hide("path", part) if _NAMED not in part and is_secret("", part) else part
        for part in plain.split("/")
    )
    plain = _SEGMENT.sub(
        lambda one: hide("path", one[0]) if _is_made_by_a_machine(one[0]) else one[0], plain
    )

    def value(written: str) -> str:
        name, equals, value = written.partition("=")
        if "@" in value and not _NAME.fullmatch(name):
            return hide("query", written)  # the end of a password with a question mark in it
        if not equals:
            odd = _NAMED not in written and ("@" in written or is_secret("", written))
            return hide("query", written) if odd else written
        if _NAMED in value or len(value) < SHORTEST or not _is_odd_parameter(name, value):
            return written
        return f"{name}={hide(unquote(name), value)}"

    return plain + question + "&".join(map(value, query.split("&")))


def body(text: str, secrets: Secrets, place: Place, owner: str) -> str:
    """The body of a request: fields of JSON or a form with such names, or all of it."""

    def hide(hint: str, value: str) -> str:
        what = f"{hint} in the body of {owner}"
        return secrets.check(f"{owner} {hint}", place, what, value=value)

    if len(text) > LONGEST:
        return secrets.check(f"{owner} body", place, f"the body of {owner}", value=text)
    try:
        value = json.loads(text)
        if isinstance(value, dict | list):
            hidden = in_json(value, hide)
            return text if hidden == value else json.dumps(hidden, ensure_ascii=False)
    except (ValueError, RecursionError):
        pass  # no JSON, or one of hundreds of levels, which is as any text
    if _FORM.fullmatch(text):
        return path(f"?{text}", hide)[1:]
    rest = _PLACEHOLDER.sub("", text)
    if scrubbed(rest) != rest or (looks_secret(rest) and rest == text):
        return secrets.check(f"{owner} body", place, f"the body of {owner}", value=text)
    return text


def line(text: str, secrets: Secrets, place: Place, owner: str) -> str:
    """A line of a dialogue, with a name for what a login in it says, or for all of it."""
    login = _LOGIN_LINE.fullmatch(text[: LONGEST + 1])
    if login is None or _NAMED in login[2] or len(login[2]) < SHORTEST:
        return body(text, secrets, place, owner)
    what = f"what is behind {login[1].strip()} in the dialogue of {owner}"
    return login[1] + secrets.check(f"{owner} login", place, what, value=login[2]) + login[3]


def in_json(value: Any, hide: Hide, name: str = "") -> Any:
    """A value of JSON in which names stand for secrets."""
    if isinstance(value, dict):
        return {key: in_json(one, hide, key) for key, one in value.items()}
    if isinstance(value, list):
        return [in_json(one, hide, name) for one in value]
    if isinstance(value, bool) or value is None:
        return value
    text = str(value)
    if _NAMED in text or len(text) < SHORTEST:
        return value
    return hide(name or "text", text) if is_secret(name, text) else value


def _is_odd_parameter(name: str, value: str) -> bool:
    return name.lower() in _ODD_PARAMETERS or is_secret(name, value)


def _is_made_by_a_machine(text: str) -> bool:
    """Whether a long part of a path has digits, and is no row of words and numbers."""
    digits = sum(char.isdecimal() for char in text)
    return digits >= _MANY_DIGITS and digits < len(text) and not _is_words(text)


def _is_words(text: str) -> bool:
    """Whether it is made of words and numbers such as `release-2024-notes-of-the-week`."""
    parts = re.split(r"[-_]", text)
    return len(parts) > 1 and all(part.isalpha() or part.isdecimal() for part in parts)
