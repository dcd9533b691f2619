"""memcached: the text protocol's `version`.

https://github.com/memcached/memcached/blob/master/doc/protocol.txt
"""

from typing import Final

from producers.kinds.dialogue import Dialogue, DialogueStep, pattern
from producers.kinds.framing import line
from producers.kinds.limits import refusal

DIALOGUE: Final = Dialogue(
    protocol="memcached",
    port=11211,
    steps=(
        DialogueStep(
            name="answer to version",
            send=b"version\r\n",
            frame=line,
            # A server that wants a login first is up, too.
            good=pattern(rb"(?:VERSION (?P<banner>[^\r\n]+)|CLIENT_ERROR unauthenticated)"),
            bad=(
                refusal(rb"(?:SERVER_)?ERROR "),
                (
                    pattern(
                        rb"(?P<text>(?:SERVER_ERROR|CLIENT_ERROR(?! unauth)) [^\r\n]*"
                        rb"|ERROR(?=\r?\n))"
                    ),
                    "unexpected_response",
                ),
            ),
        ),
    ),
    bye=b"quit\r\n",
)
