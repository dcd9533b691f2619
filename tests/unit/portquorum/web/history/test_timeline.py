"""The course of an incident by its events."""

from typing import Any

from msgspec.structs import replace

from portquorum.web.history.answers import VerdictSpan
from portquorum.web.history.timeline import events_of, regions_of
from schemas.incident import IncidentEvent, RegionVerdict, Votes


def event(at: int, kind: str = "updated", **fields: Any) -> IncidentEvent:
    base = IncidentEvent(
        event_id=f"e{at}",
        event="opened",
        incident_id="i1",
        incident_type="unreachable",
        severity="critical",
        target="a",
        name="A",
        kind="tcp",
        host="a.example.com",
        port=443,
        team=None,
        tags=(),
        criticality="normal",
        depends_on=(),
        regions={},
        votes=Votes(down=2, need=2, fresh=3, configured=3),
        first_failed_at=10,
        opened_at=20,
        closed_at=None,
        closed_because=None,
        at=at,
        host_targets=(),
        summary="it is down",
        first_steps=(),
        runbook=None,
    )
    return replace(base, event=kind, **fields)


def down(since: int, **fields: Any) -> RegionVerdict:
    return RegionVerdict(verdict="down", reason="timed_out", since=since, **fields)


def up(since: int) -> RegionVerdict:
    return RegionVerdict(verdict="up", since=since)


def spans(*events: IncidentEvent) -> dict[str, tuple[VerdictSpan, ...]]:
    return {one.region: one.spans for one in regions_of(events)}


def test_a_change_is_told_by_its_own_time_not_by_that_of_the_event() -> None:
    told = spans(
        event(20, "opened", regions={"us": up(1), "eu": down(10)}),
        event(50, regions={"us": down(35), "eu": down(10)}),
        event(
            90,
            "closed",
            closed_at=90,
            closed_because="recovered",
            regions={"us": up(80), "eu": up(85)},
        ),
    )
    assert list(told) == ["eu", "us"]
    assert [(one.verdict, one.began_at, one.ended_at) for one in told["us"]] == [
        ("up", 1, 35),
        ("down", 35, 80),
        ("up", 80, 90),
    ]
    assert [(one.verdict, one.began_at, one.ended_at) for one in told["eu"]] == [
        ("down", 10, 85),
        ("up", 85, 90),
    ]


def test_the_last_word_of_an_open_incident_goes_on() -> None:
    (span,) = spans(event(20, "opened", regions={"eu": down(10)}))["eu"]
    assert span.ended_at is None


def test_another_detail_is_no_other_span_and_another_reason_is_one() -> None:
    told = spans(
        event(20, regions={"eu": down(10)}),
        event(30, regions={"eu": down(10, detail="no answer in 3 s")}),
        event(40, regions={"eu": RegionVerdict(verdict="down", reason="dns_failed", since=10)}),
    )
    assert [(one.reason, one.began_at, one.ended_at) for one in told["eu"]] == [
        ("timed_out", 10, 40),
        ("dns_failed", 40, None),
    ]


def test_a_region_that_is_set_aside_and_one_that_is_gone_end_their_spans() -> None:
    told = spans(
        event(20, regions={"eu": down(10), "us": down(12)}),
        event(30, regions={"eu": down(10, set_aside=True)}),
    )
    assert [(one.set_aside, one.ended_at) for one in told["eu"]] == [(False, 30), (True, None)]
    assert [(one.verdict, one.ended_at) for one in told["us"]] == [("down", 30)]


def test_pending_begins_with_the_event_that_says_so_and_time_never_runs_back() -> None:
    told = spans(
        event(20, regions={"eu": RegionVerdict(verdict="pending")}),
        event(30, regions={"eu": up(5)}),
    )
    assert [(one.verdict, one.began_at, one.ended_at) for one in told["eu"]] == [
        ("pending", 20, 30),
        ("up", 30, None),
    ]


def test_an_event_has_its_votes_its_episode_and_what_was_written_with_it() -> None:
    (one, two, three) = events_of(
        [
            event(20, "opened"),
            event(30, acknowledged_by="ann", acknowledged_note="on it", episode=2),
            event(
                40,
                "closed",
                closed_at=40,
                closed_because="resolved",
                acknowledged_by="ann",
                acknowledged_note="on it",
                resolved_by="bob",
                resolved_note="moved",
            ),
        ]
    )
    assert (one.votes_down, one.votes_need, one.votes_fresh, one.votes_configured) == (2, 2, 3, 3)
    assert (one.episode, two.episode) == (1, 2)
    assert (one.note, two.note, three.note) == (None, "on it", "moved")
    assert (one.acknowledged_by, two.acknowledged_by) == (None, "ann")


def test_an_end_that_nobody_wrote_has_no_note_of_who_acknowledged() -> None:
    said = {"acknowledged_by": "ann", "acknowledged_note": "on it"}
    (one,) = events_of([event(40, "closed", closed_at=40, closed_because="recovered", **said)])
    assert one.note is None


def test_no_events_have_no_regions() -> None:
    assert regions_of([]) == ()
