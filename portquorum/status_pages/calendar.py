"""Planned work as a calendar (iCalendar, RFC 5545): posts, and windows of the inventory."""

from datetime import datetime, timedelta
from typing import Final

from icalendar import Calendar, Event, Timezone, TimezoneStandard

from portquorum.status_pages import markdown, words
from portquorum.status_pages.model import Post, Snapshot, Window
from portquorum.status_pages.times import moment
from portquorum.status_pages.view import names_of
from schemas.plain_text import one_line, plain

_EVERY: Final = timedelta(minutes=15)
"""How often a calendar program should look again."""


def calendar(page: Snapshot, origin: str, base: str) -> bytes:
    """The calendar of a page whose addresses begin with `origin` and `base`."""
    made = Calendar()
    made.add("prodid", "-//portquorum//status page//EN")
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    made.add("name", one_line(page.title))
    made.add("x-wr-calname", one_line(page.title))
    made.add("refresh-interval", _EVERY, parameters={"value": "DURATION"})
    for post in sorted(page.posts, key=lambda one: (one.starts_at, one.id)):
        if post.sort == "maintenance":
            made.add_component(_post(post, page, f"{origin}{base}/posts/{post.id}"))
    for window in page.windows:
        made.add_component(_window(window, page))
    if not made.subcomponents:
        made.add_component(_utc())  # RFC 5545, 3.6: a calendar has at least one component
    return bytes(made.to_ical())


def _utc() -> Timezone:
    """The definition of UTC: a calendar without any planned work is valid with it."""
    standard = TimezoneStandard()
    standard.add("dtstart", datetime(1970, 1, 1))  # noqa: DTZ001 - local, as it has to be here
    standard.add("tzoffsetfrom", timedelta())
    standard.add("tzoffsetto", timedelta())
    standard.add("tzname", "UTC")
    zone = Timezone()
    zone.add("tzid", "Etc/UTC")
    zone.add_component(standard)
    return zone


def _post(post: Post, page: Snapshot, url: str) -> Event:
    newest = post.updates[-1]
    text = "\n\n".join(
        one for one in (names_of(post.components, page), markdown.words(newest.text)) if one
    )
    event = _event(f"post-{post.id}", post.starts_at, post.ends_at, newest.at)
    event.add("summary", one_line(post.title))
    event.add("description", plain(text))
    event.add("sequence", len(post.updates) - 1)
    event.add("last-modified", moment(newest.at))
    event.add("url", url)
    return event


def _window(window: Window, page: Snapshot) -> Event:
    event = _event(f"window-{window.id}", window.begins_at, window.ends_at, window.begins_at)
    event.add("summary", words.MAINTENANCE)
    event.add("description", plain(names_of(window.components, page)))
    return event


def _event(name: str, begin: int, end: int | None, stamp: int) -> Event:
    event = Event()
    event.add("uid", f"{name}@portquorum")
    event.add("dtstamp", moment(stamp))
    event.add("dtstart", moment(begin))
    if end is not None and end > begin:
        event.add("dtend", moment(end))
    event.add("transp", "TRANSPARENT")
    return event
