import pytest

from portquorum.web.fleet.status_table import BELIEVED_MS
from portquorum.web.following.status_poll import LIMIT_S, LONGEST_S, pause_s


@pytest.mark.parametrize(("took_s", "waits_s"), [(0, 15), (1.4, 15), (3, 30), (20, 45)])
def test_a_slow_clickhouse_is_asked_less_often(took_s: float, waits_s: float) -> None:
    assert pause_s(took_s) == waits_s


def test_the_slowest_answers_are_still_believed_when_the_next_comes() -> None:
    assert (LONGEST_S + LIMIT_S) * 1000 < BELIEVED_MS
