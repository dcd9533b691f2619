"""The host partitioner gives what Kafka's Java client gives.

murmur2_vectors.json was made by the client itself: see Murmur2Vectors.java beside it.
"""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiokafka.partitioner import murmur2

from schemas.partition import partition_for

FOUND: dict[str, Any] = msgspec.json.decode(
    Path(__file__).with_name("murmur2_vectors.json").read_bytes()
)
VECTORS: list[dict[str, Any]] = FOUND["vectors"]


def test_the_vectors_were_made_by_the_java_client() -> None:
    assert "kafka-clients" in FOUND["made_by"]
    assert {len(vector["key"]) // 2 for vector in VECTORS} >= set(range(9))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["key"][:32] or "empty")
def test_hash_and_partitions_are_those_of_java(vector: dict[str, Any]) -> None:
    key = bytes.fromhex(vector["key"])
    assert murmur2(key) & 0xFFFFFFFF == vector["murmur2"] & 0xFFFFFFFF
    found = [partition_for(key, count) for count in FOUND["counts"]]
    assert found == vector["partitions"]


def test_text_is_hashed_as_utf_8() -> None:
    assert partition_for("bücher.example", 1000) == partition_for("bücher.example".encode(), 1000)
