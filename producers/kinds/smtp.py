"""SMTP (RFC 5321, STARTTLS by RFC 3207): greeting, EHLO, STARTTLS or implicit TLS (RFC 8314)."""

import re
from typing import Final

from producers.kinds.connection import Connection
from producers.kinds.dialogue import Dialogue, DialogueStep, pattern
from producers.kinds.framing import numbered
from producers.kinds.limits import END, GOES_AWAY, GREETING_421, REFUSED
from schemas.result import Reason

_REFUSED: Final[tuple[re.Pattern[bytes], Reason]] = (pattern(REFUSED), "unexpected_response")
_UNKNOWN: Final = rb"50[0-4]" + END
# 501 and 504 are about the argument of a command that is known.
_NEITHER: Final = rb"50[023]" + END
# Without an enhanced code (RFC 3463): an FTP server that wants a login first.
_FTP: Final = rb"53[0-6](?:-|[ ](?!5\.)|\r?\n)"
_GREETING: Final = DialogueStep(
    name="greeting",
    frame=numbered,
    good=pattern(rb"220(?:[ -](?P<banner>[^\r\n]*)|\r?\n)"),
    bad=(GREETING_421, *GOES_AWAY, _REFUSED),
)


# An address literal: servers refuse names that do not resolve, and ours need not have one.
def _ehlo(stream: Connection) -> bytes:
    return b"EHLO " + stream.address_literal() + b"\r\n"


def _helo(stream: Connection) -> bytes:
    return b"HELO " + stream.address_literal() + b"\r\n"


_EHLO: Final = DialogueStep(
    name="answer to EHLO",
    send=_ehlo,
    frame=numbered,
    good=pattern(rb"250" + END + rb"|" + _UNKNOWN),
    bad=(
        *GOES_AWAY,
        (pattern(_FTP), "protocol_mismatch"),
        (pattern(rb"(?!" + _UNKNOWN + rb")" + REFUSED), "unexpected_response"),
    ),
)
# RFC 5321, section 3.2: a server without EHLO is asked HELO. Others that greet with 220 (FTP, LMTP,
# DICT) know neither.
_HELO: Final = DialogueStep(
    name="answer to HELO",
    when=pattern(_UNKNOWN),
    send=_helo,
    frame=numbered,
    good=pattern(rb"250" + END),
    bad=(*GOES_AWAY, (pattern(_NEITHER + rb"|" + _FTP), "protocol_mismatch"), _REFUSED),
)
_STARTTLS: Final = DialogueStep(
    name="answer to STARTTLS",
    send=b"STARTTLS\r\n",
    frame=numbered,
    good=pattern(rb"220" + END),
    bad=((pattern(REFUSED), "tls_failed"),),
    tls=True,
)

DIALOGUE: Final = Dialogue(
    protocol="SMTP",
    port=25,
    steps=(_GREETING, _EHLO, _HELO),
    starttls=(_GREETING, _EHLO, _HELO, _STARTTLS, _EHLO),
    implicit_ports=frozenset({465}),
    starttls_ports=frozenset({587}),
    bye=b"QUIT\r\n",
)
