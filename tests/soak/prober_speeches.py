"""What a server may say to a check: all that is right, mutated, cut, dribbled, or without end."""

import contextlib
import random
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final, Literal

import trustme
from msgspec import Struct

from tests.unit.producers.answers import GOOD

Manner = Literal["at once", "in turn", "in pieces", "byte by byte", "then silent"]
"""`in turn`: each part after the first only when the client has said something again."""

MANNERS: Final[dict[Manner, float]] = {
    "at once": 55,
    "in turn": 34,
    "in pieces": 8,
    "byte by byte": 2.8,
    "then silent": 0.2,
}

AS_IT_IS: Final = 0.03
"""So often nothing is mutated: that a check can end well shows that it is really made."""
AT_RANDOM: Final = 0.12
ANOTHERS: Final = 0.05
"""So often it is the right answer of another protocol, mutated or not."""
ENDLESS: Final = 0.003

LONG_BYTES: Final = 150_000
DRIBBLED_BYTES: Final = 120

_UNITS: Final = (b"A", b"\0", b"220-x\r\n", b"\x7f\xff\xff\xff", b"* x\r\n", b"\xff", b"1\r\n")


class Speech(Struct, frozen=True):
    """The parts of what a server says, and how."""

    parts: tuple[bytes, ...]
    manner: Manner

    @property
    def may_wait(self) -> bool:
        """Whether both sides may come to wait for each other."""
        return self.manner == "then silent" or (self.manner == "in turn" and len(self.parts) > 1)


class Speaker:
    """Draws speeches from a seed; the same ones in the same order."""

    def __init__(self, seed: str, good: Sequence[tuple[bytes, ...]]) -> None:
        """`good` are speeches that are right; one of them is taken each time."""
        self._random = random.Random(seed)  # noqa: S311 - to be repeated
        self._good = good

    def next(self) -> Speech:
        """Another speech."""
        chance = self._random
        parts = chance.choice(self._good)
        (manner,) = chance.choices(list(MANNERS), list(MANNERS.values()))
        drawn = chance.random()
        if drawn < AS_IT_IS:
            return Speech(parts, "in turn")
        if drawn < AS_IT_IS + ENDLESS:
            unit = chance.choice(_UNITS)
            return Speech((*parts[:-1], unit * (LONG_BYTES // len(unit))), "in turn")
        if drawn < AS_IT_IS + ENDLESS + ANOTHERS:
            parts = (chance.choice(_OTHERS),)
        if chance.random() < AT_RANDOM:
            parts = (chance.randbytes(chance.choice((0, 1, 2, 7, 40, 300))),)
        else:
            at = chance.randrange(len(parts))
            parts = (*parts[:at], mutated(parts[at], chance), *parts[at + 1 :])
        if manner == "byte by byte" and sum(map(len, parts)) > DRIBBLED_BYTES:
            manner = "in pieces"
        return Speech(parts, manner)

    def cut(self, data: bytes) -> list[bytes]:
        """`data` in pieces of any length."""
        pieces = []
        while data:
            length = self._random.randint(1, max(1, len(data) // 2))
            pieces.append(data[:length])
            data = data[length:]
        return pieces

    def datagram(self, good: bytes) -> bytes:
        """An answer of one datagram: `good`, mutated, or anything."""
        chance = self._random
        if chance.random() < AS_IT_IS:
            return good
        if chance.random() < AT_RANDOM:
            return chance.randbytes(chance.choice((0, 1, 11, 12, 48, 600)))
        return mutated(good, chance)


def mutated(good: bytes, chance: random.Random) -> bytes:
    """With some bytes changed, cut, doubled, put in, or a number in it made another."""
    data = bytearray(good)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(7):
            case 0 if at < len(data):
                data[at] = chance.randrange(256)
            case 1 if at < len(data):
                data[at] ^= 1 << chance.randrange(8)
            case 2:
                del data[at:]
            case 3:
                data[at:at] = data[:at][:65_536]
            case 4:
                data[at:at] = chance.randbytes(chance.randint(1, 8))
            case 5:
                del data[at : at + chance.randint(1, 4)]
            case _:
                data[at : at + 1] = chance.choice(
                    (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\r\n", b"\n")
                )
    return bytes(data)


_OTHERS: Final = (
    *GOOD.values(),
    b"HTTP/1.1 400 Bad Request\r\n\r\n",
    b"\x15\x03\x01\0\x02\x02\x50",
)


@cache
def server_context() -> ssl.SSLContext:
    """A TLS server's, with a certificate that nobody trusts."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    later = datetime.now(UTC) + timedelta(days=30)
    trustme.CA(key_type=trustme.KeyType.ECDSA).issue_cert(
        "localhost", "127.0.0.1", not_after=later, key_type=trustme.KeyType.ECDSA
    ).configure_cert(made)
    return made


@cache
def flights() -> tuple[bytes, ...]:
    """The first words of TLS servers: version 1.2 (the certificate is in the clear) and 1.3.

    They answer another client, so no handshake ends well; how far one comes is for mutations to
    find out.
    """
    found = []
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        client = ssl.create_default_context()
        client.maximum_version = version
        to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        asking = client.wrap_bio(ssl.MemoryBIO(), to_server, server_hostname="localhost")
        answering = server_context().wrap_bio(to_server, to_client, server_side=True)
        for side in (asking, answering):
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()
        found.append(to_client.read())
    return tuple(found)
