"""Modules of the prober `http`: a target of kind `http`."""

from collections.abc import Iterable
from typing import Any, Final

from portquorum.importing.prometheus import cel, go_regexp
from portquorum.importing.prometheus.client_config import ClientConfig
from portquorum.importing.prometheus.making import CannotError, Entry, Making
from portquorum.importing.prometheus.modules import HeaderMatch, HttpOptions
from portquorum.importing.statuses import ranges
from portquorum.importing.urls import HttpPlace, http_entry, http_place, literal

_MOST_REDIRECTS: Final = 10
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_OWN_HEADERS: Final = frozenset(
    {"connection", "upgrade", "te", "trailer", "keep-alive", "proxy-connection"}
    | {"proxy-authorization", "http2-settings", "transfer-encoding", "content-length"}
)
_CODINGS: Final = {"gzip": "(?i)^(x-)?gzip$", "br": "(?i)^br$", "deflate": "(?i)^deflate$"}


def made(making: Making, options: HttpOptions, target: str, hostname: str) -> Entry:
    """The target's fields.

    `hostname`: the parameter of that name, which is the header `Host`.

    Raises:
        CannotError: it can't be taken over.
    """
    place = _place(target)
    _impossible(options, place)
    making.family(place.host)
    entry = http_entry(place)
    probe: dict[str, Any] = dict(entry.get("probe", {}))
    if "path" in probe:
        probe["path"] = making.path(place.path, place.host)
    probe |= _request(making, options, place, hostname)
    probe |= making.proxy(options.client, place.host, place.port)
    if _is_in_clear(probe, place):
        probe["insecure"] = True
    probe |= _answer(making, options)
    _about_tls(making, options, place)
    if probe:
        entry["probe"] = probe
    return entry


def _place(target: str) -> HttpPlace:
    """The URL of a target, to which the exporter adds `http://` where it has no scheme."""
    lower = target.lower()
    if "://" in lower and not lower.startswith(("http://", "https://")):
        scheme = lower.partition("://")[0][:20]
        raise CannotError(f"expected a URL of http:// or https://, found one of {scheme}://")
    url = target if lower.startswith(("http://", "https://")) else f"http://{target}"
    try:
        return http_place(url)
    except ValueError as error:
        raise CannotError(str(error)) from error


def _impossible(options: HttpOptions, place: HttpPlace) -> None:
    """Raises `CannotError` for what no check of HTTP here can do."""
    if options.http3:
        raise CannotError("it speaks HTTP/3 (QUIC), which no check here does")
    if options.body_file:
        raise CannotError(
            f"its body is in the file {options.body_file} there: write the text as `body:`"
        )
    follows = options.client.follows
    if not follows and options.fail_if_not_ssl and not place.tls:
        raise CannotError("it is always down: fail_if_not_ssl with a URL of http://")
    if not follows and options.fail_if_ssl and place.tls:
        raise CannotError("it is always down: fail_if_ssl with a URL of https://")


def _request(
    making: Making, options: HttpOptions, place: HttpPlace, hostname: str
) -> dict[str, Any]:
    probe: dict[str, Any] = {}
    if options.method != "GET":
        probe["method"] = options.method.upper()
    host, headers = _headers(making, options, hostname)
    if place.tls:
        config = options.client.tls
        # As the exporter: the header's value, where the module names no server_name.
        probe |= making.tls(config, server_name=host)
        making.only_newest(config)
    if not any(name.lower() == "authorization" for name in headers):  # which goes before a login
        login = _url_login(options.client, making, place) or making.login(options.client)
        headers |= login.pop("headers", {})
        probe |= login
    if host:
        headers = {"Host": host, **headers}
    if headers:
        probe["headers"] = headers
    if options.body:
        probe["body"] = making.body(options.body)
    probe["redirects"] = _MOST_REDIRECTS if options.client.follows else 0
    return probe


def _url_login(client: ClientConfig, making: Making, place: HttpPlace) -> dict[str, Any]:
    """The login in the URL itself, which holds where the module has none."""
    has_login = client.username or client.password or client.credentials or client.oauth2
    if place.username is None or has_login:
        return {}
    password = making.plain_secret(place.password or "", "PASSWORD", "the password in the URL")
    username = literal(place.username)
    if not place.password:  # what stands before the @ by itself is most often a token
        username = making.plain_secret(place.username, "USER", "the user in the URL")
    return {"basic_auth": {"username": username, "password": password}}


def _headers(making: Making, options: HttpOptions, hostname: str) -> tuple[str, dict[str, str]]:
    """The header `Host`, empty without one, and the others."""
    host, found = hostname, {}
    for name, value in options.headers.items():
        if name.lower() == "host":
            host = host or value
        elif name.lower() in _OWN_HEADERS:
            making.differ(f"the header {name} is not sent: each check sets its own")
        else:
            found[name] = making.header(name, value)
    for name, text in options.client.headers.items():
        found[name] = making.hidden_header(name) if text is None else making.header(name, text)
    return host, found


