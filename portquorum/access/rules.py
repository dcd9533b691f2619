"""What the settings say of who may come in: proxies, groups, TLS, OpenID Connect."""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from foundation.http_origin import is_loopback
from foundation.settings import PREFIX, Settings, SettingsError
from schemas.web import Scope

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

EVERYBODY: Final = "*"
"""The group of everybody whom a proxy or a provider names."""
_SCOPES: Final[tuple[Scope, ...]] = ("viewer", "operator", "admin")
_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_NO_NAME_HEADERS: Final = frozenset(
    {"host", "cookie", "authorization", "origin", "referer", "content-type", "content-length"}
)
_WIDEST: Final = {4: 8, 6: 16}
"""Shortest prefix of a network of proxies: from a wider one anybody could come."""


class Grant(Struct, frozen=True):
    """What a group may do; `teams` empty: without limits."""

    group: str
    scope: Scope
    teams: tuple[str, ...] = ()


class Tls(Struct, frozen=True):
    """Files (PEM) of the page's certificate and its key."""

    certificate: str
    key: str


class Provider(Struct, frozen=True, kw_only=True):
    """An OpenID Connect provider."""

    issuer: str
    client_id: str
    client_secret: str | None
    name: str
    scopes: str
    groups_claim: str
    user_claim: str

    def __repr__(self) -> str:
        """Without the secret."""
        return f"Provider({self.issuer!r}, {self.client_id!r})"


class AccessRules(Struct, frozen=True, kw_only=True):
    """All that the settings say of access; the defaults are those of the settings."""

    proxies: tuple[Network, ...] = ()
    user_header: str = ""
    groups_header: str = ""
    grants: tuple[Grant, ...] = ()
    tls: Tls | None = None
    provider: Provider | None = None

    @property
    def may_be_elsewhere(self) -> bool:
        """True if other machines may reach the page."""
        return self.tls is not None or bool(self.proxies)

    def trusts(self, address: str) -> bool:
        """True if an address is that of a proxy in front of the page."""
        found = plain_address(address)
        return found is not None and any(found in network for network in self.proxies)

    def granted(self, groups: Iterable[str]) -> Grant | None:
        """What somebody of these groups may do, None: nothing.

        The widest scope counts; the limits are those of all groups that have it, and there are
        none if one of them has none.
        """
        theirs = {EVERYBODY, *groups}
        found = [one for one in self.grants if one.group in theirs]
        if not found:
            return None
        scope = max((one.scope for one in found), key=_SCOPES.index)
        widest = [one for one in found if one.scope == scope]
        if any(not one.teams for one in widest):
            return Grant(group="", scope=scope)
        teams = dict.fromkeys(team for one in widest for team in one.teams)
        return Grant(group="", scope=scope, teams=tuple(teams))


def access_rules(settings: Settings) -> AccessRules:
    """The rules of the settings.

    Raises:
        SettingsError: a value is wrong, or one is missing that another one needs.
    """
    rules = AccessRules(
        proxies=_proxies(settings.web_proxies),
        user_header=_header(settings.web_user_header, "WEB_USER_HEADER"),
        groups_header=_header(settings.web_groups_header, "WEB_GROUPS_HEADER"),
        grants=_grants(settings.web_groups),
        tls=_tls(settings),
        provider=_provider(settings),
    )
    if rules.user_header and not rules.proxies:
        raise _needs("WEB_USER_HEADER", "WEB_PROXIES", "anybody could send this header")
    if rules.groups_header and not rules.user_header:
        raise _needs("WEB_GROUPS_HEADER", "WEB_USER_HEADER", "groups alone name nobody")
    return rules


