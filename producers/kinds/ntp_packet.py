"""A client's question to a time server, and the answer (RFC 5905, section 7.3; RFC 4330)."""

import secrets
import struct
import time
from typing import Final

from msgspec import Struct

from producers.checks.errors import CheckFailedError
from producers.checks.os_errors import shown

# Leap indicator, version 4 and mode 3 (client); stratum; …; the timestamps: reference, origin,
# receive, transmit. The server sends our transmit timestamp back as the origin.
_PACKET: Final = struct.Struct(">BB22x8sQQ")
_CLIENT: Final = 4 << 3 | 3
_SERVER: Final = 4
_NOT_SET: Final = 3
_NO_TIME_YET: Final = (b"", b"INIT")
"""What stands with stratum 0 in place of a kiss code (RFC 5905, section 7.4) before a clock is set.
"""

_EPOCH_S: Final = 2_208_988_800
"""From 1900, when NTP begins to count, to 1970."""
_SECOND: Final = 1 << 32


class Answer(Struct, frozen=True, gc=False):
    """What a time server says.

    `offset_ms`: how much its clock is ahead of ours. `delay_ms`: the time on the network, there and
    back; the true offset differs by at most half of it (RFC 5905, section 8).
    """

    stratum: int
    offset_ms: float
    delay_ms: float

    @property
    def least_offset_ms(self) -> float:
        """The least that the offset is, whatever way of the two took longer; never negative."""
        return max(0.0, abs(self.offset_ms) - self.delay_ms / 2)


class Question:
    """The packets of one check, each with a mark of its own in place of our time.

    The mark is random, so that nobody who does not see the packet can answer it, and says which
    packet an answer is for.
    """

    def __init__(self) -> None:
        self._sent: dict[bytes, tuple[float, float]] = {}

    def packet(self) -> bytes:
        """The packet to send now."""
        mark = secrets.token_bytes(8)
        self._sent[mark] = time.time(), time.monotonic()
        return _PACKET.pack(_CLIENT, 0, bytes(8), 0, int.from_bytes(mark, "big"))

    def read(self, data: bytes) -> Answer | None:
        """The answer that has come now; None if it is for another question.

        Raises:
            CheckFailedError: it is no answer of a time server, or of one that knows no time.
        """
        now = time.monotonic()
        if len(data) < _PACKET.size or data[0] & 7 != _SERVER:
            text = f"expected an NTP answer, found {shown(data)!r}"
            raise CheckFailedError("protocol_mismatch", text)
        first, stratum, origin, received, sent = _PACKET.unpack_from(data)
        asked = self._sent.get(origin)
        if asked is None:
            return None
        if stratum == 0 and (code := data[12:16].rstrip(b"\0")) not in _NO_TIME_YET:
            text = f"NTP: the server declines: {shown(code)}"
            raise CheckFailedError("unexpected_response", text)
        if stratum == 0 or first >> 6 == _NOT_SET:
            raise CheckFailedError("unexpected_response", "NTP: the server's clock is not set")
        began_s, began = asked
        # With our clock at the time of the question and the time since then: it may be set between.
        there_s = _since(received, began_s)
        back_s = _since(sent, began_s) - (now - began)
        spent_s = (now - began) - _since(sent, 0.0, received)
        return Answer(stratum, (there_s + back_s) / 2 * 1000, max(0.0, spent_s) * 1000)


def _since(stamp: int, began_s: float, began_stamp: int = 0) -> float:
    """Seconds from a time of ours (or another timestamp) to a timestamp of NTP.

    Timestamps begin anew in 2036: of the two differences the one of less than 68 years is meant.
    """
    if began_s:
        began_stamp = int((began_s + _EPOCH_S) * _SECOND)
    ticks = (stamp - began_stamp) % (1 << 64)
    return (ticks - (1 << 64) if ticks >> 63 else ticks) / _SECOND
