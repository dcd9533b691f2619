"""The charts: well-formed, without inline styles, gaps for what is not known, and their tables."""

import re
from datetime import UTC, date, timedelta
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from portquorum.report.result import Days, Report
from portquorum.web.charts.amounts import latency as latency_text
from portquorum.web.charts.amounts import round_above, round_length_above
from portquorum.web.charts.chart import Chart
from portquorum.web.charts.days import days_chart
from portquorum.web.charts.durations import durations_chart
from portquorum.web.charts.latency import MOST_STRIPS, latency_chart
from portquorum.web.charts.report_days import report_charts
from portquorum.web.charts.time_axis import MOST_TICKS, TimeAxis
from portquorum.web.charts.verdicts import verdicts_chart
from portquorum.web.history.answers import (
    DayUptime,
    IncidentHistory,
    IncidentSpan,
    JobHistory,
    LatencyStep,
    MaintenanceSpan,
    RegionLatency,
    RegionSpan,
    RegionVerdicts,
    TargetHistory,
    TimelineEvent,
    TimeWindow,
    VerdictSpan,
)
from portquorum.web.history.windows import DAY_MS, HOUR_MS, named
from schemas.incident import IncidentEvent, Votes

NOW = 1_796_000_000_000
TODAY = date(2026, 11, 30)
HOSTILE = "<script>alert(1)</script> \"'& \u202e\u0000 " + "x" * 10_000
_SVG = "{http://www.w3.org/2000/svg}"


def shapes(chart: Chart, of_class: str = "") -> list[ET.Element]:
    """All elements of the drawing, or those of a class; it has to be well-formed."""
    root = ET.fromstring(str(chart.svg).replace("<svg", f'<svg xmlns="{_SVG[1:-1]}"', 1))  # noqa: S314
    return [
        one for one in root.iter() if of_class in (one.get("class") or "").split() or not of_class
    ]


def pieces(path: ET.Element) -> int:
    """The number of bars or lines that a path has."""
    return (path.get("d") or "").count("M")


def assert_harmless(chart: Chart) -> None:
    text = str(chart.svg)
    assert "<script" not in text
    assert "\u202e" not in text
    assert "\0" not in text
    for one in shapes(chart):
        assert not {"style", "href", "onload", "onclick"} & one.attrib.keys()
    assert len(text) < 200_000


def day(place: int, **seconds: float) -> DayUptime:
    base = DayUptime(
        day=TODAY - timedelta(days=place),
        watched_s=86_400,
        measured_s=86_400,
        down_s=0,
        maintenance_s=0,
        down_in_maintenance_s=0,
        uptime_percent=100.0,
        uptime_without_maintenance_percent=100.0,
    )
    return replace(base, **seconds)


def test_a_day_is_a_line_a_bar_dashed_or_nothing() -> None:
    days = [
        day(4, watched_s=0, measured_s=0, uptime_percent=None),
        day(3, measured_s=0, uptime_percent=None),
        day(2, down_s=60, uptime_percent=99.93),
        day(1, down_s=86_400, uptime_percent=0.0, maintenance_s=3_600),
        day(0),
    ]
    chart = days_chart(days, TODAY)
    (line,) = shapes(chart, "s-up")
    short, long = shapes(chart, "s-down")
    assert float(line.get("height") or 0) < 10 < float(short.get("height") or 0)
    assert float(short.get("height") or 0) < float(long.get("height") or 0)
    assert len(shapes(chart, "s-unknown")) == 1
    assert len(shapes(chart, "s-maintenance")) == 1
    assert [row[0] for row in chart.table().rows] == [str(one.day) for one in reversed(days)]
    assert chart.table().rows[2][1:4] == ("99.930 %", "100.000 %", "60 s")
    assert [row[1] for row in chart.table().rows[3:]] == ["not measured", "not in the inventory"]
    assert_harmless(chart)


def steps(*at: int, every: int = HOUR_MS) -> tuple[LatencyStep, ...]:
    since = named("24h", NOW).since
    return tuple(
        LatencyStep(
            at=since + n * every, checks=12, up=12, missed=0, p50_ms=10.0, p95_ms=20.0, max_ms=30.0
        )
        for n in at
    )


def past(*regions: RegionLatency, **fields: object) -> TargetHistory:
    window = replace(named("24h", NOW), step_ms=HOUR_MS)
    return replace(TargetHistory(target="a", window=window, latency=regions), **fields)


