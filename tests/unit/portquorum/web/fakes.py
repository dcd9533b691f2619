"""A fleet, a hub and a history that answer from what a test gives them."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

import httpx
from msgspec.structs import replace

from foundation.http_origin import Served
from portquorum.access.principal import Principal
from portquorum.bench.page_fleet import event_of
from portquorum.report.result import Report
from portquorum.web import answers
from portquorum.web.access.visit import Visit
from portquorum.web.answers import (
    Change,
    Counts,
    Freshness,
    GroupRow,
    IncidentRow,
    RegionMark,
    TargetRow,
)
from portquorum.web.app import create_app
from portquorum.web.edge import Edge
from portquorum.web.explaining.answers import TargetExplained
from portquorum.web.fleet import CursorError, TooManyTargetsError
from portquorum.web.fleet.fleet import MOST_IDS
from portquorum.web.history import answers as stored
from portquorum.web.history.errors import UnknownCursorError
from portquorum.web.history.job_reports import JobReports
from portquorum.web.history.stored_history import HistoryState
from portquorum.web.parts import Parts
from schemas.incident import IncidentEvent, Votes
from schemas.probe import HeartbeatProbe
from schemas.target import Target

NOW = 1_796_000_000_000
HOSTILE = '=<script>alert(1)</script>\u202e"\n'

FRESH = Freshness(
    now=NOW,
    data_at=NOW - 2000,
    blind_since=None,
    blind_because=None,
    status_at=NOW - 9000,
    history_away_since=None,
    regions=3,
    regions_reporting=3,
    position="v1-abc",
)


def target_row(number: int, **changed: Any) -> TargetRow:
    row = TargetRow(
        id=f"db-{number}",
        name=f"db {number}",
        kind="tcp",
        host="db.example.com",
        port=5432,
        place="db.example.com:5432",
        team="payments",
        tags=("prod", "db"),
        criticality="normal",
        state="up",
        since=NOW - 60_000,
    )
    return replace(row, **changed)


def incident_row(number: int, **changed: Any) -> IncidentRow:
    row = IncidentRow(
        id=f"inc-{number}",
        type="unreachable",
        state="down",
        severity="critical",
        event="opened",
        target=f"db-{number}",
        name=f"db {number}",
        kind="tcp",
        host="db.example.com",
        port=5432,
        place="db.example.com:5432",
        team="payments",
        criticality="normal",
        summary="no answer from 3 of 3 regions",
        regions=(RegionMark(region="eu", verdict="down"),),
        began_at=NOW - 90_000,
        opened_at=NOW - 60_000,
        changed_at=NOW - 60_000,
    )
    return replace(row, **changed)


def definition(number: int) -> Target:
    return Target(
        id=f"db-{number}",
        version=1,
        name=f"db {number}",
        kind="tcp",
        host="db.example.com",
        port=5432,
        tags=("prod", "db"),
        team="payments",
        criticality="normal",
        regions=("eu",),
        interval_ms=30_000,
        timeout_ms=3_000,
        retries=1,
        source="inventory.yaml",
    )


class FakeFleet:
    """Targets db-0, db-1, …; the cursor is the number of the next row."""

    version = 1
    position = "v1-abc"

    def __init__(self, targets: int = 3) -> None:
        self.region_rows: tuple[answers.RegionRow, ...] = ()
        self.rows = tuple(target_row(number) for number in range(targets))
        self.open = (incident_row(0),)
        self.jobs: dict[str, Target] = {}
        self.fresh = FRESH
        self.asked: list[Any] = []

    def add_job(self, name: str, **changed: Any) -> Target:
        """A job that reports itself; it is expected each hour."""
        fields = {"id": name, "name": name, "kind": "heartbeat", "host": None, "port": None}
        job = replace(
            definition(0),
            **fields,
            regions=("receiver",),
            probe=HeartbeatProbe(interval_ms=3_600_000),
            **changed,
        )
        self.jobs[name] = job
        row = replace(target_row(0), **fields, place=name, team=job.team, tags=job.tags)
        self.rows = (*self.rows, row)
        return job

    def freshness(self) -> Freshness:
        return self.fresh

    def counts(self) -> Counts:
        return Counts(up=len(self.rows), total=len(self.rows))

    def overview(self, group_by: str = "team") -> answers.Overview:
        return answers.Overview(
            freshness=self.fresh,
            version=1,
            counts=self.counts(),
            open_incidents=1,
            open_targets=1,
            unacknowledged=1,
            causes=(),
            causes_total=0,
            group_by=group_by,
            groups=(GroupRow(name="payments", counts=self.counts()),),
            groups_total=1,
            closed=(),
            closed_total=0,
            maintenance=(),
            maintenance_total=0,
            regions=(),
        )

    def groups(self, group_by: str = "team") -> answers.GroupPage:
        return answers.GroupPage(freshness=self.fresh, group_by=group_by, groups=(), groups_total=0)

    def targets(self, query: answers.TargetQuery) -> answers.TargetPage:
        self.asked.append(query)
        begin = _place(query.cursor)
        there = [one for one in self.rows if query.kinds != ("heartbeat",) or one.id in self.jobs]
        rows = tuple(there[begin : begin + query.limit])
        after = begin + len(rows)
        return answers.TargetPage(
            freshness=self.fresh,
            rows=rows,
            total=len(there),
            counts=self.counts(),
            facets={"state": (answers.Facet(value="up", targets=len(self.rows)),)},
            next_cursor=str(after) if after < len(there) else "",
        )

    def ids(self, query: answers.TargetQuery) -> tuple[str, ...]:
        self.asked.append(query)
        if len(self.rows) > MOST_IDS:
            raise TooManyTargetsError(len(self.rows))
        return tuple(sorted(row.id for row in self.rows))

    def incidents(self, query: answers.IncidentQuery) -> answers.IncidentPage:
        self.asked.append(query)
        _place(query.cursor)
        return answers.IncidentPage(
            freshness=self.fresh, rows=self.open, total=len(self.open), next_cursor=""
        )

    def target(self, target_id: str) -> answers.TargetAnswer | None:
        row = next((row for row in self.rows if row.id == target_id), None)
        if row is None:
            return None
        return answers.TargetAnswer(
            freshness=self.fresh,
            row=row,
            definition=self.jobs.get(target_id, definition(0)),
            incidents=self.open,
            regions=(answers.RegionNow(region="eu", status="up"),),
            host_targets=(),
            host_targets_total=0,
            depends_on=(),
            dependents=0,
            maintenance=(),
            silences=(),
        )

    def incident(self, incident_id: str) -> answers.IncidentAnswer | None:
        row = next((row for row in self.open if row.id == incident_id), None)
        if row is None:
            return None
        return answers.IncidentAnswer(
            freshness=self.fresh,
            row=row,
            first_steps=(),
            runbook=None,
            changes=(),
            tags=(),
            depends_on=(),
            regions={},
            votes=Votes(down=3, fresh=3, configured=3, need=2),
            host_targets=(),
            host_targets_total=0,
            abandoned_regions=(),
            resolved_note=None,
            recovered_at=None,
            target_row=None,
            cause=None,
        )

    def open_incidents(self) -> Sequence[answers.OpenIncident]:
        event = event_of(definition(0), kind="unreachable", at=NOW, began=NOW - 90_000)
        return [answers.OpenIncident(event=event)]

    def newest_event(self, incident_id: str) -> IncidentEvent | None:
        event = self.open_incidents()[0].event
        return event if event.incident_id == incident_id else None

    def incidents_beginning(self, text: str) -> Sequence[IncidentRow]:
        return [one for one in self.open if one.id.startswith(text)]

    def regions(self) -> answers.RegionsAnswer:
        return answers.RegionsAnswer(freshness=self.fresh, regions=self.region_rows)

    def maintenance(self) -> answers.MaintenanceAnswer:
        return answers.MaintenanceAnswer(freshness=self.fresh, windows=())

    def silences(self) -> answers.SilencesAnswer:
        return answers.SilencesAnswer(freshness=self.fresh, silences=())


def _place(cursor: str) -> int:
    if not cursor:
        return 0
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 9):
        raise CursorError("expected a cursor of an earlier answer")
    return int(cursor)


class FakeHub:
    """Gives each viewer what `tell` says; remembers from where viewers began."""

    def __init__(self) -> None:
        self.queues: list[asyncio.Queue[Change | None]] = []
        self.began: list[str | None] = []
        self.joined = asyncio.Event()

    def tell(self, change: Change | None) -> None:
        for queue in self.queues:
            queue.put_nowait(change)

    @asynccontextmanager
    async def subscribe(
        self, since: str | None = None
    ) -> AsyncIterator[AsyncIterator[Change | None]]:
        queue: asyncio.Queue[Change | None] = asyncio.Queue()
        self.queues.append(queue)
        self.began.append(since)
        self.joined.set()
        try:
            yield self._changes(queue)
        finally:
            self.queues.remove(queue)

    async def _changes(self, queue: asyncio.Queue[Change | None]) -> AsyncIterator[Change | None]:
        while True:
            yield await queue.get()


class FakeHistory:
    """A short past; raises `error` if there is one."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.has_results = True
        self.asked: list[Any] = []
        self.jobs: dict[str, JobReports] = {}

    @property
    def state(self) -> HistoryState:
        return HistoryState(trouble=None, since=None)

    def _ask(self, asked: Any) -> None:
        self.asked.append(asked)
        if self.error is not None:
            raise self.error

    async def target(self, asked: Any) -> stored.TargetHistory:
        self.asked.append(asked)
        return stored.TargetHistory(target=asked.target, window=asked.window)

    async def checks(
        self, target: str, interval_ms: int, most: int = 20
    ) -> tuple[stored.RegionChecks, ...]:
        self._ask((target, interval_ms, most))
        return (stored.RegionChecks(region="eu", checks=()),)

    async def results(self, asked: Any, cursor: str | None, limit: int) -> stored.ResultPage:
        self._ask((asked, limit))
        if cursor is not None:
            raise UnknownCursorError("expected a cursor of an earlier answer")
        return stored.ResultPage(rows=(result_row(),) if self.has_results else (), next=None)

    async def incidents(self, asked: Any, cursor: str | None, limit: int) -> stored.IncidentPage:
        self._ask((asked, limit))
        if cursor is not None:
            raise UnknownCursorError("expected a cursor of an earlier answer")
        return stored.IncidentPage(rows=(), total=0, next=None)

    async def closed_since(self, since: int, limit: int) -> Sequence[stored.IncidentRow]:
        self._ask((since, limit))
        return ()

    async def incident(self, incident_id: str) -> stored.IncidentHistory | None:
        self._ask(incident_id)
        return None

    async def uptime(self, asked: Any) -> Sequence[stored.UptimeRow]:
        self._ask(asked)
        return (
            stored.UptimeRow(
                name="db-0",
                day=date(2026, 11, 29) if asked.by_day else None,
                watched_s=86_400,
                measured_s=86_000,
                down_s=0,
                maintenance_s=0,
                uptime_percent=100.0,
                uptime_without_maintenance_percent=None,
            ),
        )

    async def uptime_of(self, targets: Collection[str], days: int) -> dict[str, float | None]:
        self._ask((targets, days))
        return dict.fromkeys(targets)

    async def job_reports(self, targets: Collection[str]) -> dict[str, JobReports]:
        self._ask(targets)
        return {name: one for name, one in self.jobs.items() if name in targets}

    async def report(self, asked: Any) -> Report:
        self._ask(asked)
        return Report(
            kind=asked.kind,
            scope="all",
            since=asked.since,
            until=asked.until,
            verdict="all was well",
            figures=[],
            days=[],
            tables=[],
            notes=[],
        )


