"""Checks that Apprise can deliver to a route's URL."""

import logging
import re
from typing import Any, Final

import apprise

# Registers `console://`.
from sinks.notifier import console as _console  # noqa: F401

_plugins: Any = apprise.manager_plugins.NotificationManager()  # type: ignore[no-untyped-call]
_SECRET: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


def problem(url: str) -> str | None:
    """The problem of `url`, None without one. The text never contains possible secrets.

    Of a URL with `${ENV_NAME}` only the scheme is checked, because only the notifier knows the
    value; a URL with a secret scheme is accepted as it is.
    """
    broken = url.count("${") - len(_SECRET.findall(url))
    if broken:
        return "expected secrets as ${ENV_NAME} (letters, digits, underscores)"
    if url.startswith("${"):
        return None
    scheme = _SCHEME.match(url)
    if scheme is None:
        return "expected an Apprise URL such as mailto://… or slack://…, found none with a scheme"
    name = scheme[1].lower()
    if name not in _plugins.schemas():
        return f"expected a scheme that Apprise knows (mailto, slack, json, …), found {name!r}"
    if not _SECRET.search(url) and not _accepts(url):
        return f"Apprise does not accept this {name}:// URL; see its page in Apprise's docs"
    return None


def _accepts(url: str) -> bool:
    # Apprise logs the URL that it refuses, secrets included.
    log = logging.getLogger("apprise")
    before, log.disabled = log.disabled, True
    try:
        return bool(apprise.Apprise().add(url))
    finally:
        log.disabled = before
