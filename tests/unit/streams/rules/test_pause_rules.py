"""Rule 15: what is paused, or not enabled, is not judged, and begins anew afterwards."""

import pytest
from msgspec import UNSET, structs

from schemas.control import TargetPaused, TargetRemoved, TargetResumed, TargetSet
from schemas.incident import IncidentType, TargetsEvent
from schemas.target import Target
from streams.checkpoint import decoder
from streams.rules.pauses import CLOCK_MS
from tests.unit.streams.rules.fleet import Fleet, target
from tests.unit.streams.rules.test_inventory_change_rules import each_type, opened

HOUR_MS = 3_600_000
SECOND_MS = 1_000


def pause(fleet: Fleet, lasts: int | None = None, of: str = "db", **changes: object) -> int:
    """Pauses; returns the number of events before."""
    before = len(fleet.events)
    values = {"target": of, "by": "ann", "until": None if lasts is None else fleet.now + lasts}
    fleet.control(TargetPaused(**(values | changes)))  # type: ignore[arg-type]
    return before


def one(version: int = 1, **changes: object) -> Target:
    return target(**({"retries": 0, "version": version} | changes))  # type: ignore[arg-type]


@each_type
def test_open_incidents_close_and_say_who_until_when_and_why(of: IncidentType) -> None:
    fleet = opened(of)
    before = pause(fleet, HOUR_MS, note="disk is replaced")
    (event,) = fleet.events[before:]
    assert (event.event, event.closed_because) == ("closed", "target_paused")
    assert event.paused_by == "ann"
    assert event.paused_until == fleet.now + HOUR_MS
    assert event.paused_note == "disk is replaced"
    assert " is paused by ann until 2027-01-15 09:00:0" in event.summary
    assert " UTC: disk is replaced; its incident ends after " in event.summary
    assert "db" not in fleet.state.targets


def test_a_pause_without_end_says_so() -> None:
    fleet = opened("unreachable")
    before = pause(fleet)
    (event,) = fleet.events[before:]
    assert event.paused_until is event.paused_note is UNSET
    assert "is paused by ann until it is resumed; its incident ends after" in event.summary


def test_nothing_opens_and_nothing_is_asked_while_it_is_paused() -> None:
    fleet = Fleet(one())
    before, asked = pause(fleet), len(fleet.requests)
    for _ in range(3):
        fleet.wait(60_000).fail("a", "b", "c")
    assert fleet.events[before:] == []
    assert len(fleet.requests) == asked


def test_it_is_not_unwatched_nor_are_its_regions_waited_for() -> None:
    fleet = Fleet(one())
    pause(fleet)
    fleet.wait(2 * HOUR_MS).tick()
    assert [out for out in fleet.outputs if isinstance(out, TargetsEvent)] == []
    assert fleet.region_events == []


def test_it_ends_by_itself_with_the_first_record_at_its_end() -> None:
    fleet = Fleet(one(), target("other", host="db1.example.com", port=22))
    pause(fleet, 60_000)
    fleet.wait(59_999).up("a", of="other")
    assert "db" in fleet.state.paused
    fleet.wait(1).up("a", of="other")  # no control record: nobody waits for a tick
    assert not fleet.state.paused
    assert "db" in fleet.state.targets
    fleet.fail("a", "b")
    assert fleet.told[-1] == "opened"


def test_it_ends_when_it_is_resumed_and_is_as_new() -> None:
    fleet = opened("unreachable")
    pause(fleet, HOUR_MS)
    fleet.wait(SECOND_MS).control(TargetResumed(target="db", by="bob"))
    assert [window for window in fleet.windows() if window is not None] == []
    fleet.wait(HOUR_MS).tick()  # the end that the pause would have had ends nothing
    fleet.fail("a", "b")
    assert fleet.told[-2:] == ["closed", "opened"]


@pytest.mark.parametrize(("ago", "counts"), [(CLOCK_MS, False), (CLOCK_MS - 1, True), (0, True)])
def test_what_began_before_the_end_does_not_count(ago: int, counts: bool) -> None:
    fleet = Fleet(one())
    pause(fleet, 10_000)
    fleet.wait(10_000)
    fleet.append([fleet.result("a", "timed_out", ago=ago)])
    assert (fleet.windows()[0] is not None) is counts


def test_resuming_what_is_not_paused_changes_nothing() -> None:
    fleet = opened("unreachable")
    before = decoder.encode(fleet.state)[1:]
    fleet.control(TargetResumed(target="db", by="bob"))
    fleet.control(TargetResumed(target="nobody", by="bob"))
    assert decoder.encode(fleet.state)[1:] == before


def test_a_pause_before_the_target_holds() -> None:
    fleet = Fleet()
    pause(fleet, HOUR_MS)
    fleet.control(TargetSet(one()))
    assert not fleet.state.targets
    fleet.wait(HOUR_MS).tick()
    assert list(fleet.state.targets) == ["db"]
    assert not fleet.state.paused


def test_a_pause_of_nothing_is_forgotten_at_its_end() -> None:
    fleet = Fleet()
    pause(fleet, HOUR_MS)
    fleet.wait(HOUR_MS).tick()
    assert not fleet.state.paused


def test_a_later_pause_replaces_an_earlier_one() -> None:
    fleet = Fleet(one())
    pause(fleet, 60_000)
    pause(fleet, HOUR_MS, by="bob")
    fleet.wait(60_000).tick()
    paused = fleet.state.paused["db"].pause
    assert paused is not None
    assert paused.by == "bob"
    pause(fleet, 1_000)
    fleet.wait(1_000).tick()
    assert "db" in fleet.state.targets


