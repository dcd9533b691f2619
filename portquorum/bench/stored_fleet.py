"""A fleet with measurements as uneven as real ones, because even ones compress too well.

Hosts have four ports each and stand at one of eight sites, each at its own distance from each
region; a host has a way of its own within the site. Times jitter by a log-normal, one check in a
hundred takes several times as long. A lookup takes what a caching resolver takes, and once in fifty
a round trip more. A check starts when the event loop comes to it.
"""

import random
import zlib
from collections.abc import Iterator
from heapq import heappop, heappush
from typing import Final

from msgspec import structs

from portquorum.bench.stream_fleet import (
    REGIONS,
    TIMEOUT_MS,
    Check,
    FleetMessage,
    Probers,
    checks,
    definitions,
)
from producers.checks.model import CheckOutcome, PlannedCheck, Worth
from producers.publishing.batcher import Finished
from schemas.target import Target

PORTS: Final = (22, 443, 5432, 8080)
SITES: Final = ("fra", "ams", "lon", "iad", "sfo", "sin", "bom", "office")


def targets(count: int, version: int, interval_ms: int) -> list[Target]:
    """The fleet: one target in a hundred is down from the beginning to the end."""
    return [
        Target(
            id=f"{_host(number)}-{PORTS[number % 4]}",
            name=f"{_host(number)} port {PORTS[number % 4]}",
            kind="tcp",
            host=f"{_host(number)}.example.com",
            port=PORTS[number % 4],
            regions=REGIONS,
            interval_ms=interval_ms,
            timeout_ms=TIMEOUT_MS,
            version=version,
            source="bench",
        )
        for number in range(count)
    ]


def log(
    count: int, results: int, partitions: int, begin: int, interval_ms: int
) -> Iterator[FleetMessage]:
    """The messages of the probers of `count` targets, up to about this number of results."""
    rounds = max(4, round(results / (count * len(REGIONS))))
    fleet = targets(count, begin, interval_ms)
    yield from definitions(fleet, partitions, begin)
    made = checks(fleet, partitions, begin + 1_000, rounds, measure)
    yield from Probers(full=False).messages(_as_they_end(made))


def _as_they_end(made: Iterator[Check]) -> Iterator[Check]:
    """Checks in the order of their ends, not of their starts."""
    under_way: list[tuple[float, int, Check]] = []
    for number, one in enumerate(made):
        while under_way and under_way[0][0] <= one.at:
            yield heappop(under_way)[2]
        outcome = one.finished.outcome
        ends = (outcome.started_at or 0) * 1000 + (outcome.total_ms or 0)
        heappush(under_way, (ends, number, structs.replace(one, at=round(ends))))
    while under_way:
        yield heappop(under_way)[2]


def measure(
    chance: random.Random,
    target: Target,
    at: int,
    region: str,
    *,
    attempt: int,
    down: bool,
    told: bool = False,
) -> Finished:
    """A check of a target from a region, done at `at` (UTC ms), in the prober's queue."""
    host = target.host or target.id
    lag_ms = chance.expovariate(0.8)
    dns_ms = chance.lognormvariate(-1.2, 0.35)
    if chance.random() < 0.02:
        dns_ms += chance.uniform(5, 40)
    trip_ms = _distance_ms(host, region) * chance.lognormvariate(0, 0.03)
    if chance.random() < 0.01:
        trip_ms *= chance.uniform(2, 10)
    refused = _draw(host, "refused") < 0.5
    own_ms = chance.lognormvariate(-2.5, 0.5)
    took_ms = dns_ms + own_ms + (TIMEOUT_MS if down and not refused else trip_ms)
    planned = PlannedCheck(target, at, attempt, "retry" if attempt else "schedule")
    outcome = CheckOutcome(
        status="down" if down else "up",
        reason=None if not down else "connection_refused" if refused else "timed_out",
        started_at=(at + lag_ms) / 1000,
        detail="[Errno 111] Connection refused" if down and refused else None,
        address=_address(host),
        dns_ms=round(dns_ms, 3),
        connect_ms=None if down else round(trip_ms, 3),
        total_ms=round(took_ms, 3),
    )
    news: Worth = "repeated" if told else "news"
    return Finished(planned, outcome, news if down or attempt else "routine")


def _host(number: int) -> str:
    host = number // 4
    return f"srv-{host:06d}-{SITES[host % len(SITES)]}"


def _draw(*about: str) -> float:
    """A reproducible number from 0 to 1."""
    return zlib.crc32("/".join(about).encode()) / 2**32


def _distance_ms(host: str, region: str) -> float:
    site = host.partition(".")[0].rpartition("-")[2]
    return 0.4 + 160 * _draw(site, region) ** 2 + 3 * _draw(host)


def _address(host: str) -> str:
    number = zlib.crc32(host.encode())
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
