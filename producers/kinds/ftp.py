"""FTP's control connection (RFC 959, TLS by RFC 4217)."""

from typing import Final

from producers.kinds.dialogue import Dialogue, DialogueStep, pattern
from producers.kinds.framing import numbered
from producers.kinds.limits import GREETING_421, NUMBERED

_GREETING: Final = DialogueStep(
    name="greeting",
    frame=numbered,
    good=pattern(rb"220(?:[ -](?P<banner>[^\r\n]*)|\r?\n)"),
    bad=(
        GREETING_421,
        NUMBERED,
        (pattern(rb"(?P<text>(?:120|[45][0-9]{2})(?:[ -][^\r\n]*|\r?\n))"), "unexpected_response"),
    ),
)
# A mail server greets with 220, too. It answers 250 to NOOP, or a refusal with an enhanced code
# (RFC 3463); FTP says 200, or wants a login first (530).
_NOOP: Final = DialogueStep(
    name="answer to NOOP",
    send=b"NOOP\r\n",
    frame=numbered,
    good=pattern(rb"(?:200|[45][0-9]{2})(?:[ -]|\r?\n)"),
    bad=(
        (pattern(rb"2(?!00)[0-9]{2}(?:[ -]|\r?\n)"), "protocol_mismatch"),
        (pattern(rb"[45][0-9]{2}[ -][45]\.[0-9]{1,3}\.[0-9]{1,3}[ \r\n]"), "protocol_mismatch"),
        NUMBERED,
        (pattern(rb"(?:[0-9]{3}-.*\n)?(?P<text>421[^\r\n]*)"), "unexpected_response"),
    ),
)
_AUTH_TLS: Final = DialogueStep(
    name="answer to AUTH TLS",
    send=b"AUTH TLS\r\n",
    frame=numbered,
    good=pattern(rb"234(?:[ -]|\r?\n)"),
    bad=((pattern(rb"(?P<text>[45][0-9]{2}(?:[ -][^\r\n]*|\r?\n))"), "tls_failed"),),
    tls=True,
)

DIALOGUE: Final = Dialogue(
    protocol="FTP",
    port=21,
    steps=(_GREETING, _NOOP),
    starttls=(_GREETING, _AUTH_TLS),
    implicit_ports=frozenset({990}),
    bye=b"QUIT\r\n",
)
