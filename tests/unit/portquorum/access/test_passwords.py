"""Passwords: length alone counts, and nothing says who exists."""

import asyncio
import statistics
import time

import pytest
from argon2 import PasswordHasher

from portquorum.access.passwords import (
    MAX_WAITING,
    NOBODYS,
    Passwords,
    PasswordsBusyError,
    problem_of,
)

GOOD = "correct horse battery"
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.mark.parametrize(
    "password", [GOOD, "x" * 11 + "y", "пароль пароль", "a b" * 80, " twelve chars "]
)
def test_any_long_text_is_a_password(password: str) -> None:
    assert problem_of(password) is None


@pytest.mark.parametrize("password", ["", "elevenchars", "ab" * 129, "x" * 40, "\ud800" + GOOD])
def test_what_is_no_password(password: str) -> None:
    assert problem_of(password) is not None


async def test_a_password_is_known_again_and_no_other() -> None:
    passwords = Passwords()
    hashed = await passwords.hash(GOOD)
    assert hashed.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert GOOD not in hashed
    assert await passwords.verify(hashed, GOOD)
    assert not await passwords.verify(hashed, GOOD + " ")
    assert not passwords.is_outdated(hashed)
    assert passwords.is_outdated(QUICK.hash(GOOD))


async def test_spellings_of_one_text_are_one_password() -> None:
    passwords = Passwords(QUICK)
    hashed = await passwords.hash("Bucher u\u0308ber alles")
    assert await passwords.verify(hashed, "Bucher \u00fcber alles")


@pytest.mark.parametrize("hashed", [None, "", "x", "$argon2id$v=19$m=8,t=1,p=1$AA", NOBODYS])
async def test_nobody_and_damaged_hashes_have_no_password(hashed: str | None) -> None:
    passwords = Passwords()
    assert not await passwords.verify(hashed, GOOD)
    assert not await passwords.verify(hashed, "")
    assert not await passwords.verify(hashed, "\ud800")
    assert not await passwords.verify(hashed, "x" * 100_000)


async def test_a_long_text_is_not_normalized() -> None:
    """It would take minutes, in which the process answers nobody."""
    marks = "a" + "\u0315\u0316" * 250_000
    assert problem_of(marks) is not None
    assert not await Passwords(QUICK).verify(None, marks)


async def test_a_user_who_is_not_there_takes_as_long_as_one_who_is() -> None:
    passwords = Passwords()
    hashed = await passwords.hash(GOOD)
    took: dict[str | None, list[float]] = {hashed: [], None: []}
    for _ in range(5):
        for one, times in took.items():
            began = time.process_time()
            await passwords.verify(one, "another password")
            times.append(time.process_time() - began)
    there, nobody = (statistics.median(times) for times in took.values())
    assert nobody > there / 3  # without the check it would be a hundredth


async def test_too_many_are_refused_and_the_others_served() -> None:
    passwords = Passwords(QUICK)
    hashed = await passwords.hash(GOOD)
    answers = await asyncio.gather(
        *(passwords.verify(hashed, GOOD) for _ in range(MAX_WAITING + 50)), return_exceptions=True
    )
    refused = [one for one in answers if isinstance(one, PasswordsBusyError)]
    assert refused
    assert sum(one is True for one in answers) + len(refused) == len(answers)
    assert await passwords.verify(hashed, GOOD)
