"""MQTT 3.1.1: CONNECT, answered by CONNACK (sections 3.1 and 3.2 of the OASIS standard).

A broker of version 5 only says so in a CONNACK of its own form (MQTT 5.0, section 3.2).
"""

from typing import Final

from producers.kinds.dialogue import Dialogue, DialogueStep, pattern
from producers.kinds.framing import NotThisError

_CLEAN_SESSION: Final = 0x02
_KEEP_ALIVE: Final = b"\0\x3c"
# An empty client id: the server assigns one, and keeps no session after the connection.
_CONNECT: Final = b"\0\x04MQTT\x04" + bytes([_CLEAN_SESSION]) + _KEEP_ALIVE + b"\0\0"
_CONNACK: Final = 0x20
_OTHER: Final = "the server speaks another version of MQTT than 3.1.1"
# Return codes of 3.1.1 (1 to 5), reason codes of 5.0 (section 3.2.2.2).
_WORDS: Final = {
    0x01: _OTHER,
    0x84: _OTHER,
    0x03: "server unavailable",
    0x80: "unspecified error",
    0x83: "implementation specific error",
    0x88: "server unavailable",
    0x89: "server busy",
    0x8A: "banned",
    0x97: "quota exceeded",
    0x9C: "use another server",
    0x9D: "server moved",
    0x9F: "connection rate exceeded",
}


def _connack(data: bytes) -> int | None:
    """The end of a CONNACK of 3.1.1 (two bytes follow) or 5.0 (at most 127: without strings)."""
    if not data:
        return None
    if data[0] != _CONNACK or (len(data) > 1 and not 2 <= data[1] <= 127):
        raise NotThisError
    if len(data) > 2 and data[2] > 1:
        raise NotThisError
    return 2 + data[1] if len(data) >= 2 and len(data) >= 2 + data[1] else None


def _words(answer: bytes) -> str:
    code = answer[3]
    return f"{_WORDS.get(code, 'refused')} (0x{code:02x})"


DIALOGUE: Final = Dialogue(
    protocol="MQTT",
    port=1883,
    implicit_ports=frozenset({8883}),
    steps=(
        DialogueStep(
            name="CONNACK",
            send=b"\x10" + bytes([len(_CONNECT)]) + _CONNECT,
            frame=_connack,
            # 0 accepted; 2 wants another name, 4 and 5 a login: alive as well, as is a broker that
            # speaks another version (1). In 5.0: 0x84; 0x85; 0x86, 0x87, 0x8c.
            good=pattern(
                rb"\x20(?:\x02[\0\x01][\0\x02\x04\x05]|[\x02-\x7f]\0[\x85\x86\x87\x8c]"
                rb"|(?P<other>\x02\0\x01|[\x02-\x7f]\0\x84))"
            ),
            bad=(
                (pattern(rb"\x20[\x02-\x7f]\0[\x97\x9f]"), "too_many_connections"),
                (
                    pattern(rb"\x20(?:\x02\0\x03|[\x02-\x7f]\0[\x80\x83\x88-\x8a\x9c\x9d])"),
                    "unexpected_response",
                ),
            ),
            words=_words,
        ),
    ),
    bye=b"\xe0\0",
)
