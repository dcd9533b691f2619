"""What pages and API ask of the fleet, of the live changes and of the history.

Protocols, so that the app is built from fakes in tests. Nothing here does I/O. Every method of the
fleet answers at once, from memory.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from portquorum.report.result import Report
from portquorum.web.answers import (
    Change,
    Counts,
    Freshness,
    GroupPage,
    IncidentAnswer,
    IncidentPage,
    IncidentQuery,
    IncidentRow,
    MaintenanceAnswer,
    OpenIncident,
    Overview,
    RegionsAnswer,
    SilencesAnswer,
    TargetAnswer,
    TargetPage,
    TargetQuery,
)
from portquorum.web.explaining.answers import TargetExplained
from portquorum.web.history import answers as stored
from portquorum.web.history.job_reports import JobReports
from portquorum.web.history.stored_history import (
    HistoryState,
    ReportQuery,
    ResultQuery,
    TargetAsked,
    UptimeQuery,
)
from portquorum.web.history.stored_history import IncidentQuery as StoredIncidentQuery
from schemas.incident import IncidentEvent
from schemas.target import Target


class Fleet(Protocol):
    """What is known now; see `portquorum.web.fleet.Fleet`."""

    @property
    def version(self) -> int:
        """Grows with each change of any answer, but for ages."""

    @property
    def position(self) -> str:
        """The vector of offsets that is applied, an opaque text."""

    def freshness(self) -> Freshness:
        """How old the data are."""

    def counts(self) -> Counts:
        """Targets by state."""

    def overview(self, group_by: str = "team") -> Overview:
        """The first page; ValueError: no such dimension."""

    def groups(self, group_by: str = "team") -> GroupPage:
        """All groups of a dimension; ValueError: no such dimension."""

    def targets(self, query: TargetQuery) -> TargetPage:
        """A page of targets; CursorError: the cursor is none."""

    def ids(self, query: TargetQuery) -> tuple[str, ...]:
        """The ids of all targets of a query, sorted; TooManyTargetsError: more than 10,000."""

    def incidents(self, query: IncidentQuery) -> IncidentPage:
        """A page of the incidents in memory; CursorError: the cursor is none."""

    def target(self, target_id: str) -> TargetAnswer | None:
        """One target; None: there is none of this id."""

    def incident(self, incident_id: str) -> IncidentAnswer | None:
        """One incident that is open or closed within 24 h; None: ask the history."""

    def open_incidents(self) -> Sequence[OpenIncident]:
        """All open incidents, in no order."""

    def newest_event(self, incident_id: str) -> IncidentEvent | None:
        """The newest event, with all its fields, of an incident in memory."""

    def incidents_beginning(self, text: str) -> Sequence[IncidentRow]:
        """Incidents in memory whose id begins with `text`; closed ones only if no open one does."""

    def regions(self) -> RegionsAnswer:
        """All regions."""

    def maintenance(self) -> MaintenanceAnswer:
        """All maintenance windows."""

    def silences(self) -> SilencesAnswer:
        """All silences."""


class Hub(Protocol):
    """The changes, for any number of viewers."""

    def subscribe(
        self, since: str | None = None
    ) -> AbstractAsyncContextManager[AsyncIterator[Change | None]]:
        """All changes after the position `since`, or from now on.

        A None says "ask for the page anew": the position is too old, of another log or none at
        all, or this viewer was too slow and something was dropped. The iterator ends when the
        process closes. Leaving the context forgets the viewer.
        """


class Following(Protocol):
    """What fills the fleet and tells the hub; `portquorum.web.following.Following` is it.

    It is made of the settings and connects to nothing before `run`.
    """

    @property
    def fleet(self) -> Fleet:
        """Answers from the first moment on: blind, as long as nothing is read."""

    @property
    def hub(self) -> Hub:
        """Tells each change after it is in the fleet."""

    async def run(self) -> None:
        """Follows until it is cancelled; waits for a broker or a ClickHouse that is away.

        Raises:
            foundation.kafka.TopicMismatchError: the topics are not those of the settings.
            Exception: a fault of ours; the process should end with it.
        """


class Explains(Protocol):
    """Reads the stream's state; `portquorum.web.explaining.explainer.Explainer` is it."""

    async def explain(self, target: Target) -> TargetExplained:
        """Why a target has an incident or none; ExplainUnavailableError."""


class History(Protocol):
    """The past, in ClickHouse; see `portquorum.web.history.stored_history.StoredHistory`.

    Every method raises HistoryUnavailableError or HistoryTooSlowError, but for `target`.
    """

    @property
    def state(self) -> HistoryState:
        """How ClickHouse answered last; asks nothing."""

    async def target(self, asked: TargetAsked) -> stored.TargetHistory:
        """The target page's past; a part that could not be had is None."""

    async def checks(
        self, target: str, interval_ms: int, most: int = 20
    ) -> tuple[stored.RegionChecks, ...]:
        """The last checks of a target from each region."""

    async def results(
        self, asked: ResultQuery, cursor: str | None, limit: int
    ) -> stored.ResultPage:
        """A page of results, the newest first; UnknownCursorError."""

    async def incidents(
        self, asked: StoredIncidentQuery, cursor: str | None, limit: int
    ) -> stored.IncidentPage:
        """A page of incidents, open and closed, the newest first; UnknownCursorError."""

    async def closed_since(self, since: int, limit: int) -> Sequence[stored.IncidentRow]:
        """Incidents closed at `since` (UTC ms) or later, the newest first."""

    async def incident(self, incident_id: str) -> stored.IncidentHistory | None:
        """An incident from its first failure on; None if there is none."""

    async def uptime(self, asked: UptimeQuery) -> Sequence[stored.UptimeRow]:
        """Uptime rows, by name and day."""

    async def uptime_of(self, targets: Collection[str], days: int) -> dict[str, float | None]:
        """The uptime (percent) of some targets over the last days, today included."""

    async def job_reports(self, targets: Collection[str]) -> dict[str, JobReports]:
        """The newest reports of those of some jobs that have any."""

    async def report(self, asked: ReportQuery) -> Report:
        """A report; UnknownScopeError: no such team or target."""
