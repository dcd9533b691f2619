"""Every route, by every method, asked by everybody: the table is made from the app's own routes."""

import html
import re
from collections.abc import Awaitable, Callable
from typing import Any, Final

import httpx
import pytest

from portquorum.access.principal import Need, Principal
from portquorum.web.access import permission
from portquorum.web.access.csrf import SAFE, token
from portquorum.web.access.needs import handlers_of, need_of
from schemas.web import Scope
from tests.unit.portquorum.web.access.house import BROWSER, House

SCOPES: Final[tuple[Scope, ...]] = ("viewer", "operator", "admin")
REFUSALS: Final = (
    "expected the scope",
    permission.FORGED.lower(),
    "pages of other origins get no answer",
    "expected a request that no proxy passed on",
)
"""What door and guard say with 403."""
Headers = dict[str, str]
Asks = Callable[[House], Awaitable[Headers]]
Cell = tuple[str, str, Need]
"""Path, method and need of a route."""


def cells(house: House) -> list[Cell]:
    """All routes and methods; HEAD is where GET is."""
    app: Any = house.made.app.app
    found: list[Cell] = []
    for path, method, handler in handlers_of(app):
        plain = re.sub(r"\{[^}]*\}", "x", path)
        methods = ("GET", "HEAD") if method == "GET" else (method,)
        found += [(plain, one, need_of(handler)) for one in methods]
    return found


def was_refused(answer: httpx.Response) -> bool:
    """By the door or the guard, not by the handler."""
    if answer.status_code == 401 and answer.request.url.path != "/login":
        return True
    if answer.status_code == 303:
        return answer.headers["location"].startswith("/login?next=")
    said = html.unescape(answer.text).lower()
    return answer.status_code == 403 and (not said or any(text in said for text in REFUSALS))


async def stranger(_house: House) -> Headers:
    return BROWSER


def with_session(scope: Scope, *, csrf: bool = True, **changed: Any) -> Asks:
    async def asks(house: House) -> Headers:
        user = await house.user(f"user-{scope}", scope, **changed)
        secret = await house.session(user)
        shown = {**BROWSER, "Cookie": f"portquorum_session={secret}"}
        return {**shown, "X-CSRF-Token": token(secret)} if csrf else shown

    return asks


def with_token(scope: Scope, **changed: Any) -> Asks:
    async def asks(house: House) -> Headers:
        text = await house.token(scope, **changed)
        return {"Authorization": f"Bearer {text.whole}"}

    return asks


async def expired_token(house: House) -> Headers:
    text = await house.token("admin", expires_at=house.now)
    return {"Authorization": f"Bearer {text.whole}"}


async def token_of_who_was_disabled(house: House) -> Headers:
    await house.user("gone", "admin", disabled=True)
    text = await house.token("admin", owner="gone")
    return {"Authorization": f"Bearer {text.whole}"}


async def wrong_secret(house: House) -> Headers:
    text = await house.token("admin")
    return {"Authorization": f"Bearer {text.whole[:-1]}{'a' if text.whole[-1] != 'a' else 'b'}"}


async def old_session(house: House) -> Headers:
    user = await house.user("user-admin", "admin")
    secret = await house.session(user, expires_at=house.now)
    return {**BROWSER, "Cookie": f"portquorum_session={secret}", "X-CSRF-Token": token(secret)}


async def other_origin(house: House) -> Headers:
    own = await with_session("admin")(house)
    return {**own, "Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}


async def other_port(house: House) -> Headers:
    own = await with_session("admin")(house)
    return {**own, "Sec-Fetch-Site": "same-site"}


async def by_a_strange_proxy(house: House) -> Headers:
    return {**await with_session("admin")(house), "X-Forwarded-For": "192.0.2.1"}


EVERYBODY: Final[dict[str, tuple[Asks, Scope | None]]] = {
    "stranger": (stranger, None),
    **{f"{scope} by cookie": (with_session(scope), scope) for scope in SCOPES},
    **{f"{scope} by token": (with_token(scope), scope) for scope in SCOPES},
    "token of an admin who is a viewer now": (with_token("admin", owner="vera"), "viewer"),
    "expired token": (expired_token, None),
    "token of who was disabled": (token_of_who_was_disabled, None),
    "token with a wrong secret": (wrong_secret, None),
    "session that is over": (old_session, None),
    "disabled user": (with_session("admin", disabled=True), None),
    "removed user": (with_session("admin", removed=True), None),
}
NOBODY: Final[dict[str, Asks]] = {
    "other origin": other_origin,
    "other port of this machine": other_port,
    "by a strange proxy": by_a_strange_proxy,
}


async def house_with_users() -> House:
    house = House()
    await house.user("root", "admin")
    await house.user("vera", "viewer")
    house.made.closing.set()  # live streams end at once
    return house


async def ask(house: House, cell: Cell, headers: Headers) -> httpx.Response:
    path, method, _ = cell
    async with house.program(**headers) as client:
        return await client.request(method, path)


@pytest.mark.parametrize("who", EVERYBODY)
async def test_who_may_use_what(who: str) -> None:
    house = await house_with_users()
    asks, scope = EVERYBODY[who]
    wrong = []
    for cell in cells(house):
        path, method, need = cell
        headers = await asks(house)
        answer = await ask(house, cell, headers)
        may = need == "public"
        if scope is not None:
            may = may or Principal(name="", scope=scope, via="local").may(need)
        if may and scope is None and method not in SAFE and "Authorization" not in headers:
            may = False  # a form of a stranger needs its token, too
        if was_refused(answer) == may:
            wrong.append((method, path, need, answer.status_code))
    assert wrong == []


@pytest.mark.parametrize("who", NOBODY)
async def test_who_is_refused_everywhere(who: str) -> None:
    house = await house_with_users()
    answers = [(cell, await ask(house, cell, await NOBODY[who](house))) for cell in cells(house)]
    assert [cell for cell, answer in answers if not was_refused(answer)] == []


@pytest.mark.parametrize("scope", SCOPES)
async def test_nothing_is_changed_without_the_token_of_a_form(scope: Scope) -> None:
    house = await house_with_users()
    asks = with_session(scope, csrf=False)
    unsafe = [cell for cell in cells(house) if cell[1] not in SAFE]
    assert unsafe
    answers = [(cell, await ask(house, cell, await asks(house))) for cell in unsafe]
    assert [cell for cell, answer in answers if not was_refused(answer)] == []


async def test_without_users_this_machine_does_everything_and_its_browsers_need_a_token() -> None:
    house = House()
    house.made.closing.set()
    for cell in cells(house):
        assert not was_refused(await ask(house, cell, {})), cell
        refused = was_refused(await ask(house, cell, BROWSER))
        assert refused == (cell[1] not in SAFE), cell


def test_the_table_has_what_there_is() -> None:
    found = cells(House())
    needs = {(method, path): need for path, method, need in found}
    assert needs["GET", "/api/v1/targets"] == "viewer"
    assert needs["HEAD", "/"] == "viewer"
    assert needs["POST", "/login"] == "public"
    public = {path for path, method, need in found if need == "public" and method == "GET"}
    assert public == {
        *("/healthz", "/static/x/x", "/theme"),
        *("/login", "/welcome", "/oidc/start", "/oidc/callback"),
    }
    assert all(need != "public" for path, _, need in found if path.startswith("/api/"))