def plain_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An IP address without zone, an IPv4 one as such; None: it is none."""
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _proxies(written: str | None) -> tuple[Network, ...]:
    found = []
    for text in _parts(written):
        try:
            network = ipaddress.ip_network(text)
        except ValueError as error:
            raise SettingsError(
                f"{PREFIX}WEB_PROXIES: expected address[/bits][,…]; {error}"
            ) from error
        if network.prefixlen < _WIDEST[network.version]:
            raise SettingsError(
                f"{PREFIX}WEB_PROXIES: expected the networks of your proxies, found {text}, from "
                "which anybody may come"
            )
        found.append(network)
    return tuple(found)


def _header(written: str | None, name: str) -> str:
    if written is None:
        return ""
    if _HEADER.fullmatch(written) is None or written.lower() in _NO_NAME_HEADERS:
        raise SettingsError(f"{PREFIX}{name}: expected the name of a header, found {written!r}")
    return written.lower()


def _grants(written: str | None) -> tuple[Grant, ...]:
    """Commas, `=` and `:` of a name are percent-encoded, but for the `=` of a group."""
    found = []
    for text in _parts(written):
        group, _, granted = text.rpartition("=")
        scope, _, teams = granted.partition(":")
        known = next((one for one in _SCOPES if one == scope.strip()), None)
        if not group.strip() or known is None or (":" in granted and not _names(teams)):
            raise SettingsError(
                f"{PREFIX}WEB_GROUPS: expected GROUP=SCOPE[:TEAM[+TEAM]][,…] with a scope of "
                f"{', '.join(_SCOPES)}, found {text[:200]!r}"
            )
        found.append(Grant(unquote(group.strip()), known, _names(teams)))
    return tuple(found)


def _names(written: str) -> tuple[str, ...]:
    return tuple(unquote(name.strip()) for name in written.split("+") if name.strip())


def _tls(settings: Settings) -> Tls | None:
    certificate, key = settings.web_tls_certificate, settings.web_tls_key
    if certificate is None and key is None:
        return None
    if key is None:
        raise _needs("WEB_TLS_CERTIFICATE", "WEB_TLS_KEY", "a certificate is of no use without it")
    if certificate is None:
        raise _needs("WEB_TLS_KEY", "WEB_TLS_CERTIFICATE", "a key is of no use without it")
    return Tls(certificate, key)


def _provider(settings: Settings) -> Provider | None:
    issuer, client_id = settings.web_oidc_issuer, settings.web_oidc_client_id
    if issuer is None:
        for name in ("web_oidc_client_id", "web_oidc_client_secret"):
            if getattr(settings, name) is not None:
                raise _needs(name.upper(), "WEB_OIDC_ISSUER", "without it there is no provider")
        return None
    if client_id is None:
        raise _needs("WEB_OIDC_ISSUER", "WEB_OIDC_CLIENT_ID", "the provider must know this page")
    if not _is_issuer(issuer):
        raise SettingsError(
            f"{PREFIX}WEB_OIDC_ISSUER: expected https://HOST[:PORT][/PATH] (http on this machine), "
            f"found {issuer[:200]!r}"
        )
    scopes = settings.web_oidc_scopes.split()
    if "openid" not in scopes:
        raise SettingsError(
            f"{PREFIX}WEB_OIDC_SCOPES: expected openid among the scopes, found "
            f"{settings.web_oidc_scopes[:200]!r}"
        )
    return Provider(
        issuer=issuer,
        client_id=client_id,
        client_secret=settings.web_oidc_client_secret,
        name=settings.web_oidc_name,
        scopes=" ".join(scopes),
        groups_claim=settings.web_oidc_groups_claim,
        user_claim=settings.web_oidc_user_claim,
    )


def _is_issuer(written: str) -> bool:
    """As of OpenID Connect Core, section 2: https, without query and fragment."""
    try:
        url = urlsplit(written)
        host, port = url.hostname or "", url.port
    except ValueError:
        return False
    plain = url.scheme == "http" and is_loopback(host)
    is_bare = not url.query and not url.fragment and "@" not in url.netloc
    return bool(host) and port != 0 and is_bare and (url.scheme == "https" or plain)


def _parts(written: str | None) -> Sequence[str]:
    return [text for part in (written or "").split(",") if (text := part.strip())]


def _needs(given: str, missing: str, why: str) -> SettingsError:
    return SettingsError(f"{PREFIX}{given}: expected {PREFIX}{missing} with it: {why}")
