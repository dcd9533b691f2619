"""What a kind of check needs beyond host and port: the options of a target, one Struct a kind.

The field `kind` tells them apart on the wire; several kinds may share one Struct. All defaults are
resolved when the inventory is applied.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

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


class Step(Struct, frozen=True, gc=False, kw_only=True):
    """One step of a dialogue of one's own: what is sent, and what must come then.

    At most one of `send` and `send_hex`, and at most one of the three `expect`s, of which `expect`
    and `expect_hex` must occur in the answer, `expect_regex` (RE2) must be found in it. Text is
    UTF-8; of the answer to a regular expression each byte is one character (Latin-1).
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

    `tls`: `implicit` from the first byte on, `starttls` as the protocol itself begins it.
    `verify`: the certificate must be trusted, valid, and of the target's name.
    """

    tls: Tls = "none"
    verify: bool = True


Probe = TcpProbe | HandshakeProbe
