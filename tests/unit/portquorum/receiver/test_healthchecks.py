"""The pinging API, as https://healthchecks.io/docs/http_api/ says it."""

import asyncio

import pytest

from portquorum.receiver import app, body
from portquorum.receiver.answers import TakenError
from portquorum.receiver.report import Job
from portquorum.receiver.request import NewJob
from tests.unit.portquorum.receiver.fakes import ALL, BACKUP, LIMITED, Place, job

RUN = "1c6b3f0a-6c1e-4a33-b7a3-0c5d6a1f9d11"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT"])
@pytest.mark.parametrize(
    ("ending", "signal", "code"),
    [
        ("", "success", None),
        ("/", "success", None),
        ("/start", "start", None),
        ("/fail", "fail", None),
        ("/log", "log", None),
        ("/0", "success", 0),
        ("/3", "fail", 3),
        ("/255", "fail", 255),
    ],
)
@pytest.mark.parametrize("address", [BACKUP, f"{ALL}/backup", f"{ALL}/nightly-backup"])
async def test_every_address_and_method(
    method: str, ending: str, signal: str, code: int | None, address: str
) -> None:
    place = Place()
    status, text, headers = await place.ask(method, f"/ping/{address}{ending}?rid={RUN.upper()}")
    assert (status, text) == (200, b"" if method == "HEAD" else b"OK")
    assert headers["content-length"] == "2"
    assert headers["access-control-allow-origin"] == "*"
    assert headers["ping-body-limit"] == "4000"
    job, report = place.last()
    assert (job, report.signal, report.exit_code, report.run) == ("backup", signal, code, RUN)
    assert report.detail == (f"exit code {code}" if code else None)


@pytest.mark.parametrize(
    ("url", "status", "text"),
    [
        ("/ping/", 404, b"not found"),
        ("/ping/nobody-has-this-secret", 404, b"not found"),
        (f"/ping/{ALL}", 404, b"not found"),
        (f"/ping/{ALL}/nothing", 404, b"not found"),
        (f"/ping/{ALL}/twin", 409, b"ambiguous slug"),
        (f"/ping/{ALL}/twin-a", 200, b"OK"),
        (f"/ping/{ALL}/Backup", 400, b"invalid url format"),
        (f"/ping/{ALL}/backup/stop", 404, b"not found"),
        (f"/ping/{ALL}/backup/start/more", 404, b"not found"),
        (f"/ping/{BACKUP}/256", 400, b"invalid url format"),
        (f"/ping/{BACKUP}/{'9' * 500}", 400, b"invalid url format"),
        (f"/ping/{BACKUP}/-1", 404, b"not found"),
        (f"/ping/{BACKUP}/\u0663", 404, b"not found"),
        (f"/ping/{BACKUP}/backup/start", 404, b"not found"),
        (f"/ping/{BACKUP}?rid=17", 400, b"invalid uuid format"),
        (f"/ping/{BACKUP}?rid=", 400, b"invalid uuid format"),
        (f"/ping/{'x' * 700}", 404, b"not found"),
        (f"/ping/{LIMITED}/backup", 200, b"OK"),
        (f"/ping/{LIMITED}/reports", 200, b"OK"),
        (f"/ping/{LIMITED}/twin-a", 404, b"not found"),
        (f"/ping/{LIMITED}/sync", 404, b"not found"),
    ],
)
async def test_what_is_refused(url: str, status: int, text: bytes) -> None:
    place = Place()
    assert (await place.ask("GET", url))[:2] == (status, text)
    assert len(place.delivered) == (status == 200)


async def test_a_job_that_is_gone_is_not_found() -> None:
    place = Place()
    place.jobs.remove("backup")
    assert (await place.ask("GET", f"/ping/{BACKUP}"))[0] == 404


async def test_other_methods_and_other_origins() -> None:
    place = Place()
    status, _, headers = await place.ask("DELETE", f"/ping/{BACKUP}")
    assert (status, headers["allow"]) == (405, "GET, HEAD, POST, PUT")
    status, _, headers = await place.ask("OPTIONS", f"/ping/{BACKUP}/fail")
    assert (status, headers["access-control-allow-origin"]) == (204, "*")
    assert place.delivered == []


async def test_before_keys_and_jobs_are_read_nobody_knows() -> None:
    place = Place()
    place.is_read = False
    status, _, headers = await place.ask("GET", "/ping/whatever")
    assert (status, headers["retry-after"]) == (503, "5")
    place.is_read = True
    place.jobs.is_present = False
    assert (await place.ask("GET", f"/ping/{BACKUP}"))[0] == 503


