"""The class of a channel, by the scheme of its URL: people, or an on-call system.

Pure on the URL; the environment is only asked for a URL whose scheme stands in a placeholder.
"""

import os
from collections.abc import Mapping
from typing import Final

from sinks.notifier.channels.native import canonical, is_pasted
from sinks.notifier.channels.on_call_systems import on_call_system
from sinks.notifier.model import Channel, ChannelClass
from sinks.notifier.secrets import MissingSecretError, fill_in

ALERTMANAGER: Final = frozenset({"alertmanager+http", "alertmanager+https"})
WEBHOOK: Final = frozenset({"webhook+http", "webhook+https"})
OWN: Final = frozenset({"pagerduty", "opsgenie", "jira"}) | ALERTMANAGER | WEBHOOK
"""Schemes that this package speaks itself; all others are Apprise's."""


def scheme_of(url: str, env: Mapping[str, str] = os.environ) -> str:
    """The scheme in lower case; of a URL that begins with a placeholder, the filled-in one.

    Of an address as it is pasted (`https://discord.com/…`) the scheme of its service. Empty if it
    has none, or the variable is not set.
    """
    url = canonical(url)
    if _is_open(url):
        try:
            url = usable(url, env)
        except MissingSecretError:
            return ""
    scheme, found, _ = url.partition("://")
    return scheme.strip().lower() if found else ""


def usable(url: str, env: Mapping[str, str] = os.environ) -> str:
    """`url` with its placeholders filled in, in the form that has the scheme of its service.

    Raises:
        MissingSecretError: as `fill_in` does.
    """
    return canonical(fill_in(canonical(url), env))


def class_of(channel: Channel, env: Mapping[str, str] = os.environ) -> ChannelClass:
    """The class of `channel`; `people` while its scheme is not known."""
    scheme = scheme_of(channel.url, env)
    if scheme in OWN:
        return "on_call"
    if scheme == "betterstack" and _has_user(channel.url, env):
        return "people"  # A source of logs: `betterstack://token@host`.
    return "people" if on_call_system(scheme) is None else "on_call"


def needs_refresh(channel: Channel, env: Mapping[str, str] = os.environ) -> bool:
    """True for a system that forgets what is not repeated (Alertmanager)."""
    return scheme_of(channel.url, env) in ALERTMANAGER


def _is_open(url: str) -> bool:
    """True if the scheme is known only when the placeholders are filled in."""
    return url.startswith("${") or (is_pasted(url) and "${" in url)


def _has_user(url: str, env: Mapping[str, str]) -> bool:
    if _is_open(url):
        url = usable(url, env)
    return "@" in url.partition("://")[2].partition("/")[0]
