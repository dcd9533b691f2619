"""Kafka messages as the consumer gives them."""

from aiokafka import ConsumerRecord

from schemas.result import CheckResult


def record(
    value: bytes | None,
    offset: int = 0,
    *,
    topic: str = "p.results",
    key: bytes | None = None,
    headers: tuple[tuple[str, bytes], ...] = (),
    timestamp: int = 1_700_000_000_000,
) -> ConsumerRecord:
    return ConsumerRecord(
        topic, 3, offset, timestamp, 1, key, value, None, 0, len(value or b""), headers
    )


def result(number: int = 0) -> CheckResult:
    return CheckResult(
        target="db",
        kind="tcp",
        host="db.example.com",
        port=5432,
        region="eu",
        prober="prober-1",
        scheduled_at=1_700_000_000_000,
        started_at=1_700_000_000_000 + number,
        status="up",
        reason=None,
        attempt=0,
        cause="schedule",
        target_version=1,
        connect_ms=1.2345,
    )