def test_a_step_without_a_check_is_a_gap_in_the_line_and_one_without_a_success_is_no_zero() -> None:
    failed = LatencyStep(
        at=steps(9)[0].at, checks=4, up=0, missed=0, p50_ms=None, p95_ms=None, max_ms=None
    )
    chart = latency_chart(past(RegionLatency(region="eu", steps=(*steps(0, 1, 5), failed))), UTC)
    assert chart is not None
    (line,) = shapes(chart, "middle")
    assert (line.get("d") or "").count("M") == 2
    (bars,) = shapes(chart, "s-down")
    assert (bars.get("d") or "").count("M") == 1
    assert chart.table().rows[0][1] == "4 of 4 failed"
    assert chart.table().rows[1][1] == "10 ms / 20 ms"
    assert len(chart.table().rows) == 4
    assert_harmless(chart)


def test_incidents_maintenance_and_silent_regions_are_drawn_in_and_hostile_texts_are_harmless() -> (
    None
):
    since = named("24h", NOW).since
    span = IncidentSpan(
        incident_id="i1",
        incident_type="unreachable",
        severity="critical",
        target="a",
        name=HOSTILE,
        began_at=since - DAY_MS,
        opened_at=since,
        ended_at=None,
        closed_at=None,
        closed_because=None,
        duration_s=1,
        summary=HOSTILE,
        acknowledged_by=None,
    )
    chart = latency_chart(
        past(
            RegionLatency(region=HOSTILE[:60], steps=steps(1, 2)),
            incidents=(
                span,
                replace(span, incident_type="slow", began_at=NOW - 10, ended_at=NOW - 5),
                replace(span, began_at=since - 20, ended_at=since - 10),
            ),
            maintenance=(
                MaintenanceSpan(source="x", name=HOSTILE, began_at=since, ended_at=since + 5),
                MaintenanceSpan(
                    source="x", name="later", began_at=NOW + DAY_MS, ended_at=NOW + 2 * DAY_MS
                ),
            ),
            regions=(
                RegionSpan(
                    region=HOSTILE[:60], what="silent", began_at=since, ended_at=None, summary=""
                ),
                RegionSpan(
                    region="elsewhere", what="silent", began_at=since, ended_at=None, summary=""
                ),
            ),
        ),
        UTC,
    )
    assert chart is not None
    assert [pieces(one) for one in shapes(chart, "band")] == [1, 1]
    (high,) = [one for one in shapes(chart, "s-down") if one.tag.endswith("rect")]
    (low,) = [one for one in shapes(chart, "s-slow") if one.tag.endswith("rect")]
    assert float(low.get("height") or 0) == float(high.get("height") or 0) / 2
    assert len(shapes(chart, "s-maintenance")) == 1
    assert len(shapes(chart, "dashed")) == 1
    assert_harmless(chart)


def test_of_many_regions_the_slowest_are_drawn_and_all_are_in_the_table() -> None:
    regions = tuple(
        RegionLatency(region=f"r{n:02}", steps=(replace(steps(1)[0], p95_ms=20.0 + n),))
        for n in range(30)
    )
    chart = latency_chart(past(*regions), UTC)
    assert chart is not None
    names = [one.text for one in shapes(chart, "strip-name")]
    assert names == [f"r{n:02}" for n in range(30 - MOST_STRIPS, 30)]
    assert "18 more regions are in the table" in str(chart.svg)
    assert len(chart.table().head) == 31


def test_a_few_peaks_do_not_flatten_the_rest_and_the_title_says_that_they_are_cut() -> None:
    usual = [replace(one, p95_ms=20.0) for one in steps(*range(60), every=60_000)]
    peak = replace(usual[7], p95_ms=4_000.0)
    chart = latency_chart(
        past(RegionLatency(region="eu", steps=(*usual[:7], peak, *usual[8:]))), UTC
    )
    assert chart is not None
    assert chart.title == "Latency by region, 0 to 50 ms; peaks up to 4.0 s are cut"
    assert "V2" in (shapes(chart, "spread")[0].get("d") or "")


def test_no_latency_is_no_chart() -> None:
    assert latency_chart(past(), UTC) is None
    assert latency_chart(TargetHistory(target="a", window=named("1h", NOW)), UTC) is None


