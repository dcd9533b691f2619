"""Who knows what, by the send log and the commits of version 0.1."""

import msgspec

from schemas.incident import Event, IncidentEvent, RegionEvent
from schemas.notification import Notification, NotificationStatus
from schemas.policy import Route
from sinks.notifier.channels.classes import class_of, needs_refresh
from sinks.notifier.decision.desk import Desk
from sinks.notifier.first_version import EarlierSends, OpenSubjects, channel_names
from sinks.notifier.routing import CONSOLE, Routes
from tests.unit.sinks.notifier.events import AT, incident_event

ROUTES = Routes.of([Route(name="ops", urls=("json://one", "json://two"))])
NOW = AT + 600_000


def event(kind: str, number: int = 1, at: int = AT) -> IncidentEvent:
    return incident_event(
        event_id=f"{kind}{number}",
        event=kind,
        incident_id=f"i{number}",
        target=f"t{number}",
        host=f"h{number}.example.com",
        at=at,
        closed_at=at if kind == "closed" else None,
        closed_because="recovered" if kind == "closed" else None,
    )


def row(about: IncidentEvent, channel: str, status: NotificationStatus = "sent") -> bytes:
    return msgspec.json.encode(
        Notification(
            event_id=about.event_id,
            incident_id=about.incident_id,
            event=about.event,
            target=about.target,
            team=None,
            route=channel.split("/", maxsplit=1)[0],
            channel=channel,
            severity="critical",
            status=status,
            attempt=1,
            at=about.at,
            event_at=about.at,
            subject="",
            group="g",
        )
    )


def told(events: list[Event], rows: list[bytes], commit: int) -> set[tuple[str, str, str]]:
    """What the Desk sends then: incident, URL and action."""
    sends = EarlierSends()
    for one in rows:
        sends.take(one)
    subjects = OpenSubjects({0: commit}, sends)
    for offset, one in enumerate(events):
        subjects.take(0, offset, one)
    desk = Desk(group_wait_ms=0, class_of=class_of, needs_refresh=needs_refresh)
    desk.set_routes(ROUTES, NOW)
    list(subjects.hand_over(desk, ROUTES, NOW))
    desk.changes()
    return {
        (news.entry.removeprefix("incident/"), one.channel.url, one.action)
        for one in desk.due(NOW)
        for news in one.news
    }


def test_what_every_channel_confirmed_is_told_to_nobody() -> None:
    opened = event("opened")
    rows = [row(opened, "ops/0/json"), row(opened, "ops/1/json")]
    assert told([opened], rows, 1) == set()


def test_a_channel_that_was_given_up_is_told_while_it_is_open() -> None:
    opened, closed = event("opened"), event("closed", at=AT + 1)
    rows = [row(opened, "ops/0/json"), row(opened, "ops/1/json", "dead")]
    assert told([opened], rows, 1) == {("i1", "json://two", "opened")}
    assert told([opened, closed], rows, 2) == set()


def test_a_channel_that_was_being_tried_is_told() -> None:
    opened = event("opened")
    rows = [row(opened, "ops/0/json", "retrying"), row(opened, "ops/0/json")]
    rows += [row(opened, "ops/1/json", "retrying")]
    assert told([opened], rows, 0) == {("i1", "json://two", "opened")}
    assert told([opened], rows, 1) == {("i1", "json://two", "opened")}


def test_behind_the_commit_only_what_has_no_row_is_told() -> None:
    events: list[Event] = [event("opened", 1), event("opened", 2), event("closed", 2, AT + 1)]
    rows = [row(event("opened", 2), f"ops/{at}/json") for at in (0, 1)]
    assert told(events, rows, 0) == {
        ("i1", "json://one", "opened"),
        ("i1", "json://two", "opened"),
        ("i2", "json://one", "closed"),
        ("i2", "json://two", "closed"),
    }


def test_what_is_older_than_the_send_log_was_told() -> None:
    old, new = event("opened", 1, AT - 1), event("opened", 2)
    assert told([old, new], [row(new, "ops/0/json")], 2) == {("i2", "json://two", "opened")}
    assert told([old], [], 1) == set()


def test_events_that_the_first_version_told_nobody_are_not_told_late() -> None:
    opened, improved = event("opened"), event("improved", at=AT + 1)
    rows = [row(opened, "ops/0/json"), row(opened, "ops/1/json")]
    assert told([opened, improved], rows, 2) == set()


def test_a_region_that_is_silent_and_suspect_is_two_subjects() -> None:
    events: list[Event] = [
        RegionEvent(event_id=kind, event=kind, region="eu", at=AT, summary="")  # type: ignore[arg-type]
        for kind in ("region.silent", "region.suspect", "region.cleared", "region.clock_skewed")
    ]
    assert {entry for entry, _, _ in told(events, [], 4)} == set()
    sent = [row(event("opened"), "ops/0/json")]
    assert {entry for entry, _, _ in told(events, sent, 4)} == {"region/eu/silent"}


def test_garbage_in_the_send_log_is_no_row() -> None:
    opened = event("opened")
    rows = [b"", b"\xff", b"{}", row(opened, "ops/0/json"), row(opened, "no/such/channel")]
    assert told([opened], rows, 1) == {("i1", "json://two", "opened")}


def test_channels_are_found_by_the_names_of_both_versions() -> None:
    odd = Route(name="odd", urls=("alertmanager+http://am:9093", "${WHOLE}", "JSON://x"))
    names = channel_names(Routes.of([odd]))
    assert names["odd/0/secret"].url == "alertmanager+http://am:9093"
    assert names["odd/1/secret"].url == "${WHOLE}"
    assert names["odd/2/json"].url == "JSON://x"
    assert names["console/0/console"].url == CONSOLE.urls[0]
    assert all(channel is names[channel.name] for channel in names.values())
