"""MongoDB: the `hello` command as OP_MSG, `isMaster` to servers older than it (4.4.2).

https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/, reference/command/hello/
"""

import re
import struct
from typing import Final

from producers.kinds.dialogue import Dialogue, DialogueStep, pattern
from producers.kinds.framing import sized

_OP_MSG: Final = struct.pack("<i", 2013)
# BSON (https://bsonspec.org): 1.0 and 0.0 as double, which MongoDB sends, or as int32, int64 or
# boolean, which drivers take as well.
_FINE: Final = rb"(?:\x01ok\0\0{6}\xf0\x3f|\x10ok\0\x01\0{3}|\x12ok\0\x01\0{7}|\x08ok\0\x01)"
_NOT_FINE: Final = rb"(?:\x01ok\0\0{8}|\x10ok\0\0{4}|\x12ok\0\0{8}|\x08ok\0\0)"
_COMMAND_NOT_FOUND: Final = rb"\x10code\0\x3b\0\0\0"
# Unauthorized, AuthenticationFailed: the server lets no stranger in, and is alive.
_NO_ACCESS: Final = rb"\x10code\0[\x0d\x12]\0\0\0"


def _request(number: int, command: bytes) -> bytes:
    """The message {command: 1, $db: "admin"} with this number."""
    fields = b"\x10" + command + b"\0" + struct.pack("<i", 1) + b"\x02$db\0\x06\0\0\0admin\0"
    body = struct.pack("<I", 0) + b"\0" + struct.pack("<i", 4 + len(fields) + 1) + fields + b"\0"
    return struct.pack("<iii", 16 + len(body), number, 0) + _OP_MSG + body


def _answer(number: int, document: bytes) -> re.Pattern[bytes]:
    """The pattern of an answer to this message number (responseTo) that contains `document`."""
    begins = re.escape(struct.pack("<i", number) + _OP_MSG)
    return pattern(rb".{8}" + begins + document)


def _role(answer: bytes) -> str | None:
    """The role of the server, by its own answer."""
    wire = answer.find(b"\x10maxWireVersion\0")
    if wire < 0:
        return None
    version = answer[wire + 16 : wire + 20]
    if b"\x02setName\0" in answer:
        role = "replica set"
    else:
        role = "mongos" if b"\x02msg\0\x09\0\0\0isdbgrid\0" in answer else "standalone"
    return f"{role}, wire version {int.from_bytes(version, 'little')}"


def _refused(number: int, unless: bytes = b"") -> re.Pattern[bytes]:
    but = rb"(?!.*" + unless + rb")" if unless else b""
    said = rb"(?=.*" + _NOT_FINE + rb")" + but + rb".*\x02errmsg\0.{4}(?P<text>[^\0]*)"
    return _answer(number, said)


DIALOGUE: Final = Dialogue(
    protocol="MongoDB",
    port=27017,
    steps=(
        DialogueStep(
            name="answer to hello",
            send=_request(1, b"hello"),
            frame=sized(4, order="little"),
            good=_answer(
                1, rb".*(?:" + _FINE + rb"|" + _COMMAND_NOT_FOUND + rb"|" + _NO_ACCESS + rb")"
            ),
            bad=(
                (
                    _refused(1, rb"(?:" + _COMMAND_NOT_FOUND + rb"|" + _NO_ACCESS + rb")"),
                    "unexpected_response",
                ),
            ),
            tell=_role,
        ),
        DialogueStep(
            name="answer to isMaster",
            when=_answer(1, rb".*" + _COMMAND_NOT_FOUND),
            send=_request(2, b"isMaster"),
            frame=sized(4, order="little"),
            good=_answer(2, rb".*(?:" + _FINE + rb"|" + _NO_ACCESS + rb")"),
            bad=((_refused(2, _NO_ACCESS), "unexpected_response"),),
            tell=_role,
        ),
    ),
)
