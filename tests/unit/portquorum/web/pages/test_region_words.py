"""What each region says of a target, by sources of different ages."""

from msgspec.structs import replace

from portquorum.web.answers import IncidentAnswer, RegionNow, TargetAnswer
from portquorum.web.history.answers import CheckSeen, RegionChecks
from portquorum.web.pages.because import because
from portquorum.web.pages.region_words import RegionWord, last_event, region_words
from schemas.incident import RegionVerdict, Verdict
from schemas.result import Reason
from tests.unit.portquorum.web.fakes import NOW, FakeFleet, incident_row

S = 1000
REGIONS = ("eu", "us")
BOTH = "eu connection timed out, us connection timed out"


def target(state: str = "up", said: str = "up", status_age: int = 20 * S) -> TargetAnswer:
    found = FakeFleet().target("db-0")
    assert found is not None
    definition = replace(found.definition, interval_ms=5 * S, timeout_ms=S, regions=REGIONS)
    return replace(
        found,
        freshness=replace(found.freshness, status_at=NOW - status_age),
        row=replace(found.row, state=state, regions=REGIONS),
        definition=replace(definition, retries=0),
        regions=tuple(RegionNow(region=one, status=said) for one in REGIONS),
    )


def event(age: int, verdict: Verdict, *, is_open: bool = True) -> IncidentAnswer:
    found = FakeFleet().incident("inc-0")
    assert found is not None
    reason: Reason | None = "timed_out" if verdict == "down" else None
    said = RegionVerdict(verdict=verdict, reason=reason, since=NOW - age)
    closed_at = None if is_open else NOW - age
    row = incident_row(0, changed_at=NOW - age, closed_at=closed_at)
    return replace(found, row=row, regions=dict.fromkeys(REGIONS, said))


def checks(age: int, status: str) -> list[RegionChecks]:
    one = CheckSeen(
        at=NOW - age,
        status=status,
        reason="timed_out" if status == "down" else None,
        detail="",
        attempt=0,
        cause="scheduled",
        latency_ms=None,
    )
    return [RegionChecks(region=region, checks=(one,)) for region in REGIONS]


def words_of(found: list[RegionWord]) -> set[str]:
    return {one.status for one in found}


def test_just_after_an_outage_all_says_down_though_status_now_says_up() -> None:
    answer = target("down")
    for seen in (checks(4 * S, "up"), checks(1 * S, "down"), [], None):
        found = region_words(answer, event(3 * S, "down"), seen)
        assert words_of(found) == {"down"}
        assert all(one.newest is not None and one.newest.status == "down" for one in found)
        assert because(answer, found)[0].startswith(
            f"2 of 2 regions that report fail ({BOTH}); 2 must"
        )


def test_just_after_the_end_all_says_up_though_status_now_says_down() -> None:
    answer = target("up", said="down")
    for seen in (checks(4 * S, "down"), checks(1 * S, "up"), [], None):
        found = region_words(answer, event(3 * S, "up", is_open=False), seen)
        assert words_of(found) == {"up"}
        assert because(answer, found)[0].startswith("0 of 2 regions that report fail")


def test_stale_is_by_the_time_of_the_newest_thing_known_and_not_of_status_now() -> None:
    answer = target("down", said="stale")
    assert words_of(region_words(answer, None, checks(4 * S, "down"))) == {"down"}
    assert words_of(region_words(answer, event(4 * S, "down"), checks(60 * S, "up"))) == {"down"}
    late = region_words(target(), event(60 * S, "up", is_open=False), checks(14 * S, "up"))
    assert words_of(late) == {"stale"}
    assert because(target(), late) == ("No fresh result from eu, us.",)


def test_a_newer_result_than_the_event_is_told_without_what_would_contradict_the_state() -> None:
    was_down = region_words(target("down"), event(8 * S, "down"), checks(1 * S, "up"))
    assert because(target("down"), was_down) == ("By the newest results 0 of 2 regions fail.",)
    is_up = region_words(target(), event(8 * S, "up", is_open=False), checks(1 * S, "down"))
    assert because(target(), is_up) == (f"By the newest results 2 of 2 regions fail ({BOTH}).",)


def test_a_failure_that_is_not_confirmed_is_a_result_that_failed() -> None:
    found = event(3 * S, "up")
    unsure = RegionVerdict(verdict="up", reason="timed_out", since=NOW)
    told = region_words(target(), replace(found, regions={"eu": unsure}), checks(3 * S, "down"))
    assert words_of(told) == {"down"}


def test_without_checks_what_is_too_old_says_nothing() -> None:
    old = target(status_age=200 * S)
    assert words_of(region_words(target(), None, None)) == {"up"}
    assert words_of(region_words(old, None, None)) == {"unknown"}
    assert words_of(region_words(old, event(3600 * S, "up", is_open=False), None)) == {"unknown"}
    assert words_of(region_words(old, event(150 * S, "down"), None)) == {"down"}
    assert because(old, region_words(old, None, None)) == ()


def test_blocked_and_pending_have_no_result() -> None:
    assert words_of(region_words(target(said="pending"), None, [])) == {"pending"}
    blocked = target(said="blocked")
    assert words_of(region_words(blocked, None, [])) == {"blocked"}
    assert words_of(region_words(blocked, None, checks(60 * S, "up"))) == {"blocked"}
    assert words_of(region_words(blocked, None, checks(2 * S, "up"))) == {"up"}


def test_the_newest_event_counts_of_incidents_about_reaching_it() -> None:
    rows = (
        incident_row(1, changed_at=NOW - 9 * S),
        incident_row(2, changed_at=NOW - 5 * S, closed_at=NOW - 5 * S),
        incident_row(3, changed_at=NOW, type="expiring"),
    )
    assert last_event(rows) == "inc-2"
    assert last_event(()) is None
