import gzip
import zlib

import lz4.frame
import pytest
import zstandard

from portquorum.embedded.compression import Corrupt, choose, decompressor

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


@pytest.mark.parametrize("name", COMPRESS)
def test_a_body_in_small_parts_is_decompressed(name: str) -> None:
    compressed = COMPRESS[name](BODY)
    body = decompressor(name.upper())
    parts = [body.decompress(compressed[at : at + 7]) for at in range(0, len(compressed), 7)]
    assert b"".join(parts) == BODY


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
        decompressor(name).decompress(b"SELECT 1, and no compression at all")
