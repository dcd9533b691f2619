"""FTP's control connection (RFC 959, TLS by RFC 4217)."""

from typing import Final

from producers.kinds.dialogue import Dialogue, DialogueStep, pattern
from producers.kinds.framing import numbered

_GREETING: Final = DialogueStep(
    name="greeting",
    frame=numbered,
    good=pattern(rb"220[ -](?P<banner>[^\r\n]*)"),
    bad=(
        (
            pattern(rb"[45][0-9]{2}[ -](?P<text>[^\r\n]*[Tt]oo many[^\r\n]*)"),
            "too_many_connections",
        ),
        (pattern(rb"(?P<text>(?:120|[45][0-9]{2})[ -][^\r\n]*)"), "unexpected_response"),
    ),
)
_AUTH_TLS: Final = DialogueStep(
    name="answer to AUTH TLS",
    send=b"AUTH TLS\r\n",
    frame=numbered,
    good=pattern(rb"234[ -]"),
    bad=((pattern(rb"(?P<text>[45][0-9]{2}[ -][^\r\n]*)"), "tls_failed"),),
    tls=True,
)

DIALOGUE: Final = Dialogue(
    protocol="FTP",
    port=21,
    steps=(_GREETING,),
    starttls=(_GREETING, _AUTH_TLS),
    implicit_ports=frozenset({990}),
    bye=b"QUIT\r\n",
)
