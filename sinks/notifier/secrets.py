"""`${ENV_NAME}` in a route's URL: only here filled in, and removed from texts."""

import os
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, unquote

_PLACEHOLDER: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_SEPARATORS: Final = re.compile(r"[/:@?&=,#;]+")
_SHORT: Final = 5


class MissingSecretError(LookupError):
    """A variable that a URL needs is not set; the text names it."""


def fill_in(url: str, env: Mapping[str, str] = os.environ) -> str:
    """`url` with its placeholders replaced.

    A user name or password (before an `@`) and a parameter (after a `=`) are percent-encoded, so
    that a `/` or `@` in them stays; anything else (a token, a path, a whole URL) is taken as it is.

    Raises:
        MissingSecretError: a variable is not set or empty.
    """

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


def scrub(text: str, url: str) -> str:
    """`text` without any part of the filled-in `url` that may be a secret."""
    _, _, rest = url.partition("://")
    parts = {part for part in _SEPARATORS.split(rest) if len(part) >= _SHORT}
    parts |= {unquote(part) for part in parts}
    for part in sorted({rest, url, *parts} - {""}, key=len, reverse=True):
        text = text.replace(part, "***")
    return text
