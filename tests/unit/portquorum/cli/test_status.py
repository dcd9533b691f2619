"""`status` in words: what is wrong first, numbers, and as many targets as somebody reads."""

from typing import Any

import pytest
from msgspec import structs

from portquorum.cli import status_shown
from portquorum.cli.errors import WrongUseError
from portquorum.cli.incidents_shown import show_incidents, told_words
from portquorum.cli.known_names import expect_known
from portquorum.cli.status_answer import MonitorTrouble, StatusAnswer, check, trouble
from portquorum.presentation.output import out
from sinks.clickhouse.fleet_queries import (
    FleetFilter,
    FleetSummary,
    InventoryNow,
    RegionNow,
    RegionTrouble,
    TargetNow,
)
from sinks.clickhouse.queries import Incident, IncidentNotification
from sinks.notifier.decision import rows

NOW = 1_700_000_000_000


def said(region: str = "eu", **changes: Any) -> RegionNow:
    base: dict[str, Any] = {
        "region": region,
        "status": "up",
        "reason": None,
        "detail": "",
        "latency_ms": 1.5,
        "checked_at": NOW - 5_000,
    }
    return RegionNow(**(base | changes))


DOWN = {"status": "down", "reason": "timed_out", "latency_ms": None}


def target(name: str = "db", *regions: RegionNow, **changes: Any) -> TargetNow:
    base: dict[str, Any] = {
        "target": name,
        "name": name.upper(),
        "kind": "tcp",
        "host": "10.0.0.5",
        "port": 5432,
        "team": None,
        "criticality": "normal",
        "status": "up",
        "since": None,
        "is_resolved": False,
        "newest_result_at": NOW - 5_000,
        "regions": regions or (said(),),
    }
    return TargetNow(**(base | changes))


def answered(*targets: TargetNow, **changes: Any) -> StatusAnswer:
    """The answer about a fleet in which these targets are shown."""
    counts: dict[str, int] = {}
    for one in targets:
        counts[one.status] = counts.get(one.status, 0) + 1
    counts = changes.pop("by_status", counts)
    summary = FleetSummary(
        targets=sum(counts.values()),
        by_status=counts,
        by_team=changes.pop("by_team", {}),
        by_region=changes.pop("by_region", {}),
        newest_result_at=NOW - 5_000,
    )
    base: dict[str, Any] = {
        "now": NOW,
        "trouble": (),
        "open_incidents": 0,
        "incidents": (),
        "summary": summary,
        "targets": targets,
    }
    return StatusAnswer(**(base | changes))


def shown(
    monkeypatch: pytest.MonkeyPatch,
    answer: StatusAnswer,
    wanted: FleetFilter | None = None,
    width: int = 120,
) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr(out(), "width", width)
    with out().capture() as printed:
        status_shown.show(answer, wanted or FleetFilter())
    lines = [line.rstrip() for line in printed.get().splitlines()]
    assert all(len(line) <= width for line in lines)
    return [line.strip() for line in lines if line.strip()]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "up"),
        (
            {"detail": "the certificate expires in 9.0 days"},
            "up  the certificate expires in 9.0 days",
        ),
        (DOWN, "down  Connection timed out"),
        (DOWN | {"detail": "no answer"}, "down  Connection timed out  no answer"),
        (DOWN | {"reason": "of_a_later_version"}, "down  of_a_later_version"),
        ({"status": "stale", "latency_ms": None}, "stale"),
        ({"status": "pending", "latency_ms": None}, "pending"),
        (
            {"status": "blocked", "reason": "address_blocked", "detail": "10.0.0.5 is private"},
            (
                "blocked  Address blocked by policy "
                "(add internal: true to the region if it may reach private addresses)"
            ),
        ),
    ],
)
def test_what_a_region_says_in_words(changes: dict[str, Any], words: str) -> None:
    assert status_shown._in_full(said(**changes)).plain == words


@pytest.mark.parametrize(
    ("regions", "words"),
    [
        ([said()], "eu up 1.50 ms"),
        ([said("a", **DOWN), said("b", **DOWN)], "2 down: Connection timed out"),
        ([said("a"), said("b", **DOWN), said("c")], "b down: Connection timed out, 2 up"),
        (
            [said("a", status="pending", latency_ms=None), said("b", status="stale")],
            "b stale 1.50 ms, a pending",
        ),
        ([said("a", **DOWN), said("b", **(DOWN | {"reason": "other"}))], None),
        ([said("a", status="of_a_later_version", latency_ms=None)], "a of_a_later_version"),
    ],
)
def test_what_the_regions_say_in_a_row(regions: list[RegionNow], words: str | None) -> None:
    text = status_shown._regions(target("db", *regions)).plain
    assert text == (words or "a down: Connection timed out, b down: other")


