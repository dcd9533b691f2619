"""Redis, Valkey and what speaks their protocol: an inline PING.

https://redis.io/docs/latest/develop/reference/protocol-spec/#inline-commands
"""

from typing import Final

from producers.kinds.dialogue import Dialogue, DialogueStep, pattern
from producers.kinds.framing import line

DIALOGUE: Final = Dialogue(
    protocol="Redis",
    port=6379,
    steps=(
        DialogueStep(
            name="answer to PING",
            send=b"PING\r\n",
            frame=line,
            # A server that wants a password or a right for PING is up, too.
            good=pattern(rb"(?P<banner>\+PONG|-NOAUTH[^\r\n]*|-NOPERM[^\r\n]*)"),
            bad=(
                (
                    pattern(rb"-ERR (?P<text>max number of clients[^\r\n]*)"),
                    "too_many_connections",
                ),
                (pattern(rb"-(?!NOAUTH|NOPERM)(?P<text>[^\r\n]*)"), "unexpected_response"),
            ),
        ),
    ),
    bye=b"QUIT\r\n",
)
