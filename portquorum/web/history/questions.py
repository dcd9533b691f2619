"""What the history is asked."""

from datetime import date
from typing import Literal

from msgspec import Struct

from portquorum.web.history.answers import TimeWindow


class TargetAsked(Struct, frozen=True, kw_only=True):
    """The target page's question. `tags` and `interval_ms` are those of the target now.

    `is_job`: it reports itself.
    """

    target: str
    tags: tuple[str, ...]
    regions: tuple[str, ...]
    interval_ms: int
    window: TimeWindow
    is_job: bool = False


class IncidentQuery(Struct, frozen=True, kw_only=True):
    """Which incidents; empty: all. Names in one tuple are alternatives.

    `q` is a part of a target's id, name or host, in any case, or of the summary. `since` and
    `until` (UTC ms): any part of the incident is within them.
    """

    status: Literal["", "open", "closed"] = ""
    q: str = ""
    targets: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    since: int | None = None
    until: int | None = None


class ResultQuery(Struct, frozen=True, kw_only=True):
    """Which results of a target, scheduled from `since` on and before `until` (UTC ms)."""

    target: str
    since: int
    until: int
    regions: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


class UptimeQuery(Struct, frozen=True, kw_only=True):
    """Uptime of days, both included (UTC). With `by_day` a row a day, else one for all of them."""

    by: Literal["target", "team", "all"]
    since: date
    until: date
    by_day: bool = False
    targets: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()


class ReportQuery(Struct, frozen=True, kw_only=True):
    """A report of portquorum.report over days, both included (UTC)."""

    kind: Literal["uptime", "slo", "cost", "reliability"]
    since: date
    until: date
    team: str = ""
    target: str = ""
    most: int | None = None
