"""The charts of each page, in the viewer's time zone."""

from datetime import UTC, datetime

from portquorum.web.charts.chart import Chart
from portquorum.web.charts.days import days_chart
from portquorum.web.charts.durations import durations_chart
from portquorum.web.charts.latency import latency_chart
from portquorum.web.charts.verdicts import verdicts_chart
from portquorum.web.history.answers import IncidentHistory, TargetHistory
from portquorum.web.pages.viewer import Viewer


def target_charts(past: TargetHistory, viewer: Viewer) -> list[Chart]:
    """Days of uptime, and latency by region or of runs; without what could not be had."""
    today = datetime.fromtimestamp(viewer.now / 1000, tz=UTC).date()
    days = days_chart(past.days, today) if past.days else None
    over_time = latency_chart if past.job is None else durations_chart
    return [one for one in (days, over_time(past, viewer.zone)) if one is not None]


def incident_charts(past: IncidentHistory | None, viewer: Viewer) -> list[Chart]:
    """What each region said over time."""
    found = verdicts_chart(past, viewer.now, viewer.zone) if past is not None else None
    return [] if found is None else [found]
