"""The feeds as programs of others read them."""

import json
from datetime import UTC, datetime
from typing import Any, Final

import feedparser
import icalendar
import jsonschema
import pytest

from portquorum.status_pages.calendar import calendar
from portquorum.status_pages.feeds import atom, json_feed
from tests.unit.portquorum.status_pages.pages import HOUR, NOW, SomeSight, page, post
from tests.unit.portquorum.web.public.public_pages import UP, built

ORIGIN: Final = "https://status.example.com"
HOSTILE: Final = "]]> <b>&amp; \x00\x0b\ufffe\u202e\nBEGIN:VEVENT; a, b\\n " + "ü" * 60

# https://jsonfeed.org/version/1.1: what a reader may rely on.
_TEXT: Final = {"type": "string"}
_URL: Final = {"type": "string", "format": "uri", "pattern": "^https://"}
_TIME: Final = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"}
JSON_FEED: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["version", "title", "items"],
    "additionalProperties": False,
    "properties": {
        "version": {"const": "https://jsonfeed.org/version/1.1"},
        "title": {**_TEXT, "minLength": 1},
        "home_page_url": _URL,
        "feed_url": _URL,
        "description": _TEXT,
        "language": _TEXT,
        "authors": {
            "type": "array",
            "items": {"type": "object", "required": ["name"], "properties": {"name": _TEXT}},
        },
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id", "content_html"],
                "additionalProperties": False,
                "properties": {
                    "id": {**_TEXT, "minLength": 1},
                    "url": _URL,
                    "title": _TEXT,
                    "content_html": _TEXT,
                    "content_text": _TEXT,
                    "summary": _TEXT,
                    "date_published": _TIME,
                    "date_modified": _TIME,
                    "tags": {"type": "array", "items": _TEXT},
                },
            },
        },
    },
}


def work(**changed: Any) -> Any:
    fields = {
        "id": "00000000000000bb",
        "sort": "maintenance",
        "impact": "maintenance",
        "title": "New disks",
        "starts_at": NOW + HOUR,
        "ends_at": NOW + 2 * HOUR,
    }
    return post((NOW, "scheduled", "It *may* be slow."), **(fields | changed))


def test_a_reader_of_atom_finds_each_post_and_its_timeline() -> None:
    two = post(
        (NOW - HOUR, "investigating", "We look."),
        (NOW, "identified", "Found: [more](https://example.com)"),
    )
    found = feedparser.parse(atom(built(None, two, work()), ORIGIN, "/status/shop"))

    assert not found.bozo
    assert found.version == "atom10"
    assert found.feed.title == "Example Shop"
    assert found.feed.links[0].href == f"{ORIGIN}/status/shop/feed.atom"
    assert [one.title for one in found.entries] == ["New disks", "Checkout fails"]
    entry = found.entries[1]
    assert entry.link == f"{ORIGIN}/status/shop/posts/00000000000000aa"
    assert entry.id.startswith("urn:uuid:")
    assert entry.updated_parsed[:5] == (2026, 11, 30, 0, 53)
    assert entry.content[0].value.index("Identified") < entry.content[0].value.index(
        "Investigating"
    )
    assert '<a href="https://example.com"' in entry.content[0].value


def test_an_entry_keeps_its_id_when_it_is_updated() -> None:
    once = feedparser.parse(atom(built(None, post()), ORIGIN, "/status/shop")).entries[0]
    more = post((NOW - HOUR, "investigating", "a"), (NOW, "resolved", "b"), title="Other")
    again = feedparser.parse(atom(built(None, more), "http://other", "")).entries[0]

    assert once.id == again.id
    assert once.updated != again.updated


@pytest.mark.parametrize("base", ["/status/shop", ""])
def test_the_json_feed_is_as_its_specification_says(base: str) -> None:
    found = json.loads(json_feed(built(None, post(), work()), ORIGIN, base))

    jsonschema.validate(found, JSON_FEED)
    assert found["home_page_url"] == f"{ORIGIN}{base or '/'}"
    assert [one["title"] for one in found["items"]] == ["New disks", "Checkout fails"]
    assert "It may be slow." in found["items"][0]["content_text"]


def test_hostile_words_break_no_feed() -> None:
    evil = post((NOW, "investigating", HOSTILE), title=HOSTILE[:100])
    one = built(page(title=HOSTILE[:100], description=HOSTILE), evil, work(title=HOSTILE[:100]))

    found = feedparser.parse(atom(one, ORIGIN, ""))
    jsonschema.validate(json.loads(json_feed(one, ORIGIN, "")), JSON_FEED)
    events = [*icalendar.Calendar.from_ical(calendar(one, ORIGIN, "")).walk("VEVENT")]

    assert not found.bozo
    assert len(found.entries) == 2
    assert found.entries[0].title_detail.type == "text/plain"
    assert b"<b>" not in atom(one, ORIGIN, "")
    assert len(events) == 1


def test_a_page_without_posts_has_valid_feeds() -> None:
    assert not feedparser.parse(atom(built(), ORIGIN, "")).bozo
    jsonschema.validate(json.loads(json_feed(built(), ORIGIN, "")), JSON_FEED)
    found = icalendar.Calendar.from_ical(calendar(built(), ORIGIN, ""))
    assert not found.walk("VEVENT")
    # RFC 5545, 3.6: at least one component.
    (zone,) = found.subcomponents
    assert (zone.name, zone["TZID"], found.errors) == ("VTIMEZONE", "Etc/UTC", [])
    updated = feedparser.parse(atom(built(), ORIGIN, "")).feed.updated_parsed
    assert updated[:6] == (2026, 11, 30, 0, 0, 0)


def test_a_calendar_has_planned_posts_and_windows_by_their_times_alone() -> None:
    sight = SomeSight(UP.states, {"web": [(NOW + HOUR, NOW + 3 * HOUR)]})
    one = built(None, work(), post(), sight=sight)

    text = calendar(one, ORIGIN, "/status/shop")
    found = icalendar.Calendar.from_ical(text)

    assert all(len(line) <= 75 for line in text.split(b"\r\n"))
    assert text.count(b"\n") == text.count(b"\r\n")
    planned, window = found.walk("VEVENT")
    assert planned["SUMMARY"] == "New disks"
    assert planned["URL"] == f"{ORIGIN}/status/shop/posts/00000000000000bb"
    assert planned.decoded("DTSTART") == datetime(2026, 11, 30, 1, 53, 20, tzinfo=UTC)
    assert "It may be slow." in planned["DESCRIPTION"]
    assert (window["SUMMARY"], window["DESCRIPTION"]) == ("Maintenance", "Web")
    assert window.decoded("DTEND") == datetime(2026, 11, 30, 3, 53, 20, tzinfo=UTC)
    assert found["VERSION"] == "2.0"
    assert not found.errors
    assert calendar(one, ORIGIN, "/status/shop") == text
