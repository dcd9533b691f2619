"""Who was told of what, found by what people have in hand."""

import msgspec
import pytest

from portquorum.cli.notify_shown import event_word, member_words
from portquorum.delivery.memory import remember
from portquorum.delivery.why import Asked, SubjectTold, find
from schemas.notification import Notification
from schemas.notifier_state import Subject
from schemas.policy import Route, Team
from sinks.notifier.decision.desk import Desk
from sinks.notifier.model import Channel, OutcomeKind, SendOutcome
from sinks.notifier.routing import Routes
from tests.unit.portquorum.delivery.sample import (
    AT,
    MAIL,
    SLACK,
    event,
    member,
    record,
    region,
    row,
    subject,
)

ON_SLACK = Channel("db-oncall", SLACK).name
ON_MAIL = Channel("db-oncall", MAIL).name
CLOSED = {"event": "closed", "event_id": "1c000000-event", "at": AT + 60_000, "closed_at": AT}


def ask(
    asked: str, subjects: list[Subject], sent: list[Notification], *targets: str
) -> tuple[Asked, list[SubjectTold]] | None:
    return find(asked, remember(map(record, subjects)), sent, targets)


def test_an_incident_has_its_events_and_its_audience() -> None:
    opened = event(1)
    told = member(told_phase="down", told_episode=1)
    waits = member(MAIL, due_at=AT, attempts=3, error="HTTP 500")
    sent = [row(opened, ON_SLACK), row(opened, ON_MAIL, "retrying", attempt=3, error="HTTP 500")]
    found = ask("11111111", [subject(opened, told, waits)], sent)
    assert found is not None
    matched, (one,) = found
    assert (matched, one.target, one.untold) == ("incident", "prod-db", True)
    assert one.title == "Orders DB (tcp db1.example.com:5432), unreachable"
    assert [(each.event, len(each.sent)) for each in one.events] == [("opened", 2)]
    assert one.now is not None
    assert [(each.scheme, each.knows, each.attempts) for each in one.now.audience] == [
        ("slack", "down", 0),
        ("mailtos", None, 3),
    ]


def test_an_event_is_shown_alone() -> None:
    opened, closed = event(1), event(1, **CLOSED)
    found = ask("1c00", [], [row(opened, ON_SLACK), row(closed, "", "not_sent", why="missed")])
    assert found is not None
    matched, (one,) = found
    assert matched == "event"
    assert [each.event_id for each in one.events] == ["1c000000-event"]
    assert one.events[0].sent[0].why == "missed"
    assert not one.untold


def test_an_event_of_which_no_row_is_there_yet_is_found_by_the_state() -> None:
    found = ask("10000000-ev", [subject(event(1), member(due_at=AT))], [])
    assert found is not None
    assert found[0] == "event"
    assert found[1][0].now is not None


def test_a_target_has_all_its_incidents_the_newest_first() -> None:
    old, new = event(1), event(2, at=AT + 1_000)
    sent = [
        row(old, ON_SLACK),
        row(new, ON_SLACK, "dead", error="x"),
        row(event(3, target="b"), ""),
    ]
    found = ask("Orders DB", [], sent, "prod-db")
    assert found is not None
    matched, those = found
    assert matched == "target"
    assert [one.key for one in those] == [
        f"incident/{new.incident_id}",
        f"incident/{old.incident_id}",
    ]
    assert [one.untold for one in those] == [True, False]
    # A target that was removed from the inventory is found by its id alone.
    assert ask("prod-db", [], sent) is not None


def test_a_region_is_found_by_its_name() -> None:
    silent = subject(region(), member(told_phase="down"))
    found = ask("EU-West", [silent], [])
    assert found is not None
    matched, (one,) = found
    assert (matched, one.title, one.key) == ("subject", "region eu-west", "region/eu-west/silent")


@pytest.mark.parametrize("asked", ["", "111", "ffffffff", "db2"])
def test_nothing_is_found_of_what_nobody_knows(asked: str) -> None:
    assert ask(asked, [subject(event(1))], [row(event(1), ON_SLACK)]) is None


def test_a_broken_channel_is_no_reason_once_what_it_missed_is_over() -> None:
    """What waits counts while it waits; a row of an earlier attempt does not."""
    opened = event(1)
    found = ask(
        "prod-db",
        [subject(opened, member(told_phase="down", told_episode=1))],
        [row(opened, ON_SLACK, "retrying", error="x")],
    )
    assert found is not None
    assert not found[1][0].untold


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, "knows nothing yet"),
        ({"maybe": True}, "may have been told: no answer came"),
        ({"told_phase": "down", "told_episode": 2}, "knows the outage (outage 2)"),
        (
            {"told_phase": "down", "told_episode": 1, "open_key": "i/1", "acknowledged": True},
            "knows the outage; open there as i/1, acknowledged there",
        ),
        (
            {"due_at": AT - 90_000, "attempts": 1, "error": "HTTP 500"},
            "knows nothing yet; news waits for 90 s (1 attempt, the last: HTTP 500)",
        ),
        ({"due_at": AT + 2_000}, "knows nothing yet; news goes out in 2 s"),
        ({"due_at": AT - 2_000}, "knows nothing yet; news is on its way, due for 2 s"),
        (
            {"told_phase": "closed", "told_episode": 1, "fallback_for": "abc"},
            "knows that it is over; stands in for the channel abc",
        ),
        ({"fallback_for": "def"}, "knows nothing yet; stands in for ops (slack)"),
        (
            {"held": "maintenance: rack until 2026-12-01 04:00 UTC", "held_until": AT + 1},
            "knows nothing yet; not told now: maintenance: rack until 2026-12-01 04:00 UTC",
        ),
        (
            {"due_at": AT - 60_000, "limited": "ops", "limited_until": 1_790_000_060_000},
            (
                "knows nothing yet; the limit of the route ops holds its news until "
                "2026-09-21 14:14:20 UTC"
            ),
        ),
        (
            {"told_phase": "down", "escalated_from": "ops", "reminders": 2},
            "knows the outage; joined by the escalation of the route ops; reminded 2 times",
        ),
    ],
)
def test_a_member_of_an_audience_in_words(changes: dict[str, object], says: str) -> None:
    found = ask("prod-db", [subject(event(1), member(**changes))], [])
    assert found is not None
    now = found[1][0].now
    assert now is not None
    assert "; ".join(member_words(now.audience[0], AT, {"def": "ops (slack)"})) == says


