"""Sessions: made, fixed, stolen, idle, over; and what ends them."""

import asyncio
import secrets

import pytest

from portquorum.access.tokens import digest
from portquorum.journal.book import PageBook
from portquorum.web.access.door import AWAY_MS
from portquorum.web.access.known import IDLE_MS, LONGEST_MS
from portquorum.web.access.last_use import SESSION_MS, LastUse
from portquorum.web.sign_in.sessions import MOST_SESSIONS
from schemas.web import Session, SessionUse
from tests.unit.portquorum.web.access.house import PASSWORD, House, csrf_of, sign_in
from tests.unit.portquorum.web.access.memory_journal import MemoryJournal

SESSION = "portquorum_session"


async def test_without_users_this_machine_does_everything_and_with_one_it_signs_in() -> None:
    house = House()
    async with house.program() as client:
        assert (await client.get("/api/v1/targets")).status_code == 200
        await house.user("vera")
        refused = await client.get("/api/v1/targets")
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"].startswith("Bearer")
        page = await client.get("/targets?state=down")
        assert page.status_code == 303
        assert page.headers["location"] == "/login?next=%2Ftargets%3Fstate%3Ddown"


async def test_sign_in_leads_to_where_one_wanted_to_go() -> None:
    house = House()
    await house.user("vera")
    async with house.client() as client:
        answer = await sign_in(client, " Vera ", next="/targets?state=down")
        assert answer.status_code == 303
        assert answer.headers["location"] == "/targets?state=down"
        assert answer.headers["cache-control"] == "no-store"
        written = answer.headers["set-cookie"]
        assert written.startswith(f"{SESSION}=")
        assert {"httponly", "samesite=lax", "path=/"} <= set(written.lower().split("; "))
        assert "secure" not in written.lower()
        assert (await client.get("/targets")).status_code == 200
        assert "Go on" in (await client.get("/login")).text


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "/\tx",
        "x",
        "/login",
        "/logout?a",
    ],
)
async def test_sign_in_leads_nowhere_else(wanted: str) -> None:
    house = House()
    await house.user("vera")
    async with house.client() as client:
        answer = await sign_in(client, "vera", next=wanted)
    assert answer.headers["location"] == "/"


async def test_only_the_hash_of_a_session_is_kept() -> None:
    house = House()
    await house.user("vera")
    client = await house.signed_in("vera")
    secret = client.cookies[SESSION]
    assert len(secret) >= 43
    assert list(house.journal.book.every(Session)) == [digest(secret)]


async def test_a_session_that_somebody_put_there_is_not_taken() -> None:
    house = House()
    await house.user("vera")
    planted = secrets.token_urlsafe(32)
    async with house.client(Cookie=f"{SESSION}={planted}") as client:
        assert (await client.get("/targets")).status_code == 303
    attacker = await house.signed_in("vera")
    known = attacker.cookies[SESSION]
    victim = house.client()
    victim.cookies.set(SESSION, known, domain="127.0.0.1", path="/")
    page = await victim.get("/login")
    csrf = page.text.partition('name="csrf" value="')[2].partition('"')[0]
    await victim.post("/login", data={"csrf": csrf, "name": "vera", "password": PASSWORD})
    assert victim.cookies[SESSION] != known
    assert (await attacker.get("/targets")).status_code == 303  # the known one has ended


async def test_two_cookies_of_the_name_are_none() -> None:
    house = House()
    await house.user("vera")
    client = await house.signed_in("vera")
    own = client.cookies[SESSION]
    async with house.client(Cookie=f"{SESSION}={own}; {SESSION}=other") as client:
        assert (await client.get("/targets")).status_code == 303


async def test_sign_out_ends_the_session_everywhere() -> None:
    house = House()
    await house.user("vera")
    client = await house.signed_in("vera")
    stolen = client.cookies[SESSION]
    assert (await client.post("/logout")).status_code == 403
    answer = await client.post("/logout", data={"csrf": csrf_of(client)})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?done=signed_out"
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert SESSION not in client.cookies
    other = House(MemoryJournal(house.journal.log))
    other.journal.book = house.journal.book
    async with house.client(Cookie=f"{SESSION}={stolen}") as thief:
        assert (await thief.get("/targets")).status_code == 303


async def test_a_session_that_nobody_uses_ends() -> None:
    house = House()
    await house.user("vera")
    client = await house.signed_in("vera")
    house.now += IDLE_MS - 1
    assert (await client.get("/targets")).status_code == 200
    house.now += IDLE_MS - 1  # used in between
    assert (await client.get("/targets")).status_code == 200
    house.now += IDLE_MS
    assert (await client.get("/targets")).status_code == 303


async def test_a_session_ends_however_much_it_is_used() -> None:
    house = House()
    await house.user("vera")
    client = await house.signed_in("vera")
    end = house.now + LONGEST_MS
    while house.now + IDLE_MS // 2 < end:
        house.now += IDLE_MS // 2
        assert (await client.get("/targets")).status_code == 200
        await house.last_use.write()
    house.now = end
    assert (await client.get("/targets")).status_code == 303


