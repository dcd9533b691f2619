"""Attempts to sign in by the page: in words, with a time, and the same for names nobody has."""

import asyncio

import pytest

from tests.unit.portquorum.web.access.house import House, sign_in

WRONG = "wrong horse battery"


@pytest.mark.parametrize("name", ["vera", "nobody", "gone"])
async def test_who_exists_is_not_said(name: str) -> None:
    house = House()
    await house.user("vera")
    await house.user("gone", disabled=True)
    async with house.client() as client:
        answers = [await sign_in(client, name, WRONG) for _ in range(6)]
        assert [one.status_code for one in answers] == [401] * 6
        plain = {one.text.replace(f'value="{name}"', "") for one in answers}
        assert len(plain) == 1
        late = await sign_in(client, name, WRONG)
        assert late.status_code == 429
        assert late.headers["retry-after"] == "1"
        assert "the next one counts in 1 s" in late.text
        house.now += 1000
        assert (await sign_in(client, name, WRONG)).status_code == 401
        assert (await sign_in(client, name, WRONG)).headers["retry-after"] == "2"


async def test_a_disabled_user_hears_what_nobody_hears() -> None:
    house = House()
    await house.user("vera")
    await house.user("gone", disabled=True)
    async with house.client() as client:
        right = await sign_in(client, "gone")
        nobody = await sign_in(client, "nobody")
    assert right.status_code == nobody.status_code == 401
    assert right.text.replace("gone", "") == nobody.text.replace("nobody", "")


async def test_a_lockout_ends_and_a_right_password_counts_again() -> None:
    house = House()
    await house.user("vera")
    async with house.client() as client:
        for _ in range(6):
            await sign_in(client, "vera", WRONG)
        assert (await sign_in(client, "vera")).status_code == 429  # the right one does not count
        house.now += 1000
        assert (await sign_in(client, "vera")).status_code == 303


async def test_who_is_signed_in_is_not_affected() -> None:
    house = House()
    await house.user("vera")
    vera = await house.signed_in("vera")
    async with house.client() as attacker:
        for _ in range(9):
            await sign_in(attacker, "vera", WRONG)
    assert (await vera.get("/targets")).status_code == 200


async def test_many_attempts_at_once_are_no_way_around() -> None:
    house = House()
    await house.user("vera")
    async with house.client() as client:
        page = await client.get("/login")
        csrf = page.text.partition('name="csrf" value="')[2].partition('"')[0]
        form = {"csrf": csrf, "name": "vera", "password": WRONG}
        answers = await asyncio.gather(*(client.post("/login", data=form) for _ in range(40)))
    checked = [one for one in answers if one.status_code == 401]
    assert len(checked) <= 6
    assert {one.status_code for one in answers} == {401, 429}


async def test_a_form_that_is_too_long_is_not_read() -> None:
    house = House()
    await house.user("vera")
    async with house.client() as client:
        await client.get("/login")
        answer = await client.post("/login", data={"name": "a" * 20_000})
    assert answer.status_code == 413


async def test_what_is_typed_is_shown_as_text_and_never_the_password() -> None:
    house = House()
    await house.user("vera")
    async with house.client() as client:
        answer = await sign_in(
            client, '"><script>alert(1)</script>', "hunter2 hunter2", next="/a'b"
        )
    assert "<script>alert" not in answer.text
    assert "hunter2" not in answer.text
