"""How a client asks: TLS, login, proxy (`http_client_config` of Prometheus' programs).

Values of secrets stay in these Structs and never reach a result: `options.py` gives them names.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from portquorum.importing.model import Place
from portquorum.importing.source_yaml import Fields

_OAUTH: Final = "oauth2"


class Hidden(Struct, frozen=True):
    """A secret at the source: its value, or the file on the exporter's machine that has it."""

    place: Place
    what: str
    value: str = ""
    file: str = ""


class TlsConfig(Struct, frozen=True, kw_only=True):
    """`tls_config:`; `certificate` and `key` of the client."""

    verify: bool = True
    server_name: str = ""
    authority: str = ""
    """The file of the authority that is trusted in place of the system's; `inline`: a text."""

    certificate: Hidden | None = None
    key: Hidden | None = None
    min_version: str = ""
    max_version: str = ""


class ClientConfig(Struct, frozen=True, kw_only=True):
    """All of it. `scheme` is that of `credentials` (`Bearer`)."""

    tls: TlsConfig = TlsConfig()
    username: str = ""
    username_hidden: Hidden | None = None
    password: Hidden | None = None
    scheme: str = "Bearer"
    credentials: Hidden | None = None
    oauth2: bool = False
    proxy: str = ""
    no_proxy: tuple[str, ...] = ()
    proxy_from_environment: bool = False
    proxy_headers: bool = False
    follows: bool = True
    http2: bool = True
    headers: Mapping[str, str | None] = {}
    """`http_headers:`; None: a secret, or in a file there."""

    def following(self, *, follows: bool) -> "ClientConfig":
        """The same, with or without redirects."""
        return replace(self, follows=follows)


def tls_of(written: Fields) -> TlsConfig:
    """`tls_config:` as it is written."""
    inline = "a text in the file" if written.get("ca") is not None else ""
    return TlsConfig(
        verify=not written.boolean("insecure_skip_verify"),
        server_name=written.text("server_name"),
        authority=written.text("ca_file") or inline,
        certificate=_hidden(written, "cert", "the client's certificate (PEM)"),
        key=_hidden(written, "key", "the key of the client's certificate (PEM)"),
        min_version=written.text("min_version"),
        max_version=written.text("max_version"),
    )


def client_of(written: Fields) -> ClientConfig:
    """The fields of a client among those of `written`."""
    login = written.child("basic_auth")
    authorization = written.child("authorization")
    credentials = _hidden(authorization, "credentials", "the credentials of authorization")
    scheme = authorization.text("type") or "Bearer"
    if credentials is None:
        credentials = _hidden(written, "bearer_token", "the bearer token")
        scheme = "Bearer"
    oauth2 = written.get(_OAUTH) is not None
    excluded = written.text("no_proxy").split(",")
    return ClientConfig(
        tls=tls_of(written.child("tls_config")),
        username=login.text("username"),
        username_hidden=_hidden(login, "username", "the user name", file_alone=True),
        password=_hidden(login, "password", "the password"),
        scheme=scheme,
        credentials=credentials,
        oauth2=oauth2,
        proxy=written.text("proxy_url"),
        no_proxy=tuple(one.strip() for one in excluded if one.strip()),
        proxy_from_environment=written.boolean("proxy_from_environment"),
        proxy_headers=written.get("proxy_connect_header") is not None,
        follows=written.boolean("follow_redirects", default=True),
        http2=written.boolean("enable_http2", default=True),
        headers=headers_of(written.child("http_headers")),
    )


def headers_of(written: Fields) -> dict[str, str | None]:
    """Headers as texts, or of the form `{values: […], secrets: […], files: […]}`.

    The value of those of secrets and files is None.
    """
    found: dict[str, str | None] = {}
    for name, value in written.value.items():
        if not isinstance(value, Mapping):
            found[str(name)] = written.text(str(name))
            continue
        one = written.child(str(name))
        values = [str(text) for text in one.listed("values")]
        hidden = [*one.listed("secrets"), *one.listed("files")]
        found[str(name)] = None if hidden else ", ".join(values)
    return found


def _hidden(written: Fields, name: str, what: str, *, file_alone: bool = False) -> Hidden | None:
    """The secret of a key, of its file (`…_file`), or of a secret manager (`…_ref`)."""
    value = "" if file_alone else written.text(name)
    file = written.text(f"{name}_file") or written.text(f"{name}_ref")
    if value:
        return Hidden(written.place(name), what, value=value)
    return Hidden(written.place(f"{name}_file"), what, file=file) if file else None
