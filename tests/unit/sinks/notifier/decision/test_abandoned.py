"""Abandoned is no recovery: keys stay open for a day, and an opening within it continues them."""

import pytest

from schemas import notifier_state
from schemas.notifier_state import Subject
from schemas.policy import Route
from tests.unit.sinks.notifier.decision.office import DAY, HOUR, MINUTE, WAIT_MS, Office
from tests.unit.sinks.notifier.events import AT, incident_event

A, DUTY, MANAGER = "json://a", "pagerduty://k", "alertmanager://m"


def abandoned() -> Office:
    there = Office(Route(name="all", urls=(A, DUTY, MANAGER)))
    there.take(incident_event())
    there.wait(WAIT_MS)
    there.take(
        incident_event(event="closed", event_id="e2", at=AT + 5000, closed_because="abandoned")
    )
    there.wait(MINUTE)
    return there


def keys(there: Office, url: str = DUTY) -> list[tuple[str, str]]:
    return [(one.action, one.news[0].key) for one in there.sent if one.channel.url == url]


def test_people_read_that_nobody_looks_and_keys_stay_open() -> None:
    there = abandoned()
    assert there.told(A) == ["opened", "closed"]
    assert there.told(DUTY) == ["trigger"]
    assert there.whys("closed", DUTY) == ["abandoned: its key stays open for a day"]
    assert there.log


def test_an_opening_within_a_day_continues_the_key() -> None:
    there = abandoned()
    there.wait(20 * HOUR)
    again = {"incident_id": "i2", "at": there.now}
    there.take(incident_event(event_id="e3", **again))
    there.wait(MINUTE)
    assert there.told(A) == ["opened", "closed", "opened"]
    assert keys(there) == [("trigger", "i1/1"), ("trigger", "i1/1")]
    there.restart()
    again["at"] += 1000
    there.take(incident_event(event="closed", event_id="e4", closed_because="recovered", **again))
    there.wait(MINUTE)
    assert keys(there)[-1] == ("resolve", "i1/1")
    assert keys(there, MANAGER)[-1] == ("resolve", "i1/1")


def test_the_next_episode_has_a_key_of_its_own() -> None:
    there = abandoned()
    again = {"incident_id": "i2", "at": there.now}
    there.take(incident_event(event_id="e3", **again))
    there.take(incident_event(event="improved", event_id="e4", **again))
    there.take(incident_event(event="worsened", event_id="e5", episode=2, **again))
    there.wait(MINUTE)
    assert keys(there)[-2:] == [("resolve", "i1/1"), ("trigger", "i2/2")]


def test_another_target_or_another_type_continues_nothing() -> None:
    there = abandoned()
    there.take(incident_event(incident_id="i2", event_id="e3", at=there.now, target="other"))
    there.take(incident_event(incident_id="i3", event_id="e4", at=there.now, incident_type="slow"))
    assert keys(there)[-2:] == [("trigger", "i2/1"), ("trigger", "i3/1")]


def test_after_a_day_it_is_forgotten() -> None:
    there = abandoned()
    there.wait(DAY)
    assert there.log == {}
    there.take(incident_event(incident_id="i2", event_id="e3", at=there.now))
    assert keys(there)[-1] == ("trigger", "i2/1")


def test_who_holds_an_open_key_is_told_though_the_routes_changed() -> None:
    there = abandoned()
    there.route(Route(name="new", urls=("json://new",)))
    again = {"incident_id": "i2", "at": there.now}
    there.take(incident_event(event_id="e3", **again))
    there.wait(MINUTE)
    assert keys(there)[-1] == ("trigger", "i1/1")
    assert there.told("json://new") == ["opened"]
    assert there.told(A) == ["opened", "closed"]


def test_a_system_that_forgets_is_told_again_while_its_key_stays_open() -> None:
    there = abandoned()
    before = len([one for one in there.sent if one.action == "refresh"])
    there.wait(10 * MINUTE)
    assert len([one for one in there.sent if one.action == "refresh"]) == before + 10


def test_a_key_that_was_continued_and_resolved_is_not_told_again() -> None:
    there = abandoned()
    again = {"incident_id": "i2", "at": there.now}
    there.take(incident_event(event_id="e3", **again))
    there.take(incident_event(event="closed", event_id="e4", closed_because="recovered", **again))
    there.wait(MINUTE)
    assert keys(there, MANAGER)[-1] == ("resolve", "i1/1")
    count = len(there.sent)
    there.wait(HOUR)
    assert len(there.sent) == count


def test_a_crash_while_a_key_changes_hands_loses_no_key() -> None:
    """The two records are written one after another; the first of them may be the last."""
    there = Office(Route(name="all", urls=(DUTY,)))
    there.take(incident_event())
    gone = incident_event(event="closed", event_id="e2", at=AT + 1, closed_because="abandoned")
    again = incident_event(event_id="e3", incident_id="i2", at=AT + 2)
    there.desk.take(gone, there.now)
    there.desk.take(again, there.now)
    first = there.desk.changes()[0]
    assert isinstance(first, Subject)
    there.log[first.key] = notifier_state.encode(first)
    there.restart(dies=True, calm=False)
    there.take(gone, again)
    over = {"event": "closed", "incident_id": "i2", "closed_because": "recovered"}
    there.take(incident_event(event_id="e4", at=AT + 3, **over))
    assert keys(there)[-1] == ("resolve", "i1/1")


@pytest.mark.parametrize("backwards", [False, True])
def test_who_holds_the_key_is_found_in_whatever_order_the_records_are_read(
    backwards: bool,
) -> None:
    there = abandoned()
    there.take(incident_event(event_id="e3", incident_id="i2", at=there.now))
    again = {"event": "closed", "incident_id": "i2", "closed_because": "abandoned"}
    there.take(incident_event(event_id="e4", at=there.now, **again))
    there.wait(MINUTE)
    if backwards:
        there.log = dict(reversed(there.log.items()))
    there.restart()
    there.take(incident_event(event_id="e5", incident_id="i3", at=there.now))
    assert keys(there)[-1] == ("trigger", "i1/1")


def test_a_key_that_two_records_name_belongs_to_the_one_that_goes_on_with_it() -> None:
    """A crash came between the two records. Alertmanager is not told again of what is over."""
    there = abandoned()
    before = dict(there.log)
    there.take(incident_event(event_id="e3", incident_id="i2", at=there.now))
    there.log |= {key: value for key, value in before.items() if key == "incident/i1"}
    there.restart(calm=False)
    over = {"event": "closed", "incident_id": "i2", "closed_because": "recovered"}
    there.take(incident_event(event_id="e4", at=there.now, **over))
    there.wait(MINUTE)
    assert keys(there, MANAGER)[-1] == ("resolve", "i1/1")
    there.wait(10 * MINUTE)
    assert keys(there, MANAGER)[-1] == ("resolve", "i1/1")
    there.take(incident_event(event_id="e5", incident_id="i3", at=there.now))
    assert keys(there)[-1] == ("trigger", "i3/1")
