"""Modules of the probers `tcp`, `icmp`, `dns`, `grpc` and `websocket`."""

import re
from typing import Any, Final

from portquorum.importing.prometheus import dialogue, go_regexp
from portquorum.importing.prometheus.client_config import TlsConfig
from portquorum.importing.prometheus.making import (
    CannotError,
    Entry,
    Making,
    entry,
    host_of,
    split_host_port,
)
from portquorum.importing.prometheus.modules import (
    DialogueOptions,
    DnsOptions,
    GrpcOptions,
    IcmpOptions,
    WebSocketOptions,
)
from portquorum.importing.secrets import looks_secret
from portquorum.importing.urls import http_place, literal, tls_option

_RCODES: Final = ("NOERROR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED")
_DNS_PORT: Final = 53
_TTL: Final = 64
_LEADING: Final = re.compile(r"\A\^?(?:\.\*)+\??")
_BLANK: Final = r"(?:\\t|\\s|[ \t])[+*]?"
_LINE_OF_RECORD: Final = re.compile(rf"\A.*{_BLANK}IN(?:{_BLANK})+[A-Z]+(?:{_BLANK})+")
_SAID: Final = {
    "matches": "fail_if_matches_regexp",
    "all_match": "fail_if_all_match_regexp",
    "not_matches": "fail_if_not_matches_regexp",
    "none_matches": "fail_if_none_matches_regexp",
}


def tcp(making: Making, options: DialogueOptions, target: str, hostname: str) -> Entry:
    """A target of kind `tcp`, or `tls` where nothing but its handshake is looked at.

    Raises:
        CannotError: it can't be taken over.
    """
    name, port = split_host_port(target)
    if port is None:
        raise CannotError("it is always down: a target of the prober tcp needs a port")
    host = host_of(name)
    making.family(host)
    making.source_address(options.source_address)
    steps = dialogue.steps(making, options.steps)
    begins_tls = any(one.get("starttls") for one in steps)
    tls: dict[str, Any] = {}
    if options.tls or begins_tls:
        tls = making.tls(options.tls_config, server_name=hostname)
    if not steps:
        if not options.tls:
            return entry("tcp", host, port, {})
        return entry("tls", host, port, _version(options.tls_config) | tls)
    if tls:
        making.only_newest(options.tls_config)
    probe: dict[str, Any] = {"steps": steps} | ({"tls": "implicit"} if options.tls else {}) | tls
    unsafe = not tls or tls.get("verify") is False or begins_tls
    if dialogue.has_secrets(steps) and unsafe:
        probe["insecure"] = True
    return entry("tcp", host, port, probe)


def _version(config: TlsConfig) -> dict[str, Any]:
    return {"min_version": "1.3"} if config.min_version == "TLS13" else {}


def icmp(making: Making, options: IcmpOptions, target: str) -> Entry:
    """A target of kind `icmp` with one echo request, as there.

    Raises:
        CannotError: it can't be taken over.
    """
    host = host_of(target.strip("[]") if target.startswith("[") else target)
    making.family(host)
    making.source_address(options.source_address)
    if options.ttl not in {0, _TTL}:
        making.differ(f"that the host answers within {options.ttl} hops (ttl) is not looked at")
    if options.dont_fragment:
        making.differ("packets may be fragmented on their way (dont_fragment)")
    if options.payload_size:
        making.differ(f"the packets have another size than {options.payload_size} bytes")
    return entry("icmp", host, None, {"count": 1, "max_loss": 0})


def grpc(making: Making, options: GrpcOptions, target: str) -> Entry:
    """A target of kind `grpc`.

    Raises:
        CannotError: it can't be taken over.
    """
    text = re.sub(r"\Ahttps?://", "", target).partition("/")[0]
    name, port = split_host_port(text)
    host, port = host_of(name), port or (443 if options.tls else 80)
    making.family(host)
    probe: dict[str, Any] = {"service": options.service} if options.service else {}
    probe |= tls_option(port, tls=options.tls)
    if options.tls:
        probe |= making.tls(options.tls_config)
        making.only_newest(options.tls_config)
    metadata = {
        key: making.plain_secret(value, key, f"the metadata {key}")
        if looks_secret(key)
        else literal(value)
        for key, values in options.metadata.items()
        if (value := ", ".join(values))
    }
    if metadata:
        probe["metadata"] = metadata
    hidden = any(looks_secret(key) for key in metadata)
    if hidden and (not options.tls or probe.get("verify") is False):
        probe["insecure"] = True
    return entry("grpc", host, port, probe)


