"""What a monitor sends by HTTP: headers, login, body, proxy. Nothing secret of it is copied."""

import json
from typing import Any, Final
from urllib.parse import quote

from portquorum.importing import hiding
from portquorum.importing.kuma.left_out import LeftOutError
from portquorum.importing.kuma.monitor import Monitor
from portquorum.importing.secrets import looks_secret
from portquorum.importing.urls import HttpPlace, literal
from producers.kinds.http_options import OURS
from producers.kinds.secrets import SHORTEST

_TYPES: Final = {"form": "application/x-www-form-urlencoded", "xml": "text/xml; charset=utf-8"}
_PROXY_PORT: Final = 8080
_DEEPEST: Final = 50


def request(monitor: Monitor, probe: dict[str, Any], place: HttpPlace) -> None:
    """Adds to `probe` what is sent; `insecure` where a secret would go in clear, as it did.

    Raises:
        LeftOutError: something that can't be sent.
    """
    method = monitor.fields.text("method", "GET").strip().upper()
    if method != "GET":
        probe["method"] = method
    headers = _headers(monitor)
    _login(monitor, probe, headers, place)
    _body(monitor, probe, headers)
    _proxy(monitor, probe)
    if headers:
        probe["headers"] = headers
    if monitor.fields.flag("cacheBust"):
        monitor.differs("the URL is asked as it is: no parameter is added against caches")
    if in_clear(probe, tls=place.tls):
        probe["insecure"] = True


def in_clear(probe: dict[str, Any], *, tls: bool) -> bool:
    """Whether a secret of these options goes without verified TLS."""
    verified = tls and probe.get("verify", True)
    of_others = {name: one for name, one in probe.items() if name != "client_certificate"}
    if "${PORTQUORUM_SECRET_" in str(probe.get("proxy", "")):
        return True
    return not verified and "${PORTQUORUM_SECRET_" in json.dumps(of_others)


def _headers(monitor: Monitor) -> dict[str, str]:
    try:
        written = monitor.fields.decoded("headers")
    except ValueError:
        raise LeftOutError("its headers are no JSON: it was always down") from None
    if isinstance(written, str) and not written.strip():
        return {}
    if written is None:
        return {}
    if not isinstance(written, dict):
        raise LeftOutError("its headers are no mapping of JSON")
    found: dict[str, str] = {}
    seen: set[str] = set()
    for name, value in written.items():
        lower = str(name).strip().lower()
        if lower in OURS:
            monitor.differs(f"the header {lower} is set by each check itself")
        elif lower in seen or value is None:
            monitor.differs(f"the header {lower[:40]!r} is sent once")
        else:
            seen.add(lower)
            found[str(name).strip()] = _header(monitor, str(name).strip(), _as_text(value))
    return found


def _header(monitor: Monitor, name: str, value: str) -> str:
    plain = value.strip()
    if hiding.may_be_copied(name, plain) and "${" not in plain:
        return literal(plain)
    return monitor.secret(name, plain, f"the header {name}")


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else json.dumps(value)


def _login(
    monitor: Monitor, probe: dict[str, Any], headers: dict[str, str], place: HttpPlace
) -> None:
    fields = monitor.fields
    method = fields.text("authMethod").strip().lower()
    if method in {"", "null", "none"}:
        method = "url" if place.username else ""
    user = fields.text("basic_auth_user") if method == "basic" else (place.username or "")
    password = fields.text("basic_auth_pass") if method == "basic" else (place.password or "")
    if method in _LOGINS and not (method == "oauth2-cc" and _taken(headers)):
        _LOGINS[method](monitor, probe)
    elif method == "bearer":
        token = fields.text("bearer_token")
        if not _taken(headers):
            probe["bearer"] = monitor.secret("bearer_token", token)
    elif method in {"basic", "url"} and not _taken(headers):
        if user and len(password) >= SHORTEST:
            shown = user if len(user) < SHORTEST else monitor.secret("basic_auth_user", user)
            probe["basic_auth"] = {
                "username": shown,
                "password": monitor.secret("basic_auth_pass", password),
            }
        else:
            what = "the header Authorization (Basic and the base64 of USER:PASSWORD)"
            headers["Authorization"] = monitor.secret("Authorization", f"{user}:{password}", what)
    elif method and method not in {"basic", "url", "oauth2-cc"}:
        raise LeftOutError(f"the login {method[:20]!r} is not known here")


def _taken(headers: dict[str, str]) -> bool:
    """Whether a header has a login already, which is the one that counts there."""
    return any(name.lower() == "authorization" for name in headers)


