"""FTP's control connection (RFC 959, TLS by RFC 4217).

Mail servers and others greet with 220, too, so that the check asks NOOP, and SYST if that says too
little. Both are commands that every FTP server must know (RFC 959, section 5.1; RFC 1123, section
4.1.2.13).
"""

from typing import Final

from producers.kinds.dialogue import Dialogue, DialogueStep, pattern
from producers.kinds.framing import numbered
from producers.kinds.limits import END, GOES_AWAY, GREETING_421, NUMBERED, REFUSED

# An enhanced code (RFC 3463) is SMTP's.
_MAIL_REFUSAL: Final = rb"[45][0-9]{2}[ -][45]\.[0-9]{1,3}\.[0-9]{1,3}(?:[ \r\n])"
# FTP alone wants a login, or TLS by AUTH, before other commands: 331, 332, 530 to 536 (RFC 2228),
# or words about it (FileZilla Server: "503 Use AUTH first.").
_WANTS_LOGIN: Final = (
    rb"(?:33[12]|53[0-6])" + END + rb"|[45][0-9]{2}[ -][^\r\n]{0,200}(?:AUTH|USER|TLS|SSL)"
)

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
# The greeting names another protocol: nothing but FTP's own answer counts.
_AS_OTHER: Final = rb"(?i:(?!.*ftp).*\b(?:e?smtps?|lmtp|snpp)\b)"
_NOOP_OF_OTHER: Final = DialogueStep(
    name="answer to NOOP",
    when=pattern(rb"220" + _AS_OTHER),
    send=b"NOOP\r\n",
    frame=numbered,
    good=pattern(rb"20[02]" + END),
    bad=(*GOES_AWAY, (pattern(rb"(?!20[02])[0-9]{3}" + END), "protocol_mismatch")),
)
# 200; SMTP says 250. After another refusal SYST decides.
_NOOP: Final = DialogueStep(
    name="answer to NOOP",
    when=pattern(rb"220(?!" + _AS_OTHER + rb")"),
    send=b"NOOP\r\n",
    frame=numbered,
    good=pattern(rb"(?:20[02]|33[12]|[45][0-9]{2})" + END),
    bad=(
        *GOES_AWAY,
        (pattern(_MAIL_REFUSAL), "protocol_mismatch"),
        (pattern(rb"2[0-9]{2}(?<!200)(?<!202)" + END), "protocol_mismatch"),
    ),
)
_SYST: Final = DialogueStep(
    name="answer to SYST",
    when=pattern(rb"(?!" + _WANTS_LOGIN + rb")[45]"),
    send=b"SYST\r\n",
    frame=numbered,
    good=pattern(rb"(?:215|20[02])" + END + rb"|" + _WANTS_LOGIN),
    bad=(
        *GOES_AWAY,
        (pattern(_MAIL_REFUSAL), "protocol_mismatch"),
        (
            pattern(rb"(?!" + _WANTS_LOGIN + rb")[245][0-9]{2}(?<!215)(?<!200)(?<!202)" + END),
            "protocol_mismatch",
        ),
    ),
)
_AUTH_TLS: Final = DialogueStep(
    name="answer to AUTH TLS",
    send=b"AUTH TLS\r\n",
    frame=numbered,
    good=pattern(rb"234" + END),
    bad=(
        (pattern(rb"2(?!34)[0-9]{2}" + END), "protocol_mismatch"),
        (pattern(_MAIL_REFUSAL), "protocol_mismatch"),
        (pattern(REFUSED), "tls_failed"),
    ),
    tls=True,
)

DIALOGUE: Final = Dialogue(
    protocol="FTP",
    port=21,
    steps=(_GREETING, _NOOP_OF_OTHER, _NOOP, _SYST),
    starttls=(_GREETING, _NOOP_OF_OTHER, _AUTH_TLS),
    implicit_ports=frozenset({990}),
    bye=b"QUIT\r\n",
)
