"""SMTP (RFC 5321, STARTTLS by RFC 3207): greeting, EHLO, STARTTLS or implicit TLS (RFC 8314)."""

import re
from typing import Final

from producers.kinds.connection import Connection
from producers.kinds.dialogue import Dialogue, DialogueStep, pattern
from producers.kinds.framing import numbered
from producers.kinds.limits import GREETING_421, NUMBERED
from schemas.result import Reason

_REFUSED: Final[tuple[tuple[re.Pattern[bytes], Reason], ...]] = (
    NUMBERED,
    (pattern(rb"(?:[0-9]{3}-.*\n)?(?P<text>421[^\r\n]*)"), "unexpected_response"),
    (pattern(rb"(?P<text>[45][0-9]{2}(?:[ -][^\r\n]*|\r?\n))"), "unexpected_response"),
)
_GREETING: Final = DialogueStep(
    name="greeting",
    frame=numbered,
    good=pattern(rb"220(?:[ -](?P<banner>[^\r\n]*)|\r?\n)"),
    bad=(GREETING_421, *_REFUSED),
)


def _ehlo(stream: Connection) -> bytes:
    # An address literal: servers refuse names that do not resolve, and ours need not have one.
    return b"EHLO " + stream.address_literal() + b"\r\n"


_EHLO: Final = DialogueStep(
    name="answer to EHLO",
    send=_ehlo,
    frame=numbered,
    good=pattern(rb"250(?:[ -]|\r?\n)"),
    bad=_REFUSED,
)
_STARTTLS: Final = DialogueStep(
    name="answer to STARTTLS",
    send=b"STARTTLS\r\n",
    frame=numbered,
    good=pattern(rb"220(?:[ -]|\r?\n)"),
    bad=((pattern(rb"(?P<text>[45][0-9]{2}(?:[ -][^\r\n]*|\r?\n))"), "tls_failed"),),
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
