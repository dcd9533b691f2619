"""The pace of `ssh` against the rules of OpenSSH's srclimit.c, and as the engine keeps it."""

import asyncio
import random

import pytest

from producers.checks.model import CheckOutcome, PlannedCheck, Vantage
from producers.checks.resolver import Resolver
from producers.engine.task_engine import TaskEngine
from producers.kinds import ssh
from producers.kinds.pace import OPENSSH, Pace, Turns
from producers.kinds.registry import KINDS
from schemas.target import Target
from tests.unit.producers.engine.test_task_engine import saying, serving

PEER = ("192.0.2.1", 22)


class Penalties:
    """What sshd does with one source: OpenSSH 10.5, srclimit.c, and the defaults of servconf.c."""

    NOAUTH_S = 1.0
    MIN_S = 15.0

    def __init__(self) -> None:
        self.expiry = 0.0
        self.known = self.active = False
        self.most_s = 0.0

    def refuses(self, now: float) -> bool:
        if self.known and self.expiry < now:
            self.known = self.active = False
        return self.active

    def connection_ends(self, now: float) -> None:
        if self.refuses(now) or not self.known:
            self.known, self.expiry = True, now + self.NOAUTH_S
        else:
            self.expiry += self.NOAUTH_S
        self.active = self.active or self.expiry - now > self.MIN_S
        self.most_s = max(self.most_s, self.expiry - now)


def test_without_a_pace_sshd_refuses_soon() -> None:
    sshd = Penalties()
    refused_at = None
    for number in range(100):
        if sshd.refuses(number / 4):
            refused_at = number
            break
        sshd.connection_ends(number / 4)
    assert refused_at is not None
    assert 19 <= refused_at <= 22


@pytest.mark.parametrize("rate", [0.5, 0.9, 1.1, 4, 50])
def test_at_our_pace_sshd_never_refuses(rate: float) -> None:
    draw = random.Random(17)  # noqa: S311  (no secret)
    turns, sshd = Turns(), Penalties()
    now, begun = 0.0, []
    while now < 3_600:
        wait_s = turns.wait_s(PEER, OPENSSH, now, most_s=10.0)
        if wait_s is not None:
            begun.append(now + wait_s)
        now += draw.expovariate(rate)
    # A check that has to wait is overtaken by none: turns are in order.
    assert begun == sorted(begun)
    for moment in begun:
        assert not sshd.refuses(moment)
        sshd.connection_ends(moment)
    assert sshd.most_s < 7
    assert len(begun) > min(rate, 1 / OPENSSH.every_s) * 3_600 * 0.9


def test_a_target_with_its_retries_and_a_recheck_never_waits() -> None:
    turns = Turns()
    for minute in range(0, 600, 10):
        for after_s in (0.0, 0.1, 1.1, 2.1):
            assert turns.wait_s(PEER, OPENSSH, minute + after_s, 10.0) == 0.0


def test_servers_have_turns_of_their_own_and_old_ones_are_forgotten() -> None:
    turns = Turns()
    for number in range(5_000):
        peer = (f"10.0.{number // 250}.{number % 250}", 22)
        assert turns.wait_s(peer, Pace(1, 5.0), number * 1.0, 0.0) == 0.0
    assert len(turns._paid_at) < 1_100


def test_the_kind_ssh_has_this_pace() -> None:
    assert ssh.DIALOGUE.kind().pace is OPENSSH
    assert KINDS["ssh"].pace is OPENSSH
    assert [name for name, kind in KINDS.items() if kind.pace is not None] == ["domain", "ssh"]


async def made(pace: Pace, count: int, *, timeout_ms: int, interval_ms: int) -> list[CheckOutcome]:
    """The outcomes of so many checks of one server at once, in the order in which they end."""
    dialogue = ssh.DIALOGUE
    resolver = Resolver()
    found: list[CheckOutcome] = []
    over = asyncio.Event()

    def done(_: PlannedCheck, outcome: CheckOutcome) -> None:
        found.append(outcome)
        if len(found) == count:
            over.set()

    with pytest.MonkeyPatch.context() as patch:
        kind = dialogue.kind()
        patch.setitem(KINDS, "slow", type(kind)(check=kind.check, pace=pace))
        async with serving(saying(b"SSH-2.0-x\r\n", then_silent=True)) as port:
            engine = TaskEngine(Vantage(internal=True), resolver)
            target = Target(
                id="t",
                name="t",
                kind="slow",
                host="127.0.0.1",
                port=port,
                regions=("r",),
                interval_ms=interval_ms,
                timeout_ms=timeout_ms,
                version=1,
                source="test",
            )
            for _ in range(count):
                engine.submit(PlannedCheck(target, 0.0, 0, "schedule"), done)
            async with asyncio.timeout(30):
                await over.wait()
            engine.close()
    resolver.close()
    return found


async def test_a_check_that_waits_for_its_turn_begins_later_and_has_its_whole_timeout() -> None:
    pace = Pace(burst=1, every_s=0.5)
    found = await made(pace, 5, timeout_ms=1_000, interval_ms=60_000)
    assert [(one.status, one.detail) for one in found] == [("up", None)] * 5
    began = [one.started_at for one in found]
    assert None not in began
    first = min(moment for moment in began if moment is not None)
    waits = sorted(moment - first for moment in began if moment is not None)
    # The lookups before it are not made at one moment.
    assert all(wait >= 0.5 * number - 0.05 for number, wait in enumerate(waits)), waits


async def test_a_check_without_a_turn_within_its_interval_is_missed() -> None:
    found = await made(Pace(burst=2, every_s=60.0), 3, timeout_ms=5_000, interval_ms=1_000)
    assert sorted(one.status for one in found) == ["missed", "up", "up"]
    (missed,) = (one for one in found if one.status == "missed")
    assert missed.reason == "prober_error"
    assert missed.detail is not None
    assert "expected a turn within 1 s, found too many checks of port" in missed.detail
