"""Locked pages: what strangers see, the password, keys, tickets and their ends."""

import re
from typing import Any, Final

import httpx
import pytest
from argon2 import PasswordHasher
from msgspec.structs import replace

from foundation.settings import Settings
from portquorum.access.passwords import Passwords
from portquorum.access.principal import Principal
from portquorum.access.rules import access_rules
from portquorum.changing.keys import WantedKey
from portquorum.serving.front import Front, only_lifespan
from portquorum.sharing.share_keys import ShareKeys
from portquorum.web.office.attempts import Attempts
from portquorum.web.public import lock_ticket
from portquorum.web.public.app import PublicApp, PublicParts
from portquorum.web.public.page_locks import PageLocks
from schemas import web
from schemas.duration import DAY_MS
from schemas.web import Audit, StatusPage
from tests.memory_journal import MemoryJournal
from tests.unit.portquorum.status_pages.pages import NOW, locked, post
from tests.unit.portquorum.web.public.public_pages import SomePages, built

HASHER: Final = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PASSWORD: Final = "correct horse battery"  # noqa: S105
OTHER: Final = "another horse battery"
ADMIN: Final = Principal(name="ann", scope="admin", via="password")
HTML: Final = ("/status/shop", "/status/shop/history", "/status/shop/components/web")
PROGRAMS: Final = (
    *("/status/shop.json", "/status/shop/feed.atom", "/status/shop/feed.json"),
    *("/status/shop/maintenance.ics", "/status/shop/badge/status.svg"),
    "/status/shop/badge/web/status.json",
)
ALL: Final = (*HTML, "/status/shop/posts/00000000000000aa", *PROGRAMS)


class Locked:
    """A process with the locked page `shop`; `now` is its clock."""

    def __init__(self, **more: Any) -> None:
        self.now = NOW
        self.journal = MemoryJournal()
        self.keys = ShareKeys(self.journal, lambda: self.now)
        self.attempts = Attempts(self.journal, Passwords(HASHER), lambda: self.now)
        self.page = locked(HASHER.hash(PASSWORD))
        self.write(self.page)
        self.rules = more.pop("rules", None)
        self.own = more.pop("own", {})
        self.is_away = False
        self.pages = SomePages(built(self.page, post()))

    def write(self, page: StatusPage) -> None:
        """A new version of the page, as another process writes it."""
        version = self.journal.book.version(StatusPage, page.slug) + 1
        self.page = replace(page, version=version)
        self.journal.log.append(web.key(self.page, f"{version:016x}"), web.encode(self.page))

    def client(
        self, url: str = "http://status.example.com", *, known: bool = False, **headers: str
    ) -> httpx.AsyncClient:
        locks = PageLocks(
            self.journal,
            self.keys,
            self.attempts,
            self.rules,
            is_known=lambda _: known,
            is_away=lambda: self.is_away,
            now=lambda: self.now,
        )
        parts = PublicParts(
            pages=self.pages,
            page_for_host=self.own.get,
            may_read=locks.may_read,
            unlock=locks.unlock,
            now=lambda: self.now,
        )
        app: Any = Front([PublicApp(parts)], only_lifespan)
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app), base_url=url, headers=headers
        )

    async def key(self, **more: Any) -> tuple[str, str]:
        """The text and the id of a new key."""
        wanted = WantedKey(use="page", about="shop", **more)
        made = await self.keys.add(ADMIN, wanted)
        assert made.secret is not None
        return made.secret, made.id


@pytest.fixture
async def shop() -> Locked:
    return Locked()


async def test_strangers_learn_nothing_but_that_a_password_is_asked_for(shop: Locked) -> None:
    async with shop.client() as asking:
        for path in ALL:
            answer = await asking.get(path)
            is_html = path not in PROGRAMS
            assert answer.status_code == (403 if is_html else 404), path
            assert "Shop" not in answer.text
            assert "Mail" not in answer.text
            assert ("password" in answer.text) is is_html
            assert answer.headers["cache-control"] == "no-store"
        none = await asking.get("/status/other")
        assert none.status_code == 404


async def test_who_knows_the_password_reads_all_of_it(shop: Locked) -> None:
    async with shop.client() as asking:
        given = await asking.post(HTML[1], data={"password": PASSWORD})
        assert given.status_code == 303
        assert given.headers["location"] == HTML[1]
        cookie = given.headers["set-cookie"]
        assert re.search(r"Path=/status;", cookie)
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "Secure" not in cookie
        assert f"Max-Age={30 * 86_400}" in cookie
        assert PASSWORD not in cookie
        for path in ALL:
            answer = await asking.get(path)
            assert answer.status_code == 200, path
            assert answer.headers["cache-control"] == "private, no-cache"
        shop.now += 31 * DAY_MS
        assert (await asking.get(HTML[0])).status_code == 403


