"""Jobs report to three receivers of which any is killed (kill -9): no report with a 2xx is lost.

A client goes through the addresses of all receivers until one answers 2xx, and remembers what it
said. In the end each of its reports is looked for on [results].
"""

import asyncio
import random
import signal
import uuid
from collections import Counter
from pathlib import Path
from typing import Final

from msgspec import Struct

from foundation.kafka import create_topics
from foundation.lifecycle import cancelled
from foundation.settings import Settings
from schemas.result import CheckResult
from tests.integration.portquorum.receiver import receivers
from tests.integration.portquorum.receiver.receivers import (
    ReceiverProcess,
    asked,
    job,
    publish,
    settings_for,
    share_key,
)

RECEIVERS: Final = 3
CLIENTS: Final = 24
PATIENCE_S: Final = 120.0
"""Longest time in which a client finds no receiver at all."""
_AGAIN_S: Final = 0.05


class Plan(Struct, frozen=True, kw_only=True):
    """`kills` are spread over `jobs` reports: each comes when so many were answered."""

    seed: int
    jobs: int
    kills: int


class Said(Struct, frozen=True):
    """A report, as it was sent."""

    job: str
    run: str
    code: int
    words: str

    @classmethod
    def of(cls, result: CheckResult) -> "Said":
        """As it was written."""
        code = -1 if result.exit_code is None else result.exit_code
        return cls(result.target, result.run or "", code, result.output or "")


class Outcome(Struct, frozen=True, kw_only=True):
    """`lost`: reports with a 2xx that are not on [results], or are otherwise there."""

    plan: Plan
    answered: int
    kills: int
    refused: dict[str, int]
    """Tries that were not answered 2xx, by what came instead."""
    doubled: int
    unanswered: int
    """Reports on [results] without a 2xx: their receiver was killed before its answer."""
    lost: list[Said]
    wrong: list[str]

    @property
    def report(self) -> str:
        tries = ", ".join(f"{count:,} {what}" for what, count in sorted(self.refused.items()))
        return (
            f"{self.plan.jobs:,} jobs, {RECEIVERS} receivers, {self.kills} kills (seed "
            f"{self.plan.seed}): {self.answered:,} reports answered 2xx, {len(self.lost)} of them "
            f"lost; {self.doubled} in the log twice, {self.unanswered} without an answer; tries "
            f"that failed: {tries or 'none'}"
        )


class _Crew:
    """The receivers, each at its own address for ever."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._settings = settings
        self._folder = folder
        self.ports: list[int] = []
        self._running: list[ReceiverProcess] = []
        self.kills = 0

    async def start(self) -> None:
        for number in range(RECEIVERS):
            log = self._folder / f"receiver-{number}.log"
            self._running.append(await ReceiverProcess.start(self._settings, log))
        self.ports = [one.port for one in self._running]
        await asyncio.gather(*(one.ready() for one in self._running))

    async def kill(self, number: int) -> None:
        """Kills one, and starts it again at its address."""
        one = self._running[number]
        await one.end(signal.SIGKILL)
        self.kills += 1
        self._running[number] = await ReceiverProcess.start(self._settings, one.log, one.port)

    async def end(self) -> list[int]:
        """Ends all; their exit codes."""
        return list(await asyncio.gather(*(one.end() for one in self._running)))


class _Clients:
    """All jobs, each with its secret."""

    def __init__(self, plan: Plan, crew: _Crew) -> None:
        self._dice = random.Random(plan.seed)  # noqa: S311 - to repeat it
        self._crew = crew
        self.answered: list[Said] = []
        self.refused: Counter[str] = Counter()
        self.secrets = {f"job-{number}": self._uuid() for number in range(plan.jobs)}
        self._left = iter([self._said(name, number) for number, name in enumerate(self.secrets)])
        self.progress = asyncio.Condition()

    def _uuid(self) -> str:
        return str(uuid.UUID(int=self._dice.getrandbits(128), version=4))

    def _said(self, name: str, number: int) -> Said:
        return Said(name, self._uuid(), number % 256, f"run {number}\nsays {number}")

    async def work(self) -> None:
        """One client: job after job."""
        for said in self._left:
            await self._report(said)
            self.answered.append(said)
            async with self.progress:
                self.progress.notify_all()

    async def reached(self, count: int) -> None:
        """Returns when so many reports were answered."""
        async with self.progress:
            await self.progress.wait_for(lambda: len(self.answered) >= count)

    async def _report(self, said: Said) -> None:
        path = f"/ping/{self.secrets[said.job]}/{said.code}?rid={said.run}"
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for port in self._dice.sample(self._crew.ports, RECEIVERS):
                    if await self._tried(port, path, said.words):
                        return
                await asyncio.sleep(_AGAIN_S)

    async def _tried(self, port: int, path: str, words: str) -> bool:
        try:
            status, _ = await asked(port, "POST", path, words.encode())
        except (OSError, IndexError) as error:
            self.refused[type(error).__name__] += 1
            return False
        if status != 200:
            self.refused[str(status)] += 1
        return status == 200


async def run(plan: Plan, bootstrap: str, folder: Path) -> Outcome:
    """Runs the plan on a Kafka that is there."""
    settings = settings_for(bootstrap)
    await create_topics(settings)
    crew = _Crew(settings, folder)
    clients = _Clients(plan, crew)
    names = clients.secrets.items()
    await publish(
        settings, [job(name) for name in clients.secrets], [share_key(text, n) for n, text in names]
    )
    await crew.start()
    working = [asyncio.create_task(clients.work()) for _ in range(CLIENTS)]
    killing = asyncio.create_task(_kill(plan, crew, clients))
    try:
        await asyncio.gather(*working)
        await killing
        codes = await crew.end()
    finally:
        await cancelled(*working, killing)
        await crew.end()
    results, _ = await receivers.written(settings)
    return _judged(plan, clients, crew.kills, results, codes)


async def _kill(plan: Plan, crew: _Crew, clients: _Clients) -> None:
    dice = random.Random(plan.seed + 1)  # noqa: S311 - to repeat it
    for number in range(1, plan.kills + 1):
        await clients.reached(plan.jobs * number // (plan.kills + 1))
        await crew.kill(dice.randrange(RECEIVERS))


def _judged(
    plan: Plan, clients: _Clients, kills: int, results: list[CheckResult], codes: list[int]
) -> Outcome:
    written = Counter(Said.of(one) for one in results)
    answered = set(clients.answered)
    wrong = []
    if len(answered) != plan.jobs:
        wrong.append(f"{len(answered)} of {plan.jobs} reports were answered")
    if codes != [0] * RECEIVERS:
        wrong.append(f"the receivers ended with {codes}")
    known = {said.run for said in clients.answered}
    strange = [one for one in results if one.run not in known]
    if strange:
        wrong.append(f"{len(strange)} results that nobody sent, such as {strange[0]}")
    return Outcome(
        plan=plan,
        answered=len(answered),
        kills=kills,
        refused=dict(clients.refused),
        doubled=sum(count - 1 for count in written.values()),
        unanswered=len(set(written) - answered),
        lost=sorted(answered - set(written), key=lambda said: said.job),
        wrong=wrong,
    )
