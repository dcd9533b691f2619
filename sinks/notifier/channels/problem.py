"""Whether a channel's URL can be used: for `inventory check` and for the notifier's start."""

import re
from collections.abc import Mapping
from typing import Final

from sinks.notifier.channels.address import ChannelUrlError
from sinks.notifier.channels.advice import advice
from sinks.notifier.channels.by_ourselves import PROTOCOLS
from sinks.notifier.channels.classes import usable
from sinks.notifier.channels.native import canonical, is_pasted, may_be_native
from sinks.notifier.channels.plugins import known_schemes, make
from sinks.notifier.secrets import not_for_channels, placeholders

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


def problem(url: str, env: Mapping[str, str] | None = None) -> str | None:
    """The problem of `url` as written, None without one. The text never contains secrets.

    With `env` None only what is wrong in any environment: a URL with placeholders is looked at as
    far as it is known, one that is a placeholder as a whole is accepted. With `env` every variable
    must be set, and the filled-in URL must be one that can be used; the text names what is missing.
    """
    broken = url.count("${") - len(re.findall(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}", url))
    if broken:
        return "expected secrets as ${ENV_NAME} (letters, digits, underscores)"
    reserved = not_for_channels(url)
    if reserved is not None:
        return reserved
    if env is not None:
        missing = [name for name in placeholders(url) if not env.get(name)]
        if missing:
            few, are = ("variable", "is") if len(missing) == 1 else ("variables", "are")
            return f"the environment {few} {', '.join(missing)} {are} not set for the notifier"[
                :300
            ]
        return _wrong(usable(url, env), whole=True)
    url = canonical(url)
    if url.startswith("${") or (is_pasted(url) and may_be_native(url)):
        return None
    return _wrong(url, whole="${" not in url)


def _wrong(url: str, *, whole: bool) -> str | None:
    found = _SCHEME.match(url)
    if found is None:
        return "expected an Apprise URL such as mailto://… or slack://…, found none with a scheme"
    if is_pasted(url):
        return advice(url)
    scheme = found[1].lower()
    protocol = PROTOCOLS.get(scheme)
    if protocol is None and scheme not in known_schemes():
        return (
            "expected a scheme that Apprise knows (mailto, slack, json, …) or one of ours "
            f"(pagerduty, opsgenie, alertmanager+https, webhook+https, …), found {scheme!r}"
        )
    if not whole:
        return None
    try:
        if protocol is not None:
            protocol.check(url)
        else:
            make(url)
    except ChannelUrlError as error:
        return str(error)
    return None
