"""The windows of charts: how long, in which steps. Pure."""

from typing import Final

from portquorum.web.history.answers import TimeWindow

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS

_NAMED: Final = {
    "1h": (HOUR_MS, MINUTE_MS),
    "6h": (6 * HOUR_MS, 5 * MINUTE_MS),
    "24h": (DAY_MS, 15 * MINUTE_MS),
    "7d": (7 * DAY_MS, HOUR_MS),
    "30d": (30 * DAY_MS, 6 * HOUR_MS),
    "90d": (90 * DAY_MS, DAY_MS),
}
"""Length and step of each; from an hour's step on the roll-ups have it."""

NAMES: Final = tuple(_NAMED)
"""The names of the windows, the shortest first."""

LONGEST_MS: Final = 730 * DAY_MS

_STEPS: Final = (
    *(n * MINUTE_MS for n in (1, 2, 5, 15, 30)),
    *(n * HOUR_MS for n in (1, 2, 6, 12)),
    *(n * DAY_MS for n in (1, 7, 30)),
)
_MOST_STEPS: Final = 200


def named(name: str, now: int) -> TimeWindow:
    """The window of a name that ends now (UTC ms).

    Raises:
        KeyError: no such name.
    """
    length, step = _NAMED[name]
    until = _up(now, step)
    return TimeWindow(name=name, since=until - length, until=until, step_ms=step)


def between(since: int, until: int) -> TimeWindow:
    """The window from `since` to `until` (UTC ms), in at most 200 steps.

    Raises:
        ValueError: it is empty, or longer than `LONGEST_MS`; the text is a sentence.
    """
    if not 0 < until - since <= LONGEST_MS:
        raise ValueError("expected a window of up to 730 days that ends after it begins")
    step = next((one for one in _STEPS if (until - since) / one <= _MOST_STEPS), _STEPS[-1])
    return TimeWindow(name="", since=since - since % step, until=_up(until, step), step_ms=step)


def within_results(window: TimeWindow, oldest: int) -> TimeWindow:
    """The window in steps of an hour at least if it begins before the oldest result (UTC ms)."""
    if window.since >= oldest or window.step_ms >= HOUR_MS:
        return window
    since, until = window.since - window.since % HOUR_MS, _up(window.until, HOUR_MS)
    return TimeWindow(name=window.name, since=since, until=until, step_ms=HOUR_MS)


def zoomed(window: TimeWindow, now: int) -> tuple[TimeWindow, TimeWindow, TimeWindow]:
    """The windows before it, after it (at most until now), and twice as long around its middle."""
    length = window.until - window.since
    end = min(window.until + length, max(_up(now, window.step_ms), window.until))
    wider = min(2 * length, LONGEST_MS)
    middle = (window.since + window.until) // 2
    until = min(middle + wider // 2, max(now, window.until))
    return (
        between(window.since - length, window.since),
        between(end - length, end),
        between(until - wider, until),
    )


def _up(at: int, step: int) -> int:
    return -(-at // step) * step
