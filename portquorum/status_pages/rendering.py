"""Status pages as HTML. Each is one file: its style is in it, and there is no script."""

import base64
import hashlib
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import groupby
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from portquorum.status_pages import markdown, words
from portquorum.status_pages.day_bars import days_words, percent_words
from portquorum.status_pages.model import SPANS, Component, Past, Post, Snapshot
from portquorum.status_pages.times import day_words, length, moment, span_tag, time_tag
from portquorum.status_pages.uptime import day_of, percent
from portquorum.status_pages.view import line, names_of, response_words, view
from schemas.plain_text import plain

POSTS_A_PAGE: Final = 50
_HOUR_MS: Final = 3_600_000


def page(snapshot: Snapshot, now: int, base: str) -> str:
    """The status page. `base` is the path before its own addresses, empty on its own domain."""
    return _render("page.html", snapshot, now, base)


def history(snapshot: Snapshot, now: int, base: str, number: int = 1) -> str | None:
    """A page of the posts, the newest begin first; None: there is no such page."""
    begin = (number - 1) * POSTS_A_PAGE
    found = snapshot.posts[begin : begin + POSTS_A_PAGE]
    if number < 1 or (not found and number > 1):
        return None
    months = [
        (month, list(some)) for month, some in groupby(found, lambda one: _month(one.starts_at))
    ]
    older = number + 1 if len(snapshot.posts) > begin + POSTS_A_PAGE else None
    return _render("history.html", snapshot, now, base, months=months, older=older)


def post(snapshot: Snapshot, one: Post, now: int, base: str) -> str:
    """A post at an address that stays."""
    return _render("post.html", snapshot, now, base, one=one)


def component(snapshot: Snapshot, one: Component, now: int, base: str) -> str:
    """A component with the tables of what its line draws."""
    today = day_of(snapshot.history_at or now)
    days = one.past.days[-snapshot.days :] if snapshot.show_uptime else ()
    hours = one.past.hours_ms if snapshot.show_response_times else ()
    at = snapshot.history_at or now
    return _render(
        "component.html",
        snapshot,
        now,
        base,
        one=line(one, snapshot, today),
        spans=_spans(one.past) if days or hours else [],
        posts=[p for p in snapshot.posts if one.id in p.components and not p.is_over],
        days=list(reversed(_day_rows(one.past, len(days), today))),
        hours=_hour_rows(hours, at),
        hours_chart=_hours_chart(hours),
    )


@cache
def style() -> tuple[str, str]:
    """The style sheet, and its digest as a source of a Content-Security-Policy."""
    source, _, _ = _environment().loader.get_source(_environment(), "style.css")  # type: ignore[union-attr]
    css = source.strip()
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    return css, f"'sha256-{digest}'"


def _render(template: str, snapshot: Snapshot, now: int, base: str, **values: object) -> str:
    known = {
        "v": view(snapshot, now),
        "base": base,
        "json_path": f"{base}.json" if base else "/status.json",
        "css": Markup(style()[0]),  # noqa: S704 - our own file
    }
    return plain(_environment().get_template(template).render(known | values)).lstrip()


def locked(action: str, trouble: str) -> str:
    """What a locked page shows to who was not let in: nothing of it but that there is one.

    `action` is the address that the password is sent to, `trouble` what was wrong with it.
    """
    values = {"action": action, "trouble": trouble, "css": Markup(style()[0])}  # noqa: S704
    return plain(_environment().get_template("locked.html").render(values)).lstrip()


def rendered(template: str, **values: object) -> str:
    """A template beside those of pages."""
    return _environment().get_template(template).render(values)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("portquorum.status_pages", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals.update(
        w=words,
        time=time_tag,
        span=span_tag,
        names_of=names_of,
        markdown=markdown.html,
        is_link=markdown.is_safe_link,
        days_words=days_words,
    )
    return made


def uptime_of(past: Past, days: int) -> float | None:
    """The uptime (percent) over the last 1 (24 h), 7, 30 or 90 days."""
    if days == 1:
        if not past.measured_24h_s:
            return None
        return max(0.0, 100 * (1 - past.down_24h_s / past.measured_24h_s))
    return percent(past.days[-days:])


def response_of(past: Past, days: int) -> float | None:
    """The median response time (ms) over the last 1 (24 h), 7, 30 or 90 days."""
    return past.response_ms[SPANS.index(days)] if past.response_ms else None


def _spans(past: Past) -> list[tuple[str, str, str]]:
    return [
        (
            "24 hours" if days == 1 else f"{days} days",
            percent_words(uptime_of(past, days)),
            response_words(response_of(past, days)) or words.NOTHING,
        )
        for days in SPANS
    ]


def _day_rows(past: Past, count: int, today: date) -> list[tuple[str, ...]]:
    shown = past.days[-count:] if count else ()
    first = today - timedelta(days=len(shown) - 1)
    return [
        (
            day_words(first + timedelta(days=place)),
            percent_words(percent([one])),
            _seconds(one.down_s - one.planned_s),
            _seconds(one.planned_s),
            _seconds(one.measured_s),
        )
        for place, one in enumerate(shown)
    ]


def _seconds(value: int) -> str:
    return length(value * 1000) if value else words.NOTHING


def _hour_rows(hours: Sequence[float | None], at: int) -> list[tuple[str, str]]:
    """The hours with a response time: most of those of a young page have none."""
    last = at - at % _HOUR_MS
    return [
        (
            f"{moment(last - (len(hours) - 1 - place) * _HOUR_MS):%H:%M}",
            response_words(one),
        )
        for place, one in enumerate(hours)
        if one is not None
    ]


def _hours_chart(hours: Sequence[float | None]) -> Markup:
    known = [one for one in hours if one is not None]
    if not known:
        return Markup()
    most = max(*known, 1.0)
    drawn, pen = "", "M"
    for place, one in enumerate(hours):
        if one is None:
            pen = "M"
            continue
        y = round(38 - 34 * one / most)
        drawn += f"{pen}{place} {y}" if pen == "L" else f"M{place} {y}h.9"
        pen = "L"
    said = f"from {response_words(min(known))} to {response_words(max(known))}"
    return Markup(  # noqa: S704 - numbers, and words of our own
        f'<svg class="tall" viewBox="0 0 {len(hours)} 40" preserveAspectRatio="none" '
        f'role="img" aria-label="Response times: {said}"><path class="r" d="{drawn}"/></svg>'
    )


def _month(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1000, tz=UTC):%B %Y}"
