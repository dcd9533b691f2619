"""Record batches as they lie in the broker's segments: which codec each has.

Source: Kafka protocol, record batch v2 (message format 2).
"""

import struct
from collections import Counter
from pathlib import Path
from typing import Final

_HEAD: Final = struct.Struct(">qiibIh")
"""Base offset, length, leader epoch, magic, CRC, attributes."""

_BEFORE_LENGTH: Final = 12
_CODECS: Final = ("none", "gzip", "snappy", "lz4", "zstd")


def codecs(folder: Path, topic: str) -> Counter[str]:
    """The number of batches of each codec in all partitions of a topic."""
    found: Counter[str] = Counter()
    for path in folder.rglob(f"{topic}-[0-9]*/*.log"):
        raw = path.read_bytes()
        at = 0
        while at + _HEAD.size <= len(raw):
            _, length, _, magic, _, attributes = _HEAD.unpack_from(raw, at)
            assert magic == 2, f"{path}: no record batch at {at}"
            found[_CODECS[attributes & 7]] += 1
            at += _BEFORE_LENGTH + length
    return found
