"""What can't be reached because another target is down: one message, whoever fails first."""

from typing import Any

import pytest

from schemas.policy import Pause, Route
from sinks.notifier.model import TargetFacts
from tests.unit.sinks.notifier.decision.office import DAY, HOUR, MINUTE, SECOND, Office
from tests.unit.sinks.notifier.events import AT, incident_event

A, PAGER = "json://a", "pagerduty://p"
ROUTE = Route(name="all", urls=(A,))
SETTLE = 34 * SECOND
"""Of a target that is checked every 30 s with a time-out of 2 s and no retry."""

DOWN = "dependency: Gateway (gw:443) is down"


def facts(name: str, *on: str, settle_ms: int = SETTLE, answer_ms: int = 6_000) -> TargetFacts:
    return TargetFacts(
        id=name,
        name=name,
        place=f"{name}:80",
        depends_on=on,
        settle_ms=settle_ms,
        answer_ms=answer_ms,
    )


def event(there: Office, target: str, kind: str = "opened", **fields: Any) -> Any:
    """An event of the incident of a target, now."""
    values: dict[str, Any] = {
        "event": kind,
        "event_id": f"{target}-{kind}-{there.now}",
        "incident_id": f"i-{target}",
        "target": target,
        "name": target,
        "host": f"{target}.example.com",
        "first_failed_at": there.now - SECOND,
        "opened_at": there.now,
        "at": there.now,
    }
    if kind == "closed":
        values |= {"closed_at": there.now, "closed_because": "recovered"}
    if target == "gw":
        values |= {"name": "Gateway", "host": "gw", "port": 443}
    return incident_event(**(values | fields))


def site(dependents: int, *routes: Route) -> Office:
    """A gateway that is checked every 5 min, and targets behind it that are every 30 s."""
    there = Office(*(routes or (ROUTE,)))
    there.facts["gw"] = facts("gw", settle_ms=5 * MINUTE)
    for number in range(dependents):
        there.facts[f"d{number}"] = facts(f"d{number}", "gw")
    return there


def told_of(there: Office, url: str = A) -> list[str]:
    """`ACTION TARGET` of all that a channel was told."""
    return [
        f"{one.action} {news.event.target}"  # type: ignore[union-attr]
        for one in there.sent
        if one.channel.url == url
        for news in one.news
    ]


@pytest.mark.parametrize("gateway_after", [0, 1_000, 5_900])
def test_one_message_for_a_gateway_and_58_behind_it(gateway_after: int) -> None:
    """Its dependents fail first, and are told of after its answer, which is that it is down."""
    there = site(58)
    names = [f"d{number}" for number in range(58)]
    there.take(*(event(there, name) for name in names[:30]))
    there.wait(gateway_after)
    there.take(event(there, "gw"))
    there.take(*(event(there, name) for name in names[30:]))
    there.wait(HOUR)
    assert told_of(there) == ["opened gw"]
    assert there.whys("opened") == [DOWN] * 58
    assert there.subject("incident/i-d7").audience[0].held == DOWN
    there.restart()
    there.take(event(there, "gw", "closed"))
    there.take(*(event(there, name, "closed") for name in names))
    there.wait(2 * DAY)
    assert told_of(there) == ["opened gw", "closed gw"]
    assert there.whys("closed") == [DOWN] * 58
    assert there.log == {}


def test_the_gateway_fails_first() -> None:
    there = site(58)
    there.take(event(there, "gw"))
    there.wait(20 * SECOND)
    there.take(*(event(there, f"d{number}") for number in range(58)))
    there.wait(HOUR)
    assert told_of(there) == ["opened gw"]


@pytest.mark.parametrize("restarts", [False, True])
def test_five_do_not_come_back_with_the_gateway(restarts: bool) -> None:
    there = site(58)
    there.take(event(there, "gw"))
    there.take(*(event(there, f"d{number}") for number in range(58)))
    there.wait(HOUR)
    there.take(event(there, "gw", "closed"))
    back_at = there.now
    there.wait(10 * SECOND)
    there.take(*(event(there, f"d{number}", "closed") for number in range(5, 58)))
    if restarts:
        there.restart()
    there.wait(HOUR)
    told = told_of(there)
    assert told[:2] == ["opened gw", "closed gw"]
    assert sorted(told[2:]) == [f"opened d{number}" for number in range(5)]
    late = [one for one in there.sent if one.action == "opened"][1:]
    assert all(one.at <= back_at + SETTLE + 2 * SECOND for one in late)
    assert {news.held for one in late for news in one.news} == {DOWN}


