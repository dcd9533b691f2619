"""Modules of the blackbox exporter (`blackbox.yml`) as values, with the exporter's defaults.

Read once for all targets that use them; source: config/config.go and CONFIGURATION.md of
prometheus/blackbox_exporter, version 0.28.
"""

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from portquorum.importing import durations
from portquorum.importing.model import Ignored, Place
from portquorum.importing.prometheus import go_regexp
from portquorum.importing.prometheus.binary import as_bytes
from portquorum.importing.prometheus.client_config import (
    ClientConfig,
    TlsConfig,
    client_of,
    headers_of,
    tls_of,
)
from portquorum.importing.source_yaml import Fields, WrongValueError

_PROBERS: Final = ("http", "tcp", "icmp", "dns", "grpc", "unix", "websocket")
_UNKNOWN: Final = "the exporter has no such field, as far as is known here"
_METRICS: Final = "it makes a metric of the answer; the result has the server's own words"


class Step(Struct, frozen=True, kw_only=True):
    """One of `query_response`. `send` are the bytes without the line end that the exporter adds."""

    expect: str | None = None
    expect_bytes: bytes = b""
    send: bytes = b""
    starttls: bool = False


class HeaderMatch(Struct, frozen=True):
    """One of `fail_if_header_matches` and `fail_if_header_not_matches`."""

    header: str
    regexp: str
    allow_missing: bool


class HttpOptions(Struct, frozen=True, kw_only=True):
    """`http:` of a module."""

    statuses: tuple[int, ...] = ()
    versions: tuple[str, ...] = ()
    method: str = "GET"
    headers: Mapping[str, str] = {}
    body: str = ""
    body_file: str = ""
    fail_if_ssl: bool = False
    fail_if_not_ssl: bool = False
    body_matches: tuple[str, ...] = ()
    body_not_matches: tuple[str, ...] = ()
    json_matches: str = ""
    json_not_matches: str = ""
    header_matches: tuple[HeaderMatch, ...] = ()
    header_not_matches: tuple[HeaderMatch, ...] = ()
    compression: str = ""
    body_size_limit: str = ""
    http3: bool = False
    client: ClientConfig = ClientConfig()


class DialogueOptions(Struct, frozen=True, kw_only=True):
    """`tcp:` of a module."""

    steps: tuple[Step, ...] = ()
    tls: bool = False
    tls_config: TlsConfig = TlsConfig()
    source_address: str = ""


class DnsOptions(Struct, frozen=True, kw_only=True):
    """`dns:` of a module. `validations` are regular expressions by section and condition."""

    name: str
    record: str = "ANY"
    record_class: str = "IN"
    recursion: bool = True
    transport: str = "udp"
    over_tls: bool = False
    rcodes: tuple[str, ...] = ("NOERROR",)
    validations: Mapping[tuple[str, str], tuple[str, ...]] = {}
    source_address: str = ""


class IcmpOptions(Struct, frozen=True, kw_only=True):
    """`icmp:` of a module."""

    source_address: str = ""
    payload_size: int = 0
    dont_fragment: bool = False
    ttl: int = 64


class GrpcOptions(Struct, frozen=True, kw_only=True):
    """`grpc:` of a module."""

    service: str = ""
    tls: bool = False
    tls_config: TlsConfig = TlsConfig()
    metadata: Mapping[str, tuple[str, ...]] = {}


class WebSocketOptions(Struct, frozen=True, kw_only=True):
    """`websocket:` of a module. `headers` have those of secrets and files as None."""

    steps: tuple[Step, ...] = ()
    headers: Mapping[str, str | None] = {}
    client: ClientConfig = ClientConfig()


ProberOptions = (
    HttpOptions
    | DialogueOptions
    | DnsOptions
    | IcmpOptions
    | GrpcOptions
    | WebSocketOptions
    | None  # unix
)