async def test_what_the_broker_did_not_confirm_is_to_be_sent_again() -> None:
    place = Place()
    place.is_away = True
    status, _, headers = await place.ask("POST", f"/ping/{BACKUP}/fail", b"words")
    assert (status, headers["retry-after"]) == (503, "5")


async def test_of_the_body_the_end_is_kept() -> None:
    place = Place()
    parts = [b"x" * 90_000, "\u20ac".encode()[:2], "\u20ac".encode()[2:] * 1, b"y" * 3_000]
    await place.ask("POST", f"/ping/{BACKUP}/1", parts)
    output = place.last()[1].output or ""
    assert output == "x" * 999 + "\u20ac" + "y" * 3_000


async def test_a_body_that_is_cut_within_a_character() -> None:
    place = Place()
    await place.ask("POST", f"/ping/{BACKUP}", "\u20ac".encode() * 10_000)
    assert place.last()[1].output == "\u20ac" * 4_000
    await place.ask("POST", f"/ping/{BACKUP}", "\U0001f600".encode() * 10_000 + b"!")
    assert place.last()[1].output == "\U0001f600" * 3_999 + "!"


async def test_what_ends_no_terminal_and_tells_no_secret() -> None:
    place = Place()
    said = f"\x1b[31mred\x1b[0m\r\nGET /ping/{BACKUP}\x00\x07\n\x1b]0;title\x07end\xff\n"
    await place.ask("POST", f"/ping/{BACKUP}/fail", said.encode("latin-1"))
    assert place.last()[1].output == "red\nGET /ping/***\ufffd\ufffd\nend\ufffd"


async def test_the_duration_that_beat_measured() -> None:
    place = Place()
    for given, kept in (("61250.5", 61250.5), ("-1", None), ("nan", None), ("1e99", None)):
        await place.ask("POST", f"/ping/{BACKUP}/0?ms={given}")
        assert place.last()[1].total_ms == kept


async def test_a_body_that_comes_too_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "BODY_S", 0.05)
    place = Place()
    assert (await place.ask("POST", f"/ping/{BACKUP}", [b"x", b"y"]))[0] == 200
    assert (await place.ask("POST", f"/ping/{BACKUP}", [b"x"], ends="never"))[0] == 408
    assert len(place.delivered) == 1


async def test_who_leaves_in_the_middle_has_reported_nothing() -> None:
    place = Place()
    assert (await place.ask("POST", f"/ping/{BACKUP}", [b"x"], ends="leaves"))[0] == 0
    assert place.delivered == []


async def test_a_job_is_made_for_its_first_report() -> None:
    place = Place()
    assert (await place.ask("GET", f"/ping/{ALL}/new-job/start?create=1"))[:2] == (201, b"Created")
    assert [one.id for one in place.made] == ["new-job"]
    assert place.last()[0] == "new-job"
    # The maker has no room for another one.
    assert (await place.ask("GET", f"/ping/{ALL}/more?create=1"))[0] == 404


@pytest.mark.parametrize(
    ("url", "status"),
    [
        (f"/ping/{ALL}/backup?create=1", 200),
        (f"/ping/{ALL}/new?create=0", 404),
        (f"/ping/{ALL}/twin?create=1", 409),
        (f"/ping/{ALL}/-new?create=1", 404),
        (f"/ping/{ALL}/n\u00e9w?create=1", 404),
        (f"/ping/{ALL}/new/stop?create=1", 404),
        (f"/ping/{LIMITED}/twin-a?create=1", 404),
        (f"/ping/{BACKUP}?create=1", 200),
        ("/ping/nobody/new?create=1", 404),
    ],
)
async def test_where_none_is_made(url: str, status: int) -> None:
    place = Place()
    assert (await place.ask("GET", url))[0] == status
    assert place.made == []


async def test_of_several_first_reports_one_makes_the_job_and_none_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place = Place()

    async def taken(wanted: NewJob) -> Job:
        asyncio.get_running_loop().call_later(0.01, place.jobs.put, job(wanted.id, team="db"))
        raise TakenError

    monkeypatch.setattr(place, "make", taken)
    assert (await place.ask("GET", f"/ping/{LIMITED}/new-job?create=1"))[:2] == (200, b"OK")
    assert place.last()[0] == "new-job"


async def test_what_is_taken_by_something_else_is_not_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place = Place()

    async def taken(wanted: NewJob) -> Job:
        place.jobs.put(job(wanted.id, team="others"))
        raise TakenError

    monkeypatch.setattr(place, "make", taken)
    monkeypatch.setattr(app, "LOOK_S", 0.0)
    assert (await place.ask("GET", f"/ping/{LIMITED}/new-job?create=1"))[0] == 404
    assert place.delivered == []
