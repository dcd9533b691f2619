import pytest

from producers.schedule.retry_series import follow
from schemas.result import Status


def test_retries_come_a_delay_after_each_failure_and_end() -> None:
    times, number, now = [], 0, 1000.0
    while (attempt := follow(number, "down", now, retries=2, retry_delay_ms=500)) is not None:
        times.append((attempt.number, attempt.cause, attempt.due_ms))
        number, now = attempt.number, attempt.due_ms + 10
    assert times == [(1, "retry", 1500.0), (2, "retry", 2010.0)]


def test_a_success_ends_it() -> None:
    for number in range(3):
        assert follow(number, "up", 0, retries=5, retry_delay_ms=1) is None


@pytest.mark.parametrize("status", ["down", "missed", "up"])
def test_without_retries_there_is_no_series(status: Status) -> None:
    assert follow(0, status, 0, retries=0, retry_delay_ms=1) is None


def test_our_own_fault_begins_no_series_and_uses_up_an_attempt() -> None:
    assert follow(0, "missed", 0, retries=2, retry_delay_ms=1) is None
    attempt = follow(1, "missed", 0, retries=2, retry_delay_ms=1)
    assert attempt is not None
    assert attempt.number == 2
    assert follow(2, "missed", 0, retries=2, retry_delay_ms=1) is None
