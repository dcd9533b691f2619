"""Apprise's plugins: made from a URL, with our limits of time, without cleverness of their own."""

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

import apprise
import requests

# Registers `console://`.
from sinks.notifier import console as _console  # noqa: F401
from sinks.notifier.channels.address import ChannelUrlError
from sinks.notifier.channels.exchange import CONNECT_S, READ_S
from sinks.notifier.channels.ways import Way, plugin_name, way_of

_LONGEST_PAUSE_S: Final = 2.0
"""Between the targets of one URL. Apprise would sleep as long as Discord says, in our thread."""

_NO_HTTP: Final = frozenset({"nostr"})
"""Plugins that use requests beside what they send by."""

_MENTIONING: Final = frozenset({"discord", "guilded", "fluxer"})

_said: ContextVar[list[str] | None] = ContextVar("portquorum_apprise_said", default=None)


class _Listener(logging.Handler):
    """Gives what Apprise logs to the message in whose context it is said."""

    def emit(self, record: logging.LogRecord) -> None:
        """Notes the text of a warning or an error."""
        said = _said.get()
        if said is not None and record.levelno >= logging.WARNING:
            said.append(record.getMessage())


def _listen() -> None:
    log = logging.getLogger("apprise")
    # What Apprise logs may show secrets; what it says of a failure comes with the outcome.
    log.propagate = False
    log.addHandler(_Listener())


_listen()


@contextmanager
def listening() -> Iterator[list[str]]:
    """The warnings and errors that Apprise logs within the block, in this context."""
    said: list[str] = []
    token = _said.set(said)
    try:
        yield said
    finally:
        _said.reset(token)


def known_schemes() -> frozenset[str]:
    """All schemes of Apprise and ours of it (`console`)."""
    return frozenset(apprise.manager_plugins.NotificationManager().schemas())  # type: ignore[no-untyped-call]


def make(url: str) -> tuple[Any, Way]:
    """The plugin for the filled-in `url`, and the way to give it texts.

    Raises:
        ChannelUrlError: Apprise does not take the URL, or lacks a package for it.
    """
    try:
        return _made(url)
    except ChannelUrlError:
        raise
    except Exception as error:
        # Apprise 1.9 falls over some that 2 refuses.
        name = type(error).__name__
        raise ChannelUrlError(f"Apprise can't read the URL of this channel ({name})") from error


def _made(url: str) -> tuple[Any, Way]:
    parts = _parts(url)
    asset = _asset()
    with listening() as said:
        way = way_of(_instance(dict(parts), asset, url, said), parts.get("format"))
        if way.format is not None:
            parts["format"] = way.format
        plugin = _instance(parts, asset, url, said)
    _sends_no_file(plugin)
    _limit(plugin, parts)
    return plugin, way


def uses_http(plugin: Any) -> bool:
    """True if the plugin sends by requests: then a message without any request was not sent."""
    if plugin_name(plugin) in _NO_HTTP:
        return False
    modules = {one.__module__ for one in type(plugin).__mro__}
    named = {name for name in modules if name.startswith("apprise.plugins.")}
    return any(hasattr(sys.modules.get(name), "requests") for name in named)


def amendment(plugin: Any) -> Any:
    """What must be changed in the plugin's requests; None if nothing.

    Discord pings whom the content names unless `allowed_mentions` says otherwise
    (https://discord.com/developers/docs/resources/message#allowed-mentions-object). Apprise writes
    `allow_mentions`, which Discord does not know. Whom the URL's `ping=` names may be pinged.
    """
    if plugin_name(plugin) not in _MENTIONING:
        return None
    named = [str(one) for one in getattr(plugin, "ping", None) or ()]
    everyone = any(one.strip("@") in {"everyone", "here"} for one in named)
    allowed: dict[str, Any] = {"parse": ["everyone"] if everyone else []}
    ids = [(one, "".join(filter(str.isdigit, one))) for one in named]
    allowed["roles"] = [number for one, number in ids if number and "&" in one]
    allowed["users"] = [number for one, number in ids if number and "&" not in one]

    def amend(request: requests.PreparedRequest) -> None:
        try:
            body = json.loads(request.body or "")
        except (ValueError, TypeError):
            return
        if isinstance(body, dict) and ("content" in body or "embeds" in body):
            body.pop("allow_mentions", None)
            body["allowed_mentions"] = allowed
            request.prepare_body(json.dumps(body), None)

    return amend


def _asset() -> Any:
    """Apprise's settings: no emoji, no escapes, and no threads of its own."""
    given: dict[str, Any] = {
        "async_mode": False,
        "interpret_emojis": False,
        "interpret_escapes": False,
    }
    if hasattr(apprise.AppriseAsset, "_service_timeout"):  # Apprise 2: a send in our own thread.
        given["service_timeout"] = 0
    return apprise.AppriseAsset(**given)


def _parts(url: str) -> dict[str, Any]:
    parts = apprise.plugins.url_to_dict(url, secure_logging=True)  # type: ignore[no-untyped-call]
    if not parts:
        raise ChannelUrlError("Apprise does not accept the URL of this channel")
    return dict(parts)


def _instance(parts: dict[str, Any], asset: Any, url: str, said: list[str]) -> Any:
    plugin = apprise.Apprise.instantiate(parts, asset=asset)
    if plugin is None:
        scheme = url.partition("://")[0].lower()
        disabled = any("disabled" in one for one in said)
        why = "lacks a package of Python for" if disabled else "does not accept"
        raise ChannelUrlError(f"Apprise {why} this {scheme}:// URL; see its page in Apprise's docs")
    return plugin


def _sends_no_file(plugin: Any) -> None:
    """Refuses a template that is read from a file or another URL, and sent in place of the text.

    Who may write the inventory may not read the files of the notifier's machine. (Of other plugins
    `template=` is the name of a text that lies with the service.)
    """
    template = getattr(plugin, "template", None)
    if isinstance(template, apprise.AppriseAttachment) and len(template) > 0:
        raise ChannelUrlError(
            "expected a URL without template=, which names a file of the notifier's machine that "
            "would be sent; messages have portquorum's own text"
        )


def _limit(plugin: Any, parts: dict[str, Any]) -> None:
    """Our limits: a URL's own `cto` and `rto` may only be shorter; no retries, no `optional`."""
    connect_s, read_s = CONNECT_S, READ_S
    if "cto" in parts:
        connect_s = min(float(plugin.socket_connect_timeout), connect_s)
    if "rto" in parts:
        read_s = min(float(plugin.socket_read_timeout), read_s)
    if plugin_name(plugin) == "email":
        connect_s = read_s  # smtplib has one limit for everything.
    plugin.socket_connect_timeout, plugin.socket_read_timeout = connect_s, read_s
    if hasattr(apprise.plugins.NotifyBase, "optional"):
        plugin.optional = False
    original = plugin.throttle

    def throttle(last_io: Any = None, wait: float | None = None) -> Any:
        plugin.request_rate_per_sec = min(plugin.request_rate_per_sec, _LONGEST_PAUSE_S)
        return original(last_io, None if wait is None else min(wait, _LONGEST_PAUSE_S))

    plugin.throttle = throttle
