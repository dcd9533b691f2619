"""What a run of chaos does and when, drawn from a seed: the same seed is the same plan."""

import random
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

BEGIN_S: Final = 15.0
"""Nothing breaks before: the fleet has to be seen up once."""

CALM_S: Final = 60.0
"""Nothing breaks in the last part of a run, so that all can be over."""

APART_S: Final = 2_100.0
"""Outages of a host are so far apart that it never counts as flapping (docs/rules.md, rule 9)."""

MASS_SHARE: Final = 0.6
MASS_EVERY: Final = 12
"""Of so many outages one is of that share of all hosts."""

ROLES: Final = ("probe-a", "probe-b", "probe-c", "stream-1", "stream-2")
ROLES_OF_SINKS: Final = ("sink-1", "sink-2", "notify-1", "notify-2", "web")
ALL_ROLES: Final = ROLES + ROLES_OF_SINKS
REGIONS: Final = ("a", "b", "c")


class Kind(Struct, frozen=True):
    """A kind of fault: how often it is drawn, and how long it lasts, s.

    `whom` are its victims; `alone`: all roles wait for what it takes away, so there is no second
    one of these at the same time.
    """

    name: str
    weight: float
    least_s: float
    most_s: float
    whom: tuple[str, ...] = ()
    alone: bool = False


KINDS: Final = (
    Kind("kill", 6, 0, 0, ALL_ROLES),
    Kind("stop", 4, 4, 20, ALL_ROLES),
    Kind("region cut", 3, 8, 25, REGIONS),
    Kind("clock", 2, 10, 20, ("c",)),
    Kind("disk full", 2, 8, 20),
    Kind("another worker", 2, 15, 30),
    Kind("garbage", 2, 0, 0),
    Kind("edit", 3, 0, 0, alone=True),
    Kind("Kafka killed", 2, 2, 8, alone=True),
    Kind("Kafka stopped", 2, 4, 20, alone=True),
    Kind("Kafka silent", 2, 4, 15, alone=True),
    Kind("ClickHouse killed", 2, 2, 10, alone=True),
    Kind("ClickHouse stopped", 1, 4, 20, alone=True),
)
"""`killed` and started again; `stopped` by SIGSTOP; `silent`: packets to it are dropped."""


class Fault(Struct, frozen=True):
    """A fault from `at_s` after the beginning on, for `lasts_s`; both in s."""

    at_s: float
    kind: str
    whom: str
    lasts_s: float

    def __str__(self) -> str:
        what = f"{self.kind} {self.whom}".strip()
        return f"{self.at_s:.1f} s: {what}" + (f" for {self.lasts_s:.1f} s" if self.lasts_s else "")


class Outage(Struct, frozen=True):
    """The ports of `hosts` (numbers) refuse connections from `at_s` on, for `lasts_s`; in s."""

    at_s: float
    hosts: tuple[int, ...]
    lasts_s: float

    def __str__(self) -> str:
        named = f"host {self.hosts[0]}" if len(self.hosts) == 1 else f"{len(self.hosts)} hosts"
        return f"{self.at_s:.1f} s: {named} down for {self.lasts_s:.1f} s"


class Plan(Struct, frozen=True):
    """All that is done in a run of `seconds`."""

    seed: int
    seconds: float
    hosts: int
    faults: tuple[Fault, ...]
    outages: tuple[Outage, ...]


def drawn(seed: int, seconds: float, hosts: int) -> Plan:
    """The plan of a seed.

    Raises:
        ValueError: it is too short for anything to happen.
    """
    if seconds < BEGIN_S + 2 * CALM_S:
        raise ValueError(f"expected at least {BEGIN_S + 2 * CALM_S:.0f} s, found {seconds:g}")
    return Plan(
        seed,
        seconds,
        hosts,
        tuple(_faults(random.Random(f"{seed} faults"), seconds)),  # noqa: S311 - to be repeated
        tuple(_outages(random.Random(f"{seed} outages"), seconds, hosts)),  # noqa: S311
    )


def _faults(draw: random.Random, seconds: float) -> Iterator[Fault]:
    """Every kind once at first, in a drawn order; then by their weights."""
    first = draw.sample(KINDS, len(KINDS))
    at_s, whole_until_s = BEGIN_S, 0.0
    while True:
        at_s += draw.expovariate(1 / 9.0)
        kind = first.pop() if first else draw.choices(KINDS, [one.weight for one in KINDS])[0]
        if kind.alone:
            at_s = max(at_s, whole_until_s)
        lasts_s = draw.uniform(kind.least_s, kind.most_s)
        if at_s + lasts_s > seconds - CALM_S:
            return
        if kind.alone:
            whole_until_s = at_s + lasts_s + draw.uniform(8, 20)
        yield Fault(at_s, kind.name, draw.choice(kind.whom) if kind.whom else "", lasts_s)


def _outages(draw: random.Random, seconds: float, hosts: int) -> Iterator[Outage]:
    """One after the other and side by side; short ones, which nobody is to be told of, as well."""
    free_at_s = dict.fromkeys(range(hosts), 0.0)
    at_s, number = BEGIN_S, 0
    while True:
        at_s += draw.expovariate(1 / 12.0)
        lasts_s = draw.uniform(45, 90)
        if at_s + lasts_s > seconds - CALM_S:
            return
        free = [host for host, free_s in free_at_s.items() if free_s <= at_s]
        number += 1
        if number % MASS_EVERY == MASS_EVERY // 2:
            chosen = tuple(free[: int(hosts * MASS_SHARE)])
        else:
            chosen = (draw.choice(free),) if free else ()
        if not chosen:
            continue
        yield Outage(at_s, chosen, lasts_s)
        for host in chosen:
            free_at_s[host] = at_s + lasts_s + APART_S


def active(plan: Plan, recovery_s: float) -> list[tuple[float, float]]:
    """The spans, s, in which a fault is at work or has not been got over, sorted and disjoint.

    `recovery_s`: how long what it broke may take to go on after its end.
    """
    spans = sorted((one.at_s, one.at_s + one.lasts_s + recovery_s) for one in plan.faults)
    return joined(spans)


def joined(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The same time as sorted, disjoint spans."""
    found: list[tuple[float, float]] = []
    for begin, end in sorted(spans):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return found


def calm(spans: list[tuple[float, float]], begin: float, end: float) -> float:
    """How much of the time from `begin` to `end` lies in none of the (disjoint) spans."""
    busy = sum(max(0.0, min(end, late) - max(begin, early)) for early, late in spans)
    return max(0.0, end - begin) - busy
