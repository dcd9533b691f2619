"""`${ENV_NAME}` in a route's URL: filled in only here, and removed from texts."""

import base64
import json
import os
import re
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from foundation.settings import PREFIX

_PLACEHOLDER: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_SEPARATORS: Final = re.compile(r"[/:@?&=,#;]+")
_SHORT: Final = 5
_SHORTEST_SECRET: Final = 3
_MASK: Final = "***"
_NAME_LENGTH: Final = 100


class MissingSecretError(LookupError):
    """A variable that a URL needs is not set, or not for channels; the text names it."""


def placeholders(url: str) -> tuple[str, ...]:
    """The names of the variables that `url` needs, each once, in order."""
    return tuple(dict.fromkeys(_PLACEHOLDER.findall(url)))


def not_for_channels(url: str) -> str | None:
    """What is wrong with the variables in `url`: it asks for a setting of portquorum; else None.

    Who may write the inventory chooses where a URL leads. Kafka's and ClickHouse's passwords stand
    in the same environment, and are not theirs.
    """
    taken = [name for name in placeholders(url) if name.upper().startswith(PREFIX)]
    if not taken:
        return None
    return (
        f"expected the names of channels' secrets, found {taken[0][:_NAME_LENGTH]}: no channel "
        f"gets a setting of portquorum ({PREFIX}…); give the variable another name"
    )


def fill_in(url: str, env: Mapping[str, str] = os.environ) -> str:
    """`url` with its placeholders replaced.

    A user name or password (before an `@`) and a parameter (after a `=`) are percent-encoded, so
    that a `/` or `@` in them stays; anything else (a token, a path, a whole URL) is taken as it is.

    Raises:
        MissingSecretError: a variable is not set or empty, or it is a setting of portquorum.
    """
    wrong = not_for_channels(url)
    if wrong is not None:
        raise MissingSecretError(wrong)

    def value(found: re.Match[str]) -> str:
        secret = env.get(found[1], "")
        if not secret:
            raise MissingSecretError(
                f"the environment variable {found[1]} is not set for the notifier"
            )
        before, after = url[: found.start()], url[found.end() :]
        credential = "://" in before and "@" in after and "/" not in after.partition("@")[0]
        return quote(secret, safe="") if credential or before.endswith("=") else secret

    return _PLACEHOLDER.sub(value, url)


def scrub(text: str, url: str, template: str = "", env: Mapping[str, str] = os.environ) -> str:
    """`text` without any part of the filled-in `url` that may be a secret.

    Each part of at least 5 characters goes, and each value of a placeholder of `template` (the URL
    as written) of at least 3: as it is, percent-encoded, as in JSON, and in Base64 as credentials
    of HTTP are. A text may have been cut: the first 5 or more characters of any of these go from
    its end, too.
    """
    _, _, rest = url.partition("://")
    parts = {rest, url, *(part for part in _SEPARATORS.split(rest) if len(part) >= _SHORT)}
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    credentials = authority.rpartition("@")[0]
    if credentials:
        parts |= {credentials, unquote(credentials)}
        if ":" not in credentials:
            parts.add(f"{credentials}:")
    for name in placeholders(template):
        value = env.get(name, "")
        if len(value) >= _SHORTEST_SECRET:
            parts |= {value, *value.split()}
    forms = {form for part in parts for form in _forms(part)}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, _MASK)
    begun = max((_begun(text, form) for form in forms), default=0)
    return text[:-begun] + _MASK if begun else text


def _begun(text: str, form: str) -> int:
    """The number of characters of `form` with which a cut `text` ends; 0 if fewer than 5."""
    most = min(len(form) - 1, len(text))
    return next((size for size in range(most, _SHORT - 1, -1) if text.endswith(form[:size])), 0)


def _forms(part: str) -> Iterator[str]:
    """The ways in which a secret may stand in a text."""
    plain = {part, unquote(part), unquote_plus(part)}
    for one in plain:
        if len(one) < _SHORTEST_SECRET:
            continue
        yield one
        yield quote(one, safe="")
        yield quote(one)
        yield quote_plus(one)
        yield json.dumps(one)[1:-1]
        yield json.dumps(one, ensure_ascii=False)[1:-1]
        yield repr(one)[1:-1]
        encoded = one.encode("utf-8", "surrogateescape")
        # Without the last characters, which depend on what follows.
        for coded in (base64.b64encode(encoded), base64.urlsafe_b64encode(encoded)):
            if len(encoded) >= _SHORT:
                yield coded.decode()
                yield coded.decode().rstrip("=")
