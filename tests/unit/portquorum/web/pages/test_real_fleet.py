"""The pages over the real fleet in memory, through a night: every page answers, and says it."""

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator

import httpx
import pytest

from foundation.http_origin import Served
from portquorum.web.app import create_app
from portquorum.web.pages import overview
from portquorum.web.pages.handlers import error_page_of
from portquorum.web.pages.viewer import Viewer
from portquorum.web.parts import Parts
from portquorum.web.routes import ROUTES
from tests.browser.web.fakes import HandMadeHistory, HandMadeHub
from tests.unit.portquorum.web.fleet.fleet_story import NOW, FleetStory, target

HOUR = 3_600_000


@pytest.fixture
def story() -> FleetStory:
    """A gateway and what is behind it, a host of three ports, a certificate, plans."""
    gateway = target("edge", kind="icmp", port=None)
    behind = [target(f"shop-{one}", depends_on=("edge",), team="shop") for one in range(4)]
    ports = [target(f"db-{one}", host="db.example.com", port=5432 + one) for one in range(3)]
    mail = target("mail", team=None, name="mail <b>&amp;</b>")
    calm = target("calm")
    made = FleetStory(gateway, *behind, *ports, mail, calm)
    made.say([(one, "up") for one in (gateway, *behind, *ports, mail, calm)])
    for one in (gateway, *behind, *ports):
        made.open(one)
    made.open(mail, "expiring", expires_at=NOW + 40 * HOUR)
    made.region("syd", "region.silent", last_beat_at=NOW - 400_000)
    made.maintain("patch night", "calm", begins=NOW - HOUR, lasts=3 * HOUR)
    made.silence("7f3a", begins=NOW - HOUR, ends=NOW + HOUR, tags=("prod",))
    made.follow(made.open(calm, "slow"), "closed")
    return made


@pytest.fixture
async def client(story: FleetStory) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(
        Parts(story.fleet, HandMadeHub(), HandMadeHistory(), asyncio.Event()),
        Served("127.0.0.1"),
        routes=ROUTES,
        error_page=error_page_of(story.fleet),
    )
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as made:
        yield made


async def test_the_overview_has_each_cause_once(client: httpx.AsyncClient) -> None:
    text = (await client.get("/")).text
    assert "9 open incidents" in text
    assert "4 targets behind it" in text
    assert "and 2 more ports of this host" in text
    assert "mail &lt;b&gt;&amp;amp;&lt;/b&gt;" in text
    assert "patch night" in text
    assert text.count("<h2") == 4


@pytest.mark.parametrize(
    ("team", "tags", "said"),
    [(None, ("shop",), "by tag"), ("web", ("shop",), "by team"), (None, (), "by team")],
)
async def test_where_nobody_has_a_team_the_groups_are_the_tags(
    team: str | None, tags: tuple[str, ...], said: str
) -> None:
    """Groups of Gatus and Uptime Kuma are tags here: whoever comes from there finds them."""
    story = FleetStory(*(target(f"t-{one}", team=team, tags=tags) for one in range(3)))
    text = overview.page(overview.by_team_or_tag(story.fleet), Viewer(now=NOW))
    assert f"<small>{said}, worst first</small>" in text
    assert ('href="/targets?tag=shop"' in text) is (said == "by tag")


async def test_every_link_of_every_page_is_answered(client: httpx.AsyncClient) -> None:
    waiting, seen = deque(["/"]), set[str]()
    while waiting:
        path = waiting.popleft()
        # Each filter by itself: together they are without number.
        if path in seen or "past-" in path or "&" in path:
            continue
        seen.add(path)
        answer = await client.get(path, follow_redirects=True)
        assert answer.status_code == 200, (path, answer.text[-500:])
        if "html" in answer.headers["content-type"]:
            found = re.findall(r'href="(/[^"#]*)', answer.text)
            waiting += sorted({one.replace("&amp;", "&") for one in found} - seen)
    for begin in ("/targets/", "/incidents/", "/regions", "/maintenance", "/reports/"):
        assert any(one.startswith(begin) for one in seen), begin


async def test_a_cause_leads_to_its_targets(client: httpx.AsyncClient) -> None:
    text = (await client.get("/")).text
    (there,) = re.findall(r'href="(/targets\?cause=[^"]*)"[^>]*>5<', text)
    found = (await client.get(there.replace("&amp;", "&"))).text
    assert "<h1>5 targets" in found
    assert "shop-3" in found


async def test_a_cursor_that_is_none_is_said(client: httpx.AsyncClient) -> None:
    answer = await client.get("/targets?cursor=nonsense")
    assert answer.status_code == 400
    assert "<h1>This request is wrong</h1>" in answer.text


async def test_a_region_that_is_silent_is_named(
    client: httpx.AsyncClient, story: FleetStory
) -> None:
    assert "region.silent syd" in (await client.get("/regions")).text
    story.region("syd", "region.returned")
    assert "region.silent syd" not in (await client.get("/regions")).text


async def test_a_silence_is_said_wherever_its_incidents_are(
    client: httpx.AsyncClient, story: FleetStory
) -> None:
    """With the tint alone gone nobody saw it, and `why` became the reason that all read."""
    client.cookies.set("portquorum_zone", "Europe/Berlin")
    said = '<div class="silenced">silenced until 10:00 (09:00 UTC) by ada: work</div>'
    overview = (await client.get("/")).text
    assert "1 silence is active" in overview
    assert 'href="/maintenance#silences"' in overview
    assert overview.count(said) == 3  # the gateway, the host and the certificate
    for path in ("/targets", "/incidents"):
        text = (await client.get(path)).text
        assert text.count(said) == 9, path
        assert 'class="wrong' not in text.partition("<main")[2], path
    plans = (await client.get("/maintenance")).text
    assert "“work”" in plans
    assert 'href="/silences/7f3a/end"' in plans
    target_page = (await client.get("/targets/edge")).text
    assert "nobody is told: silence “work” by ada until 10:00 (09:00 UTC)" in target_page
    assert 'href="/silences/7f3a/end"' in target_page
    assert "--reason &#39;&#39;" in target_page
    story.later(2 * HOUR)
    assert "silence is active" not in (await client.get("/")).text


async def test_a_new_outage_of_a_host_is_named_with_its_time(
    client: httpx.AsyncClient, story: FleetStory
) -> None:
    """Only "2 more ports" became "3 more ports": nobody saw that another one had failed."""
    late = target("db-9", host="db.example.com", port=9187)
    story.set(late)
    story.open(late, first_failed_at=NOW - 3_000)
    text = (await client.get("/")).text
    assert "Name of db-0, Name of db-1, Name of db-2, Name of db-9; newest: Name of db-9, <" in text
    (row,) = (one for one in story.fleet.overview().causes if one.cause == "host")
    assert (row.newest_name, row.newest_at) == ("Name of db-9", NOW - 3_000)


async def test_a_list_of_targets_keeps_the_verdict_of_a_long_sentence(
    client: httpx.AsyncClient, story: FleetStory
) -> None:
    long = f"{'the host answers on many ports, ' * 6}nothing listens on 18022"
    story.open(target("mail"), summary=long)
    assert long in (await client.get("/targets")).text