async def test_a_new_password_ends_who_came_by_the_old_one(shop: Locked) -> None:
    async with shop.client() as asking:
        await asking.post(HTML[0], data={"password": PASSWORD})
        shop.write(replace(shop.page, title="Still the same password"))
        assert (await asking.get(HTML[0])).status_code == 200
        shop.write(replace(shop.page, password=HASHER.hash(OTHER)))
        assert (await asking.get(HTML[0])).status_code == 403
        assert (await asking.post(HTML[0], data={"password": PASSWORD})).status_code == 403
        assert (await asking.post(HTML[0], data={"password": OTHER})).status_code == 303
        shop.write(replace(shop.page, password=None))
        assert (await asking.get(HTML[0])).status_code == 404, "without a password keys alone open"
        assert (await asking.post(HTML[0], data={"password": OTHER})).status_code == 404


async def test_who_is_let_in_stays_so_while_kafka_is_away_after_a_restart(shop: Locked) -> None:
    async with shop.client() as asking:
        await asking.post(HTML[0], data={"password": PASSWORD})
        shop.journal.is_present.clear()
        assert (await asking.get(HTML[0])).status_code == 200
        asking.cookies.clear()
        away = await asking.post(HTML[0], data={"password": PASSWORD})
        assert away.status_code == 503


async def test_while_kafka_is_away_nobody_learns_which_password_is_right(shop: Locked) -> None:
    """No failure could be written down, so nothing would make who tries wait."""
    async with shop.client() as asking:
        shop.is_away = True
        for one in (OTHER, PASSWORD):
            tried = await asking.post(HTML[0], data={"password": one})
            assert (tried.status_code, "set-cookie" in tried.headers) == (503, False)
        shop.is_away = False
        assert (await asking.post(HTML[0], data={"password": PASSWORD})).status_code == 303


def test_a_page_without_a_password_has_no_tickets_of_one() -> None:
    """Its lock is no secret: everybody can reckon it."""
    shop = Locked()
    without = replace(shop.page, password=None)
    snapshot = built(without)
    forged = lock_ticket.written(
        snapshot.lock, "shop", lock_ticket.BY_PASSWORD, NOW // 1000 + 86_400
    )
    locks = PageLocks(shop.journal, shop.keys, shop.attempts, now=lambda: NOW)
    cookie = f"portquorum_status_shop={forged}".encode()
    scope: Any = {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "path": "/status/shop",
        "query_string": b"",
        "headers": [(b"cookie", cookie)],
        "client": ("192.0.2.1", 1),
    }
    shop.write(without)
    assert not locks.may_read(scope, snapshot)
    shop.journal.is_present.clear()
    assert not locks.may_read(scope, snapshot)


async def test_wrong_passwords_make_who_tries_wait_and_nobody_else(shop: Locked) -> None:
    async with shop.client() as asking:
        for _ in range(6):
            wrong = await asking.post(HTML[0], data={"password": OTHER})
            assert wrong.status_code == 403
            assert "This is not the password." in wrong.text
        wait = await asking.post(HTML[0], data={"password": PASSWORD})
        assert (wait.status_code, wait.headers["retry-after"]) == (429, "1")
        shop.now += 1_000
        assert (await asking.post(HTML[0], data={"password": PASSWORD})).status_code == 303
    [entry] = shop.journal.book.every(Audit).values()
    assert (entry.about, entry.action) == ("shop", "password of status page failed")
    assert OTHER not in shop.journal.log.texts()


@pytest.mark.parametrize(
    ("sent", "headers"),
    [
        ({"content": b"password=" + b"x" * 9_000}, {}),
        ({"content": b"\xff"}, {}),
        ({"json": {"password": PASSWORD}}, {}),
        ({"data": {}}, {}),
        ({"data": {"password": "x" * 5_000}}, {}),
        ({"data": {"password": PASSWORD}}, {"Sec-Fetch-Site": "cross-site"}),
    ],
)
async def test_whatever_is_sent_lets_nobody_in(
    shop: Locked, sent: dict[str, Any], headers: dict[str, str]
) -> None:
    async with shop.client() as asking:
        if "content" in sent:
            headers = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
        answer = await asking.post(HTML[0], headers=headers, **sent)
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers
        for method in ("PUT", "DELETE", "OPTIONS"):
            assert (await asking.request(method, HTML[0])).status_code == 404


