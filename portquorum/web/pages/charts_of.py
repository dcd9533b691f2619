"""The charts of the pages, by `portquorum.web.charts`, as the templates show them."""

from portquorum.report.result import Report
from portquorum.web.history.answers import IncidentHistory, TargetHistory
from portquorum.web.pages.chart_view import ChartView
from portquorum.web.pages.viewer import Viewer


def target_charts(past: TargetHistory, viewer: Viewer) -> list[ChartView]:
    """Days of uptime, and latency by region."""
    del past, viewer
    return []


def incident_charts(past: IncidentHistory, viewer: Viewer) -> list[ChartView]:
    """What each region said over time."""
    del past, viewer
    return []


def report_charts(report: Report, viewer: Viewer) -> list[ChartView]:
    """The days of a report."""
    del report, viewer
    return []
