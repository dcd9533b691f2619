"""The history: the questions of pages and API to ClickHouse."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Literal

from msgspec import Struct

from foundation.settings import Settings
from portquorum.report.result import Report
from portquorum.web.history.answers import (
    IncidentHistory,
    IncidentPage,
    IncidentRow,
    RegionChecks,
    ResultPage,
    TargetHistory,
    TimeWindow,
    UptimeRow,
)


class TargetAsked(Struct, frozen=True, kw_only=True):
    """The target page's question. `tags` and `interval_ms` are those of the target now."""

    target: str
    tags: tuple[str, ...]
    regions: tuple[str, ...]
    interval_ms: int
    window: TimeWindow


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


class HistoryState(Struct, frozen=True, kw_only=True):
    """How ClickHouse is: `trouble` is None if the last question was answered, else one sentence.

    `since` (UTC ms) is the first failure after the last answer.
    """

    trouble: str | None
    since: int | None


class StoredHistory:
    """Asks ClickHouse, some questions at a time, each within a time limit.

    Every method raises:
        HistoryUnavailableError: ClickHouse does not answer; at once while it is known to be away.
        HistoryTooSlowError: the question took too long, or too many wait.
    """

    def __init__(self, settings: Settings) -> None:
        """Does not connect yet."""
        self._settings = settings

    @property
    def state(self) -> HistoryState:
        """How ClickHouse answered last; asks nothing."""
        raise NotImplementedError

    async def close(self) -> None:
        """Ends the threads; what is being asked is waited for, no longer than its limit."""
        raise NotImplementedError

    async def target(self, asked: TargetAsked) -> TargetHistory:
        """The target page. A part that could not be had is None; never raises."""
        raise NotImplementedError

    async def checks(
        self, target: str, interval_ms: int, most: int = 20
    ) -> tuple[RegionChecks, ...]:
        """The last `most` checks of a target from each region."""
        raise NotImplementedError

    async def results(self, asked: ResultQuery, cursor: str | None, limit: int) -> ResultPage:
        """A page of results, the newest first.

        Raises:
            UnknownCursorError: not a cursor of `next`.
        """
        raise NotImplementedError

    async def incidents(self, asked: IncidentQuery, cursor: str | None, limit: int) -> IncidentPage:
        """A page of incidents, open and closed, the newest opening first.

        Raises:
            UnknownCursorError: not a cursor of `next`.
        """
        raise NotImplementedError

    async def closed_since(self, since: int, limit: int) -> Sequence[IncidentRow]:
        """Incidents that were closed at `since` (UTC ms) or later, the newest closing first."""
        raise NotImplementedError

    async def incident(self, incident_id: str) -> IncidentHistory | None:
        """An incident, open or closed, from its first failure on; None if there is none."""
        raise NotImplementedError

    async def uptime(self, asked: UptimeQuery) -> Sequence[UptimeRow]:
        """Uptime rows, by name and day."""
        raise NotImplementedError

    async def uptime_of(self, targets: Collection[str], days: int) -> dict[str, float | None]:
        """The uptime (percent) of each of some targets over the last days, today included."""
        raise NotImplementedError

    async def report(self, asked: ReportQuery) -> Report:
        """A report.

        Raises:
            portquorum.report.history.UnknownScopeError: no such team or target.
        """
        raise NotImplementedError
