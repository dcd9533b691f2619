"""Before the topics were read nobody knows what there is: nothing is claimed, nothing denied."""

import pytest

from portquorum.web.fleet import Fleet
from portquorum.web.pages.handlers import PAGE_ROUTES, error_page_of
from tests.unit.portquorum.web.fakes import NOW, Made

LATE = NOW + 60_000


def made_of(fleet: Fleet) -> Made:
    return Made(fleet=fleet, routes=PAGE_ROUTES, error_page=error_page_of(fleet))  # type: ignore[arg-type] # a real one


def unread() -> Fleet:
    """Of a process that began a minute ago; Kafka never answered."""
    fleet = Fleet()
    fleet.tick(NOW)
    fleet.kafka_away(LATE)
    fleet.tick(LATE)
    return fleet


@pytest.mark.parametrize(
    "path", ["/targets/db1", "/targets/db1/history", "/targets/db1/checks", "/incidents/0b51c0de"]
)
async def test_a_program_does_not_take_it_as_deleted(path: str) -> None:
    async with made_of(unread()).client() as client:
        answer = await client.get(f"/api/v1{path}")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "15"
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["since"] == NOW
    assert answer.json()["detail"].startswith("Kafka does not answer. Nothing has been read")


@pytest.mark.parametrize("path", ["/targets/db1", "/targets/db1/explain", "/incidents/0b51c0de"])
async def test_a_page_says_that_nothing_has_been_read(path: str) -> None:
    async with made_of(unread()).client() as client:
        answer = await client.get(path)
        twin = await client.get(f"{path}.json")
    assert (answer.status_code, twin.status_code) == (503, 503)
    assert answer.headers["retry-after"] == "15"
    assert "Nothing has been read to its end yet" in answer.text
    assert "There is no" not in answer.text


@pytest.mark.parametrize("path", ["/", "/targets", "/incidents", "/regions", "/maintenance"])
async def test_no_list_claims_anything(path: str) -> None:
    async with made_of(unread()).client() as client:
        answer = await client.get(path)
    assert answer.status_code == 200
    assert "Nothing has been read to its end yet" in answer.text
    claims = (
        *("No open incidents", "No target", "Nothing was closed", "as it was then", "There is no"),
        *("No incident", "No maintenance", "no region reports", "0 targets", "0 incidents"),
        "<b>0</b>",
    )
    assert [one for one in claims if one in answer.text] == []


@pytest.mark.parametrize("name", ["targets", "incidents", "groups", "regions", "silences"])
async def test_there_is_no_empty_file(name: str) -> None:
    async with made_of(unread()).client() as client:
        answer = await client.get(f"/api/v1/{name}?format=csv")
    assert answer.status_code == 503


async def test_once_all_is_read_what_is_not_there_is_404() -> None:
    fleet = unread()
    fleet.loaded(LATE)
    fleet.heard(LATE, stream_at=LATE, log_at=LATE)
    async with made_of(fleet).client() as client:
        assert (await client.get("/targets/db1")).status_code == 404
        assert (await client.get("/incidents/0b51c0de.json")).status_code == 404
        assert "No open incidents" in (await client.get("/")).text


async def test_what_came_after_kafka_went_is_not_denied() -> None:
    fleet = unread()
    fleet.loaded(LATE)
    fleet.heard(LATE, stream_at=LATE, log_at=LATE)
    fleet.kafka_away(LATE + 1000)
    async with made_of(fleet).client() as client:
        answer = await client.get("/targets/db1.json")
        assert answer.status_code == 503
        assert "it may have come since then" in answer.json()["detail"]
        fleet.kafka_told("it refuses connections")
        detail = (await client.get("/targets/db1.json")).json()["detail"]
        assert detail.startswith("Kafka does not answer: it refuses connections. ")
        assert "Kafka does not answer: it refuses connections. " in (await client.get("/")).text
