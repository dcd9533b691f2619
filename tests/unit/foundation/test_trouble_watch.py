"""What a running role says while its clients have trouble with Kafka."""

import logging
import time
from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from foundation.kafka.trouble_watch import KafkaWords, TroubleWatch
from foundation.kafka.trouble_words import Trouble, password_refused, refused
from foundation.settings import Settings

DEADLINE_S = 30.0


class Kafka:
    """What each look finds."""

    def __init__(self, trouble: Trouble | None = None) -> None:
        self.trouble = trouble
        self.looks = 0

    async def look(self, _settings: Settings) -> Trouble | None:
        self.looks += 1
        return self.trouble


def watched(kafka: Kafka) -> TroubleWatch:
    return TroubleWatch(Settings(), kafka.look, look_s=0.01, quiet_s=0.2, grace_s=0.01)


def until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE_S
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_a_trouble_is_said_once_and_that_it_is_over() -> None:
    kafka = Kafka(refused("k1:9092"))
    with capture_logs() as logs:
        watch = watched(kafka)
        watch.noticed("Unable connect to node with id 1")
        until(lambda: kafka.looks > 5)
        assert watch.away is not None
        assert watch.away.trouble == kafka.trouble
        assert abs(watch.away.since - time.time() * 1000) < DEADLINE_S * 1000
        assert [one["event"] for one in logs] == ["Kafka can't be used"]
        assert "nothing listens there" in logs[0]["error"]
        kafka.trouble = None
        until(lambda: watch.away is None and len(logs) == 2)
    assert logs[1]["event"] == "Kafka can be used again"


def test_another_reason_is_said_at_once() -> None:
    kafka = Kafka(refused("k1:9092"))
    with capture_logs() as logs:
        watch = watched(kafka)
        watch.noticed("x")
        until(lambda: len(logs) == 1)
        kafka.trouble = password_refused("k1:9092", "me", "PLAIN", has_blank=False)
        until(lambda: len(logs) == 2)
        kafka.trouble = None
        until(lambda: len(logs) == 3)
    assert "PORTQUORUM_KAFKA_PASSWORD" in logs[1]["error"]


def test_connections_that_are_made_anew_are_no_warning() -> None:
    kafka = Kafka()
    with capture_logs() as logs:
        watch = watched(kafka)
        watch.noticed("Connection at k1:9092 closed")
        until(lambda: len(logs) == 1)
    assert (logs[0]["log_level"], logs[0]["error"]) == ("info", "Connection at k1:9092 closed")


def test_what_lasts_without_a_reason_is_said_in_the_words_of_the_client() -> None:
    kafka = Kafka()
    with capture_logs() as logs:
        watch = watched(kafka)

        def is_said() -> bool:
            watch.noticed("Got error produce response: odd")
            return "a client has trouble" in str(logs)

        until(is_said)
    assert "Got error produce response: odd" in str(logs)


def test_nobody_looks_when_all_is_quiet() -> None:
    kafka = Kafka()
    watch = watched(kafka)
    watch.noticed("x")
    until(lambda: not watch._runs)
    looks = kafka.looks
    watch.noticed("y")
    until(lambda: kafka.looks > looks)


@pytest.mark.parametrize(
    ("name", "template", "is_shown", "is_noticed"),
    [
        ("aiokafka", "Unable connect to node with id %s: %s", False, True),
        ("aiokafka.consumer.fetcher", "Failed fetch messages from %s: %s", False, True),
        ("faust.transport", "[^--Consumer]: Marking the coordinator dead (%s) %s", False, True),
        ("faust.app", "[^StreamApp]: Missing sensor state for rebalance #%s %s", False, False),
        ("aiokafka.cluster", "Topic %s is not authorized for this client %s", True, False),
        ("streams.worker", "Unable connect to node with id %s: %s", True, False),
    ],
)
def test_lines_of_libraries(name: str, template: str, is_shown: bool, is_noticed: bool) -> None:
    kafka = Kafka()
    words = KafkaWords(watched(kafka))
    record = logging.LogRecord(name, logging.ERROR, "", 1, template, (1, "why"), None)
    assert words.filter(record) is is_shown
    if is_noticed:
        until(lambda: kafka.looks > 0)
    assert (kafka.looks > 0) is is_noticed


def test_a_rebalance_is_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    words = KafkaWords(watched(Kafka()))
    template = "Heartbeat failed for group %s because it is rebalancing"
    for level, is_shown in ((logging.INFO, True), (logging.WARNING, False)):
        monkeypatch.setattr(logging.getLogger(), "level", level)
        logging.getLogger().manager._clear_cache()  # type: ignore[attr-defined]
        record = logging.LogRecord("aiokafka", logging.WARNING, "", 1, template, ("g",), None)
        assert words.filter(record) is is_shown
        assert record.levelname == "INFO"


def test_a_password_in_the_clear_is_said_once() -> None:
    words = KafkaWords(watched(Kafka()))
    said = [
        words.filter(
            logging.LogRecord(
                "aiokafka.conn",
                logging.WARNING,
                "",
                1,
                "Sending username and password in the clear",
                (),
                None,
            )
        )
        for _ in range(3)
    ]
    assert said == [True, False, False]
