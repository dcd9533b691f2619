"""The history: the questions of pages and API to ClickHouse."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Mapping
from importlib import import_module
from typing import Any, Final

from clickhouse_connect.driver.client import Client
from msgspec import Struct
from msgspec.structs import replace

from foundation.settings import Settings
from portquorum.report.history import MOST_DAYS, History
from portquorum.report.result import Report
from portquorum.web.history import (
    incident_queries,
    result_queries,
    target_queries,
    uptime_queries,
)
from portquorum.web.history.answers import (
    IncidentHistory,
    IncidentPage,
    IncidentRow,
    RegionChecks,
    ResultPage,
    ResultRow,
    TargetHistory,
    UptimeRow,
)
from portquorum.web.history.day_uptime import over
from portquorum.web.history.errors import HistoryTooSlowError, HistoryUnavailableError
from portquorum.web.history.question_pool import REPORT_S, QuestionPool
from portquorum.web.history.questions import (
    IncidentQuery,
    ReportQuery,
    ResultQuery,
    TargetAsked,
    UptimeQuery,
)
from portquorum.web.history.shared_answers import SharedAnswers
from portquorum.web.history.windows import DAY_MS, within_results

__all__ = [
    "HistoryState",
    "IncidentQuery",
    "ReportQuery",
    "ResultQuery",
    "StoredHistory",
    "TargetAsked",
    "UptimeQuery",
]

DAYS: Final = 90
"""Days of the bar of days on the target page."""

CHECKS: Final = 20
"""Checks of a region on the target page."""

KEEP_S: Final = 1.0
"""How long an answer is given to others who ask the same, in s."""

KEEP_MOST: Final = 64
"""Answers that are kept; that of a target page has some 200 kB."""

LARGEST_PAGE: Final = 5_000
"""The most rows of one page of results or incidents."""


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
        self._pool = QuestionPool(settings)
        self._results_ms = settings.results_ttl_days * DAY_MS
        self._targets: SharedAnswers[TargetHistory] = SharedAnswers(KEEP_S, KEEP_MOST)
        self._incidents: SharedAnswers[IncidentHistory | None] = SharedAnswers(KEEP_S, KEEP_MOST)

    @property
    def state(self) -> HistoryState:
        """How ClickHouse answered last; asks nothing."""
        trouble = self._pool.trouble
        if trouble is None:
            return HistoryState(trouble=None, since=None)
        return HistoryState(trouble=str(trouble), since=trouble.since)

    async def close(self) -> None:
        """Ends the threads; what is being asked is waited for, no longer than its limit."""
        await self._pool.close()

    async def target(self, asked: TargetAsked) -> TargetHistory:
        """The target page. A part that could not be had is None, and `trouble` says why.

        The window has longer steps than asked for where single results have expired. Who asks the
        same within a second gets the same answer.
        """
        return await self._targets.get(asked, lambda: self._target(asked))

    async def _target(self, asked: TargetAsked) -> TargetHistory:
        now = _now()
        window = within_results(asked.window, now - self._results_ms)
        since = min(window.since, now - DAYS * DAY_MS)
        until = max(window.until, now)
        parts, trouble = await self._parts(
            {
                "frame": lambda client: target_queries.frame(
                    client,
                    asked.target,
                    tags=asked.tags,
                    regions=asked.regions,
                    days=DAYS,
                    since=since,
                    until=until,
                    now=now,
                ),
                "latency": lambda client: target_queries.latency(client, asked.target, window),
                "incidents": lambda client: target_queries.incidents(
                    client, asked.target, since=since, until=until, now=now
                ),
                "checks": lambda client: target_queries.checks(
                    client, asked.target, asked.interval_ms, CHECKS, now
                ),
            }
        )
        told = TargetHistory(
            target=asked.target,
            window=window,
            latency=parts.get("latency"),
            checks=parts.get("checks"),
            trouble=trouble,
        )
        if "incidents" in parts:
            incidents, left_out = parts["incidents"]
            told = replace(told, incidents=incidents, incidents_left_out=left_out)
        if "frame" not in parts:
            return told
        frame: target_queries.TargetFrame = parts["frame"]
        return replace(
            told,
            days=frame.days,
            uptime=over(frame.days),
            maintenance=frame.maintenance,
            regions=frame.regions,
            certificates=frame.certificates,
            definitions=frame.definitions,
        )

    async def checks(
        self, target: str, interval_ms: int, most: int = CHECKS
    ) -> tuple[RegionChecks, ...]:
        """The last `most` checks of a target from each region."""
        return await self._pool.ask(
            lambda client: target_queries.checks(client, target, interval_ms, most, _now())
        )

    async def results(self, asked: ResultQuery, cursor: str | None, limit: int) -> ResultPage:
        """A page of results, the newest first; `LARGEST_PAGE` rows at most.

        Raises:
            UnknownCursorError: not a cursor of `next`.
        """
        most = min(limit, LARGEST_PAGE)
        return await self._pool.ask(lambda one: result_queries.find(one, asked, cursor, most))

    async def all_results(self, asked: ResultQuery) -> AsyncIterator[tuple[ResultRow, ...]]:
        """All results, the newest first, as pages: for a file."""
        cursor = None
        while True:
            page = await self.results(asked, cursor, LARGEST_PAGE)
            if page.rows:
                yield page.rows
            if (cursor := page.next) is None:
                return

    async def incidents(self, asked: IncidentQuery, cursor: str | None, limit: int) -> IncidentPage:
        """A page of incidents, open and closed, the newest opening first.

        Raises:
            UnknownCursorError: not a cursor of `next`.
        """
        most = min(limit, LARGEST_PAGE)
        return await self._pool.ask(
            lambda one: incident_queries.find(one, asked, cursor, most, _now())
        )

    async def closed_since(self, since: int, limit: int) -> tuple[IncidentRow, ...]:
        """Incidents that were closed at `since` (UTC ms) or later, the newest closing first."""
        most = min(limit, LARGEST_PAGE)
        return await self._pool.ask(lambda one: incident_queries.closed_since(one, since, most))

    async def incident(self, incident_id: str) -> IncidentHistory | None:
        """An incident, open or closed, from its first failure on; None if there is none.

        Who asks the same within a second gets the same answer.
        """
        return await self._incidents.get(incident_id, lambda: self._incident(incident_id))

    async def _incident(self, incident_id: str) -> IncidentHistory | None:
        found = await self._pool.ask(
            lambda client: incident_queries.incident(client, incident_id, _now())
        )
        if found is None:
            return None
        parts, trouble = await self._parts(
            {"told": lambda one: incident_queries.told(one, incident_id, found.began_at)}
        )
        return replace(found, told=parts.get("told"), trouble=trouble)

    async def uptime(self, asked: UptimeQuery) -> tuple[UptimeRow, ...]:
        """Uptime rows, by name and day."""
        return await self._pool.ask(lambda client: uptime_queries.uptime(client, asked))

    async def uptime_of(self, targets: Collection[str], days: int) -> dict[str, float | None]:
        """The uptime (percent) of each of some targets over the last days, today included."""
        if not targets:
            return {}
        return await self._pool.ask(
            lambda client: uptime_queries.uptime_of(client, targets, days, _now())
        )

    async def report(self, asked: ReportQuery) -> Report:
        """A report. Uptime, SLO and cost are at most 5 minutes old (docs/analytics.md).

        Raises:
            portquorum.report.history.UnknownScopeError: no such team or target.
            ValueError: no days, or too many; the text is a sentence.
        """
        if not 0 <= (asked.until - asked.since).days < MOST_DAYS:
            raise ValueError(f"expected up to {MOST_DAYS:,} days that end after they begin")
        kind = import_module(f"portquorum.report.{asked.kind}")

        def question(client: Client) -> Report:
            stored = History(client, asked.since, asked.until, team=asked.team, target=asked.target)
            report: Report = kind.report(stored, asked.most)
            return report

        return await self._pool.ask(question, REPORT_S)

    async def _parts(self, questions: Mapping[str, Any]) -> tuple[dict[str, Any], str | None]:
        """The answers that could be had, and why the others could not; asked beside each other."""
        found = await asyncio.gather(
            *(self._pool.ask(one) for one in questions.values()), return_exceptions=True
        )
        trouble = None
        for one in found:
            if isinstance(one, HistoryUnavailableError | HistoryTooSlowError):
                trouble = trouble or str(one)
            elif isinstance(one, BaseException):
                raise one
        answers = zip(questions, found, strict=True)
        return {name: one for name, one in answers if not isinstance(one, BaseException)}, trouble


def _now() -> int:
    return time.time_ns() // 1_000_000
