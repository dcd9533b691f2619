"""Redis, Valkey and what speaks their protocol: PING as an array, as all clients send it.

Proxies and small servers do not know the inline form.
https://redis.io/docs/latest/develop/reference/protocol-spec/#sending-commands-to-a-redis-server
"""

from typing import Final

from producers.kinds.access import LOGIN
from producers.kinds.dialogue import Dialogue, DialogueStep, pattern
from producers.kinds.framing import line
from producers.kinds.limits import refusal

# Redis has NOAUTH since version 2.8; before it, and at twemproxy, Pika and others, words say it.
_STRANGER: Final = (
    rb"-(?:(?:NOAUTH|NOPERM|DENIED|WRONGPASS) |ERR [^\r\n]{0,80}" + LOGIN + rb")[^\r\n]*"
)

DIALOGUE: Final = Dialogue(
    protocol="Redis",
    port=6379,
    steps=(
        DialogueStep(
            name="answer to PING",
            send=b"*1\r\n$4\r\nPING\r\n",
            frame=line,
            # A server that wants a password, a right for PING, or no strangers at all is up, too.
            good=pattern(rb"(?P<banner>\+PONG(?=\r?\n)|" + _STRANGER + rb")"),
            bad=(
                refusal(rb"-(?:ERR )?"),
                (pattern(rb"(?!" + _STRANGER + rb")-(?P<text>[^\r\n]*)"), "unexpected_response"),
            ),
        ),
    ),
    bye=b"*1\r\n$4\r\nQUIT\r\n",
)