def _is_in_clear(probe: dict[str, Any], place: HttpPlace) -> bool:
    """Whether a secret of the options goes where others could read it."""
    has = "${PORTQUORUM_SECRET_" in repr(
        [probe.get(name) for name in ("headers", "basic_auth", "bearer", "body", "path", "proxy")]
    )
    unsafe = not place.tls or probe.get("verify") is False
    return has and (unsafe or "@" in probe.get("proxy", ""))  # a proxy is asked in clear


def _answer(making: Making, options: HttpOptions) -> dict[str, Any]:
    probe: dict[str, Any] = {}
    status = _statuses(making, options)
    if status:
        probe["status"] = status
    conditions = [
        *_of_headers(options.header_matches, negated=True),
        *_of_headers(options.header_not_matches, negated=False),
        *_of_compression(making, options),
        *(_of_body(one, negated=True) for one in options.body_matches),
        *(_of_body(one, negated=False) for one in options.body_not_matches),
        *_of_json(options),
    ]
    if conditions:
        probe["conditions"] = conditions
    if options.body_size_limit not in {"", "0", "0B"}:
        making.differ(f"a body of more than {options.body_size_limit} does not make it down")
    _versions(making, options)
    return probe


def _statuses(making: Making, options: HttpOptions) -> list[int | str]:
    """The statuses that are fine. Where redirects are followed, those of redirects as ranges.

    One that stands by itself would not be followed here, as it is there.
    """
    known = [one for one in options.statuses if 100 <= one <= 599]
    if len(known) < len(options.statuses):
        making.differ("statuses below 100 and above 599, which no server sends, are left out")
    if options.statuses and not known:
        raise CannotError("it is always down: no server sends a status of valid_status_codes")
    if not options.client.follows:
        return ranges(known)
    return [
        f"{one}-{one}" if isinstance(one, int) and one in _REDIRECTS else one
        for one in ranges(known)
    ]


def _versions(making: Making, options: HttpOptions) -> None:
    """`valid_http_versions`: a check here speaks HTTP/1.1."""
    wanted = options.versions
    if not wanted:
        return
    if "HTTP/1.1" not in wanted:
        making.differ(
            f"that the server answers in {' or '.join(wanted)} is not looked at: checks of http "
            "speak HTTP/1.1"
        )
    elif options.client.http2 and "HTTP/2.0" not in wanted:
        making.differ(
            "a server that speaks HTTP/2 over TLS is down there (valid_http_versions lacks "
            "HTTP/2.0), and up here"
        )


def _of_headers(matches: Iterable[HeaderMatch], *, negated: bool) -> Iterable[dict[str, Any]]:
    for one in matches:
        found: dict[str, Any] = {
            "header": one.header,
            "matches": go_regexp.dot_without_line_end(one.regexp),
        }
        if negated:
            yield found | {"not": True}
            if not one.allow_missing:
                yield {"header": one.header, "exists": True}
        else:
            yield found | ({"or_missing": True} if one.allow_missing else {})


def _of_compression(making: Making, options: HttpOptions) -> Iterable[dict[str, Any]]:
    """`compression`: the answer must be packed so, whatever was asked for."""
    if options.compression in {"", "identity"}:
        return
    if options.compression not in _CODINGS:
        raise CannotError(f"it is always down: no such compression as {options.compression!r}")
    making.differ(f"that the body is packed with {options.compression} is told by its header alone")
    yield {"header": "Content-Encoding", "matches": _CODINGS[options.compression]}


def _of_body(regex: str, *, negated: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"body": True, "matches": go_regexp.dot_without_line_end(regex)}
    return found | ({"not": True} if negated else {})


def _of_json(options: HttpOptions) -> Iterable[dict[str, Any]]:
    try:
        if options.json_not_matches:
            yield from cel.conditions(options.json_not_matches)
        if options.json_matches:
            yield from cel.no_conditions(options.json_matches)
    except ValueError as error:
        raise CannotError(
            f"its CEL expression is more than comparisons ({error}): write it as `conditions:`"
        ) from error


def _about_tls(making: Making, options: HttpOptions, place: HttpPlace) -> None:
    """`fail_if_ssl` and `fail_if_not_ssl`, which are about the answer after all redirects."""
    if not options.client.follows:
        return
    if options.fail_if_not_ssl:
        making.differ(
            "a redirect to http:// does not make it down"
            if place.tls
            else "that it redirects to https:// is not looked at"
        )
    if options.fail_if_ssl:
        making.differ(
            "that it redirects to http:// is not looked at"
            if place.tls
            else "a redirect to https:// does not make it down"
        )
