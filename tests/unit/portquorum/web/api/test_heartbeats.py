"""Heartbeats and keys over the API."""

from collections.abc import Sequence
from typing import Any

import pytest

from portquorum.web.history.errors import HistoryUnavailableError
from portquorum.web.history.job_reports import JobReports
from schemas.web import Scope
from tests.unit.portquorum.web.api.test_changes import Api, wrong
from tests.unit.portquorum.web.api.test_status_pages import PAGE
from tests.unit.portquorum.web.fakes import NOW

UUID = "5f1c2b1e-8a3d-4a5e-9c59-0d1bfa0c2c11"
HOUR_MS = 3_600_000


def api_of(scope: Scope = "operator", teams: Sequence[str] = ("payments",)) -> Api:
    api = Api(scope, teams=tuple(teams))
    api.fleet.add_job("backup")
    api.fleet.add_job("cleanup", team="web", tags=())
    return api


async def test_heartbeats_with_what_they_reported_last() -> None:
    api = api_of("viewer")
    api.made.history.jobs["backup"] = JobReports(
        success_at=NOW - 60_000, failure_at=NOW - 90_000, start_at=NOW - 70_000, exit_code=0
    )
    answer = await api.ask("GET", "/heartbeats")
    assert answer.status_code == 200
    first, second = answer.json()["heartbeats"]
    assert answer.json()["total"] == 2
    assert (
        first.items()
        >= {
            "id": "backup",
            "interval_ms": HOUR_MS,
            "last_report_at": NOW - 60_000,
            "last_failure_at": NOW - 90_000,
            "last_start_at": NOW - 70_000,
            "due_at": NOW - 60_000 + HOUR_MS,
            "deadline_at": NOW + HOUR_MS,
            "exit_code": 0,
            "keys": 0,
            "reports_known": True,
        }.items()
    )
    # Before the first report it is expected after its definition, of the time 1.
    assert (second["last_report_at"], second["due_at"]) == (None, 1 + HOUR_MS)
    page = await api.ask("GET", "/heartbeats?limit=1")
    rest = await api.ask("GET", f"/heartbeats?limit=1&cursor={page.json()['next_cursor']}")
    assert [one["id"] for one in rest.json()["heartbeats"]] == ["cleanup"]
    asked = api.fleet.asked[-1]
    await api.ask("GET", "/heartbeats?team=db&tag=x&state=down&q=night")
    asked = api.fleet.asked[-1]
    assert (asked.teams, asked.tags, asked.states, asked.q) == (("db",), ("x",), ("down",), "night")


async def test_while_clickhouse_is_away_nobody_says_that_it_never_reported() -> None:
    api = api_of("viewer")
    api.made.history.error = HistoryUnavailableError("away", NOW)
    (first, _) = (await api.ask("GET", "/heartbeats")).json()["heartbeats"]
    assert (first["reports_known"], first["last_report_at"], first["due_at"]) == (False, None, None)


async def test_a_key_is_made_shown_once_and_revoked() -> None:
    api = api_of()
    made = await api.ask("POST", "/heartbeats/backup/keys", {"name": "cron of db1"})
    assert made.status_code == 201, made.text
    key = made.json()
    assert key["path"] == f"/ping/{key['secret']}"
    assert (key["use"], key["about"], key["name"]) == ("ping", "backup", "cron of db1")
    assert made.headers["cache-control"] == "no-store"
    for path in ("/heartbeats/backup/keys", "/keys", "/keys?use=ping&about=backup"):
        listed = await api.ask("GET", path)
        assert [one["id"] for one in listed.json()["keys"]] == [key["id"]], path
        assert key["secret"] not in listed.text
    assert (await api.ask("GET", "/keys?use=badge")).json()["keys"] == []
    assert (await api.ask("GET", "/heartbeats")).json()["heartbeats"][0]["keys"] == 1
    one = f"/heartbeats/backup/keys/{key['id']}"
    assert (await api.ask("DELETE", one.replace("backup", "cleanup"))).status_code == 404
    assert (await api.ask("DELETE", one)).status_code == 204
    assert (await api.ask("DELETE", one)).status_code == 404
    assert key["secret"] not in api.journal.log.texts()


