"""Rule 6: what the other targets of a host have to do with an incident, and when that is told."""

import pytest

from schemas.control import TargetSet
from streams.rules import work_budget
from streams.rules.apply import apply
from tests.unit.streams.rules.fleet import Fleet, target

PORTS = ("p1", "p2", "p3")


def fall(fleet: Fleet, *names: str) -> Fleet:
    """Targets that are up go down, one after the other."""
    for name in names:
        fleet.down("a", "b", "c", of=name)
    return fleet


def calm(*names: str) -> Fleet:
    fleet = Fleet(*(target(name, port=n + 1) for n, name in enumerate(names)))
    for name in names:
        fleet.up("a", "b", "c", of=name)
    return fleet.wait(1000)


def statuses(fleet: Fleet) -> list[str]:
    """Those of the others, as the last event names them."""
    return [one.status for one in fleet.events[-1].host_targets]


def looks(fleet: Fleet) -> list[str]:
    """Of which targets it was told what it looks like now."""
    return [
        event.target
        for event in fleet.events
        if any(change.startswith("it now looks like this") for change in event.changes)
    ]


def test_news_of_the_host_are_told_with_the_next_deadlines() -> None:
    fleet = fall(calm(*PORTS), *PORTS)
    assert looks(fleet) == []
    fleet.tick()
    assert looks(fleet) == ["p1", "p2"]
    assert all("none of its 3 watched ports" in event.summary for event in fleet.events[-2:])
    assert [event.at for event in fleet.events[-2:]] == [fleet.now] * 2
    fleet.wait(5000).tick()
    assert looks(fleet) == ["p1", "p2"]


def test_what_opens_knows_its_host_at_once() -> None:
    fleet = fall(calm(*PORTS), *PORTS)
    last = next(one for one in fleet.events if (one.target, one.event) == ("p3", "opened"))
    assert [(one.target, one.status) for one in last.host_targets] == [
        ("p1", "down"),
        ("p2", "down"),
    ]
    assert "none of its 3 watched ports accepts a connection" in last.summary


def test_deadlines_are_looked_at_once_a_second_at_most() -> None:
    fleet = calm(*PORTS)
    fall(fleet, "p1", "p2")
    fleet.tick()
    for region in "abc":
        fleet.append([fleet.result(region, "connection_refused", of="p3")])
    fleet.wait(999).tick()
    assert looks(fleet) == []
    fleet.wait(1).tick()
    assert looks(fleet) == ["p1", "p2"]


def test_news_outlive_a_restart() -> None:
    fleet = fall(calm(*PORTS), *PORTS)
    restored = fleet.restored()
    assert list(restored.news) == ["db1.example.com"]
    found = fleet.tick()
    assert apply(restored, fleet.log[-1]) == found
    assert found
    assert not restored.news


def test_of_many_hosts_with_news_the_longest_waiting_come_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(work_budget, "AT_ONCE", 3)
    hosts = ("h3", "h1", "h2")
    fleet = Fleet(
        *(
            target(f"{host}-{port}", host=f"{host}.example.com", port=port)
            for host in hosts
            for port in (1, 2)
        )
    )
    for host in hosts:
        for port in (1, 2):
            fleet.up("a", "b", "c", of=f"{host}-{port}")
    fleet.wait(1000)
    for host in hosts:
        fall(fleet, f"{host}-1", f"{host}-2")
    fleet.tick()
    assert looks(fleet) == ["h1-1", "h3-1"]
    fleet.wait(1000).tick()
    assert looks(fleet) == ["h1-1", "h3-1", "h2-1"]


def test_a_target_that_has_its_host_to_itself_has_no_news() -> None:
    fleet = fall(calm("p1"), "p1")
    assert fleet.told == ["opened", "updated"]
    assert not fleet.state.news


def test_what_was_seen_of_a_host_is_true_for_as_long_as_its_results_are() -> None:
    """No control record comes, which would be the time to look at everything."""
    fleet = fall(calm(*PORTS), "p1")
    for _ in range(15):
        fleet.wait(10_000).fail("a", "b", "c", of="p1")
    fleet.wait(1).fail("a", of="p1", reason="timed_out")
    assert (fleet.events[-1].at, statuses(fleet)) == (fleet.now, ["up", "up"])
    fleet.wait(2_000).fail("a", of="p1", reason="connection_reset")
    assert statuses(fleet) == ["unknown", "unknown"]
    fleet.wait(1).up("b", "c", of="p2")
    fleet.fail("a", of="p1", reason="timed_out")
    assert statuses(fleet) == ["up", "unknown"]


def test_a_target_that_comes_or_has_another_name_is_seen_at_once() -> None:
    fleet = fall(calm(*PORTS), "p1")
    fleet.control(TargetSet(target("p2", port=2, name="Orders", version=2)))
    fleet.control(TargetSet(target("p4", port=4)))
    fleet.remove("p3")
    fleet.wait(1).fail("a", of="p1", reason="timed_out")
    told = [(one.name, one.status) for one in fleet.events[-1].host_targets]
    assert told == [("Orders", "up"), ("P4", "pending")]
