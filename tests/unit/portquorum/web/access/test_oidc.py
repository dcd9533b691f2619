"""Sign-in by OpenID Connect: groups become scopes, and faults of provider and browser are held."""

import base64
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest

from portquorum.access.rules import AccessRules, Grant, Provider
from schemas.web import Session
from tests.unit.portquorum.web.access.house import House
from tests.unit.portquorum.web.access.provider_server import CLIENT, SECRET, ProviderServer, new_key

GRANTS = (Grant("admins", "admin"), Grant("db", "operator", ("db",)))


@pytest.fixture
async def provider() -> AsyncIterator[ProviderServer]:
    async with ProviderServer().running() as one:
        yield one


def house_of(provider: ProviderServer, **changed: Any) -> House:
    values: dict[str, Any] = {
        "issuer": provider.issuer,
        "client_id": CLIENT,
        "client_secret": SECRET,
        "name": "the house",
        "scopes": "openid email",
        "groups_claim": "groups",
        "user_claim": "email",
        **changed,
    }
    return House(rules=AccessRules(grants=GRANTS, provider=Provider(**values)))


async def answer_of(client: httpx.AsyncClient, back: str = "/targets?state=down") -> str:
    """The address to which the provider sends the browser back."""
    started = await client.get("/oidc/start", params={"next": back})
    assert started.status_code == 303, started.text
    async with httpx.AsyncClient() as browser:
        answer = await browser.get(started.headers["location"])
    assert answer.status_code == 302
    return str(answer.headers["location"])


async def signed_in_by(house: House) -> httpx.Response:
    async with house.client() as client:
        return await client.get(await answer_of(client))


async def test_groups_are_scopes(provider: ProviderServer) -> None:
    house = house_of(provider)
    await house.user("root", "admin")
    async with house.client() as client:
        assert "Sign in by the house" in (await client.get("/login")).text
        back = await answer_of(client)
        answer = await client.get(back)
        assert answer.status_code == 303, answer.text
        assert answer.headers["location"] == "/targets?state=down"
        assert (await client.get("/targets")).status_code == 200
        again = await client.get(back)  # the browser has nothing begun any more
        assert again.status_code == 400
    (session,) = house.journal.book.every(Session).values()
    assert (session.user, session.scope, session.via) == ("ann@example.com", "admin", "oidc")
    (asked,) = provider.asked
    assert asked["scope"] == "openid email"
    assert asked["redirect_uri"] == "http://127.0.0.1:9480/oidc/callback"


async def test_groups_that_only_userinfo_has_count(provider: ProviderServer) -> None:
    house = house_of(provider)
    provider.userinfo = {"groups": provider.claims.pop("groups")}
    assert (await signed_in_by(house)).status_code == 303


async def test_of_several_groups_the_widest_scope_counts(provider: ProviderServer) -> None:
    house = house_of(provider)
    provider.claims["groups"] = ["db", "unknown"]
    assert (await signed_in_by(house)).status_code == 303
    (session,) = house.journal.book.every(Session).values()
    assert (session.scope, session.teams) == ("operator", ("db",))


@pytest.mark.parametrize("groups", [["others"], [], None, 7, {"admins": True}, [["admins"]]])
async def test_without_a_mapped_group_one_hears_why(provider: ProviderServer, groups: Any) -> None:
    house = house_of(provider)
    await house.user("root", "admin")
    provider.claims["groups"] = groups
    refused = await signed_in_by(house)
    assert refused.status_code == 403
    assert "is in no group that may come in here" in refused.text
    assert "PORTQUORUM_WEB_GROUPS" in refused.text
    assert not house.journal.book.every(Session)


async def test_a_name_is_never_a_user_with_a_password(provider: ProviderServer) -> None:
    house = house_of(provider)
    await house.user("ann@example.com", "viewer")
    refused = await signed_in_by(house)
    assert refused.status_code == 403
    assert "is a user with a password here" in refused.text


