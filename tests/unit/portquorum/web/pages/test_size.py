# ruff: noqa: ARG002 - the answers are the same, whatever is asked
"""No page has more than 2,000 elements, whatever it shows: a phone draws it, and a person reads it.

Each fake answers with more of everything than any installation has.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from foundation.http_origin import Served
from portquorum.web import answers
from portquorum.web.app import create_app
from portquorum.web.history import answers as stored
from portquorum.web.pages.handlers import error_page_of
from portquorum.web.parts import Parts
from portquorum.web.routes import ROUTES
from schemas.incident import HostTarget, RegionVerdict
from tests.browser.web.fakes import (
    DAY,
    OPEN_INCIDENT,
    HandMadeFleet,
    HandMadeHistory,
    HandMadeHub,
    target_row,
)
from tests.browser.web.nights import MINUTE, NOW, maintenance, thousand
from tests.unit.portquorum.web.charts.test_charts import incident as past_incident
from tests.unit.portquorum.web.charts.test_charts import verdict

LIMIT = 2_000
REGIONS = tuple(f"region-{one:02}" for one in range(64))


class Elements(HTMLParser):
    """Counts elements as a browser does."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.count += 1

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.count += 1


def elements(text: str) -> int:
    parser = Elements()
    parser.feed(text)
    return parser.count


class LargeFleet(HandMadeFleet):
    def targets(self, query: answers.TargetQuery) -> answers.TargetPage:
        found = super().targets(query)
        rows = tuple(
            replace(one, state="down", summary="no answer", is_expiring=True) for one in found.rows
        )
        many = tuple(answers.Facet(value=f"value {one}", targets=one) for one in range(50))
        facets = dict.fromkeys(found.facets, many) | {"source": many}
        return replace(found, rows=rows, facets=facets)

    def target(self, target_id: str) -> answers.TargetAnswer | None:
        found = super().target(target_id)
        assert found is not None
        others = tuple(target_row(one, state="down") for one in range(100))
        return replace(
            found,
            row=replace(found.row, regions=REGIONS),
            regions=tuple(answers.RegionNow(region=one, status="down") for one in REGIONS),
            incidents=found.incidents * 5,
            host_targets=others,
            host_targets_total=900,
            depends_on=others,
        )

    def incidents(self, query: answers.IncidentQuery) -> answers.IncidentPage:
        row = self._opened()
        return answers.IncidentPage(
            freshness=self.freshness(),
            rows=tuple(replace(row, id=f"i{one}") for one in range(100)),
            total=1_000,
            next_cursor="more",
        )

    def incident(self, incident_id: str) -> answers.IncidentAnswer | None:
        found = super().incident(incident_id)
        assert found is not None
        said = RegionVerdict(verdict="down", reason="timed_out", detail="x", since=NOW)
        other = HostTarget(target="ssh-0", name="ssh", kind="ssh", port=22, status="down")
        return replace(
            found,
            regions=dict.fromkeys(REGIONS, said),
            first_steps=("do this",) * 30,
            host_targets=(other,) * 100,
            host_targets_total=900,
        )

    def regions(self) -> answers.RegionsAnswer:
        found = super().regions().regions[1]
        prober = found.probers[1]
        probers = tuple(replace(prober, name=f"prober-{one}") for one in range(100))
        rows = tuple(replace(found, name=one, probers=probers, unknown=7) for one in REGIONS)
        return answers.RegionsAnswer(freshness=self.freshness(), regions=rows)

    def maintenance(self) -> answers.MaintenanceAnswer:
        windows = tuple(maintenance(key=f"window-{one}") for one in range(300))
        return answers.MaintenanceAnswer(freshness=self.freshness(), windows=windows)

    def silences(self) -> answers.SilencesAnswer:
        row = super().silences().silences[0]
        rows = tuple(replace(row, id=f"{one}", state="coming") for one in range(300))
        return answers.SilencesAnswer(freshness=self.freshness(), silences=rows)