def test_all_of_one_host_that_do_not_come_back_are_one_message() -> None:
    there = site(5)
    there.take(event(there, "gw"))
    there.take(*(event(there, f"d{number}", host="h", port=number + 1) for number in range(5)))
    there.wait(MINUTE)
    there.take(event(there, "gw", "closed"))
    there.wait(HOUR)
    assert [(one.action, len(one.news)) for one in there.sent][2:] == [("opened", 5)]


def test_an_on_call_system_is_spared_too_and_told_of_what_stays() -> None:
    there = site(2, Route(name="all", urls=(PAGER,)))
    there.take(event(there, "d0"), event(there, "d1"), event(there, "gw"))
    there.wait(MINUTE)
    there.take(event(there, "gw", "closed"), event(there, "d1", "closed"))
    there.wait(HOUR)
    assert told_of(there, PAGER) == ["trigger gw", "resolve gw", "trigger d0"]


def test_who_was_told_before_the_gateway_failed_is_told_of_the_end() -> None:
    there = site(1)
    there.take(event(there, "d0"))
    there.wait(MINUTE)
    there.take(event(there, "gw"))
    there.wait(MINUTE)
    there.take(event(there, "d0", "closed"))
    there.wait(HOUR)
    assert told_of(there) == ["opened d0", "opened gw", "closed d0"]


def test_the_wait_ends_and_nothing_was_wrong_with_the_gateway() -> None:
    there = site(1)
    there.take(event(there, "d0"))
    there.wait(5_900)
    assert not there.sent
    there.wait(200)
    assert told_of(there) == ["opened d0"]
    assert there.rows[0].at - AT == 6_000


def test_the_wait_is_no_longer_than_15_s_and_only_of_what_depends() -> None:
    there = site(1)
    there.facts["gw"] = facts("gw", answer_ms=10 * MINUTE)
    there.facts["other"] = facts("other")
    there.take(event(there, "d0", host="h"), event(there, "other", host="h", port=1))
    there.wait(2_000)
    assert told_of(there) == ["opened other"]
    there.wait(13 * SECOND)
    assert told_of(there) == ["opened other", "opened d0"]


@pytest.mark.parametrize("until", [None, AT + HOUR])
def test_nobody_waits_for_the_answer_of_what_is_paused(until: int | None) -> None:
    there = site(1)
    there.route(ROUTE, Pause(name="gw", paused_at=AT, until=until, reason="", by="ann"))
    there.take(event(there, "d0"))
    there.wait(2_000)
    assert told_of(there) == ["opened d0"]


def test_a_pause_that_is_over_is_none() -> None:
    there = site(1)
    there.route(ROUTE, Pause(name="gw", paused_at=AT - HOUR, until=AT, reason="", by="ann"))
    there.take(event(there, "d0"))
    there.wait(5_000)
    assert not there.sent


def test_nobody_waits_for_the_answer_of_what_is_not_enabled() -> None:
    there = site(1)
    there.facts["gw"] = facts("gw", answer_ms=0)
    there.take(event(there, "d0"))
    there.wait(2_000)
    assert told_of(there) == ["opened d0"]


def test_the_wait_survives_a_failover() -> None:
    there = site(1)
    there.take(event(there, "d0"))
    there.wait(3_000)
    there.restart()
    there.wait(2_900)
    assert not there.sent
    there.take(event(there, "gw"))
    there.wait(HOUR)
    assert told_of(there) == ["opened gw"]


def test_a_blip_of_both_is_one_message() -> None:
    there = site(3)
    there.take(*(event(there, f"d{number}") for number in range(3)))
    there.wait(1_000)
    there.take(*(event(there, f"d{number}", "closed") for number in range(3)))
    there.take(event(there, "gw", first_failed_at=AT - SECOND))
    there.wait(SECOND)
    there.take(event(there, "gw", "closed"))
    there.wait(HOUR)
    assert told_of(there) == ["missed gw"]
    assert there.whys("closed") == [DOWN] * 3


