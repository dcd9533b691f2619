"""Rule 6: the episodes of an open incident, and what their events say."""

from msgspec import UNSET

from schemas import incident as incidents
from schemas.control import Acknowledged
from schemas.incident import IncidentEvent
from tests.unit.streams.rules.fleet import Fleet, target

MINUTE_MS = 60_000
DAY_MS = 86_400_000


def look(fleet: Fleet, minutes: int, failing: str) -> None:
    """Every minute a, b and c look; those of `failing` fail, and once more a second later."""
    for _ in range(minutes):
        fleet.wait(MINUTE_MS - 1000)
        fleet.up(*(region for region in "abc" if region not in failing))
        fleet.down(*failing.split())


def alerts(fleet: Fleet) -> list[IncidentEvent]:
    return [event for event in fleet.events if event.event not in {"updated", "improved"}]


def worse() -> tuple[Fleet, IncidentEvent, IncidentEvent]:
    """Down, better but for c, down again: the fleet, and the last two events of it."""
    fleet = Fleet(target())
    look(fleet, 3, "a b c")
    look(fleet, 3, "c")
    improved = fleet.events[-1]
    look(fleet, 1, "b a c")
    worsened = next(event for event in fleet.events if event.event == "worsened")
    return fleet, improved, worsened


def test_five_outages_in_five_days_beside_a_region_that_is_blocked_are_told() -> None:
    fleet = Fleet(target(interval_ms=600_000))
    look(fleet, 15, "c")
    began = []
    for _ in range(5):
        began.append(fleet.now + MINUTE_MS - 1000)
        look(fleet, 10, "a b c")
        for _ in range(DAY_MS // 600_000 - 1):
            fleet.wait(600_000 - 1000)
            fleet.up("a", "b")
            fleet.down("c")
    told = alerts(fleet)
    assert [event.event for event in told] == ["opened"] + ["worsened"] * 4
    assert [event.episode or 1 for event in told] == [1, 2, 3, 4, 5]
    assert [event.episode_began_at or event.first_failed_at for event in told] == began
    assert {event.incident_id for event in told} == {told[0].incident_id}
    assert fleet.told.count("improved") == 5
    fleet.wait(600_000).up("a", "b", "c")
    assert (fleet.events[-1].event, fleet.events[-1].closed_because) == ("closed", "recovered")
    assert len({event.event_id for event in fleet.events}) == len(fleet.events)


def test_an_improvement_says_who_still_fails() -> None:
    _, improved, _ = worse()
    assert improved.event == "improved"
    assert improved.summary == (
        "db1.example.com:5432 is reachable again from a, b; not yet from c (Connection refused)."
    )
    assert improved.changes == ("the regions no longer agree that it is down", "b: succeeds")
    assert (improved.votes.down, improved.votes.need) == (1, 2)
    assert (improved.closed_at, improved.closed_because, improved.first_steps) == (None, None, ())


def test_a_worsening_says_that_it_is_down_again_and_what_to_look_at() -> None:
    _, improved, worsened = worse()
    assert worsened.summary.startswith(
        "db1.example.com:5432 is down again: unreachable from 2 of 3 regions (Connection refused)."
    )
    assert worsened.changes == (
        "down again (outage 2 of this incident)",
        "b: Connection refused",
    )
    assert worsened.first_steps
    assert worsened.severity == "warning"
    assert (worsened.episode, improved.episode or 1) == (2, 1)
    assert worsened.episode_began_at == worsened.at - 1000
    assert worsened.first_failed_at < improved.at


def test_what_a_later_region_adds_is_an_update_of_the_same_episode() -> None:
    fleet, _, _ = worse()
    assert fleet.events[-1].event == "updated"
    assert fleet.events[-1].changes == ("a: Connection refused",)
    assert fleet.events[-1].episode == 2


def test_an_event_of_the_first_episode_does_not_have_its_number() -> None:
    _, improved, worsened = worse()
    assert b"episode" not in incidents.encode(improved)
    assert b'"episode":2' in incidents.encode(worsened)
    for event in (improved, worsened):
        assert incidents.decode(incidents.encode(event)) == event


def test_a_worsening_has_nobody_who_acknowledged_it() -> None:
    fleet = Fleet(target())
    look(fleet, 2, "a b c")
    seen = fleet.events[-1].incident_id
    fleet.control(Acknowledged(target="db", incident_id=seen, by="ann", note="on it"))
    look(fleet, 2, "c")
    assert fleet.events[-1].acknowledged_by == "ann"
    assert fleet.events[-1].acknowledged_note == "on it"
    look(fleet, 1, "a b c")
    worsened = next(event for event in fleet.events if event.event == "worsened")
    assert (worsened.acknowledged_by, worsened.acknowledged_note) == (None, UNSET)
    assert (fleet.events[-1].acknowledged_by, fleet.events[-1].acknowledged_note) == (None, UNSET)


def test_flapping_that_takes_over_says_so() -> None:
    fleet = Fleet(target())
    for _ in range(4):
        look(fleet, 3, "a b c")
        look(fleet, 3, "c")
    closed, opened = (event for event in alerts(fleet)[-2:])
    assert (closed.event, closed.closed_because, closed.at) == ("closed", "flapping", opened.at)
    assert closed.episode == 3
    assert "goes down and up again and again; an incident of its flapping takes over" in (
        closed.summary
    )
    assert (opened.event, opened.incident_type) == ("opened", "flapping")
    look(fleet, 30, "c")
    assert fleet.events[-1].closed_because == "recovered"
    assert fleet.events[-1].summary.startswith(
        "db1.example.com:5432 has been steadily reachable for half an hour, though not from c"
    )