class LargeHistory(HandMadeHistory):
    async def target(self, asked: Any) -> stored.TargetHistory:
        found = await super().target(asked)
        assert found.latency is not None
        assert found.checks is not None
        assert found.incidents is not None
        assert found.definitions is not None
        failed = [replace(one, up=1) for one in found.latency[0].steps]
        checks = tuple(
            replace(
                one, reason="refused", status="down" if place % 2 else "missed", detail=f"{one}"
            )
            for place, one in enumerate(found.checks[0].checks)
        )
        span = replace(found.incidents[0], began_at=NOW - DAY, ended_at=None, closed_at=None)
        change = replace(found.definitions[0], fields=found.definitions[0].fields * 12)
        return replace(
            found,
            days=tuple(
                replace(one, watched_s=86_400, down_s=40 * (place % 2), measured_s=99 * (place % 3))
                for place, one in enumerate(found.days or ())
            ),
            latency=tuple(stored.RegionLatency(region=one, steps=tuple(failed)) for one in REGIONS),
            checks=tuple(stored.RegionChecks(region=one, checks=checks) for one in REGIONS),
            incidents=tuple(replace(span, incident_id=f"past-{one}") for one in range(200)),
            maintenance=tuple(
                stored.MaintenanceSpan(
                    source="x",
                    name="nightly",
                    began_at=asked.window.since + one * MINUTE,
                    ended_at=asked.window.since + (one + 1) * MINUTE,
                )
                for one in range(400)
            ),
            regions=tuple(
                stored.RegionSpan(
                    region=name,
                    what="silent",
                    began_at=asked.window.since + one * MINUTE,
                    ended_at=asked.window.since + (one + 1) * MINUTE,
                    summary="",
                )
                for name in REGIONS
                for one in range(30)
            ),
            certificates=tuple(
                stored.CertificateSeen(region=name, expires_at=NOW + place * DAY, seen_at=NOW)
                for place, name in enumerate(REGIONS)
            ),
            definitions=(change,) * 50,
        )

    async def incident(self, incident_id: str) -> stored.IncidentHistory | None:
        begin = NOW - DAY
        spans = tuple(
            verdict(
                ("down", "slow", "up", "stale")[one % 4],
                begin + one * MINUTE,
                begin + one * MINUTE + MINUTE,
            )
            for one in range(400)
        )
        base = past_incident(*(stored.RegionVerdicts(region=one, spans=spans) for one in REGIONS))
        told = stored.Told(
            event="opened",
            event_at=NOW,
            channel="x",
            name="ops",
            status="retrying",
            action=None,
            attempt=4,
            at=NOW,
            subject="",
            error="no",
            why=None,
        )
        event = replace(
            base.events[0], changes=("a", "b") * 20, acknowledged_by="Aino", note="a note"
        )
        return replace(base, events=(event,) * 500, told=(told,) * 2_000)

    async def report(self, asked: Any) -> Any:
        found = await super().report(asked)
        days = [asked.since + timedelta(days=one) for one in range(365)]
        found.days[0] = replace(
            found.days[0], days=days, values=[99.0 - one / 9 for one in range(365)]
        )
        return found


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    fleet = LargeFleet(thousand())
    app = create_app(
        Parts(fleet, HandMadeHub(), LargeHistory(), asyncio.Event()),
        Served("127.0.0.1"),
        routes=ROUTES,
        error_page=error_page_of(fleet),
    )
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as made:
        yield made


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/",
            "/targets",
            "/incidents",
            "/regions",
            "/maintenance",
            "/reports/uptime?days=365",
            "/api",
        ),
        *("/targets/orders-db-0", "/targets/orders-db-0?window=90d"),
        f"/incidents/{OPEN_INCIDENT}",
    ],
)
async def test_the_largest_page_has_few_elements(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 200
    assert elements(answer.text) <= LIMIT
    assert len(answer.content) < 700_000


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/targets/orders-db-0", "days"),
        ("/targets/orders-db-0", "latency"),
        ("/targets/orders-db-0", "checks"),
        (f"/incidents/{OPEN_INCIDENT}", "verdicts"),
        ("/reports/uptime", "report-uptime"),
    ],
)
async def test_each_drawing_has_a_table_behind_a_link(
    client: httpx.AsyncClient, path: str, name: str
) -> None:
    """The link works without a script, and all zooms keep the table."""
    plain = (await client.get(path)).text
    assert f'href="{path}?table={name}#table-{name}"' in plain
    asked = (await client.get(f"{path}?table={name}")).text
    assert asked.count("<table") == plain.count("<table") + 1
    assert f'id="table-{name}"' in asked
    assert elements(asked) <= 2 * LIMIT
    if path.startswith("/targets"):
        assert f"?table={name}&amp;window=1h" in asked
