from foundation.log_throttle import MAX_KEYS, LogThrottle


def test_the_same_is_due_at_once_then_once_an_interval_and_counted() -> None:
    time = 100.0
    throttle = LogThrottle[str](30.0, now=lambda: time)
    assert [throttle.times("a") for _ in range(4)] == [1, 0, 0, 0]
    assert throttle.times("b") == 1
    time += 30.0
    assert [throttle.times("a"), throttle.times("a")] == [4, 0]
    time += 30.0
    assert [throttle.times("a"), throttle.times("b")] == [2, 1]


def test_an_event_may_have_a_time_of_its_own() -> None:
    throttle = LogThrottle[str](10.0)
    assert [throttle.times("a", at) for at in (5.0, 14.9, 15.0, 20.0, 25.0)] == [1, 0, 2, 0, 2]


def test_what_is_forgotten_is_due_again_at_once() -> None:
    throttle = LogThrottle[str](60.0, now=lambda: 0.0)
    assert not throttle.forget("a")
    assert [throttle.times("a"), throttle.times("a")] == [1, 0]
    assert throttle.forget("a")
    assert not throttle.forget("a")
    assert throttle.times("a") == 1


def test_it_remembers_a_bounded_number_of_keys() -> None:
    throttle = LogThrottle[int](60.0, now=lambda: 0.0)
    for number in range(MAX_KEYS):
        assert throttle.times(number) == 1
    assert throttle.times(0) == 0
    assert throttle.times(MAX_KEYS) == 1
    assert throttle.times(0) == 1
    assert throttle.times(MAX_KEYS) == 0
