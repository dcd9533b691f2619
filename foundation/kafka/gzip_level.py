"""The level of gzip in aiokafka's batches.

aiokafka (0.14) always takes 9 and has no setting. To pack an event of an outage on hosts with 200
ports takes 334 µs CPU at 9, 60 at 4, and 91 as LZ4; of the bytes a 17th, a 14th and a 9th are left
(docs/decisions/0018-codecs-that-strangers-read.md).
"""

from typing import Final

from aiokafka import codec

LEVEL: Final = 4
"""The first level at which zlib looks one byte further for a longer match."""


def install() -> None:
    """Sets the level for every producer of this process. Safe to call more than once."""
    codec.gzip_encode.__defaults__ = (LEVEL,)
