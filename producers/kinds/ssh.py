"""SSH (RFC 4253, section 4.2): the identification strings."""

from typing import Final

from producers.kinds.dialogue import Dialogue, DialogueStep, pattern
from producers.kinds.framing import lines_to
from producers.kinds.limits import refusal
from producers.kinds.pace import OPENSSH

DIALOGUE: Final = Dialogue(
    protocol="SSH",
    port=22,
    implicit=False,
    steps=(
        DialogueStep(
            name="identification",
            # Lines before it are allowed; OpenSSH's sshd reports too many connections in one.
            frame=lines_to(b"SSH-", b"Exceeded MaxStartups", b"Not allowed at this time"),
            good=pattern(rb".*?SSH-(?:2\.0|1\.99)-(?P<banner>[^\r\n]*)"),
            bad=(
                (
                    pattern(
                        rb"(?:.*\n)?(?P<text>Exceeded MaxStartups|Not allowed at this time)[\r\n]*$"
                    ),
                    "too_many_connections",
                ),
                # Others close after a line of their own words.
                refusal(rb"(?!(?:.*\n)?SSH-)(?:.*\n)?"),
            ),
        ),
    ),
    # Without it sshd logs that somebody did not identify themselves.
    bye=b"SSH-2.0-portquorum\r\n",
    closes_on_bye=False,
    pace=OPENSSH,
)
