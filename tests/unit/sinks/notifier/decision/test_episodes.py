"""Worsened begins an episode: people are told again, on-call systems get a new key."""

from schemas.policy import Route
from tests.unit.sinks.notifier.decision.office import MINUTE, WAIT_MS, Office
from tests.unit.sinks.notifier.events import AT, incident_event

A, DUTY = "json://a", "pagerduty://k"
BOTH = Route(name="all", urls=(A, DUTY))


def event(kind: str, number: int, **fields: object) -> object:
    values = {"event": kind, "event_id": f"e{number}", "at": AT + number * 1000}
    return incident_event(**(values | fields))


def keys(there: Office) -> list[tuple[str, str]]:
    return [(one.action, one.news[0].key) for one in there.sent if one.channel.url == DUTY]


def opened() -> Office:
    there = Office(BOTH)
    there.take(event("opened", 1))  # type: ignore[arg-type]
    there.wait(WAIT_MS)
    return there


def test_worsened_begins_an_episode_and_resolves_the_old_key() -> None:
    there = opened()
    for number, kind in ((2, "improved"), (3, "worsened"), (4, "closed")):
        there.take(event(kind, number))  # type: ignore[arg-type]
        there.wait(MINUTE)
    assert there.told(A) == ["opened", "improved", "worsened", "closed"]
    assert keys(there) == [
        ("trigger", "i1/1"),
        ("resolve", "i1/1"),
        ("trigger", "i1/2"),
        ("resolve", "i1/2"),
    ]
    assert there.whys("improved", DUTY) == ["an on-call system is not told of an improvement"]


def test_the_episode_is_the_events_if_it_has_one() -> None:
    there = opened()
    there.take(event("worsened", 2, episode=7))  # type: ignore[arg-type]
    there.wait(MINUTE)
    assert keys(there)[-1] == ("trigger", "i1/7")
    assert there.subject("incident/i1").episode == 7


def test_an_acknowledgement_is_for_on_call_systems_alone_and_ends_with_the_episode() -> None:
    there = opened()
    there.take(event("updated", 2, acknowledged_by="eve"))  # type: ignore[arg-type]
    there.take(event("updated", 3, acknowledged_by="eve"))  # type: ignore[arg-type]
    there.wait(MINUTE)
    assert there.told(A) == ["opened"]
    assert there.told(DUTY) == ["trigger", "acknowledge"]
    there.take(event("improved", 4, acknowledged_by="eve"))  # type: ignore[arg-type]
    there.take(event("worsened", 5, episode=2))  # type: ignore[arg-type]
    there.take(event("updated", 6, episode=2, acknowledged_by="bob"))  # type: ignore[arg-type]
    there.wait(MINUTE)
    assert there.told(DUTY)[2:] == ["resolve", "trigger", "acknowledge"]


def test_an_acknowledgement_before_the_trigger_arrived_follows_it() -> None:
    there = Office(BOTH)
    there.answers[DUTY] = "unreachable"
    there.take(event("opened", 1), event("updated", 2, acknowledged_by="eve"))  # type: ignore[arg-type]
    there.answers.clear()
    there.wait(MINUTE)
    assert there.told(DUTY) == ["trigger", "trigger", "acknowledge"]


def test_who_was_not_told_of_the_first_episode_is_told_of_an_opening() -> None:
    there = Office(BOTH)
    there.answers[A] = "unreachable"
    there.take(event("opened", 1))  # type: ignore[arg-type]
    there.wait(10_000)
    there.take(event("improved", 2), event("worsened", 3, episode=2))  # type: ignore[arg-type]
    there.answers.clear()
    there.wait(MINUTE)
    assert there.told(A)[-1] == "opened"
    assert there.sent[-1].news[0].episode == 2


def test_improved_is_told_once_an_episode_and_updates_are_not() -> None:
    there = opened()
    kinds = ("updated", "improved", "updated", "updated")
    for number, kind in enumerate(kinds, 2):
        there.take(event(kind, number))  # type: ignore[arg-type]
        there.wait(MINUTE)
    assert there.told(A) == ["opened", "improved"]
    assert there.told(DUTY) == ["trigger"]


def test_a_worsening_that_is_not_told_yet_is_a_close_if_it_ends() -> None:
    there = opened()
    there.answers[A] = "unreachable"
    there.take(event("improved", 2), event("worsened", 3, episode=2))  # type: ignore[arg-type]
    there.wait(10_000)
    there.answers.clear()
    there.take(event("closed", 4, episode=2))  # type: ignore[arg-type]
    there.wait(MINUTE)
    assert there.told(A)[-1] == "closed"
    assert "superseded by closed before the channel could take it" in there.whys("worsened", A)


def test_an_incident_of_which_the_opening_was_never_read_is_told() -> None:
    for kind in ("updated", "improved", "worsened"):
        there = Office(BOTH)
        there.take(event(kind, 1, episode=3))  # type: ignore[arg-type]
        there.wait(MINUTE)
        assert there.told(A) == ["opened"]
        assert keys(there) == [("trigger", "i1/3")]


def test_the_end_of_an_incident_of_which_nothing_was_read_is_told_nobody() -> None:
    there = Office(BOTH)
    there.take(event("closed", 1))  # type: ignore[arg-type]
    there.wait(MINUTE)
    assert there.sent == []
    assert there.whys("closed") == ["not told of the outage"]


def test_an_improvement_while_a_trigger_is_under_way_has_its_row() -> None:
    there = Office(Route(name="all", urls=(DUTY,)))
    there.answers[DUTY] = "hangs"
    there.take(event("opened", 1))  # type: ignore[arg-type]
    there.take(event("improved", 2))  # type: ignore[arg-type]
    there.land_all()
    assert there.whys("improved") == ["an on-call system is not told of an improvement"]


def test_the_largest_episode_is_the_last() -> None:
    there = opened()
    there.take(event("worsened", 2, episode=2**31 - 1))  # type: ignore[arg-type]
    there.take(event("improved", 3), event("worsened", 4))  # type: ignore[arg-type]
    there.restart()
    there.take(event("closed", 5))  # type: ignore[arg-type]
    there.wait(MINUTE)
    assert there.told(A)[-1] == "closed"