async def test_a_user_without_a_password_has_their_own_scope(provider: ProviderServer) -> None:
    house = house_of(provider)
    await house.user("root", "admin")
    await house.user("ann@example.com", "operator", password=None)
    provider.claims["groups"] = []
    async with house.client() as client:
        assert (await client.get(await answer_of(client))).status_code == 303
        assert (await client.get("/targets")).status_code == 200
        await house.user("ann@example.com", "operator", password=None, disabled=True)
        assert (await client.get("/targets")).status_code == 303
        await house.user("ann@example.com", "operator", password=None, removed=True)
        assert (await client.get("/targets")).status_code == 303
    assert (await signed_in_by(house)).status_code == 403


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"nonce": "another"}, "invalid claim: 'nonce'"),
        ({"nonce": None}, "nonce"),
        ({"aud": "another"}, "aud"),
        ({"aud": [CLIENT, "another"]}, "azp"),
        ({"aud": [CLIENT], "azp": "another"}, "azp"),
        ({"iss": "https://evil.example"}, "iss"),
        ({"exp": int(time.time()) - 120}, "expired"),
        ({"exp": None}, "exp"),
        ({"iat": None}, "iat"),
        ({"sub": ""}, "sub"),
        ({"email_verified": False}, "verified the e-mail address"),
        ({"email_verified": "true"}, "verified the e-mail address"),
        ({"email": None}, "says no"),
        ({"email": "a\nb"}, "says no"),
        ({"at_hash": "wrong"}, "at_hash"),
    ],
)
async def test_a_wrong_id_token_signs_nobody_in(
    provider: ProviderServer, changed: dict[str, Any], why: str
) -> None:
    house = house_of(provider)
    await house.user("root", "admin")
    provider.token = changed
    refused = await signed_in_by(house)
    assert refused.status_code == 403
    assert why in refused.text.replace("&#39;", "'").lower()
    assert not house.journal.book.every(Session)


@pytest.mark.parametrize("how", ["none", "our secret", "public key", "another key", "cut"])
async def test_a_wrong_signature_signs_nobody_in(provider: ProviderServer, how: str) -> None:
    house = house_of(provider)
    await house.user("root", "admin")
    other = new_key("one", 1)
    provider.sign = {
        "none": provider.unsigned,
        "our secret": provider.by_our_secret,
        "public key": provider.by_public_key,
        "another key": lambda claims: provider.signed(claims, other),
        "cut": lambda claims: provider.signed(claims)[:-8],
    }[how]
    refused = await signed_in_by(house)
    assert refused.status_code == 403
    assert "be trusted" in refused.text
    assert not house.journal.book.every(Session)


async def test_keys_that_were_changed_are_asked_for(provider: ProviderServer) -> None:
    house = house_of(provider)
    assert (await signed_in_by(house)).status_code == 303
    provider.key = new_key("two")
    provider.sign = lambda claims: provider.signed(claims, kid="two")
    assert (await signed_in_by(house)).status_code == 303


async def test_an_answer_counts_only_in_the_browser_that_asked(provider: ProviderServer) -> None:
    house = house_of(provider)
    await house.user("root", "admin")
    async with house.client() as attacker, house.client() as victim:
        of_attacker = await answer_of(attacker)
        assert (await victim.get(of_attacker)).status_code == 400  # login CSRF
        await answer_of(victim)
        assert (await victim.get(of_attacker)).status_code == 400
        own = await answer_of(victim)
        code = parse_qs(urlsplit(of_attacker).query)["code"][0]
        mixed = f"{own.split('?')[0]}?{urlsplit(own).query.split('&')[1]}&code={code}"
        assert (await victim.get(mixed)).status_code == 403  # another verifier
    assert not house.journal.book.every(Session)


async def test_a_code_counts_once(provider: ProviderServer) -> None:
    house = house_of(provider)
    await house.user("root", "admin")
    async with house.client() as client:
        back = await answer_of(client)
        kept = client.cookies["portquorum_oidc"]
        assert (await client.get(back)).status_code == 303
        client.cookies.set("portquorum_oidc", kept, domain="127.0.0.1", path="/")
        refused = await client.get(back)
        assert refused.status_code == 403
        assert "invalid_grant" in refused.text


