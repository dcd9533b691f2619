# ruff: noqa: ARG002 - the answers are the same, whatever is asked
"""A fleet, a hub and a history made by hand, in the app of the pages, on a port of its own."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import uvicorn
from msgspec.structs import replace

from foundation.http_origin import Served
from portquorum.report.result import Column, Days, Figure, Report, ReportTable
from portquorum.serving.front import Front
from portquorum.web import answers
from portquorum.web.answers import Change, Counts, Facet, Freshness, Overview, TargetRow
from portquorum.web.app import create_app
from portquorum.web.explaining.answers import TargetExplained
from portquorum.web.explaining.explainer import ExplainUnavailableError
from portquorum.web.history import answers as stored
from portquorum.web.history.errors import HistoryUnavailableError
from portquorum.web.history.job_reports import JobReports
from portquorum.web.history.stored_history import HistoryState
from portquorum.web.pages.handlers import error_page_of
from portquorum.web.parts import Parts
from portquorum.web.routes import ROUTES
from schemas.incident import HostTarget, RegionVerdict, Votes
from schemas.policy import Match
from schemas.probe import HeartbeatProbe
from schemas.target import LatencyLimit, Target
from streams.explain import (
    Explanation,
    FlappingExplained,
    IncidentExplained,
    RecheckExplained,
    RegionExplained,
)
from streams.explain.model import VotesExplained
from tests.browser.web import job
from tests.browser.web.changes import HandMadeActs, HandMadeEdits, HandMadeOffice
from tests.browser.web.nights import HOSTILE, HOUR, MINUTE, NOW, REGIONS, busy, incident, region
from tests.browser.web.status_desk import StatusDesk, public_app

DAY = 24 * HOUR
DEADLINE_S = 30
OPEN_INCIDENT = "0b51c0de-0000-5000-8000-000000000001"
_STATES: tuple[answers.State, ...] = ("down", "slow", "unknown", "maintenance", "paused", "up")


def target_row(number: int, **changes: Any) -> TargetRow:
    """A target of the list: the first ones are in trouble."""
    state = _STATES[number] if number < len(_STATES) else "up"
    host = f"db-{number:03}.fra.example.net"
    usual = TargetRow(
        id=f"orders-db-{number}",
        name=f"orders db {number}",
        kind="postgres",
        host=host,
        port=5432,
        place=f"{host}:5432",
        team="payments",
        tags=("prod", "rack-7", "postgres"),
        criticality="critical",
        state=state,
        since=NOW - (number + 1) * 7 * MINUTE,
        summary="no answer from 5 of 5 regions" if state == "down" else "",
        incident=OPEN_INCIDENT if state == "down" else None,
        regions=REGIONS,
        newest_result_at=NOW - 4_000,
        is_expiring=number == 6,
    )
    return replace(usual, **changes)


def definition(row: TargetRow) -> Target:
    return Target(
        id=row.id,
        name=row.name[:200],
        kind=row.kind,
        host=row.host,
        port=row.port,
        regions=("receiver",) if row.kind == "heartbeat" else REGIONS,
        probe=HeartbeatProbe(interval_ms=3_600_000) if row.kind == "heartbeat" else None,
        interval_ms=30_000,
        timeout_ms=3_000,
        version=NOW - 40 * DAY,
        source="inventory.yaml",
        latency=LatencyLimit(max_ms=250, times_usual=3),
        criticality="critical",
        team="payments",
        purpose="Where orders are kept.",
        tags=("prod", "rack-7", "postgres"),
        depends_on=("edge-gw",),
        runbook="https://wiki.example.com/runbooks/orders-db",
        slo=99.9,
    )


class HandMadeFleet:
    """Answers from what a test gives it; `overviews` is what is true now."""

    position = "0.1234"

    def __init__(self, now: Overview | None = None) -> None:
        self.now = now or busy()
        self.version = 1
        self.rows = tuple(target_row(number) for number in range(100))
        self.text = ""

    def become(self, now: Overview) -> None:
        """Another night."""
        self.now = now
        self.version += 1

    def freshness(self) -> Freshness:
        return self.now.freshness

    def counts(self) -> Counts:
        return self.now.counts

    def overview(self, group_by: str = "team") -> Overview:
        return self.now

    def groups(self, group_by: str = "team") -> answers.GroupPage:
        return answers.GroupPage(
            freshness=self.freshness(),
            group_by=group_by,
            groups=self.now.groups,
            groups_total=self.now.groups_total,
        )

    def targets(self, query: answers.TargetQuery) -> answers.TargetPage:
        found = self._matching(query)
        rows = found[: query.limit]
        if self.text:
            rows = [replace(one, name=self.text, summary=self.text) for one in rows]
        return answers.TargetPage(
            freshness=self.freshness(),
            rows=tuple(rows),
            total=1_234 if len(found) == len(self.rows) else len(found),
            counts=self.counts(),
            facets=self._facets(query),
            next_cursor="" if query.cursor or len(rows) < 100 else "after-100",
        )

    def ids(self, query: answers.TargetQuery) -> tuple[str, ...]:
        return tuple(sorted(one.id for one in self._matching(query)))

    def _matching(self, query: answers.TargetQuery) -> list[TargetRow]:
        return [
            one
            for one in self.rows
            if (not query.states or one.state in query.states)
            and all(word in one.name + one.place for word in query.q.split())
        ]

    def _facets(self, query: answers.TargetQuery) -> dict[str, tuple[Facet, ...]]:
        teams = (self.text or "payments", *(f"team {one:02}" for one in range(12)), "")
        return {
            "state": tuple(
                Facet(value=one, targets=number * 17 + 3, is_chosen=one in query.states)
                for number, one in enumerate(_STATES)
            ),
            "team": tuple(
                Facet(value=one, targets=400 - number, is_chosen=one in query.teams)
                for number, one in enumerate(teams)
            ),
            "tag": tuple(Facet(value=one, targets=40) for one in ("prod", "rack-7", "postgres")),
            "kind": tuple(Facet(value=one, targets=40) for one in ("tcp", "https", "postgres")),
            "criticality": (
                Facet(value="critical", targets=100),
                Facet(value="normal", targets=1_134),
            ),
            "region": tuple(Facet(value=one, targets=1_234) for one in REGIONS),
        }

    def incidents(self, query: answers.IncidentQuery) -> answers.IncidentPage:
        rows = (*(one.incident for one in self.now.causes if one.incident), *self.now.closed)
        wanted = tuple(
            one for one in rows if query.is_open is None or query.is_open == (one.closed_at is None)
        )
        return answers.IncidentPage(
            freshness=self.freshness(), rows=wanted, total=len(wanted), next_cursor=""
        )

    def target(self, target_id: str) -> answers.TargetAnswer | None:
        if target_id == job.JOB:
            return job.answer(self.freshness(), self.text)
        row = next((one for one in self.rows if one.id == target_id), None)
        if row is None:
            return None
        opened = (self._opened(),) if row.state == "down" else ()
        if self.text:
            row = replace(row, name=self.text, summary=self.text, tags=(self.text,))
        return answers.TargetAnswer(
            freshness=self.freshness(),
            row=row,
            definition=definition(row),
            incidents=opened,
            regions=tuple(
                answers.RegionNow(region=one, status="down" if row.state == "down" else "up")
                for one in REGIONS
            ),
            host_targets=tuple(target_row(number) for number in (1, 3, 7)),
            host_targets_total=3,
            depends_on=(target_row(8, name="edge gateway", id="edge-gw", kind="icmp"),),
            dependents=12,
            maintenance=tuple(one for one in self.now.maintenance if row.state == "maintenance"),
            silences=(),
        )

    def _opened(self) -> answers.IncidentRow:
        text = self.text or "no answer from 5 of 5 regions: the host does not answer"
        return incident(
            self.text or "orders db 0",
            id=OPEN_INCIDENT,
            target="orders-db-0",
            kind="postgres",
            summary=text,
            acknowledged_by=self.text or None,
        )

    def incident(self, incident_id: str) -> answers.IncidentAnswer | None:
        causes = {one.incident.id: one for one in self.now.causes if one.incident is not None}
        if incident_id not in {OPEN_INCIDENT, job.JOB_INCIDENT} and incident_id not in causes:
            return None
        detail = self.text or "connect: no route to host"
        return answers.IncidentAnswer(
            freshness=self.freshness(),
            row=replace(self._opened(), id=incident_id),
            first_steps=(
                self.text or "See whether the host is on: ping db-000.fra.example.net",
                "Look at what was changed in the last hour.",
            ),
            runbook=self.text or "https://wiki.example.com/runbooks/orders-db",
            changes=("syd fails too",),
            tags=("prod",),
            depends_on=("edge-gw",),
            regions={
                one: RegionVerdict(
                    verdict="down",
                    reason="timed_out",
                    detail=detail,
                    since=NOW - 4 * MINUTE,
                )
                for one in REGIONS
            },
            votes=Votes(down=5, need=3, fresh=5, configured=5),
            host_targets=(
                HostTarget(
                    target="ssh-0", name=self.text or "ssh", kind="ssh", port=22, status="down"
                ),
            ),
            host_targets_total=1,
            abandoned_regions=(),
            resolved_note=None,
            recovered_at=None,
            target_row=target_row(0),
            cause=self.now.causes[0] if self.now.causes else None,
        )

    def incidents_beginning(self, text: str) -> Sequence[answers.IncidentRow]:
        whole = OPEN_INCIDENT.startswith(text)
        return [replace(self._opened(), id=OPEN_INCIDENT)] if whole else []

    def regions(self) -> answers.RegionsAnswer:
        probers = tuple(
            answers.ProberRow(
                name=self.text or f"prober-{one}",
                at=NOW - 3_000,
                targets=5_000,
                failing=27,
                connectivity=one == 0,
                lag_ms=4.2,
                spool=0,
                clock_offset_ms=12 if one == 0 else -7_400,
            )
            for one in range(2)
        )
        silent = region(
            "syd",
            state="silent",
            since=NOW - 6 * MINUTE,
            last_beat_at=NOW - 6 * MINUTE,
            unknown=212,
            summary=self.text or "No prober of region syd has reported for 6 min.",
        )
        others = tuple(region(one, probers=probers) for one in REGIONS[:-1])
        return answers.RegionsAnswer(freshness=self.freshness(), regions=(silent, *others))

    def maintenance(self) -> answers.MaintenanceAnswer:
        return answers.MaintenanceAnswer(freshness=self.freshness(), windows=self.now.maintenance)

    def silences(self) -> answers.SilencesAnswer:
        row = answers.SilenceRow(
            id="7f3a",
            state="active",
            begins_at=NOW - HOUR,
            ends_at=NOW + 3 * HOUR,
            reason=self.text or "the disk is being replaced",
            by=self.text or "Aino",
            created_at=NOW - HOUR,
            ended_by=None,
            match=Match(tags=("rack-7",), kinds=("postgres",)),
            targets=17,
            incidents=1,
        )
        ended = replace(row, id="7f3b", state="ended", ends_at=NOW - HOUR, ended_by="Mika")
        return answers.SilencesAnswer(freshness=self.freshness(), silences=(row, ended))


class HandMadeExplainer:
    """Explains as the stream does; unavailable if `trouble` is set."""

    def __init__(self) -> None:
        self.trouble = self.text = ""

    async def explain(self, target: Target) -> TargetExplained:
        if self.trouble:
            raise ExplainUnavailableError(self.trouble)
        said = RegionVerdict(
            verdict="down", reason="timed_out", detail=self.text or "no answer", since=NOW - MINUTE
        )
        return TargetExplained(
            target=target.id,
            partition=3,
            log_at=NOW - 2_000,
            checkpoint_at=NOW - 11_000,
            behind=12,
            complete=True,
            explanation=Explanation(
                target=target,
                partition=3,
                offset=4_711,
                at=NOW - 2_000,
                status="down",
                headline=self.text or "An incident is open: unreachable since 02:01:12 (2 min).",
                because=(self.text or "5 of 5 regions that count say down; 4 are needed.",),
                would_change=(self.text or "The incident closes when fra succeeds once.",),
                votes=VotesExplained(
                    down=5, failing=5, slow=0, need=4, fresh=5, majority=3, configured=5
                ),
                regions=tuple(
                    RegionExplained(
                        region=one,
                        said=said,
                        counts=True,
                        newest_at=NOW - 4_000,
                        fresh_until=NOW + 71_000,
                        last_word="down",
                        failures=3,
                        failures_needed=2,
                        successes_needed=1,
                        lately_us=12_300,
                        usual_us=9_800,
                    )
                    for one in REGIONS
                ),
                incidents=(
                    IncidentExplained(
                        incident_id=OPEN_INCIDENT,
                        incident_type="unreachable",
                        opened_at=NOW - 2 * MINUTE,
                        first_failed_at=NOW - 3 * MINUTE,
                        episode=1,
                        improved=False,
                        acknowledged_by=None,
                        acknowledged_note=None,
                        likely="host_down",
                        sentence=self.text or "The host does not answer.",
                        first_steps=(self.text or "See whether the host is on.",),
                    ),
                ),
                resolved=(),
                flapping=FlappingExplained(
                    transitions=1, limit=5, slow_transitions=1, slow_limit=9
                ),
                recheck=RecheckExplained(asked_at=NOW - MINUTE, waits=False),
                host_targets=(
                    HostTarget(
                        target="orders-db-1",
                        name=self.text or "orders db 1",
                        kind="ssh",
                        port=22,
                        status="down",
                    ),
                ),
            ),
        )


class HandMadeHub:
    """Gives each viewer what `tell` says, from any thread."""

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None
        self._queues: list[asyncio.Queue[Change | None]] = []
        self._joined = threading.Event()

    def tell(self, change: Change | None) -> None:
        """Waits for a viewer, and tells them."""
        self.wait()
        assert self.loop is not None
        self.loop.call_soon_threadsafe(self._tell, change)

    def wait(self) -> None:
        """Until a viewer is here."""
        assert self._joined.wait(DEADLINE_S)

    @property
    def viewers(self) -> int:
        """Streams that are open."""
        return len(self._queues)

    def forget(self) -> None:
        """The next `tell` waits for a viewer who is not here yet."""
        self._joined.clear()

    def _tell(self, change: Change | None) -> None:
        for queue in self._queues:
            queue.put_nowait(change)

    @contextlib.asynccontextmanager
    async def subscribe(
        self, since: str | None = None
    ) -> AsyncIterator[AsyncIterator[Change | None]]:
        self.loop = asyncio.get_running_loop()
        queue: asyncio.Queue[Change | None] = asyncio.Queue()
        self._queues.append(queue)
        self._joined.set()
        try:
            yield self._changes(queue)
        finally:
            self._queues.remove(queue)

    async def _changes(self, queue: asyncio.Queue[Change | None]) -> AsyncIterator[Change | None]:
        while True:
            yield await queue.get()


class HandMadeHistory:
    """90 days of one target; away if `away_since` is set."""

    def __init__(self) -> None:
        self.away_since: int | None = None
        self.text = ""

    @property
    def state(self) -> HistoryState:
        return HistoryState(trouble=None, since=self.away_since)

    def _ask(self) -> None:
        if self.away_since is not None:
            raise HistoryUnavailableError("ClickHouse does not answer.", self.away_since)

    async def job_reports(self, targets: Collection[str]) -> dict[str, JobReports]:
        return {}

    async def target(self, asked: Any) -> stored.TargetHistory:
        if self.away_since is not None:
            return stored.TargetHistory(
                target=asked.target, window=asked.window, trouble="ClickHouse does not answer."
            )
        past = stored.TargetHistory(
            target=asked.target,
            window=asked.window,
            days=self._days(),
            uptime=tuple(
                stored.UptimeOver(
                    days=one,
                    measured_s=one * 86_000,
                    down_s=one * 31,
                    uptime_percent=99.96,
                    uptime_without_maintenance_percent=99.99,
                )
                for one in (1, 7, 30, 90)
            ),
            latency=self._latency(asked.window),
            incidents=self._spans(asked.target),
            incidents_left_out=3,
            maintenance=(),
            regions=(),
            checks=self._checks(asked.target == "orders-db-0"),
            certificates=tuple(
                stored.CertificateSeen(region=one, expires_at=NOW + 20 * DAY, seen_at=NOW)
                for one in REGIONS
            ),
            definitions=(
                stored.DefinitionChange(
                    at=NOW - 40 * DAY,
                    source=self.text or "inventory.yaml",
                    what="changed",
                    fields=(
                        stored.FieldChange(
                            field="interval_ms", before="60000", after=self.text or "30000"
                        ),
                    ),
                ),
            ),
        )
        return job.history(past, self.text) if asked.is_job else past

    def _days(self) -> tuple[stored.DayUptime, ...]:
        first = datetime.fromtimestamp(NOW / 1000, tz=UTC).date() - timedelta(days=89)
        return tuple(
            stored.DayUptime(
                day=first + timedelta(days=number),
                watched_s=86_400 if number > 9 else 0,
                measured_s=86_000 if number > 9 else 0,
                down_s=1_800 if number in {30, 71} else 0,
                down_in_maintenance_s=0,
                maintenance_s=7_200 if number % 7 == 6 else 0,
                uptime_percent=None if number <= 9 else 97.9 if number in {30, 71} else 100.0,
                uptime_without_maintenance_percent=None,
            )
            for number in range(90)
        )

    def _latency(self, window: stored.TimeWindow) -> tuple[stored.RegionLatency, ...]:
        times = range(window.since, window.until, window.step_ms)
        return tuple(
            stored.RegionLatency(
                region=name,
                steps=tuple(
                    stored.LatencyStep(
                        at=at,
                        checks=30,
                        up=30,
                        missed=0,
                        p50_ms=10.0 + 25 * place + number % 5,
                        p95_ms=14.0 + 30 * place + 3 * (number % 7),
                        max_ms=40.0 + 50 * place,
                    )
                    for number, at in enumerate(times)
                    if not 40 < number < 50
                ),
            )
            for place, name in enumerate(REGIONS)
        )

    def _spans(self, target: str) -> tuple[stored.IncidentSpan, ...]:
        return tuple(
            stored.IncidentSpan(
                incident_id=f"past-{one}",
                incident_type="slow" if one % 2 else "unreachable",
                severity="critical",
                target=target,
                name="orders db",
                began_at=NOW - one * 9 * DAY,
                opened_at=NOW - one * 9 * DAY,
                ended_at=NOW - one * 9 * DAY + 30 * MINUTE,
                closed_at=NOW - one * 9 * DAY + 30 * MINUTE,
                closed_because="recovered",
                duration_s=1_800,
                summary=self.text or "refused: the host answers, nothing listens",
                acknowledged_by=None,
            )
            for one in range(1, 5)
        )

    def _checks(self, is_down: bool) -> tuple[stored.RegionChecks, ...]:
        return tuple(
            stored.RegionChecks(
                region=name,
                checks=tuple(
                    stored.CheckSeen(
                        at=NOW - number * 30_000 - 2_000,
                        status="down" if is_down and number < 8 else "up",
                        reason="timed_out" if is_down and number < 8 else None,
                        detail=self.text if is_down and number < 8 else "",
                        attempt=0,
                        cause="schedule",
                        latency_ms=None if is_down and number < 8 else 12.3 + number,
                    )
                    for number in range(20)
                ),
            )
            for name in REGIONS
        )

    async def checks(
        self, target: str, interval_ms: int, most: int = 20
    ) -> tuple[stored.RegionChecks, ...]:
        self._ask()
        return self._checks(False)

    async def results(self, asked: Any, cursor: str | None, limit: int) -> stored.ResultPage:
        self._ask()
        return stored.ResultPage(rows=(), next=None)

    async def incidents(self, asked: Any, cursor: str | None, limit: int) -> stored.IncidentPage:
        self._ask()
        rows = tuple(
            stored.IncidentRow(
                incident_id=one.incident_id,
                incident_type=one.incident_type,
                severity=one.severity,
                target=one.target,
                name=self.text or one.name,
                kind="postgres",
                host="db-000.fra.example.net",
                port=5432,
                team=self.text or "payments",
                criticality="critical",
                began_at=one.began_at,
                opened_at=one.opened_at,
                ended_at=one.ended_at,
                closed_at=one.closed_at,
                closed_because=one.closed_because,
                duration_s=one.duration_s,
                summary=one.summary,
                acknowledged_by=None,
                resolved_by=None,
            )
            for one in self._spans("orders-db-0")
        )
        return stored.IncidentPage(rows=rows, total=len(rows), next=None)

    async def closed_since(self, since: int, limit: int) -> Sequence[stored.IncidentRow]:
        self._ask()
        return ()

    async def incident(self, incident_id: str) -> stored.IncidentHistory | None:
        self._ask()
        return None

    async def uptime(self, asked: Any) -> Sequence[stored.UptimeRow]:
        self._ask()
        return ()

    async def uptime_of(self, targets: Collection[str], days: int) -> dict[str, float | None]:
        self._ask()
        return dict.fromkeys(targets)

    async def report(self, asked: Any) -> Report:
        self._ask()
        days = [asked.since + timedelta(days=one) for one in range(7)]
        return Report(
            kind=asked.kind,
            scope=self.text or "all targets",
            since=asked.since,
            until=asked.until,
            verdict=self.text or "3 of 40 teams missed their objective",
            figures=[
                Figure(name="uptime", title="uptime", value=99.962, unit="percent"),
                Figure(name="down", title="down", value=18_400.0, unit="seconds", tone="bad"),
                Figure(name="incidents", title="incidents", value=41, unit="count"),
            ],
            days=[
                Days(
                    name="uptime",
                    title="uptime by day",
                    unit="percent",
                    days=days,
                    values=[100.0, 99.9, None, 99.2, 100.0, 100.0, 99.99],
                    low_is_bad=True,
                )
            ],
            tables=[
                ReportTable(
                    name="teams",
                    title="Teams",
                    columns=[
                        Column(name="team", title="Team", unit="text"),
                        Column(name="uptime", title="Uptime", unit="percent", bar=True),
                        Column(name="down", title="Down", unit="seconds"),
                        Column(name="worst", title="Worst at", unit="time"),
                    ],
                    rows=[
                        [
                            self.text or f"team {one:02}",
                            99.9 - one / 10,
                            one * 3_600.5,
                            datetime(2026, 10, 17, 3, one, tzinfo=UTC),
                        ]
                        for one in range(12)
                    ],
                    left_out=28,
                )
            ],
            notes=["days without a measurement are not counted"],
            trouble=True,
        )


class PageServer:
    """The app on a loopback port, in a thread."""

    def __init__(self, now: Overview | None = None) -> None:
        self.fleet = HandMadeFleet(now)
        self.hub = HandMadeHub()
        self.history = HandMadeHistory()
        self.explainer = HandMadeExplainer()
        self.acts = HandMadeActs(self.fleet)
        self.edits = HandMadeEdits(self.fleet)
        self.office = HandMadeOffice()
        self.status = StatusDesk(self.fleet)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._closing = asyncio.Event()
        app = create_app(
            Parts(
                self.fleet,
                self.hub,
                self.history,
                self._closing,
                self.explainer,
                acts=self.acts,
                edits=self.edits,
                office=self.office,
                status_edits=self.status.editor,
                keys=self.status.keys,
            ),
            Served("127.0.0.1"),
            routes=ROUTES,
            error_page=error_page_of(self.fleet),
        )
        whole = Front([public_app(self.status, self.fleet)], app)
        config = uvicorn.Config(whole, log_level="warning", lifespan="on", server_header=False)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )

    def reset(self) -> None:
        """The busy night, without attacks."""
        self.fleet.text = self.history.text = self.explainer.text = ""
        self.history.away_since = None
        self.hub.forget()
        self.fleet.rows = tuple(target_row(number) for number in range(100))
        self.acts.__init__(self.fleet)  # type: ignore[misc] # the app has them
        self.edits.__init__(self.fleet)  # type: ignore[misc]
        self.office.__init__()  # type: ignore[misc]
        self.status.reset()
        self.fleet.become(busy())

    def become_hostile(self) -> None:
        """Each text that comes from outside is an attack from now on."""
        self.fleet.text = self.history.text = self.explainer.text = HOSTILE

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Ends the server and its streams."""
        if not self._thread.is_alive():
            return
        if self.hub.loop is not None:
            self.hub.loop.call_soon_threadsafe(self._closing.set)
        self._server.should_exit = True
        self._thread.join(DEADLINE_S)
        self._socket.close()


@contextlib.contextmanager
def page_server(now: Overview | None = None) -> Iterator[PageServer]:
    """A server of the pages for a block."""
    with PageServer(now) as server:
        yield server
