"""The benchmark of the whole prober runs and counts, on a real Kafka."""

import uuid
from pathlib import Path

import pytest

from foundation.settings import Settings
from portquorum.bench import probe_whole
from portquorum.bench.listener import answering

RATE = 40.0


def test_the_probers_checks_are_counted_in_a_steady_time(
    kafka: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe_whole, "WARM_ROUNDS", 1)
    prefix = f"bench-{uuid.uuid4().hex[:8]}"
    settings = Settings(kafka=kafka, topic_prefix=prefix, partitions=4, data_dir=tmp_path)
    with answering() as listener:
        told = probe_whole.measure(settings, RATE, 1.0, listener.ports)
        assert 0 < told.checks < listener.count()
    assert told.timed_out == 0
    assert told.cpu_us > 0
    assert told.lag_p99_ms is not None