class Module(Struct, frozen=True, kw_only=True):
    """One module. `timeout_s` 0: none of its own. `family`: the only one of `ip4`, `ip6` to use.

    `unknown`: its fields that this reader does not know. `broken`: why the exporter would not load
    it. `assumed`: it is of the exporter's own file.
    """

    name: str
    place: Place
    prober: str = ""
    timeout_s: float = 0
    family: str = ""
    options: ProberOptions = None
    broken: str = ""
    assumed: bool = False
    unknown: tuple[str, ...] = ()
    ignored: tuple[Ignored, ...] = ()


def module_of(name: str, written: Fields, *, assumed: bool = False) -> Module:
    """A module as it is written; with `broken` if it is none."""
    place = written.place()
    try:
        prober = written.text("prober")
        _must_be_known(prober)
        timeout = written.get("timeout")
        timeout_s = 0.0 if timeout is None else durations.seconds(timeout)
        section = written.child(prober)
        for other in _PROBERS:
            if other != prober:
                written.skip(other, f"the module asks by {prober}")
        family = _family(section)
        options = _options(prober, section)
    except (WrongValueError, ValueError) as error:
        return Module(name=name, place=place, broken=str(error), assumed=assumed)
    if prober == "unix":
        for field in section.value:
            section.skip(str(field), "no check here asks a socket of a machine")
    ignored = tuple(written.unused(_UNKNOWN))
    return Module(
        name=name,
        place=place,
        prober=prober,
        timeout_s=timeout_s,
        family=family,
        options=options,
        assumed=assumed,
        unknown=tuple(one.what for one in ignored if one.why == _UNKNOWN),
        ignored=ignored,
    )


def _must_be_known(prober: str) -> None:
    if prober not in _PROBERS:
        raise ValueError(f"expected a prober such as http, found {prober[:40]!r}")


def _family(section: Fields) -> str:
    """The one family of addresses that is used; empty where the other one would do too."""
    preferred = section.text("preferred_ip_protocol", "ip6")
    if section.boolean("ip_protocol_fallback", default=True):
        return ""
    # As `chooseProtocol` has it: whatever is not ip6 is ip4.
    return "ip6" if preferred in {"ip6", ""} else "ip4"


def _options(prober: str, section: Fields) -> ProberOptions:
    reader = _READERS.get(prober)
    return None if reader is None else reader(section)


def _tcp(section: Fields) -> DialogueOptions:
    return DialogueOptions(
        steps=_steps(section),
        tls=section.boolean("tls"),
        tls_config=tls_of(section.child("tls_config")),
        source_address=section.text("source_ip_address"),
    )


def _icmp(section: Fields) -> IcmpOptions:
    return IcmpOptions(
        source_address=section.text("source_ip_address"),
        payload_size=int(section.number("payload_size")),
        dont_fragment=section.boolean("dont_fragment"),
        ttl=int(section.number("ttl", 64)),
    )


def _grpc(section: Fields) -> GrpcOptions:
    return GrpcOptions(
        service=section.text("service"),
        tls=section.boolean("tls"),
        tls_config=tls_of(section.child("tls_config")),
        metadata=_metadata(section),
    )


def _websocket(section: Fields) -> WebSocketOptions:
    return WebSocketOptions(
        steps=_steps(section),
        headers=headers_of(section.child("headers")),
        client=client_of(section.child("http_config")),
    )


def _http(section: Fields) -> HttpOptions:
    client = client_of(section)
    section.skip("skip_resolve_phase_with_proxy", "the proxy looks names up, always")
    unfollowed = section.get("no_follow_redirects")
    if unfollowed is not None:  # the older name goes before the newer one
        follows = not section.boolean("no_follow_redirects")
        client = client.following(follows=follows)
    return HttpOptions(
        statuses=tuple(_status(section, one) for one in section.listed("valid_status_codes")),
        versions=tuple(str(one) for one in section.listed("valid_http_versions")),
        method=section.text("method") or "GET",
        headers=_headers(section),
        body=section.text("body"),
        body_file=section.text("body_file"),
        fail_if_ssl=section.boolean("fail_if_ssl"),
        fail_if_not_ssl=section.boolean("fail_if_not_ssl"),
        body_matches=_of_body(section, "matches_regexp"),
        body_not_matches=_of_body(section, "not_matches_regexp"),
        json_matches=section.text("fail_if_body_json_matches_cel"),
        json_not_matches=section.text("fail_if_body_json_not_matches_cel"),
        header_matches=_header_matches(section, "fail_if_header_matches"),
        header_not_matches=_header_matches(section, "fail_if_header_not_matches"),
        compression=section.text("compression").lower(),
        body_size_limit=section.text("body_size_limit"),
        http3=section.boolean("enable_http3"),
        client=client,
    )


