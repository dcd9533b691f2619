"""Attempts to show a password."""

import asyncio

import pytest
from argon2 import PasswordHasher
from msgspec import structs

from portquorum.access.lockout import FREE, LONGEST_MS, id_of_address, id_of_name
from portquorum.access.passwords import Passwords
from portquorum.web.office.attempts import MOST_IN_LINE, Attempts, TooManyAttemptsError
from schemas.web import Audit, Lockout, User
from tests.memory_journal import MemoryJournal, MemoryLog

NOW = 1_764_500_000_000
GOOD = "correct horse battery"
OTHER = "staple battery horse"
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
ANN = User(
    version=1, change="0" * 16, at=0, by="x", name="ann", scope="admin", created_at=0,
    password=QUICK.hash(GOOD),
)  # fmt: skip


class Gate:
    def __init__(self, log: MemoryLog | None = None) -> None:
        self.journal = MemoryJournal(log)
        self.now = NOW
        self.attempts = Attempts(self.journal, Passwords(QUICK), lambda: self.now)

    async def attempt(self, name: str, password: str, address: str = "") -> User | None:
        return await self.attempts.user(name, password, address)


@pytest.fixture
async def gate() -> Gate:
    made = Gate()
    disabled = structs.replace(ANN, name="dora", disabled=True)
    by_proxy = structs.replace(ANN, name="petra", password=None)
    await made.journal.edit([ANN, disabled, by_proxy])
    return made


async def test_who_has_the_password_comes_in(gate: Gate) -> None:
    assert await gate.attempt(" Ann ", GOOD) == ANN
    assert not gate.journal.book.every(Lockout)


@pytest.mark.parametrize("name", ["ann", "dora", "petra", "nobody", "", "\ud800", "x" * 10_000])
async def test_all_failures_look_the_same(gate: Gate, name: str) -> None:
    password = OTHER if name == "ann" else GOOD
    for _ in range(FREE + 1):
        assert await gate.attempt(name, password) is None
    with pytest.raises(TooManyAttemptsError) as found:
        await gate.attempt(name, GOOD)
    assert found.value.wait_s == 1


async def test_a_success_forgets_the_name_and_not_the_address(gate: Gate) -> None:
    for _ in range(3):
        await gate.attempt("ann", OTHER, "192.0.2.1")
    assert await gate.attempt("ann", GOOD, "192.0.2.1") == ANN
    assert gate.journal.book.one(Lockout, id_of_name("ann")) is None
    left = gate.journal.book.one(Lockout, id_of_address("192.0.2.1"))
    assert left is not None
    assert left.failures == 3


async def test_an_address_that_tries_many_names_waits(gate: Gate) -> None:
    for number in range(FREE + 1):
        await gate.attempt(f"user{number}", OTHER, "192.0.2.1")
    with pytest.raises(TooManyAttemptsError):
        await gate.attempt("ann", GOOD, "192.0.2.1")
    assert await gate.attempt("ann", GOOD, "192.0.2.2") == ANN


async def test_many_at_once_each_count(gate: Gate) -> None:
    answers = await asyncio.gather(
        *(gate.attempt("ann", OTHER) for _ in range(100)), return_exceptions=True
    )
    tried = [one for one in answers if one is None]
    assert len(tried) == FREE + 1 <= MOST_IN_LINE
    assert sum(isinstance(one, TooManyAttemptsError) for one in answers) == 100 - len(tried)
    kept = gate.journal.book.one(Lockout, id_of_name("ann"))
    assert kept is not None
    assert kept.failures == FREE + 1


async def test_another_process_knows_the_failures(gate: Gate) -> None:
    other = Gate(gate.journal.log)
    for _ in range(FREE + 1):
        await gate.attempt("ann", OTHER)
    with pytest.raises(TooManyAttemptsError):
        await other.attempt("ann", GOOD)
    other.now += LONGEST_MS
    assert await other.attempt("ann", GOOD) == ANN


async def test_nobody_guesses_on_while_kafka_is_away(gate: Gate) -> None:
    """A failure that can't be written down is an error, whatever the password was."""
    gate.journal.is_away = True
    with pytest.raises(OSError, match="away"):
        await gate.attempt("ann", OTHER)


async def test_a_lockout_is_one_entry_of_the_audit_log_without_what_strangers_typed(
    gate: Gate,
) -> None:
    for name in ("ann", "pa55word"):
        for _ in range(FREE + 3):
            assert await gate.attempt(name, OTHER, f"203.0.113.{len(name)}") is None
            gate.now += LONGEST_MS
    found = list(gate.journal.book.every(Audit).values())
    assert [(one.action, one.about) for one in found] == [
        ("sign-in failed", "ann"),
        ("sign-in failed", "a name that nobody has"),
    ]
    assert "203.0.113.3" in found[0].detail
    assert "pa55word" not in str(found)
