import gzip
import zlib

import lz4.frame
import pytest
import zstandard

from portquorum.embedded.clickhouse.compression import Corrupt, choose, decompressor

BODY = b"0123456789" * 100_000
COMPRESS = {
    "lz4": lz4.frame.compress,
    "zstd": lambda data: zstandard.ZstdCompressor().compress(data),
    "gzip": gzip.compress,
    "deflate": zlib.compress,
}
DECOMPRESS = {
    "lz4": lz4.frame.decompress,
    "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
    "gzip": gzip.decompress,
    "deflate": zlib.decompress,
}


def decompressed(name: str, data: bytes, part: int) -> bytes:
    body = decompressor(name)
    pieces: list[bytes] = []
    for at in range(0, len(data), part):
        pieces += body.decompress(data[at : at + part])
    body.finish()
    return b"".join(pieces)


@pytest.mark.parametrize("name", COMPRESS)
def test_a_body_in_small_parts_is_decompressed(name: str) -> None:
    assert decompressed(name.upper(), COMPRESS[name](BODY), 7) == BODY


@pytest.mark.parametrize("name", COMPRESS)
@pytest.mark.parametrize("part", [7, 1_000_000])
def test_a_body_of_several_frames_is_decompressed(name: str, part: int) -> None:
    data = COMPRESS[name](BODY) + COMPRESS[name](b"") + COMPRESS[name](BODY)
    assert decompressed(name, data, part) == BODY * 2


@pytest.mark.parametrize("name", COMPRESS)
def test_a_body_that_ends_too_early_is_noticed(name: str) -> None:
    with pytest.raises(Corrupt, match="ends within a frame"):
        decompressed(name, COMPRESS[name](BODY)[:-1], 1_000_000)


def test_little_data_that_grows_large_comes_in_pieces() -> None:
    data = COMPRESS["zstd"](bytes(100_000_000))
    pieces = decompressor("zstd").decompress(data)
    assert max(len(piece) for piece in pieces) <= 34_000_000


@pytest.mark.parametrize("name", DECOMPRESS)
@pytest.mark.parametrize("body", [BODY, b""])
def test_an_answer_in_parts_is_compressed(name: str, body: bytes) -> None:
    chosen = choose(f"br, {name};q=0.5")
    assert chosen is not None
    assert chosen[0] == name
    parts = [chosen[1].compress(body[at : at + 9999]) for at in range(0, len(body), 9999)]
    assert DECOMPRESS[name](b"".join(parts) + chosen[1].flush()) == body


def test_nothing_is_chosen_when_nothing_fits() -> None:
    assert choose("br, identity") is None
    assert choose("") is None


@pytest.mark.parametrize("name", COMPRESS)
def test_what_is_not_compressed_is_noticed(name: str) -> None:
    with pytest.raises(Corrupt):
        decompressed(name, b"SELECT 1, and no compression at all", 100)
