"""What a drill sees becomes stages; the first that is missing is the exit code."""

from typing import Any

import pytest

from portquorum.drill.stages import EXIT_CODES, DrillWatch
from schemas.incident import Votes
from schemas.result import CheckResult
from tests.unit.sinks.notifier.events import incident_event

REGIONS = ("a", "b", "c")


def result(region: str, status: str = "up", **fields: Any) -> CheckResult:
    values: dict[str, Any] = {
        "target": "drill",
        "target_version": 1,
        "kind": "tcp",
        "host": "127.0.0.1",
        "port": 28845,
        "region": region,
        "prober": "p",
        "cause": "schedule",
        "status": status,
        "reason": "refused" if status == "down" else None,
        "scheduled_at": 1,
        "started_at": 1,
        "attempt": 0,
    }
    return CheckResult(**(values | fields))


def seen(watch: DrillWatch, *results: CheckResult, at: float) -> list[tuple[str, float]]:
    return [(stage.stage, stage.seconds) for one in results for stage in watch.result(one, at)]


def test_every_stage_in_its_order_with_the_seconds_of_its_part() -> None:
    watch = DrillWatch(REGIONS, 100.0)
    assert watch.missing == "watched"
    assert seen(watch, result("a"), result("b"), at=101.0) == []
    assert watch.unheard == ("c",)
    assert seen(watch, result("c"), at=102.5) == [("watched", 2.5)]
    assert watch.missing is None

    watch.begin("outage", 200.0)
    assert watch.missing == "first failure"
    assert seen(watch, result("a"), at=200.5) == []  # an answer of before
    assert seen(watch, result("b", "down"), at=201.0) == [("first failure", 1.0)]
    assert watch.missing == "quorum"
    assert seen(watch, result("b", "down", cause="retry"), at=201.5) == [("retry", 1.5)]
    assert watch.missing == "quorum"  # one region is none
    found = seen(watch, result("a", "down", cause="recheck"), at=202.0)
    assert found == [("recheck", 2.0), ("quorum", 2.0)]
    opened = incident_event(event="opened", incident_id="i1")
    assert [one.stage for one in watch.event(opened, 203.0)] == ["incident"]
    assert watch.incident_id == "i1"
    assert list(watch.message("resolve", "Reachable", 203.5)) == []
    assert watch.missing == "message"
    assert [one.detail for one in watch.message("trigger", "Down", 204.0)] == ["Down"]
    assert watch.missing is None

    watch.begin("recovery", 300.0)
    assert seen(watch, result("c"), at=301.0) == [("recovered", 1.0)]
    closed = incident_event(event="closed", incident_id="i1", closed_because="recovered")
    assert [one.detail for one in watch.event(closed, 302.0)] == ["recovered"]
    assert watch.missing == "told"
    assert [one.stage for one in watch.message("resolve", "Up", 302.5)] == ["told"]
    assert watch.missing is None


def test_what_does_not_count_is_no_stage() -> None:
    watch = DrillWatch(("a",), 0.0)
    assert seen(watch, result("a", "missed"), at=1.0) == []
    assert watch.missing == "watched"


@pytest.mark.parametrize(("regions", "need"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 4), (6, 4)])
def test_the_quorum_is_that_of_the_rules(regions: int, need: int) -> None:
    names = [f"r{number}" for number in range(regions)]
    watch = DrillWatch(names, 0.0)
    watch.begin("outage", 0.0)
    reached = [
        number
        for number, name in enumerate(names, 1)
        if ("quorum", 1.0) in seen(watch, result(name, "down"), at=1.0)
    ]
    assert reached == [need]


def test_an_opening_is_a_quorum_although_no_result_was_seen() -> None:
    watch = DrillWatch(REGIONS, 0.0)
    watch.begin("outage", 0.0)
    votes = Votes(down=2, need=2, fresh=3, configured=3)
    found = list(watch.event(incident_event(event="opened", votes=votes), 1.0))
    assert [one.stage for one in found] == ["quorum", "incident"]
    assert watch.missing == "first failure"


def test_each_stage_that_must_come_has_a_code_of_its_own() -> None:
    missing = set()
    for part in ("watch", "outage", "recovery"):
        watch = DrillWatch(REGIONS, 0.0)
        watch.begin(part, 0.0)  # type: ignore[arg-type]
        missing.add(watch.missing)
    assert missing == {"watched", "first failure", "recovered"}
    assert len(set(EXIT_CODES.values())) == len(EXIT_CODES)
    assert not {0, 1, 2, 130} & set(EXIT_CODES.values())
