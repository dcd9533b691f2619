"""Sign-in by a real OpenID Connect provider: oidc-provider of npm, by its own pages.

`tests/wide/install` brings it, or `npm install oidc-provider` in a folder that `WIDE_NODE` names.
"""

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final
from urllib.parse import urljoin

import httpx
import pytest

from portquorum.access.rules import AccessRules, Grant, Provider
from schemas.web import Session
from tests.integration.kinds.servers import free_port
from tests.unit.portquorum.web.access.house import House
from tests.wide.installed import WIDE

pytestmark = [pytest.mark.wide, pytest.mark.timeout(120)]

NODE: Final = Path(os.environ.get("WIDE_NODE", f"{WIDE}/node"))
PROGRAM: Final = Path(__file__).with_name("providers") / "provider.mjs"
CALLBACK: Final = "http://127.0.0.1:9480/oidc/callback"
GRANTS: Final = (Grant("pq-admins", "admin"), Grant("db-oncall", "operator", ("db",)))


@pytest.fixture(scope="module")
async def issuer() -> AsyncIterator[str]:
    if shutil.which("node") is None or not (NODE / "node_modules" / "oidc-provider").is_dir():
        pytest.skip(f"oidc-provider is not in {NODE}")
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *("node", str(PROGRAM), str(port), CALLBACK),
        env={**os.environ, "WIDE_NODE": str(NODE)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            while b"listening at" not in (line := await process.stdout.readline()):
                assert line, "the provider has ended"
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


def house_of(issuer: str) -> House:
    provider = Provider(
        issuer=issuer,
        client_id="portquorum",
        client_secret="a-secret-of-the-test",  # noqa: S106
        name="oidc-provider",
        scopes="openid email groups",
        groups_claim="groups",
        user_claim="email",
    )
    return House(rules=AccessRules(grants=GRANTS, provider=provider))


async def through(start: str, name: str) -> str:
    """Signs in at the provider by its pages; the address to which it leads back."""
    async with httpx.AsyncClient() as browser:
        answer = await browser.get(start)
        for _ in range(20):
            if answer.is_redirect:
                there = urljoin(str(answer.url), answer.headers["location"])
                if there.startswith(CALLBACK):
                    return there
                answer = await browser.get(there)
                continue
            action = re.search(r'<form[^>]* action="([^"]+)"', answer.text)
            prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
            assert action, answer.text
            assert prompt, answer.text
            form = {"prompt": prompt[1], "login": name, "password": "any"}
            answer = await browser.post(urljoin(str(answer.url), action[1]), data=form)
        raise AssertionError("the provider leads nowhere")


async def signed_in(house: House, name: str) -> tuple[httpx.Response, str]:
    async with house.client() as client:
        started = await client.get("/oidc/start", params={"next": "/targets"})
        assert started.status_code == 303, started.text
        back = await through(started.headers["location"], name)
        return await client.get(back), back


@pytest.mark.parametrize(
    ("name", "scope", "teams"), [("ann", "admin", ()), ("bob", "operator", ("db",))]
)
async def test_a_group_is_a_scope(
    issuer: str, name: str, scope: str, teams: tuple[str, ...]
) -> None:
    house = house_of(issuer)
    await house.user("root", "admin")
    answer, back = await signed_in(house, name)
    assert (answer.status_code, answer.headers["location"]) == (303, "/targets"), answer.text
    assert f"iss={issuer.replace(':', '%3A').replace('/', '%2F')}" in back  # RFC 9207
    (session,) = house.journal.book.every(Session).values()
    assert (session.user, session.scope, session.teams) == (f"{name}@example.com", scope, teams)


async def test_another_group_hears_why(issuer: str) -> None:
    house = house_of(issuer)
    await house.user("root", "admin")
    answer, _ = await signed_in(house, "eve")
    assert answer.status_code == 403
    assert "eve@example.com is in no group that may come in here" in answer.text.replace(
        "Eve@", "eve@"
    )


async def test_a_code_is_taken_once(issuer: str) -> None:
    house = house_of(issuer)
    async with house.client() as client:
        started = await client.get("/oidc/start")
        pending = client.cookies["portquorum_oidc"]
        back = await through(started.headers["location"], "ann")
        assert (await client.get(back)).status_code == 303
        client.cookies.set("portquorum_oidc", pending, domain="127.0.0.1", path="/")
        again = await client.get(back)
    assert again.status_code == 403
    assert "invalid_grant" in again.text
