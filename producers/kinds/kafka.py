"""Kafka: ApiVersions, which needs no login.

https://kafka.apache.org/protocol.html#The_Messages_ApiVersions
"""

import struct
from typing import Final

from producers.kinds.dialogue import Dialogue, DialogueStep, pattern
from producers.kinds.framing import sized

_API_VERSIONS: Final = 18
_NUMBER: Final = 7
_CLIENT: Final = b"portquorum"
_REQUEST: Final = struct.pack(">hhih", _API_VERSIONS, 0, _NUMBER, len(_CLIENT)) + _CLIENT

DIALOGUE: Final = Dialogue(
    protocol="Kafka",
    port=9092,
    steps=(
        DialogueStep(
            name="answer to ApiVersions",
            send=struct.pack(">i", len(_REQUEST)) + _REQUEST,
            frame=sized(4, more=4),
            # Our number, no error, at least one API.
            good=pattern(rb".{4}\0\0\0\x07\0\0(?!\0{4})"),
            bad=((pattern(rb".{4}\0\0\0\x07(?!\0\0)(?P<text>..)"), "unexpected_response"),),
        ),
    ),
)