def incident(*regions: RegionVerdicts, closed_at: int | None = None) -> IncidentHistory:
    newest = IncidentEvent(
        event_id="e",
        event="opened" if closed_at is None else "closed",
        incident_id="i",
        incident_type="unreachable",
        severity="critical",
        target="a",
        name="A",
        kind="tcp",
        host=None,
        port=None,
        team=None,
        tags=(),
        criticality="normal",
        depends_on=(),
        regions={},
        votes=Votes(down=1, need=1, fresh=1, configured=1),
        first_failed_at=NOW - HOUR_MS,
        opened_at=NOW - HOUR_MS + 2_000,
        closed_at=closed_at,
        closed_because=None if closed_at is None else "recovered",
        at=NOW - HOUR_MS + 2_000,
        host_targets=(),
        summary="",
        first_steps=(),
        runbook=None,
    )
    events = tuple(
        TimelineEvent(
            event_id=f"e{at}",
            event=kind,
            at=at,
            summary="",
            changes=(),
            episode=1,
            votes_down=1,
            votes_need=1,
            votes_fresh=1,
            votes_configured=1,
            acknowledged_by=None,
            note=None,
        )
        for kind, at in (
            ("opened", newest.opened_at),
            ("updated", NOW - 1_000),
            ("closed", closed_at),
        )
        if at is not None
    )
    return IncidentHistory(
        newest=newest,
        began_at=newest.first_failed_at,
        ended_at=closed_at,
        duration_s=3_600,
        events=events,
        regions=regions,
        told=(),
    )


def verdict(word: str, begin: int, end: int | None, **fields: object) -> VerdictSpan:
    base = VerdictSpan(
        verdict=word, reason=None, detail=None, began_at=begin, ended_at=end, set_aside=False
    )
    return replace(base, **fields)


def test_each_verdict_has_a_shape_of_its_own() -> None:
    begin = NOW - HOUR_MS
    spans = (
        verdict("up", begin - DAY_MS, begin),
        verdict("down", begin, begin + 600_000, reason="timed_out", detail=HOSTILE),
        verdict("slow", begin + 600_000, begin + 700_000),
        verdict("stale", begin + 700_000, begin + 800_000),
        verdict("down", begin + 800_000, begin + 900_000, set_aside=True),
        verdict("of_tomorrow", begin + 900_000, None),
    )
    chart = verdicts_chart(incident(RegionVerdicts(region="eu", spans=spans)), NOW, UTC)
    assert chart is not None
    heights = [
        float(shapes(chart, f"s-{word}")[0].get("height") or 0) for word in ("down", "slow", "up")
    ]
    assert heights == sorted(heights, reverse=True)
    assert len(shapes(chart, "dashed")) == 3
    (events,) = shapes(chart, "event")
    assert pieces(events) == 2
    assert chart.table().rows[1][:2] == ("eu", "down")
    assert chart.table().rows[1][2].startswith("Connection timed out, <script>")
    assert chart.table().rows[4][1] == "down, set aside"
    assert chart.table().rows[5][4] == "goes on"
    assert_harmless(chart)


def test_a_closed_incident_ends_where_it_closed_and_one_without_regions_has_no_chart() -> None:
    closed = NOW - 60_000
    region = RegionVerdicts(region="eu", spans=(verdict("down", NOW - HOUR_MS, closed),))
    chart = verdicts_chart(incident(region, closed_at=closed), NOW + 30 * DAY_MS, UTC)
    assert chart is not None
    assert float((shapes(chart, "s-down")[0].get("width") or "0")[:-1]) > 50
    assert verdicts_chart(incident(), NOW, UTC) is None


def test_the_days_of_a_report_have_a_bar_a_value_and_a_gap_for_none() -> None:
    days = Days(
        name="uptime_percent",
        title="Uptime a day",
        unit="percent",
        days=[TODAY - timedelta(days=n) for n in (2, 1, 0)],
        values=[100.0, None, 99.5],
        low_is_bad=True,
    )
    report = Report(
        kind="uptime",
        scope="all",
        since=TODAY,
        until=TODAY,
        verdict="",
        figures=[],
        days=[days, replace(days, name="empty", values=[None] * 3)],
        tables=[],
        notes=[],
    )
    (chart,) = report_charts(report)
    (lines,) = shapes(chart, "s-up")
    assert pieces(lines) == 2
    (missing,) = shapes(chart, "s-down")
    assert float(missing.get("height") or 0) > 50
    assert chart.table().rows == (
        (str(TODAY), "99.500 %"),
        (str(TODAY - timedelta(1)), "–"),
        (str(TODAY - timedelta(2)), "100.000 %"),
    )
    assert_harmless(chart)


