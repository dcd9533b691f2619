"""A chart: the drawing and the same as a table; and the words that stand in charts."""

from markupsafe import Markup
from msgspec import Struct


class Chart(Struct, frozen=True, kw_only=True):
    """`svg` is markup of ours, in which every text is escaped; `name` is unique on a page.

    `head` and `rows` are the table: plain texts, the first cell of a row names it.
    """

    name: str
    title: str
    svg: Markup
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class ChartWords(Struct, frozen=True, kw_only=True):
    """The words of the charts; names in braces are filled in."""

    days_title: str = "Uptime of the last {days} days"
    days_text: str = "{up} days up, {down} days with an outage, {unknown} days not measured"
    latency_title: str = "Latency by region, 0 to {most}"
    latency_cut_title: str = "Latency by region, 0 to {most}; peaks up to {peak} are cut"
    latency_text: str = "p50 and p95 of {regions} regions from {since} to {until}"
    verdicts_title: str = "What each region said"
    verdicts_text: str = "{regions} regions from {since} to {until}"
    report_title: str = "{title}, {least} to {most}"
    report_text: str = "{days} days from {since} to {until}, {least} to {most}"
    day: str = "Day"
    time: str = "Time"
    uptime: str = "Uptime"
    without_maintenance: str = "Without maintenance"
    down: str = "Down"
    in_maintenance: str = "In maintenance"
    measured: str = "Measured"
    region: str = "Region"
    from_: str = "From"
    to: str = "To"
    said: str = "Said"
    reason: str = "Reason"
    today: str = "today"
    nothing: str = "–"
    not_measured: str = "not measured"
    not_watched: str = "not in the inventory"
    p50_p95: str = "{p50} / {p95}"
    failed: str = "{failed} of {checks} failed"
    newest: str = "p50 {p50}, p95 {p95}"
    regions_left_out: str = "{n} more regions are in the table"
    goes_on: str = "goes on"
    set_aside: str = "set aside"
    silent: str = "{region} was silent"
    suspect: str = "{region} was set aside"


WORDS = ChartWords()