def _ntlm(monitor: Monitor, probe: dict[str, Any]) -> None:
    monitor.fields.skip("basic_auth_user", "basic_auth_pass", "authDomain", "authWorkstation")
    if monitor.fields.text("type") != "http":
        raise LeftOutError("it logs in by NTLM, which no check here does, to read the page")
    monitor.differs(
        "no login by NTLM: it is up when the server asks for one (status 401), and what is behind "
        "the login is not seen"
    )
    probe["status"] = [401]
    probe["conditions"] = [{"header": "WWW-Authenticate", "matches": "(?i)NTLM|Negotiate"}]


def _oauth(monitor: Monitor, probe: dict[str, Any]) -> None:
    monitor.fields.skip(
        *("oauth_client_id", "oauth_client_secret", "oauth_token_url", "oauth_scopes"),
        *("oauth_audience", "oauth_auth_method"),
    )
    monitor.differs(
        "no token is fetched by OAuth 2.0 before the check: the variable of `bearer:` needs one "
        "that stays valid"
    )
    probe["bearer"] = monitor.secret("oauth token", "", "a token in place of that of OAuth 2.0")


def _mutual(monitor: Monitor, probe: dict[str, Any]) -> None:
    certificate, key = monitor.fields.text("tlsCert"), monitor.fields.text("tlsKey")
    if certificate and key:
        probe["client_certificate"] = {
            "certificate": monitor.secret("tlsCert", certificate, "the client's certificate"),
            "key": monitor.secret("tlsKey", key, "the key of the client's certificate"),
        }
    if monitor.fields.text("tlsCa"):
        monitor.differs(
            "the authority (tlsCa) has to be among those that the prober trusts: SSL_CERT_FILE, or "
            "the system's trust store"
        )


_LOGINS: Final = {"ntlm": _ntlm, "oauth2-cc": _oauth, "mtls": _mutual}


def _body(monitor: Monitor, probe: dict[str, Any], headers: dict[str, str]) -> None:
    body = monitor.fields.text("body")
    encoding = monitor.fields.text("httpBodyEncoding", "json").lower()
    if not body.strip():
        return
    if encoding == "json":
        try:
            value = json.loads(body)
        except (ValueError, RecursionError):
            raise LeftOutError("its body is no JSON, so that it was always down") from None
        probe["json"] = _json(monitor, value, "body", 0)
        return
    if encoding not in _TYPES:
        monitor.fields.skip("body")
        return
    if not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = _TYPES[encoding]
    if encoding == "form":
        hidden = hiding.path(f"?{body}", _form_secret(monitor)).removeprefix("?")
        probe["body"] = literal(hidden)
    elif hiding.scrubbed(body) != body or looks_secret(body):
        probe["body"] = monitor.secret("body", body)
    else:
        probe["body"] = literal(body)


def _form_secret(monitor: Monitor) -> Any:
    def found(hint: str, value: str) -> str:
        return monitor.secret(f"body {hint}", value, f"{hint} in the body (percent-encoded)")

    return found


def _json(monitor: Monitor, value: object, name: str, depth: int) -> Any:
    """A value of JSON in which names stand for secrets."""
    if depth > _DEEPEST:
        raise LeftOutError("its body has too many levels")
    if isinstance(value, dict):
        return {key: _json(monitor, one, key, depth + 1) for key, one in value.items()}
    if isinstance(value, list):
        return [_json(monitor, one, name, depth + 1) for one in value]
    if isinstance(value, bool) or value is None:
        return value
    text = str(value)
    if text and (hiding.is_secret(name, text) or "${" in text):
        return monitor.secret(f"body {name}", text, f"{name} in the body")
    return literal(value) if isinstance(value, str) else value


def _proxy(monitor: Monitor, probe: dict[str, Any]) -> None:
    wanted = monitor.fields.text("proxyId")
    if not wanted or wanted == "0":
        return
    proxy = monitor.context.proxies.get(wanted)
    if proxy is None:
        raise LeftOutError(
            "it is asked through a proxy that is not in the file: write `proxy:` of the target"
        )
    if not _flag(proxy.get("active", True)):
        monitor.differs("the proxy is off at the source, and is not asked")
        return
    protocol = str(proxy.get("protocol", "http")).lower()
    if protocol not in {"http", "https"}:
        raise LeftOutError(f"it is asked through a proxy of {protocol[:10]}, and only HTTP's work")
    if protocol == "https":
        monitor.differs("the proxy is asked without TLS")
    login = ""
    if _flag(proxy.get("auth", False)):
        user, password = str(proxy.get("username") or ""), str(proxy.get("password") or "")
        user_name = monitor.secret("proxy username", user, "the user of the proxy")
        login = f"{user_name}:{monitor.secret('proxy password', password, 'the proxy password')}@"
    host = str(proxy.get("host", "")).strip()
    shown = f"[{host}]" if ":" in host else quote(host, safe="[]:.-_")
    probe["proxy"] = f"http://{login}{shown}:{proxy.get('port') or _PROXY_PORT}"


def _flag(value: object) -> bool:
    return str(value).strip().lower() in {"true", "1", "yes"}