def websocket(making: Making, options: WebSocketOptions, target: str) -> Entry:
    """A target of kind `websocket`.

    Raises:
        CannotError: it can't be taken over.
    """
    try:
        place = http_place(target)
    except ValueError as error:
        raise CannotError(str(error)) from error
    making.family(place.host)
    probe: dict[str, Any] = (
        {} if place.path == "/" else {"path": making.path(place.path, place.host)}
    )
    probe |= tls_option(place.port, tls=place.tls)
    if place.tls:
        probe |= making.tls(options.client.tls)
        making.only_newest(options.client.tls)
    _of_client(making, options)
    login = making.login(options.client)
    headers = login.pop("headers", {})
    for name, value in options.headers.items():
        headers[name] = making.hidden_header(name) if value is None else making.header(name, value)
    probe |= login
    if headers:
        probe["headers"] = headers
    steps = dialogue.steps(making, options.steps, messages=True)
    if steps:
        probe["steps"] = steps
        if any("expect_regex" in one for one in steps):
            making.differ("messages that do not fit are passed over until one does")
    if "${PORTQUORUM_SECRET_" in repr(probe) and (not place.tls or probe.get("verify") is False):
        probe["insecure"] = True
    return entry("websocket", place.host, place.port, probe)


def _of_client(making: Making, options: WebSocketOptions) -> None:
    """Says which fields of `http_config` are of no WebSocket here."""
    client = options.client
    given = {
        "proxy_url": client.proxy or client.proxy_from_environment,
        "http_headers": client.headers,
        "follow_redirects": not client.follows,
    }
    for name in (name for name, value in given.items() if value):
        making.differ(f"{name} of its http_config is not taken over: kind websocket has none")


def dns(making: Making, options: DnsOptions, target: str) -> Entry:
    """A target of kind `dns`.

    Raises:
        CannotError: it can't be taken over.
    """
    if options.over_tls:
        raise CannotError(
            "it asks by DNS over TLS, which no check here does; kind `tls` on port 853 sees "
            "whether the server is there"
        )
    if options.record_class not in {"IN", ""}:
        raise CannotError(f"it asks for records of class {options.record_class}, not of IN")
    name, port = split_host_port(target)
    host = host_of(name)
    making.family(host)
    making.source_address(options.source_address)
    record = options.record.upper()
    if record == "ANY":
        record = "A"
        making.differ("it asks for A records, and not for ANY, which name servers may refuse")
    if not options.recursion:
        making.differ("the question asks for recursion (RD), which it does not there")
    probe: dict[str, Any] = {"name": options.name.rstrip(".") or "."}
    if record != "A":
        probe["record"] = record
    if options.transport == "tcp":
        probe["transport"] = "tcp"
    probe["rcode"] = _rcode(making, options.rcodes)
    if probe["rcode"] == "NOERROR":
        probe |= _records(making, options)
    return entry("dns", host, None if port in {None, _DNS_PORT} else port, probe)


def _rcode(making: Making, wanted: tuple[str, ...]) -> str:
    known = [one for one in _RCODES if one in wanted]
    if not known:
        raise CannotError(f"it expects the code {wanted[0]}, and there are {', '.join(_RCODES)}")
    if len(wanted) > 1:
        others = ", ".join(one for one in wanted if one != known[0])
        making.differ(f"an answer with {others} is down: one code is expected, {known[0]}")
    return known[0]


def _records(making: Making, options: DnsOptions) -> dict[str, Any]:
    """`expect_regex` of the first expectation of the answer that can be had; the others are told.

    There an expression sees the whole record (`name. TTL IN A 192.0.2.1`), here its data alone.
    """
    found = ""
    # What one record has to match can be had as it is; so it is taken first.
    first = sorted(options.validations.items(), key=lambda one: one[0][1] != "none_matches")
    for (section, condition), regexes in first:
        for regex in regexes:
            data = _of_data(regex)
            # `all_match` of the exporter fails unless all match, against its own name.
            if section != "answer" or condition == "matches" or found or data is None:
                said = f"validate_{section}_rrs.{_SAID[condition]} ({regex})"
                making.differ(f"{said} is not looked at")
                continue
            found = data
            if condition != "none_matches":
                making.differ(f"one record that matches {data} is enough, where all had to match")
            elif data != regex:
                making.differ(f"{data} is looked for in the records' data, and not in their lines")
    return {"expect_regex": found} if found else {}


def _of_data(regex: str) -> str | None:
    """The part of an expression that is about the data of a record; None if there is none."""
    text = _LINE_OF_RECORD.sub("", regex)
    text = text.rpartition("\\t")[2].rpartition("\t")[2]
    text = _LEADING.sub("", text)
    if not text:
        return None
    try:
        go_regexp.compiled(text)
    except ValueError:
        return None
    return text
