"""IMAP (RFC 9051, STARTTLS in section 6.2.1, implicit TLS by RFC 8314)."""

from typing import Final

from producers.kinds.dialogue import Dialogue, DialogueStep, pattern
from producers.kinds.framing import line, lines_to

_GREETING: Final = DialogueStep(
    name="greeting",
    frame=line,
    good=pattern(rb"\* (?:OK|PREAUTH)(?: \[CAPABILITY[^\]\r\n]*\])? *(?P<banner>[^\r\n]*)"),
    bad=(
        (pattern(rb"\* BYE (?P<text>[^\r\n]*[Tt]oo many[^\r\n]*)"), "too_many_connections"),
        (pattern(rb"\* BYE(?P<text>[^\r\n]*)"), "unexpected_response"),
    ),
)
_NOOP: Final = DialogueStep(
    name="answer to NOOP", send=b"a1 NOOP\r\n", frame=lines_to(b"a1 "), good=pattern(rb".*a1 OK")
)
_STARTTLS: Final = DialogueStep(
    name="answer to STARTTLS",
    send=b"a2 STARTTLS\r\n",
    frame=lines_to(b"a2 "),
    good=pattern(rb".*a2 OK"),
    bad=((pattern(rb".*(?P<text>a2 (?:NO|BAD)[^\r\n]*)"), "tls_failed"),),
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