def test_an_outage_after_the_gateway_is_back_is_one_of_its_own() -> None:
    there = site(1)
    there.take(event(there, "gw"))
    there.wait(MINUTE)
    there.take(event(there, "gw", "closed"))
    there.wait(3 * SECOND)
    there.take(event(there, "d0"))
    there.wait(10 * SECOND)
    assert told_of(there) == ["opened gw", "closed gw", "opened d0"]


def test_the_gateway_improves_and_is_down_again() -> None:
    there = site(1)
    there.take(event(there, "gw"), event(there, "d0"))
    there.wait(MINUTE)
    there.take(event(there, "gw", "improved"))
    there.wait(20 * SECOND)
    there.take(event(there, "gw", "worsened", episode=2))
    there.wait(HOUR)
    assert told_of(there) == ["opened gw", "improved gw", "worsened gw"]
    there.take(event(there, "gw", "improved"))
    there.wait(SETTLE + 2 * SECOND)
    assert told_of(there)[-1] == "opened d0"


@pytest.mark.parametrize(
    "because", ["recovered", "target_removed", "target_changed", "policy_changed", "resolved"]
)
def test_however_the_gateway_s_incident_ends_what_is_still_down_is_told(because: str) -> None:
    there = site(1)
    there.take(event(there, "gw"), event(there, "d0"))
    there.wait(MINUTE)
    if because == "target_removed":
        del there.facts["gw"]
    there.take(event(there, "gw", "closed", closed_because=because))
    there.wait(SETTLE + 2 * SECOND)
    assert told_of(there) == ["opened gw", "closed gw", "opened d0"]


def test_a_gateway_that_nobody_looks_at_any_more_spares_for_one_interval_of_its_own() -> None:
    """The dependents are abandoned then, too, if nobody looks at anything any more."""
    there = site(1)
    there.take(event(there, "gw"), event(there, "d0"))
    there.wait(MINUTE)
    there.take(event(there, "gw", "closed", closed_because="abandoned"))
    there.wait(5 * MINUTE + SETTLE - 1)
    assert told_of(there) == ["opened gw", "closed gw"]
    there.wait(3 * SECOND)
    assert told_of(there)[-1] == "opened d0"


