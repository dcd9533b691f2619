"""The messages against Google's own library of Protocol Buffers."""

import gzip
import zlib

import pytest
from grpc_health.v1 import health_pb2
from hypothesis import given
from hypothesis import strategies as st

from producers.kinds.grpc_message import MOST_BYTES, NotGrpcError, health, request


def framed(message: bytes, *, packed: bool = False) -> bytes:
    return bytes([packed]) + len(message).to_bytes(4) + message


@given(st.text(max_size=200))
def test_a_request_is_read_as_it_was_meant(service: str) -> None:
    made = request(service)
    assert made == framed(made[5:])
    assert health_pb2.HealthCheckRequest.FromString(made[5:]).service == service


@given(st.integers(-(2**31), 2**31 - 1))
def test_an_answer_has_the_status_that_was_meant(status: int) -> None:
    message = health_pb2.HealthCheckResponse(status=status).SerializeToString()
    assert health(framed(message), "identity") == status % 2**64
    for pack, name in ((gzip.compress, "gzip"), (zlib.compress, "deflate")):
        assert health(framed(pack(message), packed=True), name) == status % 2**64


@given(st.binary(max_size=40), st.sampled_from(["identity", "gzip", "deflate", "x"]))
def test_other_bytes_are_a_message_or_none(message: bytes, encoding: str) -> None:
    for data in (message, framed(message), framed(message, packed=True)):
        try:
            health(data, encoding)
        except NotGrpcError:
            continue


@given(st.binary(max_size=12))
def test_bytes_that_google_reads_are_read_alike(message: bytes) -> None:
    try:
        wanted = health_pb2.HealthCheckResponse.FromString(message).status
    except Exception:  # noqa: BLE001  (its own error is in a module that is not public)
        return
    try:
        found = health(framed(message), "identity")
    except NotGrpcError:
        # Groups, which proto3 has not, and fields of another type are passed over there.
        return
    # An enumeration has 32 bits there.
    assert (found + 2**31) % 2**32 - 2**31 == wanted


def test_a_small_message_may_not_become_a_large_one() -> None:
    bomb = gzip.compress(bytes(MOST_BYTES + 1))
    with pytest.raises(NotGrpcError, match="expected at most 65536 bytes"):
        health(framed(bomb, packed=True), "gzip")