PAGER = "pagerduty://${KEY}"
ROUTES = Routes.of(
    [
        Team(name="database", routes=("db-oncall",)),
        Route(name="db-oncall", urls=(SLACK, PAGER), fallback=("mail",)),
        Route(name="mail", urls=(MAIL,)),
    ]
)


def desk() -> Desk:
    found = Desk(
        group_wait_ms=0,
        class_of=lambda channel: "on_call" if channel.url == PAGER else "people",
        needs_refresh=lambda _: False,
    )
    found.set_routes(ROUTES, AT)
    return found


class Notes:
    """What a notifier with this desk leaves in its topics."""

    def __init__(self) -> None:
        self.desk = desk()
        self.subjects: dict[str, Subject] = {}
        self.rows: dict[bytes, Notification] = {}

    def turn(self, now: int, **kinds: OutcomeKind) -> None:
        """Sends what is due; the outcome of each scheme is given, else it confirms."""
        self.write()
        for delivery in self.desk.due(now):
            kind = kinds.get(delivery.channel.scheme, "confirmed")
            error = None if kind == "confirmed" else "HTTP 500"
            self.desk.finished(delivery, SendOutcome(kind=kind, error=error), now)
        self.write()

    def write(self) -> None:
        for change in self.desk.changes():
            if isinstance(change, Subject):
                self.subjects[change.key] = msgspec.structs.replace(change, term=1)
            else:
                self.subjects.pop(change.key, None)
        self.rows |= {row.key: row for row in self.desk.rows()}

    def ask(self, asked: str) -> list[SubjectTold]:
        rows = sorted(self.rows.values(), key=lambda row: row.at)
        found = ask(asked, list(self.subjects.values()), rows)
        assert found is not None
        return found[1]


def test_an_acknowledgement_is_called_so() -> None:
    of = event(1, event="updated")
    found = ask("prod-db", [], [row(of, ON_SLACK, action="acknowledge"), row(of, ON_MAIL)])
    assert found is not None
    (told,) = found[1][0].events
    assert {event_word(told, sent) for sent in told.sent} == {"acknowledged", "updated"}


def test_what_the_notifier_itself_writes_is_understood() -> None:
    notes = Notes()
    notes.desk.take(event(1), AT)
    notes.turn(AT, slack="unreachable")
    (one,) = notes.ask("prod-db")
    assert one.untold
    assert {(row.channel, row.status, row.action) for row in one.events[0].sent} == {
        (ON_SLACK, "retrying", "opened"),
        (Channel("db-oncall", PAGER).name, "sent", "trigger"),
    }
    assert one.now is not None
    said = {each.scheme: "; ".join(member_words(each, AT, {})) for each in one.now.audience}
    assert said == {
        "slack": "knows nothing yet; news waits for 0 ms (1 attempt, the last: HTTP 500)",
        "pagerduty": "knows the outage; open there as 11111111-incident/1",
    }

    # After the time of the fallback others are told, also that the channel is broken.
    notes.turn(AT + 120_000, slack="unreachable")
    notes.turn(AT + 120_001, slack="unreachable")
    (one,) = notes.ask("prod-db")
    assert one.now is not None
    assert ("mailtos", "down") in {(each.scheme, each.knows) for each in one.now.audience}
    (broken,) = notes.ask(Channel("", SLACK).id)
    assert broken.title == "the channel db-oncall (slack)"
    assert [each.event for each in broken.events] == ["channel.broken"]
    assert [(row.channel, row.status) for row in broken.events[0].sent] == [
        (Channel("mail", MAIL).name, "sent")
    ]

    # What nobody takes, and what is over.
    notes.desk.set_routes(Routes.of([Route(name="r", urls=(MAIL,), kinds=("smtp",))]), AT + 130_000)
    notes.desk.take(event(2, target="other"), AT + 130_000)
    notes.desk.take(event(1, **CLOSED), AT + 130_000)
    for now in range(AT + 130_000, AT + 400_000, 30_000):
        notes.turn(now)
    (other,) = notes.ask("other")
    assert [row.channel for row in other.events[0].sent] == [Channel("console", "console://").name]
    (one,) = notes.ask("prod-db")
    assert not one.untold
    assert one.now is not None
    assert one.now.phase == "closed"
    closed = {row.channel: row.status for row in one.events[-1].sent}
    assert closed[Channel("db-oncall", PAGER).name] == "sent"
    assert closed[Channel("mail", MAIL).name] == "sent"
