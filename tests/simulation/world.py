"""What a check finds: the faults as they hold at this moment."""

import zlib
from random import Random
from typing import TypeVar

from schemas.result import Reason
from schemas.target import Target
from tests.simulation.faults import Faults, Loss, Outage
from tests.simulation.loop import Loop
from tests.simulation.scenario import Scenario

_F = TypeVar("_F", Outage, Loss)

RTT_MOST_MS = 450.0
"""No check that is answered takes longer."""

DNS_MOST_MS = 900.0


class World:
    """Answers checks. What a check finds is decided at the moment in which it begins."""

    def __init__(self, scenario: Scenario, faults: Faults, loop: Loop, rng: Random) -> None:
        self._loop = loop
        self._rng = rng
        self._share = scenario.blips
        self._failing: dict[str, list[Outage]] = {}
        self._lost: dict[str, list[Loss]] = {}
        self._rtt: dict[tuple[str | None, str], float] = {}
        self._last_blip: dict[tuple[str, str], float] = {}
        self.blips: dict[tuple[str, str], list[float]] = {}
        for outage in faults.outages:
            for target in outage.targets:
                self._from_to(self._failing, target, outage)
        for loss in faults.losses:
            self._from_to(self._lost, loss.region, loss)

    def _from_to(self, where: dict[str, list[_F]], key: str, fault: _F) -> None:
        def begin() -> None:
            where.setdefault(key, []).append(fault)

        def end() -> None:
            where[key].remove(fault)
            if not where[key]:
                del where[key]

        self._loop.at(fault.begin, begin)
        self._loop.at(fault.end, end)

    def has_network(self, region: str) -> bool:
        return region not in self._lost

    def check(self, target: Target, region: str, attempt: int) -> tuple[Reason | None, float]:
        """Why a check that begins now fails (None: it succeeds), and how long it takes (ms)."""
        rng = self._rng
        key = (target.host, region)
        rtt = self._rtt.get(key)
        if rtt is None:
            rtt = self._rtt[key] = 5 + zlib.crc32(f"{target.host} {region}".encode()) % 120
        rtt *= 1 + rng.random()
        if rng.random() < 0.005:
            rtt += 150
        reason = self._reason(target, region)
        if reason is None:
            if attempt or rng.random() >= self._share or not self._may_drop(target, region):
                return None, rtt
            reason = "timed_out"
        if reason == "timed_out":
            return reason, target.timeout_ms + 5
        if reason == "dns_failed":
            return reason, min(rng.uniform(100, DNS_MOST_MS), target.timeout_ms)
        return reason, rtt

    def _reason(self, target: Target, region: str) -> Reason | None:
        if self._lost and region in self._lost:
            return self._lost[region][0].reason
        for outage in self._failing.get(target.id, ()):
            if region in outage.regions:
                return outage.reason
        return None

    def _may_drop(self, target: Target, region: str) -> bool:
        # Never two in a row: what fails twice is no blip.
        key = (target.id, region)
        now = self._loop.now
        if now - self._last_blip.get(key, 0) < 3 * target.interval_ms:
            return False
        self._last_blip[key] = now
        self.blips.setdefault(key, []).append(now)
        return True
