"""Redis, Valkey and what speaks their protocol: PING as an array, as all clients send it.

Proxies and small servers do not know the inline form.
https://redis.io/docs/latest/develop/reference/protocol-spec/#sending-commands-to-a-redis-server
"""

from typing import Final

from producers.kinds.dialogue import Dialogue, DialogueStep, pattern
from producers.kinds.framing import line
from producers.kinds.limits import refusal

DIALOGUE: Final = Dialogue(
    protocol="Redis",
    port=6379,
    steps=(
        DialogueStep(
            name="answer to PING",
            send=b"*1\r\n$4\r\nPING\r\n",
            frame=line,
            # A server that wants a password, a right for PING, or no strangers at all is up, too.
            good=pattern(rb"(?P<banner>\+PONG(?=\r?\n)|-(?:NOAUTH|NOPERM|DENIED) [^\r\n]*)"),
            bad=(
                refusal(rb"-(?:ERR )?"),
                (
                    pattern(rb"-(?!(?:NOAUTH|NOPERM|DENIED) )(?P<text>[^\r\n]*)"),
                    "unexpected_response",
                ),
            ),
        ),
    ),
    bye=b"*1\r\n$4\r\nQUIT\r\n",
)
