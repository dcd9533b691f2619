"""What a check is made with: its module, names for secrets, and the differences so far."""

import ipaddress
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlsplit

from portquorum.importing import hiding
from portquorum.importing.model import Place
from portquorum.importing.prometheus.client_config import ClientConfig, Hidden, TlsConfig
from portquorum.importing.prometheus.modules import Module
from portquorum.importing.secrets import Secrets
from portquorum.importing.urls import literal
from schemas.partition import canonical_host

_OLD_TLS: Final = {"TLS10": "1.0", "TLS11": "1.1"}
_FAMILIES: Final = {"ip4": ("IPv4", "IPv6"), "ip6": ("IPv6", "IPv4")}


class CannotError(ValueError):
    """A target that can't be taken over: the reason, and what to do instead.

    `networked`: whether any network monitor could do it.
    """

    def __init__(self, why: str, *, networked: bool = True) -> None:
        super().__init__(why)
        self.networked = networked


class Making:
    """One target's check while it is made."""

    def __init__(self, module: Module, secrets: Secrets, place: Place | None = None) -> None:
        """`place`: where the target stands; None: it is not known."""
        self.module = module
        self.differences: list[str] = []
        self._secrets = secrets
        self._place = place or module.place

    def differ(self, text: str) -> None:
        """Adds a sentence on what is not as it was."""
        self.differences.append(text)

    def secret(self, hidden: Hidden, hint: str) -> str:
        """The name under which the prober finds the secret."""
        what = f"{hidden.what} of the module {self.module.name!r}"
        if hidden.file:
            what += f" (in the file {hidden.file} there)"
        return self._secrets.check(
            f"{self.module.name} {hint}", hidden.place, what, value=hidden.value or hidden.file
        )

    def plain_secret(self, value: str, hint: str, what: str) -> str:
        """As `secret`, for a value that only looks like one."""
        return self.secret(Hidden(self.module.place, what, value=value), hint)

    def header(self, name: str, value: str) -> str:
        """The value of a header of the module, with a name in place of a secret."""
        owner = self.module.name
        return hiding.header(name, literal(value), self._secrets, self.module.place, owner)

    def hidden_header(self, name: str) -> str:
        """The name for the value of a header that is a secret there, or in a file."""
        return self.plain_secret(f"{name}?", name, f"the value of the header {name}")

    def body(self, text: str) -> str:
        """The body of the module, with names in place of secrets."""
        owner = self.module.name
        return hiding.body(literal(text), self._secrets, self.module.place, owner)

    def path(self, text: str, host: str) -> str:
        """The path of a target, with names in place of secrets."""
        return hiding.path(literal(text), hiding.hider(self._secrets, self._place, host))

    def variable_secret(self, name: str, what: str) -> str:
        """The name for a variable of the source in a place that may have a secret."""
        told = f"{what} of the module {self.module.name!r}"
        return self._secrets.check(name, self.module.place, told, value=f"${name}")

    def family(self, host: str) -> None:
        """Says so if only one family of addresses is used there."""
        if self.module.family and not _is_address(host):
            only, other = _FAMILIES[self.module.family]
            self.differ(f"addresses of {other} are tried too, where there {only} alone was")

    def source_address(self, address: str) -> None:
        """Says where the address belongs from which the exporter asked."""
        if address:
            self.differ(
                f"it is asked from {address} there; here `source:` of the region says from where"
            )

    def tls(self, config: TlsConfig, *, server_name: str = "") -> dict[str, Any]:
        """The options of TLS; `server_name` holds where the module has none."""
        found: dict[str, Any] = {"critical_days": 0}
        if not config.verify:
            found["verify"] = False
        name = config.server_name or server_name
        if name:
            found["server_name"] = name
        if config.authority and config.verify:
            self.differ(
                f"there the authority of {config.authority} is trusted; here it has to be in the "
                "file that SSL_CERT_FILE of the probers names"
            )
        self._versions(config)
        if config.certificate is not None or config.key is not None:
            nowhere = Hidden(self.module.place, "the client's certificate or its key", file="?")
            found["client_certificate"] = {
                "certificate": self.secret(config.certificate or nowhere, "CERT"),
                "key": self.secret(config.key or nowhere, "KEY"),
            }
        return found

    def only_newest(self, config: TlsConfig) -> None:
        """Says so where TLS 1.3 is demanded, and the kind has no option for it."""
        if config.min_version == "TLS13":
            self.differ("a server with TLS 1.2 is up, too (min_version)")

    def _versions(self, config: TlsConfig) -> None:
        if config.min_version in _OLD_TLS:
            old = _OLD_TLS[config.min_version]
            self.differ(f"TLS {old} is down here: it has to be TLS 1.2 at least")
        if config.max_version and config.max_version != "TLS13":
            self.differ(f"newer versions of TLS than {config.max_version} are up, too")

    def login(self, client: ClientConfig) -> dict[str, Any]:
        """`basic_auth`, `bearer`, or a header `Authorization` of another scheme."""
        if client.oauth2:
            raise CannotError(
                "it gets a token by OAuth 2.0 for each check, which no check here does: "
                "a token that lasts can be given as `bearer:`"
            )
        if client.username or client.username_hidden or client.password:
            return {"basic_auth": self._basic(client)}
        if client.credentials is None:
            return {}
        value = self.secret(client.credentials, "TOKEN")
        if client.scheme.lower() == "bearer":
            return {"bearer": value}
        return {"headers": {"Authorization": f"{client.scheme} {value}"}}

    def _basic(self, client: ClientConfig) -> dict[str, str]:
        username = client.username
        if client.username_hidden is not None:
            username = self.secret(client.username_hidden, "USER")
        empty = Hidden(self.module.place, "the (empty) password", file="?")
        password = self.secret(client.password or empty, "PASSWORD")
        return {"username": literal(username) or "-", "password": password}

    def proxy(self, client: ClientConfig, host: str, port: int) -> dict[str, Any]:
        """`proxy` if the host is asked through one."""
        if client.proxy_from_environment:
            self.differ(
                "there the proxy is that of the exporter's environment (HTTP_PROXY); here "
                "`proxy:` has to name it"
            )
        if not client.proxy or _bypassed(client.no_proxy, host, port):
            return {}
        if client.proxy_headers:
            self.differ("the proxy gets none of the headers of proxy_connect_header")
        try:
            parts = urlsplit(client.proxy)
            place = f"{parts.hostname or ''}:{parts.port or 80}"
        except ValueError as error:
            raise CannotError("proxy_url: expected a URL, found none") from error
        if parts.scheme != "http" or not parts.hostname:
            raise CannotError(
                f"its proxy is one of {parts.scheme or 'no scheme'}://, and only proxies of "
                "http:// are asked here"
            )
        user = ""
        if parts.username is not None:
            hidden = Hidden(
                self.module.place, "the password of the proxy", value=parts.password or ""
            )
            user = f"{quote(parts.username, safe='%')}:{self.secret(hidden, 'PROXY')}@"
        return {"proxy": f"http://{user}{place}"}