async def test_a_key_opens_the_page_until_it_is_revoked(shop: Locked) -> None:
    secret, ident = await shop.key()
    async with shop.client() as asking:
        for path in PROGRAMS:
            answer = await asking.get(f"{path}?key={secret}")
            assert answer.status_code == 200, path
            assert "set-cookie" not in answer.headers
        led = await asking.get(f"{HTML[1]}?key={secret}&x=1")
        assert (led.status_code, led.headers["location"]) == (303, f"{HTML[1]}?x=1")
        assert secret not in led.headers["set-cookie"]
        assert (await asking.get(HTML[0])).status_code == 200
        await shop.keys.revoke(ADMIN, ident)
        assert (await asking.get(HTML[0])).status_code == 403
        assert (await asking.get(f"{PROGRAMS[0]}?key={secret}")).status_code == 404


async def test_a_key_ends_and_opens_no_other_page(shop: Locked) -> None:
    secret, _ = await shop.key(expires_in_days=1)
    made = await shop.keys.add(ADMIN, WantedKey(use="page", about="other"))
    badge = await shop.keys.add(ADMIN, WantedKey(use="badge"))
    async with shop.client() as asking:
        led = await asking.get(f"{HTML[0]}?key={secret}")
        assert "Max-Age=86400" in led.headers["set-cookie"]
        for text in (made.secret, badge.secret, "", "x" * 5_000, "%00", "&key=" * 100):
            assert (await asking.get(f"{PROGRAMS[0]}?key={text}")).status_code in {200, 404}
        asking.cookies.clear()
        for text in (made.secret, badge.secret, "x"):
            assert (await asking.get(f"{PROGRAMS[0]}?key={text}")).status_code == 404
        await asking.get(f"{HTML[0]}?key={secret}")
        shop.now += DAY_MS
        assert (await asking.get(HTML[0])).status_code == 403


async def test_tickets_are_of_one_page_and_nobody_makes_them(shop: Locked) -> None:
    async with shop.client() as asking:
        given = await asking.post(HTML[0], data={"password": PASSWORD})
        good = given.cookies["portquorum_status_shop"]
        expires, via, mac = good.split(".")
        later = f"{int(expires, 16) + 1:08x}"
        for bad in (
            *("", "x", f"{later}.{via}.{mac}", f"{expires}.{'0' * 8}.{mac}"),
            *(f"{expires}.{via}.{'0' * 64}", f"{good}0", good.upper(), f"{good}; x={good}"),
        ):
            asking.cookies.clear()
            answer = await asking.get(HTML[0], headers={"Cookie": f"portquorum_status_shop={bad}"})
            is_same = bad.startswith(f"{good};")
            assert answer.status_code == (200 if is_same else 403), bad
        twice = f"portquorum_status_shop={good}; portquorum_status_shop={good}"
        assert (await asking.get(HTML[0], headers={"Cookie": twice})).status_code == 403
        other = f"portquorum_status_other={good}"
        assert (await asking.get(HTML[0], headers={"Cookie": other})).status_code == 403
    ticket = lock_ticket.read(good)
    assert ticket is not None
    assert not lock_ticket.is_good(ticket, "", "shop", NOW // 1000)


async def test_who_may_see_the_monitor_needs_no_password(shop: Locked) -> None:
    async with shop.client(known=True) as asking:
        for path in ALL:
            assert (await asking.get(path)).status_code == 200, path


async def test_with_tls_the_cookie_is_for_tls_alone() -> None:
    shop = Locked()
    async with shop.client("https://status.example.com") as asking:
        given = await asking.post(HTML[0], data={"password": PASSWORD})
        assert given.headers["set-cookie"].startswith("__Secure-portquorum_status_shop=")
        assert "; Secure" in given.headers["set-cookie"]
        assert (await asking.get(HTML[0])).status_code == 200
    proxied = Locked(rules=access_rules(Settings(web_proxies="127.0.0.1")))
    seen = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}
    async with proxied.client(**seen) as asking:
        for _ in range(6):
            await asking.post(HTML[0], data={"password": OTHER})
        kept_out = await asking.post(HTML[0], data={"password": PASSWORD})
        assert kept_out.status_code == 429
        other = await asking.post(
            HTML[0], data={"password": PASSWORD}, headers={"X-Forwarded-For": "192.0.2.8"}
        )
        assert other.headers["set-cookie"].startswith("__Secure-")


async def test_on_a_domain_of_its_own_a_locked_page_is_locked() -> None:
    shop = Locked(own={"status.example.com": "shop"})
    async with shop.client() as asking:
        assert (await asking.get("/")).status_code == 403
        assert (await asking.get("/status.json")).status_code == 404
        given = await asking.post("/history", data={"password": PASSWORD})
        assert "Path=/;" in given.headers["set-cookie"]
        for path in ("/", "/status.json", "/feed.atom"):
            assert (await asking.get(path)).status_code == 200
        asking.cookies.clear()
        led = await asking.post("//evil.example/", data={"password": PASSWORD})
        assert led.headers.get("location", "/x").startswith("/")
        assert not led.headers.get("location", "/x").startswith("//")
