"""Times as status pages write them: UTC, since there is no script that knows another zone."""

from datetime import UTC, date, datetime, timedelta

from markupsafe import Markup

from schemas.duration import COARSE, duration_text


def moment(at: int) -> datetime:
    """UTC ms as a time, to the second."""
    return datetime.fromtimestamp(at // 1000, tz=UTC)


def iso(at: int) -> str:
    """`2026-11-30T18:03:00Z` (RFC 3339)."""
    return f"{moment(at):%Y-%m-%dT%H:%M:%SZ}"


def short(at: int, now: int) -> str:
    """`18:03 UTC` of today, `30 Nov, 18:03 UTC` of the same half year, else with the year."""
    then, today = moment(at), moment(now)
    if then.date() == today.date():
        return f"{then:%H:%M} UTC"
    if abs(then - today) < timedelta(days=180):
        return f"{then.day} {then:%b, %H:%M} UTC"
    return f"{then.day} {then:%b %Y, %H:%M} UTC"


def time_tag(at: int, now: int) -> Markup:
    """A `<time>` with the words of `short`."""
    return Markup('<time datetime="{}">{}</time>').format(iso(at), short(at, now))


def span_tag(begin: int, end: int | None, now: int) -> Markup:
    """From when to when; an end of the same day has the time only."""
    first = time_tag(begin, now)
    if end is None:
        return first
    same = moment(begin).date() == moment(end).date()
    until = f"{moment(end):%H:%M} UTC" if same else short(end, now)
    return Markup('{} – <time datetime="{}">{}</time>').format(first, iso(end), until)


def length(ms: float) -> str:
    """`3 h 5 min`."""
    return duration_text(ms, COARSE)


def day_words(day: date) -> str:
    """`3 Nov`."""
    return f"{day.day} {day:%b}"
