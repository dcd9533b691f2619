"""Domains of status pages: the setting `status_domains`."""

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from foundation.settings import PREFIX, Settings, SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME: Final = f"{PREFIX}STATUS_DOMAINS"
_HOST: Final = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+"
)
_SLUG: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_ADDRESS: Final = re.compile(r"[0-9.]+")


def page_domains(settings: Settings) -> "Mapping[str, str]":
    """The slug of the page of each domain, by its name in small letters.

    Raises:
        SettingsError: the setting is wrong, or names a host of the monitor itself.
    """
    found: dict[str, str] = {}
    for part in (settings.status_domains or "").split(","):
        if not (text := part.strip()):
            continue
        host, _, slug = (one.strip() for one in text.partition("="))
        host = host.lower()
        if _HOST.fullmatch(host) is None or _ADDRESS.fullmatch(host) or not _SLUG.fullmatch(slug):
            raise SettingsError(
                f"{_NAME}: expected DOMAIN=SLUG[,…] (status.example.org=shop), found {text[:200]!r}"
            )
        if host in found:
            raise SettingsError(f"{_NAME}: expected each domain once, found {host} twice")
        found[host] = slug
    own = {one.lower() for one in settings.http_host_names}
    if both := sorted(own & found.keys()):
        raise SettingsError(
            f"{_NAME}: expected a name of its own, found {both[0]}, which {PREFIX}HTTP_HOSTS has "
            "for the monitor"
        )
    return MappingProxyType(found)
