"""IMAP (RFC 9051, STARTTLS in section 6.2.1, implicit TLS by RFC 8314)."""

import re
from typing import Final

from producers.kinds.dialogue import Dialogue, DialogueStep, pattern
from producers.kinds.framing import line, lines_to
from producers.kinds.limits import refusal
from schemas.result import Reason

_GREETING: Final = DialogueStep(
    name="greeting",
    frame=line,
    good=pattern(
        rb"(?i:\* (?:OK|PREAUTH)(?=[ \r\n]))(?: \[CAPABILITY[^\]\r\n]*\])? *(?P<banner>[^\r\n]*)"
    ),
    bad=(
        refusal(rb"\* (?i:BYE|NO|BAD) "),
        (pattern(rb"\* (?i:BYE)(?P<text>[^\r\n]*)"), "unexpected_response"),
    ),
)
# A server may say goodbye in place of an answer.
_BYE: Final[tuple[tuple[re.Pattern[bytes], Reason], ...]] = (
    refusal(rb"(?:.*\n)?\* (?i:BYE) "),
    (pattern(rb"(?:.*\n)?\* (?i:BYE)(?P<text>[^\r\n]*)"), "unexpected_response"),
)
_NOOP: Final = DialogueStep(
    name="answer to NOOP",
    send=b"a1 NOOP\r\n",
    frame=lines_to(b"a1 ", b"* BYE", any_case=True),
    good=pattern(rb"(?:.*\n)?(?i:a1 OK)(?=[ \r\n])"),
    bad=(
        *_BYE,
        (pattern(rb"(?:.*\n)?(?P<text>(?i:a1 (?:NO|BAD))[^\r\n]*)"), "unexpected_response"),
    ),
)
_STARTTLS: Final = DialogueStep(
    name="answer to STARTTLS",
    send=b"a2 STARTTLS\r\n",
    frame=lines_to(b"a2 ", b"* BYE", any_case=True),
    good=pattern(rb"(?:.*\n)?(?i:a2 OK)(?=[ \r\n])"),
    bad=(
        *_BYE,
        (pattern(rb"(?:.*\n)?(?P<text>(?i:a2 (?:NO|BAD))[^\r\n]*)"), "tls_failed"),
    ),
    tls=True,
)

DIALOGUE: Final = Dialogue(
    protocol="IMAP",
    port=143,
    steps=(_GREETING, _NOOP),
    starttls=(_GREETING, _STARTTLS, _NOOP),
    implicit_ports=frozenset({993}),
    bye=b"a9 LOGOUT\r\n",
)
