"""Options of a target beyond host and port, one Struct for each kind of check.

The field `kind` distinguishes them on the wire; several kinds may share one Struct. All defaults
are resolved by `apply`.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas._types import LongText, Text

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


class Step(Struct, frozen=True, gc=False, kw_only=True):
    """One step of a user-defined dialogue: the data to send and the expected answer.

    At most one of `send` and `send_hex`, and at most one of the three `expect`s: the answer must
    contain `expect` or `expect_hex`, or have a match of `expect_regex` (RE2). Text is UTF-8; a
    regular expression sees each byte of the answer as one character (Latin-1).
    """

    send: StepText | None = None
    send_hex: StepHex | None = None
    expect: StepText | None = None
    expect_hex: StepHex | None = None
    expect_regex: StepText | None = None


class TcpProbe(Struct, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="tcp"):
    """Options of `tcp`: a dialogue after the connection, in TLS if `tls` is `implicit`.

    `verify`: the certificate must be trusted, valid, and of the target's name.
    """

    steps: Annotated[tuple[Step, ...], Meta(min_length=1, max_length=20)]
    tls: Literal["none", "implicit"] = "none"
    verify: bool = True


class HandshakeProbe(
    Struct, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="handshake"
):
    """Options of all named handshakes (`smtp`, `postgres`, …).

    `tls`: `implicit` from the first byte on, `starttls` by the protocol's own command.
    `verify`: the certificate must be trusted, valid, and of the target's name, or of `server_name`.
    With less than `critical_days` until the first certificate of the verified chain expires the
    result is down (`certificate_ending`); with less than `warn_days` it is up, its detail has a
    warning, and an incident of the type `expiring` opens (rule 13).
    """

    tls: Tls = "none"
    verify: bool = True
    server_name: Annotated[str, Meta(min_length=1, max_length=253)] | None = None
    critical_days: Days = 3
    warn_days: Days = 14


class UdpProbe(Step, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="udp"):
    """Options of `udp`: a datagram and the expected answer, or a `protocol` that has both."""

    protocol: Literal["dns", "ntp"] | None = None


class TlsProbe(Struct, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="tls"):
    """Options of `tls`. `server_name` replaces the target's host in SNI and certificate.

    With less than `critical_days` until the first certificate of the verified chain expires the
    result is down (`certificate_ending`); with less than `warn_days` it is up, its detail has a
    warning, and an incident of the type `expiring` opens (rule 13).
    """

    verify: bool = True
    server_name: Annotated[str, Meta(min_length=1, max_length=253)] | None = None
    min_version: Literal["1.2", "1.3"] = "1.2"
    critical_days: Days = 3
    warn_days: Days = 14


class DnsProbe(Struct, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="dns"):
    """Options of `dns`: the question to the target, and records that the answer must contain."""

    name: Annotated[str, Meta(min_length=1, max_length=255)]
    record: Annotated[str, Meta(pattern=r"^[A-Z0-9]{1,16}\Z")] = "A"
    expect: Annotated[tuple[Text, ...], Meta(max_length=20)] = ()


class IcmpProbe(Struct, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="icmp"):
    """Options of `icmp`: `count` echo requests; a share of `max_loss` may be lost."""

    count: Annotated[int, Meta(ge=1, le=20)] = 3
    max_loss: Annotated[float, Meta(ge=0, lt=1)] = 0.5


HeaderName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}\Z")]
HeaderValue = Annotated[str, Meta(pattern=r"^[\x20-\x7e]{0,2000}\Z")]
HttpStatus = Annotated[int, Meta(ge=100, le=599)]


class HttpProbe(Struct, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="http"):
    """Options of `http`. The port decides the default of `tls`.

    `status` lists the accepted statuses after at most `redirects` redirects (empty: 200 to 299).
    All expectations must hold: the body contains `expect` (text), matches `expect_regex` (RE2), and
    has a value at `expect_json` (a JSONPath, RFC 9535), equal to `json_value` (JSON) if given;
    `expect_headers` maps names to regular expressions. `critical_days` and `warn_days`: as for
    `tls`.
    """

    path: Annotated[str, Meta(pattern=r"^/[\x21-\x7e]{0,2000}\Z")] = "/"
    method: Literal["GET", "HEAD"] = "GET"
    tls: bool | None = None
    verify: bool = True
    critical_days: Days = 3
    warn_days: Days = 14
    headers: Annotated[dict[HeaderName, HeaderValue], Meta(max_length=1_000)] = {}
    redirects: Annotated[int, Meta(ge=0, le=10)] = 5
    status: Annotated[tuple[HttpStatus, ...], Meta(max_length=100)] = ()
    expect: StepText | None = None
    expect_regex: StepText | None = None
    expect_json: StepText | None = None
    json_value: LongText | None = None
    expect_headers: Annotated[dict[HeaderName, StepText], Meta(max_length=1_000)] = {}


Probe = TcpProbe | HandshakeProbe | UdpProbe | TlsProbe | DnsProbe | IcmpProbe | HttpProbe
