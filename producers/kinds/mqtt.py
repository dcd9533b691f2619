"""MQTT 3.1.1: CONNECT, answered by CONNACK (sections 3.1 and 3.2 of the OASIS standard)."""

from typing import Final

from producers.kinds.dialogue import Dialogue, DialogueStep, pattern
from producers.kinds.framing import NotThisError

_CLEAN_SESSION: Final = 0x02
_KEEP_ALIVE: Final = b"\0\x3c"
# An empty client id: the server assigns one, and keeps no session after the connection.
_CONNECT: Final = b"\0\x04MQTT\x04" + bytes([_CLEAN_SESSION]) + _KEEP_ALIVE + b"\0\0"


def _connack(data: bytes) -> int | None:
    if not b"\x20\x02".startswith(data[:2]):
        raise NotThisError
    return 4 if len(data) >= 4 else None


DIALOGUE: Final = Dialogue(
    protocol="MQTT",
    port=1883,
    implicit_ports=frozenset({8883}),
    steps=(
        DialogueStep(
            name="CONNACK",
            send=b"\x10" + bytes([len(_CONNECT)]) + _CONNECT,
            frame=_connack,
            # 0 accepted; 2 wants another name, 4 and 5 a login: alive as well.
            good=pattern(rb"\x20\x02[\0\x01][\0\x02\x04\x05]"),
            # 1: another version of the protocol; 3: the server is unavailable.
            bad=((pattern(rb"\x20\x02\0(?P<text>[\x01\x03])"), "unexpected_response"),),
        ),
    ),
    bye=b"\xe0\0",
)
