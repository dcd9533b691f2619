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

NEEDS: Final = ("litestar", "uvicorn")
"""What the extra `web` brings."""


class Page(Struct, frozen=True):
    """The listening socket of the page and its address (`http://…`); or why there is none."""

    listening: socket.socket | None
    address: str
    why_not: str = ""


def open_page(settings: Settings, listen: str | None) -> Page:
    """Listens on `listen`, else on the setting's address; there is no page without the extra.

    A port that nobody chose and another program has is replaced by a free one.

    Raises:
        SettingsError: the address can't be listened on, or is not of this machine alone.
    """
    if any(importlib.util.find_spec(name) is None for name in NEEDS):
        return Page(None, "", "not installed: pip install 'portquorum[web]'")
    is_chosen = listen is not None or "web_listen" in all_settings.chosen()
    name = "--web-listen" if listen is not None else f"{PREFIX}WEB_LISTEN"
    listening = loopback_listener(listen or settings.web_listen, name, or_any_port=not is_chosen)
    return Page(listening, f"http://{place_of(listening)}/")
