"""The ends of every range, inserted into the real tables: no block is held up, no row is lost."""

import time
from pathlib import Path
from typing import Any, Final

import msgspec

from schemas import topics
from schemas.topics import Topic
from tests.integration.sinks.clickhouse import rig
from tests.unit.schemas.edges import ends_of


def extremes(topic: Topic) -> list[bytes]:
    ends = [end for struct in topic.schema for end in ends_of(struct)]
    if topic is topics.RESULTS:
        ends = [end | (FAILED if end.get("signal") else {}) for end in ends]
    if topic is topics.INCIDENTS:
        ends = [_agreed(end, AGREES.get((end["event"], end.get("count")), {})) for end in ends]
    return [msgspec.json.encode(end) for end in ends]


def _agreed(end: dict[str, Any], other: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in (end | other).items() if name not in _LEFT_OUT or value}


_LEFT_OUT: Final = ("resolved_by", "resolved_note")
"""Of an event that a pause closed; None in `AGREES` leaves them out."""

FAILED: Final = {"signal": "fail", "status": "down", "reason": "job_failed"}
"""What a signal says of status and reason; else it is a dead letter."""

AGREES: Final[dict[tuple[str, int | None], dict[str, object]]] = {
    ("closed", None): {"closed_at": 0, "closed_because": "recovered"},
    ("worsened", None): {
        "event": "closed",
        "closed_because": "target_paused",
        "resolved_by": None,
        "resolved_note": None,
    },
    ("targets.unwatched", 0): {"event": "targets.watched"},
    ("targets.watched", 2**31 - 1): {"event": "targets.unwatched"},
}
"""What makes the ends of an event's ranges agree with each other; else it is a dead letter."""


def key_of(topic: Topic, value: bytes, number: int) -> bytes:
    if topic is topics.TARGETS:
        return msgspec.json.decode(value)["id"].encode()  # type: ignore[no-any-return]
    if topic in {topics.STATE, topics.CHECKPOINTS}:
        return b"w/%d/head" % number
    return b"source/maintenance/%d" % number


async def test_the_ends_of_all_ranges_are_stored(
    kafka: str, clickhouse: str, tmp_path: Path
) -> None:
    settings = rig.used_place(kafka, clickhouse, "extremes")
    producer = await rig.ready(settings)
    client = rig.client_of(settings)
    now = int(time.time() * 1000)
    try:
        for topic in topics.read_by("sink"):
            for number, value in enumerate(extremes(topic)):
                await producer.send_and_wait(
                    settings.topic(topic.name),
                    value,
                    key=key_of(topic, value, number),
                    partition=0,
                    timestamp_ms=now + number,  # one of 1970 is deleted by retention at any moment
                )
        with rig.SinkProcess(settings, tmp_path / "log"):
            for table in ("results", "targets", "notifications", "incidents", "region_events"):
                await rig.until(lambda t=table: rig.count(client, settings, t) == 2)
            await rig.until(lambda: rig.count(client, settings, "maintenance") == 2)
            await rig.until(lambda: rig.count(client, settings, "deadletter") == 2)
        rows = rig.ask(client, settings, "SELECT id, error FROM {db}.deadletter WHERE topic != ''")
        assert [error for _, error in rows if error.startswith(("Validation", "Decode"))] == []
        assert len(rows) == 1  # the high end of a dead letter itself; the low one has no topic
    finally:
        await producer.stop()
