"""SMTP (RFC 5321, STARTTLS by RFC 3207): greeting, EHLO, STARTTLS or implicit TLS (RFC 8314)."""

from typing import Final

from producers.kinds.dialogue import Dialogue, DialogueStep, pattern
from producers.kinds.framing import numbered

_REFUSED: Final = (
    (pattern(rb"421[ -](?P<text>[^\r\n]*too many[^\r\n]*)"), "too_many_connections"),
    (pattern(rb"(?P<text>[45][0-9]{2}[ -][^\r\n]*)"), "unexpected_response"),
)
_GREETING: Final = DialogueStep(
    name="greeting",
    frame=numbered,
    good=pattern(rb"220[ -](?P<banner>[^\r\n]*)"),
    bad=_REFUSED,
)
# RFC 2606: a name that does not exist. The server does not learn our own name.
_EHLO: Final = DialogueStep(
    name="answer to EHLO",
    send=b"EHLO portquorum.invalid\r\n",
    frame=numbered,
    good=pattern(rb"250[ -]"),
    bad=_REFUSED,
)
_STARTTLS: Final = DialogueStep(
    name="answer to STARTTLS",
    send=b"STARTTLS\r\n",
    frame=numbered,
    good=pattern(rb"220[ -]"),
    bad=((pattern(rb"(?P<text>[45][0-9]{2}[ -][^\r\n]*)"), "tls_failed"),),
    tls=True,
)

DIALOGUE: Final = Dialogue(
    protocol="SMTP",
    port=25,
    steps=(_GREETING, _EHLO),
    starttls=(_GREETING, _EHLO, _STARTTLS, _EHLO),
    implicit_ports=frozenset({465}),
    starttls_ports=frozenset({587}),
    bye=b"QUIT\r\n",
)
