"""Whom a proxy names: users without a password, in whatever capitals, and nobody without a name."""

import ipaddress

import pytest

from portquorum.access.rules import AccessRules, Grant
from tests.unit.portquorum.web.access.house import PASSWORD, House

HOST = "monitor.example.com"
RULES = AccessRules(
    proxies=(ipaddress.ip_network("192.0.2.1"),),
    user_header="x-forwarded-user",
    groups_header="x-forwarded-groups",
    grants=(Grant("admins", "admin"),),
)


def house_behind_a_proxy() -> House:
    return House(rules=RULES, names=(HOST,))


async def asked(house: House, name: str) -> tuple[int, str]:
    headers = {
        "Host": HOST,
        "X-Forwarded-Proto": "https",
        "X-Forwarded-User": name,
        "X-Forwarded-Groups": "admins",
    }
    async with house.program("192.0.2.1", **headers) as client:
        answer = await client.get("/api/v1/me")
        return answer.status_code, answer.text


@pytest.mark.parametrize("name", ["ann@example.com", "Ann@Example.COM"])
async def test_capitals_make_nobody_another_one(name: str) -> None:
    house = house_behind_a_proxy()
    await house.user("root", "admin")
    assert (await asked(house, name))[0] == 200
    await house.user("ann@example.com", "viewer", password=None)
    status, said = await asked(house, name)
    assert (status, '"scope":"viewer"' in said) == (200, True), said
    await house.user("ann@example.com", "viewer", password=None, disabled=True)
    assert (await asked(house, name))[0] == 403
    hashed = await house.passwords.hash(PASSWORD)
    await house.user("ann@example.com", "viewer", password=hashed)
    assert (await asked(house, name))[0] == 403


async def test_a_token_is_that_of_its_owner_in_whatever_capitals() -> None:
    house = house_behind_a_proxy()
    await house.user("root", "admin")
    token = await house.token("admin", "Ann@Example.com")
    async with house.program(Authorization=f"Bearer {token.whole}") as client:
        assert (await client.get("/api/v1/me")).status_code == 200
        await house.user("ann@example.com", "viewer", password=None, disabled=True)
        assert (await client.get("/api/v1/me")).status_code == 401
        await house.user("ann@example.com", "viewer", password=None, removed=True)
        assert (await client.get("/api/v1/me")).status_code == 401


@pytest.mark.parametrize("name", ["a" * 256, "a\x1bb"])
async def test_a_name_that_no_record_can_have_comes_not_in(name: str) -> None:
    status, said = await asked(house_behind_a_proxy(), name)
    assert status == 403
    assert "the name of a person" in said
