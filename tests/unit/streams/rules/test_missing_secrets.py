"""Rule 14: the secrets that a region lacks are told once, and once that it has them."""

from msgspec import UNSET

from schemas import incident
from schemas.incident import RegionEvent
from schemas.partition import partition_for
from streams.checkpoint import decoder
from tests.unit.streams.rules.fleet import Fleet, target

A, B, C = (f"PORTQUORUM_SECRET_{letter}" for letter in "ABC")


def fleet_of(partitions: int = 1) -> Fleet:
    return Fleet(target(regions="a"), partitions=partitions)


def beats(fleet: Fleet, seconds: int, *, prober: str = "", **lacks: tuple[str, ...]) -> None:
    """Beats of region a every 5 s; `lacks` names variables by their last letter."""
    named = {f"PORTQUORUM_SECRET_{letter}": targets for letter, targets in lacks.items()}
    for _ in range(0, seconds, 5):
        fleet.wait(5_000).beat("a", prober=prober, lacks=named)


def told(fleet: Fleet) -> list[str]:
    return [event.event.removeprefix("region.") for event in fleet.region_events]


def last(fleet: Fleet) -> RegionEvent:
    return fleet.region_events[-1]


def test_they_are_told_once_with_variables_and_targets() -> None:
    fleet = fleet_of()
    beats(fleet, 10, A=("api", "shop"), B=("db",))
    assert told(fleet) == []
    beats(fleet, 600, A=("api", "shop"), B=("db",))
    assert told(fleet) == ["secrets_missing"]
    assert last(fleet).missing_secrets == {A: ("api", "shop"), B: ("db",)}
    assert f"{A} (for api, shop), {B} (for db)" in last(fleet).summary
    assert incident.decode(incident.encode(last(fleet))) == last(fleet)


def test_once_more_when_no_prober_lacks_any_for_a_minute() -> None:
    fleet = fleet_of()
    beats(fleet, 20, A=("api",))
    beats(fleet, 60)
    assert told(fleet) == ["secrets_missing"]
    beats(fleet, 15)
    assert told(fleet) == ["secrets_missing", "secrets_found"]
    assert last(fleet).missing_secrets is UNSET
    beats(fleet, 600)
    beats(fleet, 20, A=("api",))
    assert told(fleet) == ["secrets_missing", "secrets_found", "secrets_missing"]


def test_what_is_missing_for_seconds_is_not_told() -> None:
    fleet = fleet_of()
    beats(fleet, 5, A=("api",))
    beats(fleet, 300)
    assert told(fleet) == []
    assert fleet.state.regions["a"].secrets is None


def test_a_prober_that_begins_anew_lacks_nothing_yet_and_ends_nothing() -> None:
    fleet = fleet_of()
    beats(fleet, 20, A=("api",))
    beats(fleet, 40)
    beats(fleet, 20, A=("api",))
    beats(fleet, 50)
    assert told(fleet) == ["secrets_missing"]


def test_one_prober_that_lacks_them_is_enough_until_it_is_gone() -> None:
    fleet = fleet_of()
    for _ in range(30):
        fleet.wait(5_000).beat("a", prober="a-1", lacks={A: ("api",)})
        fleet.beat("a", prober="a-2")
    assert told(fleet) == ["secrets_missing"]
    beats(fleet, 70, prober="a-2")
    assert told(fleet) == ["secrets_missing"]
    beats(fleet, 20, prober="a-2")
    assert told(fleet) == ["secrets_missing", "secrets_found"]


def test_all_probers_are_named_together() -> None:
    fleet = fleet_of()
    for _ in range(4):
        fleet.wait(5_000).beat("a", prober="a-1", lacks={A: ("api",)})
        fleet.beat("a", prober="a-2", lacks={A: ("shop",), B: ("db",)})
    assert last(fleet).missing_secrets == {A: ("api", "shop"), B: ("db",)}


def test_another_variable_is_told_but_not_at_once() -> None:
    fleet = fleet_of()
    beats(fleet, 20, A=("api",))
    beats(fleet, 280, A=("api",), C=("new",))
    assert told(fleet) == ["secrets_missing"]
    beats(fleet, 60, A=("api", "other"), C=("new",))
    assert told(fleet) == ["secrets_missing"] * 2
    assert last(fleet).missing_secrets == {A: ("api", "other"), C: ("new",)}
    beats(fleet, 900, A=("api", "third"))
    assert told(fleet) == ["secrets_missing"] * 2


def test_a_region_that_is_silent_has_not_found_them() -> None:
    fleet = fleet_of()
    beats(fleet, 20, A=("api",))
    fleet.wait(300_000)
    beats(fleet, 30)
    beats(fleet, 20, A=("api",))
    assert told(fleet) == ["secrets_missing", "silent", "returned"]


def test_a_broker_that_is_away_is_no_time() -> None:
    fleet = fleet_of()
    beats(fleet, 20, A=("api",))
    beats(fleet, 10)
    fleet.wait(3_600_000, broker_away=True)
    beats(fleet, 20, A=("api",))
    assert told(fleet) == ["secrets_missing"]


def test_one_partition_speaks_and_only_it_keeps_them() -> None:
    spoken, kept = [], []
    for partition in range(4):
        fleet = Fleet(partitions=4)
        fleet.state.partition = partition
        beats(fleet, 30, A=("api",))
        spoken.append(len(fleet.region_events))
        kept.append(fleet.state.regions["a"].secrets is not None)
    ours = [partition_for("a", 4) == partition for partition in range(4)]
    assert spoken == [int(one) for one in ours]
    assert kept == ours


def test_forged_beats_do_not_fill_the_memory() -> None:
    fleet = fleet_of()
    for number in range(100):
        named = {f"PORTQUORUM_SECRET_{number:03}_{at}": ("x" * 255,) * 5 for at in range(20)}
        fleet.wait(5_000).beat("a", prober=f"p{number}", lacks=named)
    known = fleet.state.regions["a"].secrets
    assert known is not None
    assert len(known.named) == 20
    assert len(last(fleet).summary) < 4_000


def test_a_worker_that_goes_on_from_a_checkpoint_says_the_same() -> None:
    fleet, again = fleet_of(), fleet_of()
    for one in (fleet, again):
        beats(one, 15, A=("api",))
    again.state = decoder.decode(decoder.encode(again.state), 0, 1)
    for one in (fleet, again):
        beats(one, 600, A=("api",), C=("new",))
        beats(one, 90)
    assert told(fleet) == ["secrets_missing", "secrets_missing", "secrets_found"]
    assert again.region_events == fleet.region_events
    assert decoder.encode(again.state) == decoder.encode(fleet.state)
