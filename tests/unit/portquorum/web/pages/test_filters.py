"""A page that is asked for what it does not know says so: everything would be another answer."""

import httpx
import pytest

from portquorum.web.pages.handlers import error_page_of
from portquorum.web.routes import ROUTES
from tests.unit.portquorum.web.fakes import FakeFleet, Made

FLEET = FakeFleet()
MADE = Made(fleet=FLEET, routes=ROUTES, error_page=error_page_of(FLEET))


async def got(path: str) -> httpx.Response:
    async with MADE.client() as client:
        return await client.get(path)


@pytest.mark.parametrize(
    ("path", "said", "without"),
    [
        ("/targets?state=dwon", "no such value: &#39;dwon&#39;; there are down, flap", "/targets"),
        ("/targets?q=a&stat=down", "did you mean `state`? There are cause, ", "/targets?q=a"),
        ("/targets?sort=size", "there are state, -state, name", "/targets"),
        ("/incidents?severity=crit", "there are critical, warning, info", "/incidents"),
        ("/incidents?status=shut", "there are open, closed, all", "/incidents"),
        ("/incidents?state=up", "there are down, flapping, slow, expiring", "/incidents"),
        ("/reports/uptime?since=2026-13-45", "there are days, target, team", "/reports/uptime"),
        ("/reports/slo?days=8", "there are 7, 30, 90, 365", "/reports/slo"),
        ("/targets/db-0?window=3h", "there are 1h, 6h, 24h, 7d, 30d, 90d", "/targets/db-0"),
        ("/targets/db-0?since=5", "expected `since` and `until`, each in UTC ms", "/targets/db-0"),
        ("/targets/db-0?since=9&until=5", "expected a window of up to", "/targets/db-0"),
        ("/?group_by=tag", "this page has no filters", "/"),
        ("/regions?state=silent", "this page has no filters", "/regions"),
        ("/maintenance?q=a", "this page has no filters", "/maintenance"),
        ("/incidents/inc-0?x=1", "this page has no filters", "/incidents/inc-0"),
    ],
)
async def test_it_says_what_it_does_not_know_and_what_it_does(
    path: str, said: str, without: str
) -> None:
    answer = await got(path)
    assert answer.status_code == 400
    assert said in answer.text
    assert f'<a class="button" href="{without}">Show it without that filter</a>' in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/targets?q=a&state=down&state=failing&team=&sort=-since&host=h&cause=host%3Ah",
        "/incidents?status=closed&state=down&severity=critical&host=h&target=db-0",
        "/reports/uptime?days=7&team=a&target=&table=days",
        "/targets/db-0?since=1795910400000&until=1795996800000&table=latency",
    ],
)
async def test_what_pages_lead_to_is_answered(path: str) -> None:
    assert (await got(path)).status_code == 200
