"""Regions that are silent or suspect."""

from schemas.policy import Route
from tests.unit.sinks.notifier.decision.office import MINUTE, WAIT_MS, Office, region_event
from tests.unit.sinks.notifier.events import AT

A, DUTY = "json://a", "pagerduty://k"


def office() -> Office:
    return Office(Route(name="all", urls=(A, DUTY)))


def test_silent_and_suspect_are_two_conditions_with_two_keys() -> None:
    there = office()
    there.take(region_event("region.silent"), region_event("region.suspect"))
    there.wait(MINUTE)
    there.take(
        region_event("region.returned", at=AT + 1), region_event("region.cleared", at=AT + 1)
    )
    there.wait(MINUTE)
    keys = [(one.action, one.news[0].key) for one in there.sent if one.channel.url == DUTY]
    assert keys == [
        ("trigger", "region:eu"),
        ("trigger", "region:eu/suspect"),
        ("resolve", "region:eu"),
        ("resolve", "region:eu/suspect"),
    ]
    assert [len(one.news) for one in there.sent if one.channel.url == A] == [2, 2]


def test_one_that_was_never_heard_is_told_once_whatever_the_partitions() -> None:
    there = office()
    for part in range(16):
        there.take(region_event("region.silent", event_id="never", at=AT + part * 7000))
        there.wait(500)
    there.wait(MINUTE)
    assert there.told(A) == ["opened"]
    assert there.told(DUTY) == ["trigger"]
    for part in range(16):
        there.take(region_event("region.returned", event_id="first", at=AT + 200_000 + part))
        # A partition that is behind says again what the others have taken back.
        there.take(region_event("region.silent", event_id="never", at=AT + 300_000))
    there.wait(MINUTE)
    assert there.told(A) == ["opened", "closed"]
    assert there.told(DUTY) == ["trigger", "resolve"]


def test_silent_again_is_told_again() -> None:
    there = office()
    for number in range(3):
        at = there.now
        there.take(region_event("region.silent", at=at))
        there.wait(MINUTE)
        there.take(region_event("region.returned", at=at + 1))
        there.wait(MINUTE)
        assert there.told(A) == ["opened", "closed"] * (number + 1)
        assert there.told(DUTY) == ["trigger", "resolve"] * (number + 1)


def test_silent_again_while_the_end_was_not_told_yet() -> None:
    there = office()
    there.take(region_event("region.silent"))
    there.wait(WAIT_MS)
    there.answers = {A: "unreachable", DUTY: "unreachable"}
    there.take(region_event("region.returned", at=AT + 1))
    there.wait(10_000)
    there.take(region_event("region.silent", at=AT + 2))
    there.answers.clear()
    there.wait(2 * MINUTE)
    assert there.told(A)[-1] == "worsened"
    there.take(region_event("region.returned", at=AT + 3))
    there.wait(MINUTE)
    assert there.told(A)[-1] == "closed"
    assert there.told(DUTY)[-1] == "resolve"


def test_silent_twice_is_one_condition() -> None:
    there = office()
    there.take(region_event("region.silent"), region_event("region.silent", at=AT + 5))
    there.wait(MINUTE)
    assert there.told(A) == ["opened"]
    assert there.whys("region.silent") == ["nothing new: eu was so already"]


def test_a_skewed_clock_is_told_nobody() -> None:
    there = office()
    there.take(region_event("region.clock_skewed"))
    there.wait(MINUTE)
    assert there.sent == []
    assert there.log == {}


def test_a_second_outage_that_nobody_was_told_of_is_told_as_the_first_was() -> None:
    there = Office(Route(name="all", urls=(A,)))
    for number in range(2):
        there.take(region_event("region.silent", at=AT + 2 * number))
        there.take(region_event("region.returned", at=AT + 2 * number + 1))
        there.wait(MINUTE)
    assert there.told(A) == ["missed", "missed"]


def test_what_came_while_a_delivery_was_under_way_has_its_rows() -> None:
    there = Office(Route(name="all", urls=(A,)))
    there.answers[A] = "hangs"
    there.take(region_event("region.silent"))
    there.wait(WAIT_MS)
    events = [
        region_event("region.returned", at=AT + 1),
        region_event("region.silent", at=AT + 2),
        region_event("region.returned", at=AT + 3),
    ]
    there.take(*events)
    there.answers.clear()
    there.land_all()
    there.wait(MINUTE)
    assert there.told(A) == ["opened", "closed"]
    assert {one.event_id for one in events} <= {row.event_id for row in there.rows}


def test_a_missed_outage_on_its_way_is_not_the_next_one() -> None:
    there = Office(Route(name="all", urls=(A,)))
    there.answers[A] = "hangs"
    there.take(region_event("region.silent"), region_event("region.returned", at=AT + 1))
    there.wait(WAIT_MS)
    there.take(region_event("region.silent", at=AT + 2))
    there.answers[A] = "unreachable"
    there.land_all()
    there.take(region_event("region.returned", at=AT + 3))
    there.answers.clear()
    there.wait(MINUTE)
    assert there.told(A) == ["missed", "missed"]


def test_silent_again_while_a_resolve_is_under_way_triggers_once_more() -> None:
    for dies in (True, False):
        there = office()
        there.take(region_event("region.silent"))
        there.answers[DUTY] = "hangs"
        there.take(region_event("region.returned", at=AT + 1))
        there.answers.clear()
        if dies:
            there.restart(dies=True)
            there.take(region_event("region.silent", at=AT + 2))
        else:
            there.take(region_event("region.silent", at=AT + 2))
            there.land_all("uncertain")
        there.wait(MINUTE)
        assert there.told(DUTY)[-1] == "trigger"
        there.take(region_event("region.returned", at=AT + 3))
        there.wait(MINUTE)
        assert there.told(DUTY)[-1] == "resolve"


def test_missing_secrets_are_told_once_again_for_others_and_once_when_they_are_there() -> None:
    there = office()
    there.take(region_event("region.secrets_missing"), region_event("region.silent"))
    there.wait(MINUTE)
    there.take(region_event("region.secrets_missing"))
    there.wait(MINUTE)
    keys = [(one.action, one.news[0].key) for one in there.sent if one.channel.url == DUTY]
    assert keys == [("trigger", "region:eu/secrets"), ("trigger", "region:eu")]
    at = there.now
    there.take(region_event("region.secrets_missing", at=at, summary="others, too"))
    there.wait(MINUTE)
    assert there.told(A)[-1] == "updated"
    there.take(region_event("region.secrets_missing", at=at, summary="others, too"))
    there.wait(MINUTE)
    told = len(there.told(A))
    there.take(region_event("region.secrets_found", at=at + 1))
    there.wait(MINUTE)
    assert there.told(A)[told:] == ["closed"]
    keys = [(one.action, one.news[0].key) for one in there.sent if one.channel.url == DUTY]
    assert keys[-1] == ("resolve", "region:eu/secrets")
    assert [action for action, key in keys if key.endswith("secrets")].count("resolve") == 1
