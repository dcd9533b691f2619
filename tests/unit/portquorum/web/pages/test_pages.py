"""The pages by HTTP, without a browser: what they answer when all is well, and when it is not."""

import asyncio
import re
from collections.abc import AsyncIterator

import httpx
import pytest
from msgspec import structs

from foundation.http_origin import Served
from portquorum.changing.office import Office
from portquorum.web.absent import NoOffice
from portquorum.web.answers import Counts
from portquorum.web.app import create_app
from portquorum.web.pages.address import local_path
from portquorum.web.pages.handlers import error_page_of
from portquorum.web.pages.rendering import NAMES, static_url
from portquorum.web.parts import Parts
from portquorum.web.routes import ROUTES
from schemas.web import Audit
from tests.browser.web.changes import HandMadeOffice
from tests.browser.web.fakes import (
    OPEN_INCIDENT,
    HandMadeExplainer,
    HandMadeFleet,
    HandMadeHistory,
    HandMadeHub,
    target_row,
)
from tests.browser.web.nights import NOW, REGIONS, blind, calm, thousand


class Client(httpx.AsyncClient):
    def __init__(self, office: Office | None = None) -> None:
        self.fleet, self.history = HandMadeFleet(), HandMadeHistory()
        self.explainer = HandMadeExplainer()
        app = create_app(
            Parts(
                self.fleet,
                HandMadeHub(),
                self.history,
                asyncio.Event(),
                self.explainer,
                office=office or NoOffice(),
            ),
            Served("127.0.0.1"),
            routes=ROUTES,
            error_page=error_page_of(self.fleet),
        )
        super().__init__(
            transport=httpx.ASGITransport(app, raise_app_exceptions=False),  # type: ignore[arg-type]
            base_url="http://127.0.0.1",
        )


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with Client() as made:
        yield made


PATHS = (
    *("/", "/targets", "/targets/orders-db-0", "/targets/orders-db-9?window=90d"),
    *("/incidents", "/targets/orders-db-0/explain"),
    *("/incidents?status=closed", f"/incidents/{OPEN_INCIDENT}", "/regions", "/maintenance"),
    *("/reports/uptime", "/reports/slo?days=7&team=a"),
)


