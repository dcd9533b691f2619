"""SSH (RFC 4253, section 4.2): the identification strings."""

from typing import Final

from producers.kinds.dialogue import Dialogue, DialogueStep, pattern
from producers.kinds.framing import lines_to
from producers.kinds.limits import refusal
from producers.kinds.pace import OPENSSH

_OURS: Final = b"SSH-2.0-portquorum"

DIALOGUE: Final = Dialogue(
    protocol="SSH",
    port=22,
    implicit=False,
    steps=(
        DialogueStep(
            name="identification",
            # At once, as OpenSSH does: multiplexers (sslh, Teleport) wait for it. Without it sshd
            # logs that somebody did not identify themselves.
            send=_OURS + b"\r\n",
            # Lines before it are allowed; OpenSSH's sshd reports too many connections in one.
            frame=lines_to(b"SSH-", b"Exceeded MaxStartups", b"Not allowed at this time"),
            # Our own is an echo: IMAP takes it for a tag (RFC 3501, 2.2.1) and answers with it.
            good=pattern(rb".*?SSH-(?:2\.0|1\.99)-(?!portquorum\b)(?P<banner>[^\r\n]*)"),
            bad=(
                # Who sends our own line back is no server.
                (pattern(_OURS + rb"\r?\n"), "protocol_mismatch"),
                (
                    pattern(
                        rb"(?:.*\n)?(?P<text>Exceeded MaxStartups|Not allowed at this time)[\r\n]*$"
                    ),
                    "too_many_connections",
                ),
                (pattern(rb"(?:.*\n)?(?P<text>SSH-1\.[0-8][^\r\n]*)"), "unexpected_response"),
                # Others close after a line of their own words.
                refusal(rb"(?!(?:.*\n)?SSH-)(?:.*\n)?"),
            ),
        ),
    ),
    pace=OPENSSH,
)
