"""Whatever lies on a topic, a decoder raises one kind of error."""

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import (
    checkpoint,
    control,
    deadletter,
    incident,
    notification,
    policy,
    recheck,
    target,
    web,
)

DECODERS: list[Callable[[bytes], object]] = [
    target.decode,
    policy.decode,
    control.decode,
    recheck.decode,
    checkpoint.decode_head,
    incident.decode,
    notification.decode,
    deadletter.decode,
    web.decode,
]
every_decoder = pytest.mark.parametrize("decode", DECODERS, ids=lambda decode: decode.__module__)

TAGS = ["control", "policy", "event", "id", "host", "format", "event_id", "topic", "web"]


@every_decoder
@given(raw=st.binary(max_size=200))
def test_any_bytes(decode: Callable[[bytes], object], raw: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode(raw)


@every_decoder
@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize(
    "value",
    [
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"null",
        b"1e999",
        b'"\x00"',
    ],
    ids=["no utf-8", "surrogate", "deep list", "deep object", "null", "huge", "zero byte"],
)
def test_values_that_msgspec_stumbles_over(
    decode: Callable[[bytes], object], tag: str, value: bytes
) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode(b'{"' + tag.encode() + b'":' + value + b"}")


@given(st.text(max_size=40), st.integers(0, 10**9), st.integers(0, 9))
def test_a_checkpoint_key_comes_back(writer: str, generation: int, chunk: int) -> None:
    key = checkpoint.CheckpointKey(writer or "w", generation, str(chunk))
    assert checkpoint.CheckpointKey.decode(key.encode()) == key


@given(st.binary(max_size=60))
def test_any_other_key_is_a_value_error(raw: bytes) -> None:
    try:
        key = checkpoint.CheckpointKey.decode(raw)
    except ValueError:
        return
    assert key.writer