def _bypassed(excluded: tuple[str, ...], host: str, port: int) -> bool:
    """Whether `no_proxy` names the host, as golang.org/x/net/http/httpproxy reads it."""
    for one in excluded:
        name, _, wanted = one.rpartition(":") if one.count(":") == 1 else (one, "", "")
        if wanted and wanted != str(port):
            continue
        name = name.lower()
        if name == "*" or name.lstrip(".") == host or host.endswith(f".{name.lstrip('*.')}"):
            return name != host or not name.startswith(".")
        try:
            if ipaddress.ip_address(host) in ipaddress.ip_network(name, strict=False):
                return True
        except ValueError:
            continue
    return False


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def host_of(text: str) -> str:
    """A host as the inventory has it.

    Raises:
        CannotError: it is none.
    """
    try:
        return canonical_host(text)
    except ValueError as error:
        raise CannotError(f"{error}") from error


def split_host_port(text: str) -> tuple[str, int | None]:
    """`host:port` and `[address]:port`, as Go's net.SplitHostPort; None without a port.

    Raises:
        CannotError: the port is none.
    """
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        port_text = rest[1:] if bracket and rest.startswith(":") else ""
    elif text.count(":") == 1:
        host, _, port_text = text.partition(":")
    else:
        host, port_text = text, ""
    if not port_text:
        return host, None
    if not (port_text.isascii() and port_text.isdecimal() and 0 < int(port_text[:6]) < 65_536):
        raise CannotError(f"expected a port from 1 to 65535, found {port_text[:20]!r}")
    return host, int(port_text)


Entry = dict[str, Any]


def entry(kind: str, host: str, port: int | None, probe: Mapping[str, Any]) -> Entry:
    """The fields of a target; without what is empty."""
    made: Entry = {"kind": kind, "host": host}
    if port is not None:
        made["port"] = port
    return made | ({"probe": dict(probe)} if probe else {})
