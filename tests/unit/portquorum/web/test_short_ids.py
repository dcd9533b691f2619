"""The first characters of an incident's id lead to it, as `portquorum ack` takes them."""

import httpx

from portquorum.web.pages.handlers import PAGE_ROUTES, error_page_of
from tests.unit.portquorum.web.fakes import Made
from tests.unit.portquorum.web.fleet.fleet_story import FleetStory, target

FIRST = "99a36286-0000-4000-8000-000000000001"
SECOND = "99a36286-0000-4000-8000-000000000002"
CLOSED = "99b00000-0000-4000-8000-000000000003"


def client() -> httpx.AsyncClient:
    ports = [target(f"db-{one}", port=5432 + one) for one in range(3)]
    story = FleetStory(*ports)
    for one, known in zip(ports, (FIRST, SECOND, CLOSED), strict=True):
        event = story.open(one, incident_id=known)
    story.follow(event, "closed")
    routes, page = PAGE_ROUTES, error_page_of(story.fleet)
    return Made(fleet=story.fleet, routes=routes, error_page=page).client()  # type: ignore[arg-type] # a real one


async def test_a_short_id_leads_to_the_incident() -> None:
    async with client() as asked:
        page = await asked.get("/incidents/99B0")
        whole = await asked.get(page.headers["location"])
        told = await asked.get("/incidents/99b00000.json")
    assert (page.status_code, page.headers["location"]) == (303, f"/incidents/{CLOSED}")
    assert whole.status_code == 200
    assert told.json()["row"]["id"] == CLOSED


async def test_an_open_incident_goes_before_a_closed_one() -> None:
    async with client() as asked:
        assert (await asked.get("/api/v1/incidents/99")).status_code == 409


async def test_of_several_all_are_named() -> None:
    async with client() as asked:
        answers = [await asked.get(f"/incidents/99a36286{form}") for form in ("", ".json")]
        answers.append(await asked.get("/api/v1/incidents/99a36286/history"))
    for one in answers:
        assert one.status_code == 409
        assert FIRST in one.text
        assert SECOND in one.text
        assert "type more of it" in one.text


async def test_what_begins_none_is_404() -> None:
    async with client() as asked:
        for path in ("/incidents/77", "/api/v1/incidents/77", "/api/v1/incidents/%20"):
            assert (await asked.get(path)).status_code in {404, 503}
