from sinks.clickhouse.seldom import SELDOM_S, Seldom


def test_the_same_is_due_at_once_then_seldom_and_counted() -> None:
    time = 100.0
    seldom = Seldom(now=lambda: time)
    assert [seldom.times("a") for _ in range(4)] == [1, 0, 0, 0]
    assert seldom.times("b") == 1
    time += SELDOM_S
    assert [seldom.times("a"), seldom.times("a")] == [4, 0]
    time += SELDOM_S
    assert [seldom.times("a"), seldom.times("b")] == [2, 1]
