"""Microsoft SQL Server: PRELOGIN ([MS-TDS], sections 2.2.3.1 and 2.2.6.5).

Its TLS is inside of the PRELOGIN packets; the check does not use it.
"""

import struct
from typing import Final

from producers.kinds.dialogue import Dialogue, DialogueStep, pattern
from producers.kinds.framing import sized

# Options: token, offset, length; then their values. VERSION (0), ENCRYPTION (1), end (0xff).
_OPTIONS: Final = struct.pack(">BHHBHHB", 0, 11, 6, 1, 17, 1, 0xFF)
_VERSION: Final = b"\0\0\0\0\0\0"
_NOT_SUPPORTED: Final = b"\x02"
_PAYLOAD: Final = _OPTIONS + _VERSION + _NOT_SUPPORTED
_PRELOGIN: Final = struct.pack(">BBHHBB", 0x12, 1, 8 + len(_PAYLOAD), 0, 1, 0) + _PAYLOAD


def _version(answer: bytes) -> str | None:
    """The server's version: always the first option."""
    at = 8 + int.from_bytes(answer[9:11], "big")
    found = answer[at : at + 4]
    if len(found) < 4:
        return None
    major, minor, build = struct.unpack(">BBH", found)
    return f"Microsoft SQL Server {major}.{minor}.{build}"


DIALOGUE: Final = Dialogue(
    protocol="MSSQL",
    port=1433,
    implicit=False,
    steps=(
        DialogueStep(
            name="answer to PRELOGIN",
            send=_PRELOGIN,
            frame=sized(2, at=2),
            # A tabular result, the last packet of it; the first option is VERSION, of six bytes.
            good=pattern(rb"\x04\x01.{6}\0..\0\x06"),
            tell=_version,
        ),
    ),
)