async def test_a_repetition_has_no_secret() -> None:
    api = api_of()
    asked = ("POST", "/heartbeats/backup/keys", {})
    first = await api.ask(*asked, Idempotency_Key="one")
    again = await api.ask(*asked, Idempotency_Key="one")
    assert first.json()["secret"]
    assert (again.json()["secret"], again.json()["path"]) == (None, None)
    assert again.json()["id"] == first.json()["id"]
    assert len((await api.ask("GET", "/keys")).json()["keys"]) == 1


async def test_a_text_of_others_is_taken_over_once() -> None:
    api = api_of()
    made = await api.ask("POST", "/heartbeats/backup/keys", {"secret": UUID})
    assert made.json()["path"] == f"/ping/{UUID}"
    again = await api.ask("POST", "/heartbeats/backup/keys", {"secret": UUID.upper()})
    assert again.status_code == 409
    assert UUID not in again.text.lower()
    assert wrong(await api.ask("POST", "/heartbeats/backup/keys", {"secret": "abc"})).keys() == {
        "secret"
    }
    assert wrong(await api.ask("POST", "/heartbeats/backup/keys", {"nam": "x"})).keys() == {"nam"}


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/heartbeats/cleanup/keys", {}, 403),
        ("POST", "/heartbeats/db-0/keys", {}, 404),
        ("POST", "/heartbeats/nothing/keys", {}, 404),
        ("GET", "/heartbeats/db-0/keys", None, 404),
        ("POST", "/keys", {"use": "ping"}, 403),
        ("POST", "/keys", {"use": "badge"}, 403),
        ("POST", "/keys", {"use": "page", "about": "shop"}, 403),
        ("POST", "/keys", {"use": "badge", "about": "cleanup"}, 403),
        ("POST", "/keys", {"use": "badge", "about": "nothing"}, 400),
        ("POST", "/keys", {"use": "door"}, 400),
        ("POST", "/keys", {}, 400),
        ("DELETE", "/keys/00000000", None, 404),
    ],
)
async def test_what_an_operator_of_a_team_may_not(
    method: str, path: str, body: Any, status: int
) -> None:
    api = api_of()
    assert (await api.ask(method, path, body)).status_code == status


async def test_keys_of_badges_pages_and_all_heartbeats_are_an_admin_s() -> None:
    api = api_of("admin", teams=())
    assert wrong(await api.ask("POST", "/keys", {"use": "page", "about": "shop"})).keys() == {
        "about"
    }
    await api.ask("PUT", "/status-pages/shop", PAGE)
    paths = []
    for body in (
        {"use": "ping"},
        {"use": "badge", "about": "db-0"},
        {"use": "badge"},
        {"use": "page", "about": "shop", "expires_in_days": 30},
    ):
        made = await api.ask("POST", "/keys", body)
        assert made.status_code == 201, made.text
        paths.append(made.json()["path"].replace(made.json()["secret"], "S"))
        assert (await api.ask("DELETE", f"/keys/{made.json()['id']}")).status_code == 204
    assert paths == [
        "/ping/S/TARGET-ID",
        "/badge/db-0/status.svg?key=S",
        "/badge/TARGET-ID/status.svg?key=S",
        "/status/shop?key=S",
    ]
    operator = api_of()
    made = await operator.ask("POST", "/keys", {"use": "badge", "about": "backup"})
    assert made.status_code == 201


async def test_viewers_change_no_keys() -> None:
    api = api_of("viewer", teams=())
    assert (await api.ask("POST", "/heartbeats/backup/keys", {})).status_code == 403
    assert (await api.ask("GET", "/heartbeats/backup/keys")).status_code == 200