async def test_the_use_of_a_session_is_written_down_now_and_then() -> None:
    house = House()
    await house.user("vera")
    client = await house.signed_in("vera")
    size = house.journal.log.size
    house.now += SESSION_MS - 1
    await client.get("/targets")
    await house.last_use.write()
    assert house.journal.log.size == size
    house.now += 1
    await client.get("/targets")
    await house.last_use.write()
    await house.last_use.write()
    assert house.journal.log.size == size + 1
    (record,) = house.journal.book.every(Session).values()
    assert house.journal.book.one(SessionUse, record.id) == SessionUse(id=record.id, at=house.now)
    assert LastUse(house.journal).of_session(record.id) == house.now  # another process


async def test_a_use_that_is_written_down_late_brings_no_session_back() -> None:
    house = House()
    await house.user("vera")
    client = await house.signed_in("vera")
    house.now += SESSION_MS
    await client.get("/targets")
    (session,) = house.journal.book.every(Session)
    await asyncio.gather(house.journal.drop([(Session, session)]), house.last_use.write())
    await house.journal.put([SessionUse(id=session, at=house.now)])
    assert (await client.get("/targets")).status_code == 303


@pytest.mark.parametrize(
    "changed",
    [{"epoch": 2}, {"disabled": True}, {"removed": True}, {"password": None}],
    ids=["another password", "disabled", "removed", "no password"],
)
async def test_sessions_end_with_what_they_stand_on(changed: dict[str, object]) -> None:
    house = House()
    await house.user("root", "admin")
    await house.user("vera")
    client = await house.signed_in("vera")
    assert (await client.get("/api/v1/targets")).status_code == 200
    await house.user("vera", **changed)
    assert (await client.get("/api/v1/targets")).status_code == 401


async def test_a_session_has_the_scope_that_its_user_has_now() -> None:
    house = House()
    await house.user("olga", "operator")
    client = await house.signed_in("olga")
    await house.user("olga", "viewer")
    found = house.made.app._door.visit(_scope(client.cookies[SESSION]))  # type: ignore[attr-defined]
    assert not isinstance(found, str)
    assert found.principal is not None
    assert found.principal.scope == "viewer"


async def test_while_kafka_is_away_nobody_comes_in_and_who_is_in_stays() -> None:
    house = House()
    await house.user("vera")
    client = await house.signed_in("vera")
    house.journal.log.is_away = True
    house.away = house.now
    assert (await client.get("/targets")).status_code == 200
    async with house.client() as other:
        answer = await sign_in(other, "vera")
        assert answer.status_code == 503
        assert "while Kafka is away" in answer.text
        assert int(answer.headers["retry-after"]) > 0
    house.now += AWAY_MS // 2
    assert (await client.get("/targets")).status_code == 200
    house.now += AWAY_MS // 2
    refused = await client.get("/api/v1/targets")
    assert refused.status_code == 503
    assert "away for more than 12 h" in refused.text


async def test_before_the_topic_is_read_nobody_comes_in() -> None:
    house = House()
    house.journal.is_present.clear()
    async with house.client() as client:
        page = await client.get("/")
        assert page.status_code == 503
        assert page.headers["refresh"] == "3"
        assert "db 0" not in page.text
        assert (await client.get("/api/v1/overview")).headers["retry-after"]
        assert (await client.get("/healthz")).status_code == 200
        assert (await sign_in(client, "vera")).status_code == 503
        assert (await client.get("/welcome?invitation=x")).status_code == 503


async def test_a_stranger_reads_nothing_in_any_error() -> None:
    house = House()
    await house.user("vera")
    async with house.client() as client:
        for path in ("/nope", "/targets/none", "/incidents/inc", "/api/v1/nope", "/targets.json"):
            for method in ("GET", "POST", "DELETE", "OPTIONS", "HEAD"):
                answer = await client.request(method, path)
                assert answer.status_code in {303, 401}, (method, path)
                assert "Overview" not in answer.text


def _scope(secret: str) -> dict[str, object]:
    return {
        "type": "http",
        "method": "GET",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "scheme": "http",
        "client": ("127.0.0.1", 1),
        "headers": [(b"host", b"127.0.0.1"), (b"cookie", f"{SESSION}={secret}".encode())],
    }


async def test_who_signs_in_without_end_has_no_more_sessions_than_some() -> None:
    house = House()
    user = await house.user("vera")
    await house.user("root", "admin")
    other = await house.session(await house.user("anna"))
    first = await house.sign_in.sessions.of_user(user, "", "")
    for _ in range(MOST_SESSIONS):
        house.now += 1
        last = await house.sign_in.sessions.of_user(user, "", "")
    kept = house.journal.book.every(Session)
    assert len(kept) == MOST_SESSIONS + 1
    assert digest(first) not in kept
    assert {digest(last), digest(other)} <= kept.keys()


async def test_a_topic_that_is_lost_opens_the_page_to_nobody() -> None:
    house = House()
    async with house.program() as client:
        assert (await client.get("/api/v1/me")).status_code == 200
        await house.user("root", "admin")
        assert (await client.get("/api/v1/me")).status_code == 401
        house.journal.book = PageBook()
        assert (await client.get("/api/v1/me")).status_code == 401
        assert (await client.put("/api/v1/users/eve", json={})).status_code == 401
