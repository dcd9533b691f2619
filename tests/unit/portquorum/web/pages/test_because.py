"""Why a target is as it is, by the newest results of its regions."""

from msgspec.structs import replace

from portquorum.web.answers import (
    Freshness,
    RegionNow,
    TargetAnswer,
    TargetRow,
)
from portquorum.web.history.answers import CheckSeen
from portquorum.web.pages.because import because
from portquorum.web.pages.region_words import RegionWord
from schemas.target import Target

NOW = 1_796_000_000_000
FRESH = Freshness(
    now=NOW,
    data_at=NOW,
    blind_since=None,
    blind_because=None,
    status_at=NOW,
    history_away_since=None,
    regions=5,
    regions_reporting=5,
    position="",
)
REGIONS = ("ams", "fra", "nyc", "sin", "syd")


def row(name: str, state: str = "up") -> TargetRow:
    return TargetRow(
        id=name,
        name=name,
        kind="tcp",
        host=f"{name}.example.com",
        port=443,
        place=f"{name}.example.com:443",
        team=None,
        tags=(),
        criticality="normal",
        state=state,  # type: ignore[arg-type]
        since=None,
        summary="",
        incident=None,
        regions=REGIONS,
        newest_result_at=NOW,
    )


def answer(*statuses: str, **fields: object) -> TargetAnswer:
    definition = Target(
        id="a",
        name="a",
        kind="tcp",
        host="a.example.com",
        port=443,
        regions=REGIONS,
        interval_ms=30_000,
        timeout_ms=3_000,
        version=1,
        source="x",
        retries=1,
    )
    regions = zip(REGIONS, statuses, strict=False)
    base = TargetAnswer(
        freshness=FRESH,
        row=row("a"),
        definition=definition,
        incidents=(),
        regions=tuple(RegionNow(region=name, status=word) for name, word in regions),
        host_targets=(),
        host_targets_total=0,
        depends_on=(),
        dependents=0,
        maintenance=(),
        silences=(),
    )
    return replace(base, **fields)


def said(found: TargetAnswer, **reasons: str) -> list[RegionWord]:
    """The words of the answer's regions, and why those fail."""
    return [
        RegionWord(
            region=one.region,
            status=one.status,
            newest=failed(reasons[one.region]) if one.region in reasons else None,
        )
        for one in found.regions
    ]


def failed(reason: str) -> CheckSeen:
    return CheckSeen(
        at=NOW,
        status="down",
        reason=reason,
        detail="",
        attempt=0,
        cause="schedule",
        latency_ms=None,
    )


def why(found: TargetAnswer, **reasons: str) -> tuple[str, ...]:
    return because(found, said(found, **reasons))


def test_all_up_says_how_many_would_have_to_fail() -> None:
    assert why(answer(*["up"] * 5)) == (
        "0 of 5 regions that report fail; 4 must, for it to be down (quorum).",
    )


def test_some_fail_with_their_reasons_and_what_counts() -> None:
    found = why(answer("down", "down", "up", "up", "up"), ams="timed_out")
    assert found[0].startswith("2 of 5 regions that report fail (ams connection timed out, fra); 4")
    assert found[1:] == ("A failure counts when its retry has failed, too.",)


def test_a_majority_of_all_regions_is_needed_whatever_the_share_of_those_that_report() -> None:
    (votes, quiet) = why(answer("down", "up", "up", "stale", "pending"))[0:3:2]
    assert "1 of 3 regions that report fail (ams); 3 must" in votes
    assert quiet == "No fresh result from sin, syd."


def test_too_few_regions_and_a_forbidden_address() -> None:
    assert why(answer("up", "stale", "stale", "stale", "blocked")) == (
        "1 of 5 regions have a fresh result; nobody can judge it with fewer than 3.",
        "No fresh result from fra, nyc, sin.",
        "A policy forbids its address to syd.",
    )


def test_what_it_depends_on_is_named_if_it_is_down() -> None:
    found = why(answer(*["down"] * 5, depends_on=(row("gw", "down"), row("dns"))))
    assert found[-1] == "It depends on what is down: gw."


def test_nothing_is_said_of_what_nobody_has_judged() -> None:
    assert why(answer(*["pending"] * 5)) == ()
    assert why(answer()) == ()
