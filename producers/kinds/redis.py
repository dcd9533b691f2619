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
            # One that wants a password, or lets nobody PING without a right, is alive too.
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
