import zlib

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder, _DefaultRecordBatchBuilderPy

from foundation.kafka.gzip_level import LEVEL, install

GZIP = 1
HEAD = 61
"""Bytes of a record batch before its records (Kafka protocol, record batch v2)."""

VALUE = b"".join(b'{"target":"target-%d","at":%d}' % (n % 77, n * n) for n in range(3_000))


def packed(level: int) -> int:
    return len(zlib.compress(VALUE, level))


@pytest.mark.parametrize("builder", [DefaultRecordBatchBuilder, _DefaultRecordBatchBuilderPy])
def test_a_batch_is_packed_at_our_level(builder: type) -> None:
    install()
    batch = builder(2, GZIP, 0, -1, -1, 0, 1 << 20)
    batch.append(0, 0, None, VALUE, [])
    records = bytes(batch.build())[HEAD:]
    assert VALUE in zlib.decompress(records, wbits=31)
    assert packed(9) < packed(LEVEL) < packed(1)
    assert abs(len(records) - packed(LEVEL)) < 50 < packed(LEVEL) - packed(9)
