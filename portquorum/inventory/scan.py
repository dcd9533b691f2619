"""Finds open TCP ports of the inventory's own hosts that are not in it.

The scan runs from this machine, with the prober's engine: a connection is made and reset, nothing
is sent.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct

from portquorum.inventory.resolve import Inventory
from producers.checks import address_policy
from producers.checks.model import CheckOutcome, Engine, PlannedCheck, Vantage
from producers.engine.factory import platform_engine
from schemas.policy import Region
from schemas.target import Target

TIMEOUT_S: Final = 2.0
# What makes all ports of a host the same.
_OF_THE_HOST: Final = frozenset({"address_blocked", "dns_failed"})
_DATAGRAMS: Final = frozenset({"udp", "snmp", "ntp"})
"""The kinds that use UDP alone: their targets say nothing of a TCP port."""

OnProgress = Callable[[int, int], None]
"""Called with the number of scanned places and the total."""


class ScanPlan(Struct, frozen=True):
    """The connections of a scan: `ports` of the hosts (in `vantages`) except those `watched`."""

    vantages: Mapping[str, Vantage]
    ports: tuple[int, ...]
    watched: frozenset[tuple[str, int]]

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts in the order of the inventory."""
        return tuple(self.vantages)

    def places(self) -> Iterator[tuple[str, int]]:
        """The places, round robin over the hosts."""
        for port in self.ports:
            for host in self.vantages:
                if (host, port) not in self.watched:
                    yield host, port

    @property
    def count(self) -> int:
        """Number of connections."""
        return sum(1 for _ in self.places())

    def expected_s(self, rate: int) -> float:
        """Longest duration in s, if this machine keeps up."""
        return self.count / rate + TIMEOUT_S


class OpenPort(Struct, frozen=True, order=True):
    """A port that accepts connections; `address` is the one that was used."""

    host: str
    port: int
    address: str | None


class Scanned(Struct, frozen=True, kw_only=True):
    """The result of a scan; `complete`: it was not stopped.

    `skipped` has the hosts that were left out, or abandoned, with the reason; `failed` counts the
    connections that this machine could not try, `failure` is the error of the first.
    """

    open: tuple[OpenPort, ...]
    skipped: dict[str, str]
    looked_at: int
    of: int
    failed: int
    failure: str | None
    complete: bool


def plan(
    inventory: Inventory,
    ports: Iterable[int],
    hosts: Collection[str] = (),
    denied: tuple[str, ...] = (),
) -> ScanPlan:
    """The plan for `hosts` (none: all hosts of the inventory).

    A host's addresses outside of public networks are scanned if one of the regions that watch it is
    internal or allows them. An address that one of these regions, or this machine (`denied`,
    networks), denies is never scanned.

    Raises:
        ValueError: a host is not in the inventory.
    """
    regions = {entry.name: entry for entry in inventory.policy if isinstance(entry, Region)}
    watching: dict[str, dict[str, Region]] = {}
    for target in inventory.targets:
        if target.host is not None:
            mine = {name: regions[name] for name in target.regions if name in regions}
            watching.setdefault(target.host, {}).update(mine)
    for host in hosts:
        if host not in watching:
            raise ValueError(f"expected a host of the inventory, found {host!r}")
    return ScanPlan(
        {
            host: _vantage(tuple(mine.values()), denied)
            for host, mine in watching.items()
            if not hosts or host in hosts
        },
        tuple(ports),
        frozenset(
            (target.host, target.port)
            for target in inventory.targets
            if target.host is not None and target.port is not None and target.kind not in _DATAGRAMS
        ),
    )


async def scan(
    plan: ScanPlan, rate: int, stop: asyncio.Event, on_progress: OnProgress = lambda _, __: None
) -> Scanned:
    """Scans all places of the plan, in its order; starts at most `rate` connections a second.

    After `stop` no further connection is started; waits for the running ones (at most the timeout),
    and returns the findings. Never raises.
    """
    work = _Scan(plan, on_progress)
    engine = platform_engine(Vantage())
    try:
        complete = await work.begin_all(engine, rate, stop)
        await work.ended(engine)
    finally:
        engine.close()
    return work.result(complete=complete)


class _Scan:
    def __init__(self, plan: ScanPlan, on_progress: OnProgress) -> None:
        self._plan = plan
        self._of = plan.count
        self._on_progress = on_progress
        self._open: list[OpenPort] = []
        self._skipped: dict[str, str] = {}
        self._looked_at = 0
        self._passed_over = 0
        self._failed = 0
        self._failure: str | None = None
        self._one_done = asyncio.Event()

    async def begin_all(self, engine: Engine, rate: int, stop: asyncio.Event) -> bool:
        """True if all were started."""
        loop = asyncio.get_running_loop()
        next_at = loop.time()
        for host, port in self._plan.places():
            if host in self._skipped:
                self._passed_over += 1
                continue
            # What was late is not made up for: no burst is faster than the rate.
            next_at = max(next_at, loop.time())
            if await _is_set_until(stop, next_at):
                return False
            engine.vantage = self._plan.vantages[host]
            engine.submit(_check(host, port), self._done)
            next_at += 1 / rate
        return True

    async def ended(self, engine: Engine) -> None:
        """Waits until no connection is running."""
        while engine.in_flight:
            self._one_done.clear()
            await self._one_done.wait()

    def result(self, *, complete: bool) -> Scanned:
        return Scanned(
            open=tuple(sorted(self._open)),
            skipped=self._skipped,
            looked_at=self._looked_at,
            of=self._of,
            failed=self._failed,
            failure=self._failure,
            complete=complete,
        )

    def _done(self, check: PlannedCheck, outcome: CheckOutcome) -> None:
        host, port = check.target.host or "", check.target.port or 0
        if outcome.reason in _OF_THE_HOST:
            self._skipped.setdefault(host, outcome.detail or str(outcome.reason))
        elif outcome.reason == "prober_error":
            self._failed += 1
            self._failure = self._failure or outcome.detail
        else:
            self._looked_at += 1
        if outcome.status == "up":
            self._open.append(OpenPort(host, port, outcome.address))
        self._on_progress(self._looked_at + self._failed + self._passed_over, self._of)
        self._one_done.set()


async def _is_set_until(stop: asyncio.Event, moment: float) -> bool:
    """Waits until a time of the loop's clock, or until `stop` is set; True if it is set."""
    try:
        async with asyncio.timeout_at(moment):
            await stop.wait()
    except TimeoutError:
        return stop.is_set()
    return True


def _check(host: str, port: int) -> PlannedCheck:
    target = Target(
        id="scan",
        name="scan",
        kind="tcp",
        host=host,
        port=port,
        regions=("here",),
        interval_ms=1000,
        timeout_ms=round(TIMEOUT_S * 1000),
        version=0,
        source="scan",
    )
    return PlannedCheck(target, 0.0, 0, "manual")


def _vantage(regions: tuple[Region, ...], denied: tuple[str, ...]) -> Vantage:
    return Vantage(
        internal=any(region.internal for region in regions),
        allow=tuple(
            network for region in regions for network in address_policy.networks(region.allow)
        ),
        deny=(
            *denied,
            *(network for region in regions for network in address_policy.networks(region.deny)),
        ),
    )