def test_a_target_that_was_resolved_by_hand_and_does_not_answer() -> None:
    text = status_shown._regions(target("db", said(**DOWN), status="down", is_resolved=True)).plain
    assert text == "resolved by hand, still not reachable: eu down: Connection timed out"


def test_a_port_that_must_be_closed_is_open_or_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = said("a", status="down", reason="port_open", latency_ms=None)
    one = target("telnet", opened, said("b", latency_ms=None), status="down", expect="closed")
    assert status_shown._regions(one).plain == "a open, b closed"
    lines = shown(monkeypatch, answered(one))
    assert any("open, and must be closed" in line for line in lines)
    assert any("Port is open" in line for line in lines)


def test_nobody_tries_to_reach_a_job(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = said("receiver", status="down", reason="job_failed", detail='exit code 3: "boom"')
    job: dict[str, Any] = {"kind": "heartbeat", "host": "", "port": None, "status": "down"}
    late = said("receiver", status="up", latency_ms=None)
    lines = shown(
        monkeypatch,
        answered(
            target("a", failed, **job),
            target("b", late, **job),
            target("c", failed, **job | {"is_resolved": True}),
        ),
    )
    for row, word in (("a", "failed"), ("b", "in trouble"), ("c", "resolved by hand")):
        (line,) = (one for one in lines if row in one.split())
        assert word in line
        assert not {"down", "reachable", "unreachable"} & set(line.replace(",", " ").split())


def test_one_target_is_shown_by_region(monkeypatch: pytest.MonkeyPatch) -> None:
    pending = said("us", status="pending", latency_ms=None, checked_at=None)
    lines = shown(monkeypatch, answered(target("db", said(), pending)))
    assert lines[:2] == ["no incident is open", "DB  tcp 10.0.0.5:5432  up"]
    assert [line.split() for line in lines[4:]] == [
        ["eu", "up", "1.50", "ms", "5", "s", "ago"],
        ["us", "pending"],
    ]


def test_what_is_wrong_is_said_first(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = MonitorTrouble(
        what="region_silent", region="us", since=NOW - 60_000, text="No prober of us reports."
    )
    answer = answered(
        target("a", said(**DOWN), status="down", since=NOW - 60_000),
        target("b", status="unwatched", since=NOW - 60_000),
        trouble=(silent,),
        open_incidents=7,
        incidents=(incident(),),
        by_status={"down": 1, "unwatched": 1, "up": 9_998},
        by_region={"eu": {"down": 1, "up": 9_999}, "us": {"stale": 10_000}},
        by_team={"": {"up": 9_000}, "web": {"down": 1, "unwatched": 1, "up": 998}},
    )
    lines = shown(monkeypatch, answer, FleetFilter(teams=("web",)))
    assert lines[0] == "● No prober of us reports.  since 2023-11-14 22:12:20 UTC"
    assert lines[1].startswith("● DB (tcp 10.0.0.5:5432)  unreachable")
    order = [
        "and 6 more: portquorum incidents --open --team web",
        (
            "● 1 target is unwatched: too few of the regions have results, so that an outage would "
            "open no incident"
        ),
        "why: portquorum explain b",
        "10,000 targets: 1 down, 1 unwatched, 9,998 up  newest result 5 s ago",
        "us                10,000",
        "eu          1              9,999",
        "web            1           1     998",
        "no team                        9,000",
        "a        down        1 min   eu down: Connection timed out   tcp 10.0.0.5:5432",
        "9,998 that are up are not shown; --all shows them",
    ]
    places = [
        [" ".join(line.split()) for line in lines].index(" ".join(one.split())) for one in order
    ]
    assert places == sorted(places)


def test_what_is_not_shown_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = answered(target("a", status="down"), by_status={"down": 700, "up": 1})
    assert shown(monkeypatch, answer)[-1] == "1 of 700 targets shown; --limit 0 shows all"
    answer = answered(by_status={"up": 100_000})
    assert shown(monkeypatch, answer)[-1] == "100,000 that are up are not shown; --all shows them"


def test_names_that_say_more_than_ids_are_shown_where_there_is_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    named = structs.replace(target("prod-db", status="down"), name="Production DB")
    plain = structs.replace(target("10.0.0.5-5432", status="down"), name="10.0.0.5:5432")
    wide = shown(monkeypatch, answered(named, plain), width=160)
    assert "name" in next(line for line in wide if line.startswith("target ")).split()
    assert next(line for line in wide if line.startswith("prod-db")).endswith("Production DB")
    narrow = shown(monkeypatch, answered(named, plain), width=100)
    assert not any("Production DB" in line for line in narrow)
    assert not any("name" in line for line in shown(monkeypatch, answered(plain, plain), width=160))


def test_without_targets(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown(monkeypatch, answered())
    assert lines[-1] == "no target yet; `portquorum target add HOST:PORT` watches a first port"
    lines = shown(monkeypatch, answered(), FleetFilter(statuses=("down",)))
    assert lines == ["no target is so"]


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("name", ["a" * 60, "データベース-東京-" * 3, "db"])
def test_no_id_is_broken(monkeypatch: pytest.MonkeyPatch, width: int, name: str) -> None:
    from rich.cells import cell_len

    regions = [said(f"region-{number}") for number in range(9)]
    targets = [target(f"{name}{number}", *regions, status="down") for number in range(3)]
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr(out(), "width", width)
    with out().capture() as printed:
        status_shown.show(answered(*targets), FleetFilter())
    lines = printed.get().splitlines()
    for one in targets:
        assert sum(one.target in line for line in lines) == 1
    longest = cell_len(targets[0].target)
    assert all(cell_len(line.rstrip()) <= max(width, longest + 1) for line in lines)


def test_a_large_fleet_is_lines_of_text(capsys: pytest.CaptureFixture[str]) -> None:
    targets = [target(f"t{number}") for number in range(status_shown.MANY_ROWS + 1)]
    status_shown.show(answered(*targets), FleetFilter())
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("t")]
    assert len(lines) == len(targets)
    assert lines[7].split() == ["t7", "up", "eu", "up", "1.50", "ms", "tcp", "10.0.0.5:5432"]


def inventory(**changes: Any) -> InventoryNow:
    base: dict[str, Any] = {
        "now": NOW,
        "targets": 1,
        "teams": ("", "web"),
        "regions": ("eu", "us"),
        "tags": (),
        "gap_ms": 60_000.0,
        "longest_ms": 153_000.0,
    }
    return InventoryNow(**(base | changes))


@pytest.mark.parametrize(
    ("fleet", "age_ms", "late"),
    [
        ({}, 167_000, False),  # 2.5 intervals, the timeout, 15 s
        ({}, 169_000, True),
        ({"targets": 300, "gap_ms": 200.0}, 15_900, False),
        ({"targets": 300, "gap_ms": 200.0}, 45_000, True),
        ({"targets": 2, "gap_ms": 10_000.0}, 64_000, False),
    ],
)
def test_when_the_newest_result_is_old(fleet: dict[str, Any], age_ms: int, late: bool) -> None:
    known = inventory(**fleet)
    summary = FleetSummary(
        targets=known.targets,
        by_status={"up": known.targets},
        by_team={},
        by_region={},
        newest_result_at=NOW - age_ms,
    )
    found = trouble(known, summary, ())
    assert [one.what for one in found] == (["results_late"] if late else [])
    part = FleetSummary(
        targets=0, by_status={}, by_team={}, by_region={}, newest_result_at=NOW - age_ms
    )
    assert trouble(known, part, ()) == ()


def test_a_fleet_without_any_result() -> None:
    def found(status: str) -> list[str]:
        summary = FleetSummary(
            targets=1, by_status={status: 1}, by_team={}, by_region={}, newest_result_at=None
        )
        return [one.what for one in trouble(inventory(), summary, ())]

    assert found("pending") == []
    assert found("unwatched") == ["no_results"]


def test_what_the_stream_said_of_a_region() -> None:
    event = RegionTrouble(
        event="region.suspect", region="eu", at=NOW, last_beat_at=None, summary="eu is set aside"
    )
    summary = FleetSummary(
        targets=1, by_status={"up": 1}, by_team={}, by_region={}, newest_result_at=NOW
    )
    assert trouble(inventory(), summary, [event]) == (
        MonitorTrouble(what="region_suspect", region="eu", since=NOW, text="eu is set aside"),
    )


def test_how_long_a_region_is_silent_by_now() -> None:
    event = RegionTrouble(
        event="region.silent",
        region="eu",
        at=NOW - 3_585_000,
        last_beat_at=NOW - 3_600_000,
        summary="No prober of region eu has reported for 15 s",
    )
    summary = FleetSummary(
        targets=1, by_status={"up": 1}, by_team={}, by_region={}, newest_result_at=NOW
    )
    (found,) = trouble(structs.replace(inventory(), now=NOW), summary, [event])
    assert found.text.startswith("No prober of region eu has reported for 1 h: ")
    assert (found.what, found.since) == ("region_silent", NOW - 3_600_000)


def test_open_and_closed_incidents_differ_without_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(out(), "width", 30)
    with out().capture() as printed:
        show_incidents(
            [incident(name="a long name " * 3), incident(closed_at=NOW, status="closed")]
        )
    lines = printed.get().splitlines()
    assert lines[0].startswith("● a long name")
    assert lines[1].startswith("  long name")
    assert [line for line in lines if line[0] != " "] == [lines[0], "○ DB (tcp 10.0.0.5:5432)"]


def test_unknown_names() -> None:
    check(FleetFilter(teams=("web",), regions=("eu",), statuses=("stale", "flapping")), inventory())
    for wanted in (
        FleetFilter(teams=("",)),
        FleetFilter(regions=("moon",)),
        FleetFilter(tags=("x",)),
        FleetFilter(statuses=("stale",)),
    ):
        with pytest.raises(WrongUseError, match=r"no (team|region|tag|status) is "):
            check(wanted, inventory())
    with pytest.raises(WrongUseError) as many:
        expect_known("team", ["x"], [f"t{number:02}" for number in range(100)])
    assert str(many.value).endswith("t11 and 88 more")
    with pytest.raises(WrongUseError, match=r"no team is 'databse'; did you mean 'database'\?"):
        expect_known("team", ["databse"], ["database", "web"])


def incident(**changes: Any) -> Incident:
    base: dict[str, Any] = dict.fromkeys(Incident.__struct_fields__)
    base |= {
        "incident_id": "i1",
        "status": "open",
        "incident_type": "unreachable",
        "severity": "critical",
        "target": "db",
        "name": "DB",
        "kind": "tcp",
        "host": "10.0.0.5",
        "port": 5432,
        "verdicts": {},
        "reasons": {},
        "first_failed_at": NOW - 300_000,
        "opened_at": NOW - 299_000,
        "detect_s": 1.0,
        "open_s": 299.0,
        "duration_s": 300.0,
        "summary": "A sentence.",
        "notifications": (),
    }
    return Incident(**(base | changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "since 2023-11-14 22:08:20 UTC, 5 min"),
        (
            {"status": "closed", "closed_at": NOW, "closed_because": "target_removed"},
            (
                "since 2023-11-14 22:08:20 UTC, closed 2023-11-14 22:13:20 UTC (target removed), "
                "lasted 5 min"
            ),
        ),
        (
            {"closed_at": NOW - 60_000, "closed_because": "resolved"},
            (
                "since 2023-11-14 22:08:20 UTC, closed 2023-11-14 22:12:20 UTC (resolved), "
                "the outage went on: 5 min in all"
            ),
        ),
        (
            {"incident_type": "flapping", "duration_s": 100.0},
            "since 2023-11-14 22:08:20 UTC, 5 min; up since 2023-11-14 22:10:00 UTC",
        ),
    ],
)
def test_since_when_an_incident_is_open_or_closed(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], words: str
) -> None:
    monkeypatch.setattr(out(), "width", 120)
    with out().capture() as printed:
        show_incidents(
            [
                incident(
                    acknowledged_by="alice",
                    acknowledged_note="the\nswitch",
                    resolved_by="bob",
                    **changes,
                )
            ]
        )
    lines = [line.strip() for line in printed.get().splitlines()]
    assert lines[1] == words
    assert lines[3:5] == ["acknowledged by alice: the switch", "resolved by bob"]