def result_row() -> stored.ResultRow:
    return stored.ResultRow(
        target="db-0",
        kind="tcp",
        host="db.example.com",
        port=5432,
        region="eu",
        prober="p1",
        scheduled_at=NOW,
        started_at=NOW,
        status="down",
        reason="refused",
        attempt=1,
        cause="scheduled",
        detail=HOSTILE,
        address="192.0.2.1",
        dns_ms=None,
        connect_ms=None,
        tls_ms=None,
        total_ms=1.5,
        cert_expires_at=None,
        http_status=None,
        banner="",
    )


class FakeExplainer:
    """The stream knows no target."""

    async def explain(self, target: Target) -> TargetExplained:
        return TargetExplained(
            target=target.id,
            partition=0,
            explanation=None,
            log_at=NOW,
            checkpoint_at=None,
            behind=0,
            complete=True,
        )


class OneDoor:
    """Lets one principal in, whoever asks; their forms need a token if they have a session."""

    def __init__(self, principal: Principal) -> None:
        self.principal = principal

    def visit(self, _scope: object) -> Visit:
        return Visit(principal=self.principal, form_secret=self.principal.session)


class Made:
    """An app over fakes."""

    def __init__(
        self,
        *,
        fleet: FakeFleet | None = None,
        history: FakeHistory | None = None,
        principal: Principal | None = None,
        parts: dict[str, Any] | None = None,
        **options: Any,
    ) -> None:
        """`principal`: who asks, always; None: this machine. `parts`: others of `Parts`."""
        self.fleet = fleet or FakeFleet()
        self.hub = FakeHub()
        self.history = history or FakeHistory()
        self.closing = asyncio.Event()
        self.parts = Parts(
            self.fleet, self.hub, self.history, self.closing, FakeExplainer(), **(parts or {})
        )
        if principal is not None:
            options["door"] = OneDoor(principal)
        self.app: Edge = create_app(self.parts, Served("127.0.0.1"), **options)

    def client(self, peer: str = "127.0.0.1", **headers: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, client=(peer, 40_000)),  # type: ignore[arg-type]
            base_url="http://127.0.0.1:9480",
            headers=headers,
        )
