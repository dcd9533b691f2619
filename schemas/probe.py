"""Options of a target beyond host and port, one Struct for each kind of check.

The field `kind` distinguishes them on the wire; several kinds may share one Struct. All defaults
are resolved by `apply`.
"""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct, field

from schemas._types import LongText, Millis, Text

StepText = Annotated[str, Meta(min_length=1, max_length=4096)]
StepHex = Annotated[
    str,
    Meta(
        pattern=r"^([0-9A-Fa-f]{2} *)+\Z",
        max_length=8192,
        description="bytes, two hex digits each; blanks between them are left out",
    ),
]
Tls = Literal["none", "starttls", "implicit"]
Days = Annotated[int, Meta(ge=0, le=365)]


SecretText = Annotated[str, Meta(min_length=1, max_length=65_536)]
"""Text that is to be a secret: it may have `${PORTQUORUM_SECRET_…}`, which the prober replaces."""

ServerName = Annotated[str, Meta(min_length=1, max_length=253)]


class Exchange(Struct, frozen=True, gc=False, kw_only=True):
    """The data to send and the expected answer.

    At most one of `send` and `send_hex`, and at most one of the three `expect`s: the answer must
    contain `expect` or `expect_hex`, or have a match of `expect_regex` (RE2). Text is UTF-8; a
    regular expression sees each byte of the answer as one character (Latin-1).
    """

    send: StepText | None = None
    send_hex: StepHex | None = None
    expect: StepText | None = None
    expect_hex: StepHex | None = None
    expect_regex: StepText | None = None


class Step(Exchange, frozen=True, gc=False, kw_only=True):
    """One step of a user-defined dialogue. `starttls`: TLS begins after the expected answer."""

    starttls: bool = False


class ClientCertificate(Struct, frozen=True, gc=False, kw_only=True):
    """A client's certificate for TLS: PEM with the chain, and the PEM of its key.

    Both are secrets of the prober's environment: `${PORTQUORUM_SECRET_…}`.
    """

    certificate: SecretText
    key: SecretText


class TcpProbe(Struct, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="tcp"):
    """Options of `tcp`: a dialogue after the connection, in TLS if `tls` is `implicit`.

    `verify`: the certificate must be trusted, valid, and of the target's name, or of
    `server_name`. `critical_days` and `warn_days`: as for `tls`. `insecure` allows secrets in
    clear.
    """

    steps: Annotated[tuple[Step, ...], Meta(min_length=1, max_length=20)]
    tls: Literal["none", "implicit"] = "none"
    verify: bool = True
    server_name: ServerName | None = None
    critical_days: Days = 3
    warn_days: Days = 14
    client_certificate: ClientCertificate | None = None
    insecure: bool = False

    @property
    def encrypted(self) -> bool:
        """True if there is TLS: from the first byte, or from a step on."""
        return self.tls != "none" or any(step.starttls for step in self.steps)


class HandshakeProbe(
    Struct, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="handshake"
):
    """Options of all named handshakes (`smtp`, `postgres`, …).

    `tls`: `implicit` from the first byte on, `starttls` by the protocol's own command.
    `verify`: the certificate must be trusted, valid, and of the target's name, or of `server_name`.
    With less than `critical_days` until the first certificate of the verified chain expires the
    result is down (`certificate_ending`); with less than `warn_days` it is up, its detail has a
    warning, and an incident of the type `expiring` opens (rule 13). `version` of the protocol: only
    `amqp` has one.
    """

    tls: Tls = "none"
    verify: bool = True
    server_name: ServerName | None = None
    critical_days: Days = 3
    warn_days: Days = 14
    client_certificate: ClientCertificate | None = None
    version: Annotated[str, Meta(min_length=1, max_length=20)] | None = None


class UdpProbe(Exchange, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="udp"):
    """Options of `udp`: a datagram and the expected answer, or a `protocol` that has both.

    `insecure` allows secrets in what is sent, which goes in clear.
    """

    protocol: Literal["dns", "ntp"] | None = None
    insecure: bool = False


class TlsProbe(Struct, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="tls"):
    """Options of `tls`. `server_name` replaces the target's host in SNI and certificate.

    With less than `critical_days` until the first certificate of the verified chain expires the
    result is down (`certificate_ending`); with less than `warn_days` it is up, its detail has a
    warning, and an incident of the type `expiring` opens (rule 13).
    """

    verify: bool = True
    server_name: ServerName | None = None
    min_version: Literal["1.2", "1.3"] = "1.2"
    critical_days: Days = 3
    warn_days: Days = 14
    client_certificate: ClientCertificate | None = None


class DnsProbe(Struct, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="dns"):
    """Options of `dns`: the question to the target, and what the answer must have.

    Of the records those in `expect` must be there, and one must match `expect_regex` (RE2) as it is
    written in a zone. `rcode`: the code that is expected (RFC 1035, section 4.1.1), NOERROR with
    at least one record if none is named.
    """

    name: Annotated[str, Meta(min_length=1, max_length=255)]
    record: Annotated[str, Meta(pattern=r"^[A-Z0-9]{1,16}\Z")] = "A"
    expect: Annotated[tuple[Text, ...], Meta(max_length=20)] = ()
    expect_regex: StepText | None = None
    rcode: Literal["NOERROR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"] | None = None
    transport: Literal["udp", "tcp"] = "udp"


