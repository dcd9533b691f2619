from sinks.clickhouse.suspend_detector import STALL_S, SuspendDetector


def test_a_long_stand_still_is_counted_once() -> None:
    times = iter([0.0, 1.0, 2.0, 2.0 + STALL_S + 0.1, 6.0, 20.0])
    watch = SuspendDetector(now=lambda: next(times))
    assert [watch.count() for _ in range(5)] == [0, 0, 1, 1, 2]