def test_a_pause_that_is_over_when_it_is_read_ends_what_was() -> None:
    fleet = opened("unreachable")
    before = pause(fleet, 0)
    assert fleet.events[before:] == []
    pause(fleet)
    pause(fleet, -1)
    assert "db" in fleet.state.targets


def test_a_definition_replaces_the_kept_one_and_an_older_one_does_not() -> None:
    fleet = Fleet(one(5))
    pause(fleet)
    fleet.control(TargetSet(one(7, port=6543)))
    fleet.control(TargetSet(one(6, port=1)))
    fleet.control(TargetResumed(target="db", by="bob"))
    assert fleet.state.targets["db"].port == 6543


def test_disabled_by_the_inventory_it_closes_and_opens_again() -> None:
    fleet = opened("unreachable")
    before = len(fleet.events)
    fleet.control(TargetSet(one(2, enabled=False)))
    (event,) = fleet.events[before:]
    assert event.closed_because == "target_paused"
    assert event.paused_by is UNSET
    assert "is not enabled any more by its inventory; its incident ends" in event.summary
    fleet.wait(60_000).fail("a", "b", "c")
    assert len(fleet.events) == before + 1
    fleet.control(TargetSet(one(3)))
    fleet.wait(SECOND_MS).fail("a", "b")
    assert fleet.told[-1] == "opened"


def test_an_older_definition_disables_nothing() -> None:
    fleet = Fleet(one(5))
    fleet.control(TargetSet(one(4, enabled=False)))
    assert "db" in fleet.state.targets
    fleet.control(TargetSet(one(6, enabled=False)))
    fleet.control(TargetSet(one(5)))
    assert "db" not in fleet.state.targets


def test_paused_and_disabled_needs_both_to_end() -> None:
    fleet = Fleet(one())
    pause(fleet)
    fleet.control(TargetSet(one(2, enabled=False)))
    fleet.control(TargetResumed(target="db", by="bob"))
    assert "db" in fleet.state.paused
    pause(fleet)
    fleet.control(TargetSet(one(3)))
    assert "db" in fleet.state.paused
    fleet.control(TargetResumed(target="db", by="bob"))
    assert "db" in fleet.state.targets


@pytest.mark.parametrize("because", ["removed", "target_changed"])
def test_a_pause_goes_with_its_target(because: str) -> None:
    fleet = opened("unreachable")
    before = pause(fleet, HOUR_MS) + 1
    fleet.control(TargetRemoved(target="db", version=0, because=because))  # type: ignore[arg-type]
    assert "db" in fleet.state.paused
    fleet.remove("db", because=because)
    assert not fleet.state.paused
    assert fleet.events[before:] == []
    fleet.control(TargetSet(one(11)))
    assert "db" in fleet.state.targets


def test_a_late_removal_leaves_the_pause_of_what_is_still_to_be_set() -> None:
    """Two applies at once: the removal of the one comes between pause and target of the other."""
    fleet = Fleet()
    pause(fleet)
    fleet.remove("db")
    fleet.control(TargetSet(one(11)))
    assert not fleet.state.targets


def test_it_is_no_neighbour_while_it_is_paused() -> None:
    fleet = Fleet(one(), target("ssh", retries=0, port=22))
    fleet.up("a", "b", "c", of="db")
    pause(fleet)
    fleet.wait(SECOND_MS).fail("a", "b", "c", of="ssh")
    assert fleet.events[-1].host_targets == ()


def test_a_checkpoint_keeps_it_and_its_end() -> None:
    fleet = Fleet(one(), target("other", port=22))
    pause(fleet, HOUR_MS, note="disk")
    pause(fleet, None, of="unknown")
    fleet.control(TargetSet(target("off", version=1, enabled=False)))
    fleet.state = fleet.restored()
    assert fleet.state.paused.keys() == {"db", "unknown", "off"}
    fleet.wait(HOUR_MS).tick()
    assert fleet.state.paused.keys() == {"unknown", "off"}
    assert fleet.state.targets.keys() == {"db", "other"}


def test_a_checkpoint_that_says_both_is_refused() -> None:
    fleet = Fleet(one())
    pause(fleet)
    fleet.state.put(one())
    with pytest.raises(ValueError, match="'db' to be judged or paused, found both"):
        fleet.restored()


def test_transitions_are_forgotten() -> None:
    fleet = opened("flapping")
    pause(fleet)
    fleet.control(TargetResumed(target="db", by="bob"))
    fleet.wait(SECOND_MS).fail("a", "b", "c")
    assert fleet.events[-1].incident_type == "unreachable"


def test_many_pauses_with_ends_of_their_own_end_in_order() -> None:
    fleet = Fleet(*(target(f"t{number}", port=number + 1) for number in range(200)))
    for number in range(200):
        pause(fleet, 1_000 * (200 - number), of=f"t{number}")
    fleet.wait(100_000).tick()
    assert set(fleet.state.paused) == {f"t{number}" for number in range(100)}
    fleet.wait(100_000).tick()
    assert not fleet.state.paused


def test_enabled_is_in_no_event_and_no_judged_state() -> None:
    """The bytes of a checkpoint are those of a log that never had it."""
    fleet, other = Fleet(one()), Fleet(structs.replace(one(), enabled=True))
    assert decoder.encode(fleet.state) == decoder.encode(other.state)