def told(channel: str, status: str, event: str = "opened", **changes: Any) -> IncidentNotification:
    values: dict[str, Any] = {"attempt": 1, "at": 2, "event_at": 1, "error": None, "why": None}
    return IncidentNotification(
        event=event, channel=channel, status=status, action=None, **(values | changes)
    )


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ([], []),
        ([told("a/1/slack", "sent"), told("b/2/mailto", "sent")], ["told: a (slack), b (mailto)"]),
        (
            [told("a/1/slack", "sent"), told("a/2/slack", "retrying", attempt=3, error="HTTP 500")],
            ["told: a (slack 1)", "not told yet of opened: a (slack 2) (attempt 3: HTTP 500)"],
        ),
        # What failed is no news once the channel was told.
        (
            [told("a/1/slack", "dead", error="x"), told("a/1/slack", "sent", "closed")],
            ["told: a (slack)"],
        ),
        (
            [told("a/1/slack", "dead", attempt=9, error="HTTP 400")],
            ["never told of opened: a (slack) (attempt 9: HTTP 400)"],
        ),
        (
            [
                told("a/1/pagerduty", "sent"),
                told("a/1/pagerduty", "not_sent", "improved", why=rows.NO_IMPROVEMENT),
            ],
            ["told: a (pagerduty)"],
        ),
        (
            [told("", "not_sent", why="no route takes it")],
            ["nobody was told of opened (no route takes it)"],
        ),
        (
            [
                told("a/1/slack", "not_sent", "closed", why="not told of the outage"),
                told("b/2/mailto", "not_sent", "closed", why="not told of the outage"),
            ],
            ["not told: a (slack), b (mailto) of closed (not told of the outage)"],
        ),
    ],
)
def test_who_was_told_of_an_incident(found: list[IncidentNotification], says: list[str]) -> None:
    assert [words for words, _ in told_words(found)] == says