@pytest.mark.parametrize("path", PATHS)
async def test_a_page_is_html_with_its_headers(client: Client, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "unsafe-inline" not in answer.headers["content-security-policy"]
    assert answer.text.startswith("<!doctype html>")
    assert len(re.findall(r"<h1\b", answer.text)) == 1
    assert (await client.head(path)).status_code == 200


@pytest.mark.parametrize("path", PATHS)
async def test_links_of_a_page_lead_somewhere(client: Client, path: str) -> None:
    text = (await client.get(path)).text
    found = set(re.findall(r'(?:href|src)="(/[^"#]*)', text))
    ours = {one.replace("&amp;", "&") for one in found if "/db-" not in one and "past-" not in one}
    missing = []
    for one in sorted(ours):
        known = not re.match(r"/(targets|incidents)/", one) or "orders-db" in one
        if known and (await client.get(one)).status_code >= 400:
            missing.append(one)
    assert missing == []


async def test_without_history_a_page_says_so_and_shows_what_it_knows(client: Client) -> None:
    client.history.away_since = NOW - 60_000
    target = await client.get("/targets/orders-db-0")
    assert target.status_code == 200
    assert "ClickHouse does not answer." in target.text
    up = (await client.get("/targets/orders-db-9")).text
    for claim in ("There are no checks", "There is no recent check", "has had no incident"):
        assert claim not in target.text
        assert claim not in up
    assert up.count("Not known at the moment.") == len(REGIONS)
    assert "before the last 24 h are not known" in up
    past = (await client.get("/targets/orders-db-0/history.json")).json()
    known = {name for name, one in past.items() if one is not None}
    assert known == {"target", "window", "trouble"}
    closed = await client.get("/incidents?status=closed")
    assert "those that this page still knows" in closed.text
    assert "cache-00.example.net" in closed.text
    incident = await client.get(f"/incidents/{OPEN_INCIDENT}")
    assert incident.status_code == 200
    assert "ClickHouse does not answer." in incident.text
    for claim in ("not in the history yet", "no record of a message"):
        assert claim not in incident.text
    assert (await client.get("/incidents/long-ago")).status_code == 503
    report = await client.get("/reports/uptime")
    assert report.status_code == 200
    assert "ClickHouse does not answer." in report.text


@pytest.mark.parametrize(
    "path", ["/nothing", "/targets/none", "/incidents/none", "/reports/none", "/static/0/page.css"]
)
async def test_what_is_not_there_is_404_with_a_page(client: Client, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 404
    assert "<h1>There is no such page</h1>" in answer.text
    assert "<script" not in answer.text.partition("<body>")[2]


@pytest.mark.parametrize("query", ["&".join(101 * ["tag=a"]), f"q={'a' * 4096}", "&" * 5000])
async def test_a_query_that_no_page_leads_to_is_refused(client: Client, query: str) -> None:
    """Each of hundreds of links has the whole query: 16 KB of it made a page of 6 MB."""
    for path in PATHS[:5]:
        answer = await client.get(f"{path}?{query}")
        assert answer.status_code == 400
        assert "filters" in answer.text
        assert len(answer.content) < 20_000


async def test_a_target_is_explained_and_what_cannot_be_said_is_said(client: Client) -> None:
    path = "/targets/orders-db-0/explain"
    assert f'href="{path}"' in (await client.get("/targets/orders-db-0")).text
    text = (await client.get(path)).text
    for said in ("5 of 5 regions that count say down", "closes when fra succeeds", "offset 4711"):
        assert said in text
    told = (await client.get(f"{path}.json")).json()
    assert told["explanation"]["headline"].startswith("An incident is open")
    client.explainer.trouble = "Kafka does not answer."
    assert "Kafka does not answer." in (await client.get(path)).text
    away = await client.get(f"/api/v1{path}")
    assert (away.status_code, away.json()["detail"]) == (503, "Kafka does not answer.")
    assert (await client.get("/targets/none/explain")).status_code == 404


async def test_hostile_paths_are_shown_as_text(client: Client) -> None:
    answer = await client.get("/targets/%3Cscript%3Ealert(1)%3C%2Fscript%3E%E2%80%AE")
    assert answer.status_code == 404
    assert "<script>alert" not in answer.text
    assert "\u202e" not in answer.text


async def test_red_calm_and_blind_differ_in_title_icon_and_class(client: Client) -> None:
    assert "<title>(54) Overview" in (await client.get("/")).text
    client.fleet.become(calm())
    text = (await client.get("/")).text
    assert "<title>Overview" in text
    assert "icon-up.svg" in text
    assert "No open incidents" in text
    client.fleet.become(blind())
    text = (await client.get("/")).text
    assert "<title>(not known) Overview" in text
    assert 'class="blind"' in text
    assert "icon-blind.svg" in text
    assert "Not known since 02:02:33 UTC" in text
    assert "history is not available since" in text


async def test_a_target_s_page_says_what_people_did_to_it() -> None:
    paused = Audit(
        id="1" * 16,
        at=NOW,
        by="aino",
        action="pause target",
        about="orders-db-3",
        detail="new disk",
        after='{"until":"resumed"}',
    )
    office = HandMadeOffice()
    office.log = [paused, structs.replace(paused, id="2" * 16, action="add user", by="mika")]
    async with Client(office) as client:
        text = (await client.get("/targets/orders-db-3")).text
    assert "by aino</span> until somebody resumes it: new disk" in text
    assert "by mika" not in text


async def test_the_overview_names_what_is_down_without_an_incident(client: Client) -> None:
    counts = Counts(up=9, down=1, total=10)
    shown = structs.replace(calm(), counts=counts, resolved=(target_row(0),), resolved_total=1)
    client.fleet.become(shown)
    text = (await client.get("/")).text
    assert "No open incidents" in text
    assert "1 target is down without an incident: it was resolved by hand" in text
    assert 'href="/targets/orders-db-0"' in text
    assert "Each of the" not in text


async def test_a_thousand_incidents_are_a_small_answer(client: Client) -> None:
    client.fleet.become(thousand())
    answer = await client.get("/", headers={"Accept-Encoding": "gzip"})
    assert "1,000 open incidents" in answer.text
    assert int(answer.headers["content-length"]) < 40_000


async def test_the_theme_is_a_cookie_and_leads_back_here_only(client: Client) -> None:
    answer = await client.get("/theme?theme=dark&back=%2Ftargets%3Fq%3Da")
    assert (answer.status_code, answer.headers["location"]) == (303, "/targets?q=a")
    cookie = answer.headers["set-cookie"].lower()
    assert "portquorum_theme=dark" in cookie
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    away = await client.get("/theme?theme=x&back=https%3A%2F%2Fevil.example")
    assert away.headers["location"] == "/"
    assert "portquorum_theme=auto" in away.headers["set-cookie"].lower()


@pytest.mark.parametrize(
    "text",
    ["", "//evil.example", "/\\evil.example", "https://evil.example", "/a\n/b", "/\t/e", "/é"],
)
def test_paths_that_lead_elsewhere_lead_to_the_overview(text: str) -> None:
    assert local_path(text) == "/"


@pytest.mark.parametrize("name", NAMES)
async def test_files_beside_the_pages_are_kept_for_a_year(client: Client, name: str) -> None:
    answer = await client.get(static_url(name))
    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["vary"] == "Accept-Encoding"  # not the cookie that the first visit sets
    assert answer.headers["content-type"].startswith(("text/", "image/svg+xml"))


@pytest.mark.parametrize(
    "path",
    ["/", "/incidents?status=closed", "/targets/orders-db-0"],
)
async def test_what_is_closed_says_that_it_was_down(client: Client, path: str) -> None:
    """A red mark with the word `down` beside "it recovered" is down at a glance."""
    closed = re.findall(
        r'<tr [^>]*class="closed">(.*?)</tr>', (await client.get(path)).text, re.DOTALL
    )
    assert closed
    for row in closed:
        assert '<span class="state was">' in row
        assert re.search("was (down|slow|flapping|expiring)</span>", row)
        assert "s-down" not in row


async def test_a_report_says_how_old_its_sums_may_be(client: Client) -> None:
    """In its first minutes it said that nothing was measured, and not that sums come later."""
    text = (await client.get("/reports/uptime")).text
    assert re.search(r"As of [^<]*UTC\)?\. Checks are summed up every 5 minutes", text)
    assert "summed up" not in (await client.get("/reports/reliability")).text
