"""MongoDB: the `hello` command as OP_MSG.

https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/, reference/command/hello/
"""

import struct
from typing import Final

from producers.kinds.dialogue import Dialogue, Step, pattern
from producers.kinds.framing import sized

_OP_MSG: Final = 2013
# {hello: 1, $db: "admin"} (https://bsonspec.org)
_FIELDS: Final = b"\x10hello\0" + struct.pack("<i", 1) + b"\x02$db\0" + b"\x06\0\0\0admin\0"
_DOCUMENT: Final = struct.pack("<i", 4 + len(_FIELDS) + 1) + _FIELDS + b"\0"
_BODY: Final = struct.pack("<I", 0) + b"\0" + _DOCUMENT
_HELLO: Final = struct.pack("<iiii", 16 + len(_BODY), 1, 0, _OP_MSG) + _BODY


def _role(answer: bytes) -> str | None:
    """What the server says that it is."""
    wire = answer.find(b"\x10maxWireVersion\0")
    if wire < 0:
        return None
    version = answer[wire + 16 : wire + 20]
    if b"\x02setName\0" in answer:
        role = "replica set"
    else:
        role = "mongos" if b"\x02msg\0\x09\0\0\0isdbgrid\0" in answer else "standalone"
    return f"{role}, wire version {int.from_bytes(version, 'little')}"


DIALOGUE: Final = Dialogue(
    protocol="MongoDB",
    port=27017,
    steps=(
        Step(
            name="answer to hello",
            send=_HELLO,
            frame=sized(4, order="little"),
            # responseTo is our requestID; `ok` is 1.0. An error is {ok: 0.0, errmsg: …}.
            good=pattern(rb".{8}\x01\0\0\0\xdd\x07\0\0.*\x01ok\0\0\0\0\0\0\0\xf0\x3f"),
            bad=(
                (
                    pattern(
                        rb".{8}\x01\0\0\0\xdd\x07\0\0(?=.*\x01ok\0{9}).*"
                        rb"\x02errmsg\0.{4}(?P<text>[^\0]*)"
                    ),
                    "unexpected_response",
                ),
            ),
            tell=_role,
        ),
    ),
)
