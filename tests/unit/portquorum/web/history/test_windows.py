"""The windows of charts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portquorum.web.history import windows
from portquorum.web.history.windows import DAY_MS, HOUR_MS, LONGEST_MS, MINUTE_MS

NOW = 1_796_000_000_123
times = st.integers(LONGEST_MS * 3, 9_999_999_999_999 - LONGEST_MS)


@pytest.mark.parametrize("name", windows.NAMES)
def test_a_named_window_ends_within_a_step_of_now_and_has_whole_steps(name: str) -> None:
    window = windows.named(name, NOW)
    assert window.until - window.step_ms < NOW <= window.until
    assert (window.since % window.step_ms, window.until % window.step_ms) == (0, 0)
    assert (window.until - window.since) // window.step_ms <= 200


@given(times, st.integers(1, LONGEST_MS))
def test_a_window_of_its_own_holds_all_that_was_asked_in_at_most_some_steps(
    since: int, length: int
) -> None:
    window = windows.between(since, since + length)
    assert window.since <= since
    assert window.until >= since + length
    assert (window.until - window.since) // window.step_ms <= 202
    assert (window.since % window.step_ms, window.until % window.step_ms) == (0, 0)


@pytest.mark.parametrize("until", [NOW, NOW - 1, NOW + LONGEST_MS + 1])
def test_an_empty_window_and_one_of_years_are_refused(until: int) -> None:
    with pytest.raises(ValueError, match="730 days"):
        windows.between(NOW, until)


@given(times, st.integers(MINUTE_MS, LONGEST_MS // 4))
def test_zooming_goes_back_forward_and_out_and_never_beyond_now(now: int, length: int) -> None:
    window = windows.between(now - length, now)
    before, after, wider = windows.zoomed(window, now)
    assert before.until <= window.since + before.step_ms
    assert after.until <= now + max(after.step_ms, window.step_ms) * 2
    assert wider.until - wider.since >= window.until - window.since


def test_a_window_older_than_the_results_has_steps_of_an_hour() -> None:
    window = windows.between(NOW - 40 * DAY_MS, NOW - 40 * DAY_MS + HOUR_MS)
    longer = windows.within_results(window, NOW - 30 * DAY_MS)
    assert longer.step_ms == HOUR_MS
    assert longer.since <= window.since
    assert longer.until >= window.until
    assert windows.within_results(window, NOW - 50 * DAY_MS) == window
