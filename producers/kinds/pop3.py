"""POP3 (RFC 1939, STLS by RFC 2595, implicit TLS by RFC 8314)."""

import re
from typing import Final

from producers.kinds.dialogue import Dialogue, DialogueStep, pattern
from producers.kinds.framing import line
from producers.kinds.limits import refusal
from schemas.result import Reason

_REFUSED: Final[tuple[tuple[re.Pattern[bytes], Reason], ...]] = (
    refusal(rb"-ERR "),
    (pattern(rb"(?P<text>-ERR[^\r\n]*)"), "unexpected_response"),
)
_GREETING: Final = DialogueStep(
    name="greeting",
    frame=line,
    good=pattern(rb"\+OK(?=[ \r\n]) *(?P<banner>[^\r\n]*)"),
    bad=_REFUSED,
)
_STLS: Final = DialogueStep(
    name="answer to STLS",
    send=b"STLS\r\n",
    frame=line,
    good=pattern(rb"\+OK"),
    bad=((pattern(rb"(?P<text>-ERR[^\r\n]*)"), "tls_failed"),),
    tls=True,
)

DIALOGUE: Final = Dialogue(
    protocol="POP3",
    port=110,
    steps=(_GREETING,),
    starttls=(_GREETING, _STLS),
    implicit_ports=frozenset({995}),
    bye=b"QUIT\r\n",
)
