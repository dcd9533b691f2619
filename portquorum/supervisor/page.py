"""The address of the page, held by `up` from its first moment on.

Whoever opens it before everything runs waits for the answer and is not turned away.
"""

import importlib.util
import socket
from typing import Final

from msgspec import Struct

from foundation import settings as all_settings
from foundation.loopback_listener import loopback_listener, place_of
from foundation.settings import PREFIX, Settings
from portquorum.access.rules import AccessRules, access_rules

NEEDS: Final = ("argon2", "authlib", "litestar", "uvicorn")
"""What the extra `web` brings."""


class Page(Struct, frozen=True):
    """The listening socket of the page and its address (`http://…`); or why there is none.

    `instead_of`: the address (`host:port`) that another program has.
    """

    listening: socket.socket | None
    address: str
    why_not: str = ""
    instead_of: str = ""


def open_page(
    listen: str, name: str, *, or_any_port: bool, rules: AccessRules | None = None
) -> Page:
    """Listens on `listen`; there is no page without the extra.

    `name` is the setting or option that says so. `or_any_port`: a free port in place of one that
    is taken. `rules` say whether other machines may reach it; None: this machine alone.

    Raises:
        SettingsError: the address can't be listened on, or is not of this machine alone.
    """
    if any(importlib.util.find_spec(one) is None for one in NEEDS):
        return Page(None, "", "not installed: pip install 'portquorum[web]'")
    rules = rules or AccessRules()
    listening = loopback_listener(
        listen, name, or_any_port=or_any_port, elsewhere=rules.may_be_elsewhere
    )
    place = place_of(listening)
    port = listen.rpartition(":")[2]
    is_another = int(port) not in {0, listening.getsockname()[1]}
    scheme = "http" if rules.tls is None else "https"
    return Page(listening, f"{scheme}://{place}/", instead_of=listen if is_another else "")


def chosen_page(settings: Settings, listen: str | None) -> Page:
    """The page on `listen`, else on the setting's address, else, if that is taken, on any port.

    Raises:
        SettingsError: as `open_page`, or the settings of access are wrong.
    """
    rules = access_rules(settings)
    if listen is not None:
        return open_page(listen, "--web-listen", or_any_port=False, rules=rules)
    is_chosen = "web_listen" in all_settings.chosen()
    name = f"{PREFIX}WEB_LISTEN"
    return open_page(settings.web_listen, name, or_any_port=not is_chosen, rules=rules)