def test_a_gateway_that_was_better_before_its_end_spares_from_then_on_for_the_settle_time() -> None:
    there = site(1)
    there.take(event(there, "gw"), event(there, "d0"))
    there.wait(MINUTE)
    there.take(event(there, "gw", "improved"))
    there.wait(SETTLE // 2)
    there.take(event(there, "gw", "closed"))
    there.wait(SETTLE // 2 + 2 * SECOND)
    assert told_of(there)[-1] == "opened d0"


def test_a_gateway_that_flaps_is_down() -> None:
    there = site(1)
    there.take(event(there, "gw"), event(there, "d0"))
    there.wait(MINUTE)
    there.take(event(there, "gw", "closed", closed_because="flapping"))
    flaps = {"incident_id": "i-flap", "incident_type": "flapping"}
    there.take(event(there, "gw", **flaps, event_id="flaps"))
    there.wait(HOUR)
    assert told_of(there) == ["opened gw", "opened gw"]
    there.take(event(there, "gw", "closed", **flaps, closed_because="recovered"))
    there.wait(HOUR)
    assert told_of(there)[2:] == ["closed gw", "opened d0"]


def test_a_slow_gateway_spares_nobody() -> None:
    there = site(1)
    there.take(event(there, "gw", incident_type="slow"), event(there, "d0"))
    there.wait(MINUTE)
    assert sorted(told_of(there)) == ["opened d0", "opened gw"]


def test_a_chain_is_one_message() -> None:
    there = Office(ROUTE)
    there.facts |= {"gw": facts("gw"), "sw": facts("sw", "gw"), "db": facts("db", "sw")}
    there.take(event(there, "db"), event(there, "sw"), event(there, "gw"))
    there.wait(HOUR)
    assert told_of(there) == ["opened gw"]


@pytest.mark.parametrize("known", [True, False])
def test_a_circle_spares_nobody_and_hangs_nowhere(known: bool) -> None:
    """Two inventories may make one; each would wait for the other, and nobody be told."""
    there = Office(ROUTE)
    circle = {"a": ("b", "a"), "b": ("c",), "c": ("a",), "d": ("a",)}
    if known:
        there.facts |= {name: facts(name, *on) for name, on in circle.items()}
    there.take(*(event(there, name, depends_on=on) for name, on in circle.items()))
    there.wait(HOUR)
    assert sorted(told_of(there)) == ["opened a", "opened b", "opened c"]


def test_a_circle_that_comes_while_one_is_held() -> None:
    there = Office(ROUTE)
    there.facts |= {"a": facts("a", "b"), "b": facts("b", "c"), "c": facts("c")}
    there.take(event(there, "c"), event(there, "b"), event(there, "a"))
    there.wait(MINUTE)
    assert told_of(there) == ["opened c"]
    there.facts["c"] = facts("c", "a")
    there.desk.facts_changed("c", there.now)
    there.wait(MINUTE)
    assert sorted(told_of(there)) == ["opened a", "opened b", "opened c"]


def test_ids_that_nobody_knows_make_nobody_wait() -> None:
    there = Office(ROUTE)
    there.take(event(there, "d0", depends_on=("gone", "d0", "", "gone")))
    there.wait(2 * SECOND)
    assert told_of(there) == ["opened d0"]


def test_without_a_directory_the_event_says_on_what_it_depends() -> None:
    there = Office(ROUTE)
    there.take(event(there, "gw"), event(there, "d0", depends_on=("gw",)))
    there.restart()
    there.wait(HOUR)
    assert told_of(there) == ["opened gw"]


def test_an_inventory_that_changes_while_it_is_held() -> None:
    there = site(1)
    there.take(event(there, "gw"), event(there, "d0"))
    there.wait(MINUTE)
    there.facts["d0"] = facts("d0")
    there.desk.facts_changed("d0", there.now)
    there.wait(2 * SECOND)
    assert told_of(there) == ["opened gw", "opened d0"]
    there.facts["d0"] = facts("d0", "gw")
    there.desk.facts_changed("d0", there.now)
    there.desk.facts_changed("nobody", there.now)
    there.take(event(there, "d0", "worsened", episode=2))
    there.wait(HOUR)
    assert told_of(there) == ["opened gw", "opened d0"]
    assert there.whys("worsened") == [DOWN]


def test_a_clock_that_is_set_back_holds_nobody_for_longer() -> None:
    there = site(1)
    there.take(event(there, "gw"), event(there, "d0"))
    there.wait(MINUTE)
    there.take(event(there, "gw", "closed"))
    there.now -= 3 * HOUR
    there.turn()
    there.wait(SETTLE + 3 * SECOND)
    assert told_of(there)[-1] == "opened d0"


def test_a_clock_that_is_set_back_during_the_wait() -> None:
    there = site(1)
    there.take(event(there, "d0"))
    there.now -= HOUR
    there.turn()
    there.wait(5_900)
    assert not there.sent
    there.wait(SECOND)
    assert told_of(there) == ["opened d0"]


def test_the_dependency_ended_before_the_failover_and_was_forgotten() -> None:
    there = site(1)
    there.take(event(there, "gw"), event(there, "d0"))
    there.wait(MINUTE)
    there.take(event(there, "gw", "closed"))
    there.record()
    there.now += 2 * DAY
    there.restart(calm=False)
    there.wait(MINUTE)
    assert told_of(there)[-1] == "opened d0"
    there.take(event(there, "d0", "closed"))
    there.wait(2 * DAY)
    assert there.log == {}


def test_an_opening_that_gets_better_before_the_answer_waits_for_it_too() -> None:
    there = site(2)
    there.take(event(there, "d0", host="one.example.com"))
    there.wait(SECOND)
    there.take(event(there, "d0", "improved", host="one.example.com"))
    there.take(event(there, "free", host="one.example.com"))  # it waits for nothing
    there.wait(4 * SECOND)
    assert told_of(there) == ["opened free"]
    there.wait(2 * SECOND)
    assert told_of(there) == ["opened free", "opened d0"]
