"""A dependency's change costs its dependents, however many others are open."""

import pytest

from schemas.policy import Maintenance, Route, Silence
from tests.unit.sinks.notifier.decision.office import HOUR, MINUTE, SECOND, Office
from tests.unit.sinks.notifier.decision.test_spared_by_dependency import event, facts, told_of
from tests.unit.sinks.notifier.decision.test_work import calls
from tests.unit.sinks.notifier.events import AT

A = "json://a"
ROUTE = Route(name="all", urls=(A,), default=True)


def fleet(dependents: int, others: int) -> Office:
    there = Office(ROUTE)
    there.facts["gw"] = facts("gw", settle_ms=5 * MINUTE)
    for number in range(dependents):
        there.facts[f"d{number}"] = facts(f"d{number}", "gw")
        there.desk.take(event(there, f"d{number}"), there.now)
    for number in range(others):
        there.facts[f"o{number}"] = facts(f"o{number}", "elsewhere")
        there.desk.take(event(there, f"o{number}"), there.now)
    there.turn()
    return there


def test_a_change_of_a_dependency_looks_at_its_dependents_alone() -> None:
    few, many = fleet(20, 0), fleet(20, 2_000)
    down = [
        calls(lambda there=there: there.desk.take(event(there, "gw"), there.now))
        for there in (few, many)
    ]
    assert down[1] <= down[0] + 100
    for there in (few, many):
        there.turn()
        there.wait(MINUTE)
    up = [
        calls(lambda there=there: there.desk.take(event(there, "gw", "closed"), there.now))
        for there in (few, many)
    ]
    assert up[1] <= up[0] + 100


def test_the_work_grows_with_the_number_of_dependents() -> None:
    """2,800 behind one gateway: held, released, and each told once."""
    work = []
    for dependents in (280, 2_800):
        there = fleet(dependents, 0)

        def story(there: Office = there) -> None:
            there.take(event(there, "gw"))
            there.wait(HOUR)
            there.take(event(there, "gw", "closed"))
            there.wait(HOUR)

        work.append(calls(story))
        assert len(told_of(there)) == dependents + 2
        assert len(there.whys("opened")) == dependents
        opened = [one for one in there.sent if one.action == "opened"][1:]
        # The channel takes some at a time; none waits for the settle time of another one.
        assert min(one.at for one in opened) == AT + HOUR + 36 * SECOND
    assert work[1] < 13 * work[0]


@pytest.mark.parametrize("others", [10, 1_000])
def test_facts_of_a_target_touch_its_subjects_alone(others: int) -> None:
    there = fleet(1, others)
    there.wait(MINUTE)
    there.facts["d0"] = facts("d0")
    assert calls(lambda: there.desk.facts_changed("d0", there.now)) < 100


def test_many_old_silences_and_windows_cost_little() -> None:
    """A policy keeps what is over; an event is held against what may be on."""
    old = [
        Silence(
            name=f"s{number}",
            begins_at=AT - 3 * HOUR,
            ends_at=AT - HOUR,
            reason="r",
            by="b",
            created_at=AT,
        )
        for number in range(1_000)
    ]
    windows = [
        Maintenance(name=f"w{number}", targets=(f"x{number}",), start=AT, duration_ms=HOUR)
        for number in range(1_000)
    ]
    there = Office(ROUTE, *old, *windows)
    there.facts["d0"] = facts("d0")
    assert calls(lambda: there.desk.take(event(there, "d0"), there.now)) < 300


def test_many_silences_of_others_cost_little() -> None:
    """An event is held against the silences of its target, tags and team, and the general ones."""
    fields = ({"targets": ("x{}",)}, {"tags": ("rack{}",)}, {"teams": ("team{}",)})
    silences = [
        Silence(
            name=f"s{number}",
            begins_at=AT - HOUR,
            ends_at=AT + HOUR,
            reason="r",
            by="b",
            created_at=AT,
            **{key: (one[0].format(number),) for key, one in fields[number % 3].items()},  # type: ignore[arg-type]
        )
        for number in range(3_000)
    ]
    there = Office(ROUTE, *silences)
    there.facts["d0"] = facts("d0")
    assert calls(lambda: there.desk.take(event(there, "d0"), there.now)) < 300


def test_another_window_unrolls_only_itself() -> None:
    """A window of ten years is 3,650 times; an edit of another one must not look through them."""
    old = Maintenance(
        name="old",
        targets=("d0",),
        start=AT - 3_650 * 24 * HOUR,
        duration_ms=HOUR,
        rrule="FREQ=DAILY",
        timezone="Europe/Berlin",
    )
    there = Office(ROUTE, old)
    there.facts["d0"] = facts("d0")
    there.take(event(there, "d0"))
    other = Maintenance(name="new", targets=("x",), start=AT, duration_ms=HOUR)
    assert calls(lambda: there.route(ROUTE, old, other)) < 1_000