def _status(section: Fields, written: object) -> int:
    if isinstance(written, bool) or not str(written).isdecimal():
        raise section.wrong("valid_status_codes", "numbers")
    return int(str(written)[:9])


def _headers(section: Fields) -> dict[str, str]:
    inner = section.child("headers")
    return {str(name): inner.text(name) for name in inner.value}


def _regexes(section: Fields, name: str) -> tuple[str, ...]:
    found = tuple(str(one) for one in section.listed(name))
    for one in found:
        go_regexp.compiled(one)
    return found


def _of_body(section: Fields, name: str) -> tuple[str, ...]:
    """Expressions of the body; until version 0.15 their fields had other names."""
    return _regexes(section, f"fail_if_body_{name}") + _regexes(section, f"fail_if_{name}")


def _header_matches(section: Fields, name: str) -> tuple[HeaderMatch, ...]:
    found = []
    for one in section.children(name):
        header, regexp = one.text("header"), one.text("regexp")
        if not header or not regexp:
            raise one.wrong("header" if not header else "regexp", "a text")
        go_regexp.compiled(regexp)
        found.append(HeaderMatch(header, regexp, one.boolean("allow_missing")))
    return tuple(found)


def _steps(section: Fields) -> tuple[Step, ...]:
    found = []
    for one in section.children("query_response"):
        expect = None if one.get("expect") is None else one.text("expect")
        if expect is not None:
            go_regexp.compiled(expect)
        bytes_expected = as_bytes(one.text("expect_bytes"))
        if expect is not None and bytes_expected:
            raise ValueError("expected expect or expect_bytes, found both")
        one.skip("labels", _METRICS)
        found.append(
            Step(
                expect=expect,
                expect_bytes=bytes_expected,
                send=as_bytes(one.text("send")),
                starttls=one.boolean("starttls"),
            )
        )
    return tuple(found)


def _dns(section: Fields) -> DnsOptions:
    name = section.text("query_name")
    if not name:
        raise ValueError("expected query_name, found none")
    validations: dict[tuple[str, str], tuple[str, ...]] = {}
    for part in ("answer", "authority", "additional"):
        inner = section.child(f"validate_{part}_rrs")
        for condition in ("matches", "all_match", "not_matches", "none_matches"):
            regexes = _regexes(inner, f"fail_if_{condition}_regexp")
            if regexes:
                validations[part, condition] = regexes
    rcodes = tuple(str(one) for one in section.listed("valid_rcodes"))
    section.skip("tls_config", "it is that of DNS over TLS")
    return DnsOptions(
        name=name,
        record=section.text("query_type", "ANY"),
        record_class=section.text("query_class", "IN"),
        recursion=section.boolean("recursion_desired", default=True),
        transport=section.text("transport_protocol", "udp"),
        over_tls=section.boolean("dns_over_tls"),
        rcodes=rcodes or ("NOERROR",),
        validations=validations,
        source_address=section.text("source_ip_address"),
    )


def _metadata(section: Fields) -> dict[str, tuple[str, ...]]:
    inner = section.child("metadata")
    return {str(name): tuple(str(one) for one in inner.listed(name)) for name in inner.value}


_READERS: Final[dict[str, Callable[[Fields], ProberOptions]]] = {
    "http": _http,
    "tcp": _tcp,
    "dns": _dns,
    "icmp": _icmp,
    "grpc": _grpc,
    "websocket": _websocket,
}


def is_modules(value: object) -> bool:
    """Whether these are modules of the blackbox exporter: each names a prober."""
    return (
        isinstance(value, Mapping)
        and bool(value)
        and any(isinstance(one, Mapping) and "prober" in one for one in value.values())
    )
