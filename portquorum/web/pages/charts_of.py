"""The charts of the pages, in the viewer's time zone."""

from portquorum.report.result import Report
from portquorum.web.charts import report_days
from portquorum.web.charts.chart import Chart
from portquorum.web.charts.days import days_chart
from portquorum.web.charts.latency import latency_chart
from portquorum.web.charts.verdicts import verdicts_chart
from portquorum.web.history.answers import IncidentHistory, TargetHistory
from portquorum.web.history.day_uptime import day_of
from portquorum.web.pages.viewer import Viewer
from schemas.wall_clock import zone_or_utc


def target_charts(past: TargetHistory, viewer: Viewer) -> list[Chart]:
    """Days of uptime (UTC), and latency by region; none of what could not be had."""
    days = None if past.days is None else days_chart(past.days, day_of(viewer.now))
    latency = latency_chart(past, zone_or_utc(viewer.zone_name))
    return [one for one in (days, latency) if one is not None]


def incident_charts(past: IncidentHistory, viewer: Viewer) -> list[Chart]:
    """What each region said over time."""
    chart = verdicts_chart(past, viewer.now, zone_or_utc(viewer.zone_name))
    return [] if chart is None else [chart]


def report_charts(report: Report, viewer: Viewer) -> list[Chart]:
    """The days of a report, which are UTC for every viewer."""
    del viewer
    return list(report_days.report_charts(report))
