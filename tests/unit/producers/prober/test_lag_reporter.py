"""What a prober says when it can't keep its schedule."""

import structlog.testing

from producers.prober.lag_reporter import AGAIN_MS, LATE_MS, LagReporter

NOW = 1_800_000_000_000.0


def told(pace: LagReporter, now_ms: float) -> list[dict[str, object]]:
    with structlog.testing.capture_logs() as logs:
        pace.tell(now_ms, 100)
    return [{key: line[key] for key in line if key != "log_level"} for line in logs]


def behind(event: str, lag_ms: int, missed: int, full: int) -> dict[str, object]:
    return {
        "event": event,
        "worst_lag_ms": lag_ms,
        "missed": missed,
        "rounds_without_room": full,
        "in_flight_limit": 100,
    }


def test_a_prober_that_keeps_up_says_nothing_and_tells_its_worst_lag_once() -> None:
    pace = LagReporter()
    pace.saw(3.0, missed=0, full=True)
    pace.saw(1.0, missed=0, full=False)
    with structlog.testing.capture_logs() as logs:
        assert pace.tell(NOW, 100) == 3.0
        assert pace.tell(NOW + 5000, 100) == 0.0
    assert logs == []


def test_late_checks_are_said_at_once_and_then_once_a_minute_with_all_that_came() -> None:
    pace = LagReporter()
    pace.saw(LATE_MS, missed=0, full=True)
    assert told(pace, NOW) == [behind("can't keep up with the schedule", 2000, 0, 1)]
    pace.saw(9000.0, missed=3, full=True)
    assert told(pace, NOW + AGAIN_MS / 2) == []
    pace.saw(4000.0, missed=1, full=False)
    assert told(pace, NOW + AGAIN_MS) == [behind("can't keep up with the schedule", 9000, 4, 1)]


def test_a_missed_check_is_said_however_small_the_lag_of_the_others() -> None:
    pace = LagReporter()
    pace.saw(1.0, missed=1, full=False)
    assert told(pace, NOW) == [behind("can't keep up with the schedule", 1, 1, 0)]


def test_the_end_is_said_with_what_was_not_told_yet_and_the_next_time_at_once() -> None:
    pace = LagReporter()
    pace.saw(LATE_MS, missed=0, full=False)
    told(pace, NOW)
    pace.saw(5000.0, missed=2, full=False)
    assert told(pace, NOW + 5000) == []
    pace.saw(1.0, missed=0, full=False)
    assert told(pace, NOW + 10_000) == [behind("keeps up again", 5000, 2, 0)]
    assert told(pace, NOW + 15_000) == []
    pace.saw(LATE_MS, missed=0, full=False)
    assert told(pace, NOW + 20_000) == [behind("can't keep up with the schedule", 2000, 0, 0)]