async def test_a_sign_in_that_took_too_long_is_begun_again(provider: ProviderServer) -> None:
    house = house_of(provider)
    await house.user("root", "admin")
    async with house.client() as client:
        back = await answer_of(client)
        kept = client.cookies["portquorum_oidc"]
        pending = msgspec.json.decode(base64.urlsafe_b64decode(kept + "=="))
        pending["begun_at"] -= 601
        old = base64.urlsafe_b64encode(msgspec.json.encode(pending)).decode().rstrip("=")
        client.cookies.set("portquorum_oidc", old, domain="127.0.0.1", path="/")
        assert (await client.get(back)).status_code == 400


@pytest.mark.parametrize("cookie", ["", "x", "e30", "bnVsbA", "=" * 50, "ÿ"])
async def test_a_broken_cookie_is_none(provider: ProviderServer, cookie: str) -> None:
    house = house_of(provider)
    sent = f"portquorum_oidc={cookie}".encode("latin-1")
    async with house.made.client() as client:
        answer = await client.get("/oidc/callback?code=a&state=", headers={"Cookie": sent})
    assert answer.status_code == 400


async def test_what_the_provider_refuses_is_said(provider: ProviderServer) -> None:
    house = house_of(provider)
    async with house.client() as client:
        state = parse_qs(urlsplit(await answer_of(client)).query)["state"][0]
        refused = await client.get(
            "/oidc/callback", params={"state": state, "error": "access_denied"}
        )
    assert refused.status_code == 403
    assert "did not sign you in: access_denied" in refused.text


async def test_no_text_of_the_provider_is_shown(provider: ProviderServer) -> None:
    house = house_of(provider)
    async with house.client() as client:
        state = parse_qs(urlsplit(await answer_of(client)).query)["state"][0]
        params = {"state": state, "error": "<b>call 555</b>", "error_description": "call 555"}
        refused = await client.get("/oidc/callback", params=params)
    assert "555" not in refused.text


@pytest.mark.parametrize(
    ("metadata", "why"),
    [
        ({"issuer": "http://127.0.0.1:1"}, "must be exactly that"),
        ({"token_endpoint": "http://192.0.2.1/token"}, "expected https"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "expected https"),
        ({"jwks_uri": None}, "not what OpenID Connect expects"),
    ],
)
async def test_a_provider_that_is_another_one_is_not_asked(
    provider: ProviderServer, metadata: dict[str, Any], why: str
) -> None:
    house = house_of(provider)
    provider.metadata = metadata
    async with house.client() as client:
        answer = await client.get("/oidc/start")
    assert answer.status_code == 502
    assert why.lower() in answer.text.lower()


async def test_the_answer_of_another_provider_is_refused(provider: ProviderServer) -> None:
    house = house_of(provider)
    async with house.client() as client:
        back = await answer_of(client)
        refused = await client.get(f"{back}&iss=https://evil.example")
    assert refused.status_code == 403
    assert "another provider" in refused.text


async def test_while_the_provider_is_away_passwords_go_on(provider: ProviderServer) -> None:
    house = house_of(provider)
    await house.user("vera")
    provider.status = 503
    async with house.client() as client:
        away = await client.get("/oidc/start")
        assert away.status_code == 503
        assert "signing in by a password goes on" in away.text
        assert int(away.headers["retry-after"]) > 0
    gone = house_of(provider, issuer="http://127.0.0.1:9")
    async with gone.client() as client:
        assert (await client.get("/oidc/start")).status_code == 503
    assert (await (await house.signed_in("vera")).get("/targets")).status_code == 200


async def test_without_a_provider_there_is_none() -> None:
    async with House().client() as client:
        assert (await client.get("/oidc/start")).status_code == 404
        assert (await client.get("/oidc/callback")).status_code == 404


async def test_without_the_provider_its_sessions_are_over(provider: ProviderServer) -> None:
    house = house_of(provider)
    await house.user("root", "admin")
    without = House(house.journal)
    async with house.client() as client, without.client() as later:
        assert (await client.get(await answer_of(client))).status_code == 303
        later.cookies = client.cookies
        assert (await client.get("/targets")).status_code == 200
        assert (await later.get("/targets")).status_code == 303