class IcmpProbe(Struct, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="icmp"):
    """Options of `icmp`: `count` echo requests; a share of `max_loss` may be lost."""

    count: Annotated[int, Meta(ge=1, le=20)] = 3
    max_loss: Annotated[float, Meta(ge=0, lt=1)] = 0.5


HeaderName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}\Z")]
HeaderValue = Annotated[str, Meta(pattern=r"^[\x20-\x7e]{0,2000}\Z")]
HttpStatus = Annotated[int, Meta(ge=100, le=599)]
Bound = Annotated[float, Meta(ge=-1e300, le=1e300)]
HttpStatusRange = Annotated[
    str,
    Meta(
        pattern=r"^[1-5][0-9]{2}-[1-5][0-9]{2}\Z",
        description="the first and the last status, `200-299`",
    ),
]
HttpPath = Annotated[str, Meta(pattern=r"^/[\x21-\x7e]{0,4000}\Z")]
HttpHeaders = Annotated[dict[HeaderName, HeaderValue], Meta(max_length=1_000)]


class BasicAuth(Struct, frozen=True, gc=False, kw_only=True):
    """A user's name and password (RFC 7617)."""

    username: SecretText
    password: SecretText


class Condition(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One condition on an answer: exactly one subject, and at least one thing that holds of it.

    The subject is a value that the JSONPath `json` (RFC 9535) finds in the body, the value of the
    field `header`, or with `body: true` the whole body as text; with `length: true` its length:
    characters of a text, members of an array or object, and of a path that is not a singular query
    (`$.a[*]`) the number of values that it finds. Blanks around body and header do not count.
    Several values: the condition holds if it does for one of them. `not: true`: it must hold for
    none. `or_missing`: it holds, too, if there is no value.

    `equals`: this JSON value (numbers by value, types strictly; a header or body is a text, and the
    value that this text is in JSON), here as the text of JSON, in an inventory as it is. `any_of`:
    one of these. `less_than`, `at_most`, `more_than`, `at_least`: a number, or a text that is one.
    `contains`: this text is in it. `matches`: RE2 finds it. Of what is no text both see the JSON.
    `exists: true`: there is a value, null too.
    """

    json: StepText | None = None
    header: HeaderName | None = None
    body: bool = False
    length: bool = False
    equals: LongText | None = None
    any_of: Annotated[tuple[LongText, ...], Meta(min_length=1, max_length=100)] | None = None
    less_than: Bound | None = None
    at_most: Bound | None = None
    more_than: Bound | None = None
    at_least: Bound | None = None
    contains: StepText | None = None
    matches: StepText | None = None
    exists: bool = False
    or_missing: bool = False
    negated: bool = field(default=False, name="not")


class HttpProbe(Struct, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="http"):
    """Options of `http`. The port decides the default of `tls`.

    The request: `method` with `body` (text) or `json` (the text of a JSON value; in an inventory
    the value itself), `basic_auth` or `bearer`, `headers`; through the HTTP proxy `proxy`
    (`http://[user:password@]host:port`) if there is one.
    These, `path` and `client_certificate` may have secrets (`${PORTQUORUM_SECRET_…}`); `insecure`
    allows them in clear. `server_name` replaces the target's host in SNI and certificate.

    `status` lists the accepted statuses and ranges of them after at most `redirects` redirects
    (empty: 200 to 299); a redirect whose status stands there by itself is not followed. All
    expectations must hold: the body contains `expect` (text), matches `expect_regex` (RE2), and has
    a value at `expect_json` (a JSONPath, RFC 9535), equal to `json_value` (JSON) if given;
    `expect_headers` maps names to regular expressions; and each of `conditions` holds.
    `critical_days` and `warn_days`: as for `tls`.
    """

    path: HttpPath = "/"
    method: Annotated[str, Meta(pattern=r"^[A-Z][A-Z-]{0,31}\Z")] = "GET"
    tls: bool | None = None
    verify: bool = True
    critical_days: Days = 3
    warn_days: Days = 14
    headers: HttpHeaders = {}
    redirects: Annotated[int, Meta(ge=0, le=10)] = 5
    status: Annotated[tuple[HttpStatus | HttpStatusRange, ...], Meta(max_length=100)] = ()
    expect: StepText | None = None
    expect_regex: StepText | None = None
    expect_json: StepText | None = None
    json_value: LongText | None = None
    expect_headers: Annotated[dict[HeaderName, StepText], Meta(max_length=1_000)] = {}
    conditions: Annotated[tuple[Condition, ...], Meta(max_length=50)] = ()
    body: SecretText | None = None
    json: LongText | None = None
    basic_auth: BasicAuth | None = None
    bearer: SecretText | None = None
    proxy: SecretText | None = None
    server_name: ServerName | None = None
    client_certificate: ClientCertificate | None = None
    insecure: bool = False


class WebSocketProbe(
    Struct, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="websocket"
):
    """Options of `websocket` (RFC 6455): the upgrade, and messages. The port decides about `tls`.

    A step's `send` is a text message, `send_hex` a binary one; what a step expects is looked for in
    the messages that come. Secrets as for `http`.
    """

    path: HttpPath = "/"
    tls: bool | None = None
    verify: bool = True
    server_name: ServerName | None = None
    critical_days: Days = 3
    warn_days: Days = 14
    client_certificate: ClientCertificate | None = None
    headers: HttpHeaders = {}
    basic_auth: BasicAuth | None = None
    bearer: SecretText | None = None
    subprotocols: Annotated[tuple[HeaderName, ...], Meta(max_length=20)] = ()
    steps: Annotated[tuple[Exchange, ...], Meta(max_length=20)] = ()
    insecure: bool = False


class GrpcProbe(Struct, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="grpc"):
    """Options of `grpc`: the health of `service` (grpc.health.v1, empty: of the whole server).

    `authority` replaces host and port in the request. Secrets may be in `metadata`.
    """

    service: Annotated[str, Meta(max_length=200)] = ""
    authority: ServerName | None = None
    metadata: HttpHeaders = {}
    tls: bool | None = None
    verify: bool = True
    server_name: ServerName | None = None
    critical_days: Days = 3
    warn_days: Days = 14
    client_certificate: ClientCertificate | None = None
    insecure: bool = False


class SnmpProbe(Struct, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="snmp"):
    """Options of `snmp`: the value of `oid` (sysUpTime.0), and what it must be.

    `3` asks for the engine's id only (RFC 3414, discovery), which needs no user. The community goes
    in clear: a secret in it needs `insecure`. `expect_regex` is looked for in the value as text.
    """

    version: Literal["1", "2c", "3"] = "2c"
    community: SecretText = "public"
    oid: Annotated[str, Meta(pattern=r"^[0-2](\.[0-9]{1,10}){1,127}\Z")] = "1.3.6.1.2.1.1.3.0"
    expect_regex: StepText | None = None
    insecure: bool = False


class NtpProbe(Struct, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="ntp"):
    """Options of `ntp`: the most strata from a reference clock, and the most offset (ms) from ours.

    The offset is that of the prober's machine, if it is given.
    """

    max_stratum: Annotated[int, Meta(ge=1, le=15)] = 15
    max_offset_ms: Annotated[float, Meta(gt=0, le=86_400_000)] | None = None


class DomainProbe(Struct, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="domain"):
    """Options of `domain`: the end of a registration, judged as that of a certificate.

    `rdap`: the base URL of the RDAP server to ask, in place of the one in IANA's list (RFC 9224).
    """

    critical_days: Days = 7
    warn_days: Days = 30
    rdap: Annotated[str, Meta(pattern=r"^https?://[\x21-\x7e]{1,500}\Z")] | None = None


JOB: Final = "heartbeat"
"""The kind of a job that reports itself."""

HOSTLESS: Final = frozenset({JOB, "domain"})
"""Kinds of targets on no host: what happens to several at once says nothing of a network."""

ZoneName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_+/-]{1,64}\Z")]


class ZoneOffset(Struct, frozen=True, gc=False, kw_only=True):
    """From `at` (UTC ms) on, local time is `seconds` ahead of UTC."""

    at: Millis
    seconds: Annotated[int, Meta(ge=-86_400, le=86_400)]


class HeartbeatProbe(
    Struct, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="heartbeat"
):
    """How often a job reports itself (rule 16): each `interval_ms`, or by a cron `schedule`.

    Exactly one of the two is set. `schedule` has the five fields of crontab(5), in local time of
    `zone`; `offsets` are that zone's for some five years, since a rule reads no file: the first one
    holds for the time before it, too, the last one for ever. `grace_ms` is how late a report may
    be; `max_runtime_ms` how long a run may last, None: no limit.
    """

    interval_ms: Annotated[int, Meta(ge=1_000, le=31_622_400_000)] | None = None
    schedule: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    zone: ZoneName = "UTC"
    offsets: Annotated[tuple[ZoneOffset, ...], Meta(min_length=1, max_length=100)] = (
        ZoneOffset(at=0, seconds=0),
    )
    grace_ms: Annotated[int, Meta(ge=1_000, le=2_678_400_000)] = 60_000
    max_runtime_ms: Annotated[int, Meta(ge=1_000, le=2_678_400_000)] | None = None


Probe = (
    TcpProbe
    | HandshakeProbe
    | UdpProbe
    | TlsProbe
    | DnsProbe
    | IcmpProbe
    | HttpProbe
    | WebSocketProbe
    | GrpcProbe
    | SnmpProbe
    | NtpProbe
    | DomainProbe
    | HeartbeatProbe
)