@pytest.mark.parametrize("zone", ["UTC", "America/St_Johns", "Pacific/Kiritimati"])
@given(st.integers(60_000, 730 * DAY_MS))
def test_ticks_are_few_in_order_and_at_round_times_of_the_zone(zone: str, length: int) -> None:
    axis = TimeAxis(NOW - length, NOW, ZoneInfo(zone))
    ticks = list(axis.ticks())
    places = [at for at, _ in ticks]
    assert len(ticks) <= MOST_TICKS + 1
    assert places == sorted(set(places))
    assert all(axis.since <= at <= axis.until for at in places)
    assert all(re.fullmatch(r"\d\d:\d\d|\d\d \w{3}", text) for _, text in ticks)


def test_ticks_are_right_over_a_change_of_summer_time() -> None:
    zone = ZoneInfo("Europe/Berlin")
    end = 1_793_000_000_000  # 2026-10-26, the night after the clocks went back
    labels = [text for _, text in TimeAxis(end - 5 * DAY_MS, end, zone).ticks()]
    assert labels == ["22 Oct", "23 Oct", "24 Oct", "25 Oct", "26 Oct"]


@given(st.floats(0.0001, 1e9))
def test_the_scale_is_round_and_above_all_values(value: float) -> None:
    assert value * 0.999 <= round_above(value) <= value * 5.01


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0.4213, "0.42 ms"), (1.26, "1.3 ms"), (12.4, "12 ms"), (1_240, "1.2 s")],
)
def test_a_latency_has_its_unit(value: float | None, text: str) -> None:
    assert latency_text(value) == text


def job_step(place: int, took_ms: float | None, *, up: int = 1) -> LatencyStep:
    at = NOW // HOUR_MS * HOUR_MS - place * HOUR_MS
    return LatencyStep(
        at=at, checks=1, up=up, missed=0, p50_ms=took_ms, p95_ms=took_ms, max_ms=took_ms
    )


def test_how_long_runs_took_has_gaps_failures_and_a_table() -> None:
    steps = (
        job_step(9, 60_000),
        job_step(8, 90_000),
        job_step(5, None, up=0),
        job_step(4, 5_400_000),
    )
    end = NOW // HOUR_MS * HOUR_MS + HOUR_MS
    window = TimeWindow(name="", since=end - DAY_MS, until=end, step_ms=HOUR_MS)
    past = TargetHistory(target="a", window=window, job=JobHistory(durations=steps))
    chart = durations_chart(replace(past, incidents=(), maintenance=()), UTC)
    assert chart is not None
    assert_harmless(chart)
    assert chart.title == "How long runs took, 0 to 2 h"
    (line,) = shapes(chart, "middle")
    assert pieces(line) == 2  # two hours beside each other, and one alone
    (failed,) = shapes(chart, "s-down")
    assert pieces(failed) == 1
    table = chart.table()
    assert [row[1:] for row in table.rows] == [
        ("1", "0", "90 min", "90 min", "90 min"),
        ("1", "1", "–", "–", "–"),
        ("1", "0", "90 s", "90 s", "90 s"),
        ("1", "0", "60 s", "60 s", "60 s"),
    ]
    assert durations_chart(TargetHistory(target="a", window=named("24h", NOW)), UTC) is None
    assert durations_chart(replace(past, job=JobHistory()), UTC) is None


def test_runs_of_which_nobody_knows_how_long_they_took_have_no_scale() -> None:
    window = TimeWindow(name="", since=NOW - DAY_MS, until=NOW, step_ms=HOUR_MS)
    job = JobHistory(durations=(job_step(5, None, up=0),))
    chart = durations_chart(TargetHistory(target="a", window=window, job=job), UTC)
    assert chart is not None
    assert chart.title == "Runs; of none that ended well it is known how long it took"


@pytest.mark.parametrize(
    ("ms", "above"),
    [
        *((0, 1), (42, 50), (900, 1_000), (61_000, 120_000), (59 * 60_000, 3_600_000)),
        *((1.5 * HOUR_MS, 2 * HOUR_MS), (9 * DAY_MS, 500 * HOUR_MS)),
    ],
)
def test_the_scale_of_lengths_is_round(ms: float, above: float) -> None:
    assert round_length_above(ms) == above
