"""Push monitors of Uptime Kuma and external endpoints of Gatus, in their own words."""

import json

import pytest

from tests.unit.portquorum.receiver.fakes import ALL, BACKUP, LIMITED, Place

BEARER = ((b"authorization", f"Bearer {BACKUP}".encode()),)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
async def test_kuma_takes_every_method(method: str) -> None:
    place = Place()
    url = f"/api/push/{BACKUP}?status=up&msg=OK&ping=12.5"
    status, text, headers = await place.ask(method, url)
    assert (status, headers["content-type"]) == (200, "application/json; charset=utf-8")
    assert text == (b"" if method == "HEAD" else b'{"ok":true}')
    job, report = place.last()
    assert (job, report.signal, report.total_ms, report.output) == ("backup", "success", 12.5, None)


@pytest.mark.parametrize(
    ("query", "signal", "took_ms", "detail"),
    [
        ("", "success", None, None),
        ("?status=&msg=&ping=", "success", None, None),
        ("?status=down&msg=disk%20full%0A!", "fail", None, "disk full !"),
        ("?status=pending", "fail", None, None),
        ("?ping=0", "success", None, None),
        ("?ping=abc", "success", None, None),
        ("?ping=99999999999", "success", None, None),
    ],
)
async def test_what_kuma_says(
    query: str, signal: str, took_ms: float | None, detail: str | None
) -> None:
    place = Place()
    assert (await place.ask("GET", f"/api/push/{BACKUP}{query}"))[0] == 200
    report = place.last()[1]
    assert (report.signal, report.total_ms, report.detail) == (signal, took_ms, detail)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("/api/push/nobody", "Monitor not found or not active."),
        (f"/api/push/{ALL}", "Monitor not found or not active."),
        (f"/api/push/{BACKUP}/more", "Monitor not found or not active."),
        (
            f"/api/push/{BACKUP}?ping=-1",
            "Invalid ping value. Must be between 0 and 100000000000 ms.",
        ),
    ],
)
async def test_what_kuma_refuses(url: str, words: str) -> None:
    place = Place()
    status, text, _ = await place.ask("GET", url)
    assert (status, json.loads(text)) == (404, {"ok": False, "msg": words})
    assert place.delivered == []


async def test_kuma_while_the_broker_is_away() -> None:
    place = Place()
    place.is_away = True
    status, text, headers = await place.ask("GET", f"/api/push/{BACKUP}")
    assert (status, headers["retry-after"], json.loads(text)["ok"]) == (503, "5", False)
    place.is_read = False
    assert (await place.ask("GET", "/api/push/x"))[0] == 503


@pytest.mark.parametrize("name", ["backup", "db_nightly-backup", "DB_Nightly-Backup"])
async def test_gatus_names_a_job(name: str) -> None:
    place = Place()
    url = f"/api/v1/endpoints/{name}/external?success=false&error=no%20space&duration=1m2.5s"
    assert (await place.ask("POST", url, headers=BEARER))[:2] == (200, b"")
    job, report = place.last()
    assert (job, report.signal, report.total_ms) == ("backup", "fail", 62_500.0)
    assert (report.detail, report.output) == ("no space", "no space")


@pytest.mark.parametrize(
    ("method", "name", "query", "token", "status", "text"),
    [
        ("GET", "backup", "success=true", BACKUP, 405, "method not allowed"),
        ("POST", "backup", "", BACKUP, 400, "missing or invalid success query parameter"),
        ("POST", "backup", "success=1", BACKUP, 400, "missing or invalid success query parameter"),
        ("POST", "backup", "success=true", None, 401, "invalid Authorization header"),
        ("POST", "backup", "success=true", "", 401, "bearer token must not be empty"),
        ("POST", "backup", "success=true", "x" * 22, 401, "invalid token"),
        ("POST", "nothing", "success=true", "x" * 22, 401, "invalid token"),
        ("POST", "nothing", "success=true", BACKUP, 404, "not found"),
        ("POST", "reports", "success=true", BACKUP, 404, "not found"),
        ("POST", "_twin", "success=true", ALL, 409, "ambiguous key"),
        ("POST", "core-team_sync", "success=true", ALL, 200, ""),
        ("POST", "core-team_sync", "success=true", LIMITED, 404, "not found"),
        ("POST", "backup", "success=true&duration=soon", BACKUP, 400, "invalid duration"),
    ],
)
async def test_what_gatus_answers(  # noqa: PLR0917 - a row of the table
    method: str, name: str, query: str, token: str | None, status: int, text: str
) -> None:
    place = Place()
    headers = [] if token is None else [(b"authorization", f"Bearer {token}".encode())]
    url = f"/api/v1/endpoints/{name}/external?{query}"
    assert (await place.ask(method, url, headers=headers))[:2] == (status, text.encode())
    assert len(place.delivered) == (status == 200)
