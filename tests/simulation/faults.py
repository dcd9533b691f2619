"""What goes wrong, drawn from the seed before anything runs: the ground truth."""

from collections.abc import Iterator
from random import Random

from msgspec import Struct, structs

from schemas.result import Reason
from schemas.target import Target
from tests.simulation.fleet import region_names
from tests.simulation.scenario import HOUR_MS, START, Scenario


class Outage(Struct, frozen=True, kw_only=True):
    """Checks of `targets` from `regions` that begin in [begin, end) fail."""

    targets: tuple[str, ...]
    regions: tuple[str, ...]
    begin: float
    end: float
    reason: Reason
    what: str


class Loss(Struct, frozen=True, kw_only=True):
    """A region has no network in [begin, end).

    `guarded`: it has references, so its probers find out. `cut`: it does not reach the broker
    either.
    """

    region: str
    begin: float
    end: float
    reason: Reason
    guarded: bool
    cut: bool


class Death(Struct, frozen=True, kw_only=True):
    """A prober is killed at `begin`, and started again at `end`."""

    region: str
    number: int
    begin: float
    end: float


class Pause(Struct, frozen=True, kw_only=True):
    """The broker takes and gives nothing in [begin, end)."""

    begin: float
    end: float


class Crash(Struct, frozen=True, kw_only=True):
    """The worker of a partition dies; another begins from a checkpoint `behind` ms old."""

    partition: int
    at: float
    behind: float
    away: float


class ClockStep(Struct, frozen=True, kw_only=True):
    """The wall clock of a prober's machine jumps."""

    region: str
    number: int
    at: float
    ms: float


class Change(Struct, frozen=True, kw_only=True):
    """`apply` publishes: `target` as it is from now on, None when it is removed."""

    at: float
    target_id: str
    target: Target | None


class Rest(Struct, frozen=True, kw_only=True):
    """Somebody pauses a target at `begin` until `end`; `resumed`: by hand, no end was said."""

    target_id: str
    begin: float
    end: float
    resumed: bool


class Faults(Struct, frozen=True, kw_only=True):
    """All of it. `references`: the regions whose probers have reference addresses."""

    references: frozenset[str]
    outages: list[Outage]
    losses: list[Loss]
    deaths: list[Death]
    pauses: list[Pause]
    crashes: list[Crash]
    steps: list[ClockStep]
    changes: list[Change]
    rests: list[Rest] = []


def draw(scenario: Scenario, targets: list[Target], rng: Random) -> Faults:
    """All faults of a scenario."""
    faults = _draw(scenario, targets, rng)
    # With dice of their own: all else is what it was before there were pauses.
    dice = Random(f"{scenario.seed} rests")  # noqa: S311 - a simulation, seeded
    changed = {change.target_id for change in faults.changes}
    steady = [target for target in targets if target.id not in changed]
    return structs.replace(faults, rests=list(_rests(scenario, steady, faults.outages, dice)))


def _draw(scenario: Scenario, targets: list[Target], rng: Random) -> Faults:
    regions = region_names(scenario.regions)
    references = frozenset(region for region in regions if rng.random() < 0.5)
    return Faults(
        references=references,
        outages=[
            *_services(scenario, targets, rng),
            *_hosts(scenario, targets, rng),
            *_regional(scenario, targets, regions, rng),
            *_storms(scenario, targets, rng),
        ],
        losses=[
            loss
            for region in regions
            for loss in _losses(scenario, region, rng, guarded=region in references)
        ],
        deaths=[
            death
            for region in regions
            for number in range(scenario.probers)
            for death in _deaths(scenario, region, number, rng)
        ],
        pauses=list(_pauses(scenario, rng)),
        crashes=[
            Crash(
                partition=partition,
                at=at,
                behind=rng.uniform(100, 30_000),
                away=rng.choice((0.0, rng.uniform(500, 10_000))),
            )
            for partition in range(scenario.partitions)
            for at in _times(scenario, rng, scenario.crashes)
        ],
        steps=[
            ClockStep(region=region, number=number, at=at, ms=rng.choice((-1, 1)) * size)
            for region in regions
            for number in range(scenario.probers)
            for at in _times(scenario, rng, scenario.steps)
            for size in (rng.choice((rng.uniform(100, 4_000), rng.uniform(6_000, 3_600_000))),)
        ],
        changes=list(_changes(scenario, targets, regions, rng)),
    )


def _times(scenario: Scenario, rng: Random, per_hour: float) -> Iterator[float]:
    at: float = START + scenario.calm_ms
    while per_hour > 0:
        at += rng.expovariate(per_hour) * HOUR_MS
        if at >= scenario.end - scenario.calm_ms:
            return
        yield at


def _length(rng: Random, least: float, most: float) -> float:
    """Short ones are as frequent as long ones, by the order of magnitude."""
    return float(least * (most / least) ** rng.random())


def _services(scenario: Scenario, targets: list[Target], rng: Random) -> Iterator[Outage]:
    for begin in _times(scenario, rng, scenario.outages * len(targets)):
        target = rng.choice(targets)
        most = min(2_400_000.0, 0.3 * scenario.hours * HOUR_MS)
        yield Outage(
            targets=(target.id,),
            regions=target.regions,
            begin=begin,
            end=begin + _length(rng, 200, most),
            reason=rng.choice(("connection_refused", "connection_refused", "timed_out")),
            what="service",
        )


def _hosts(scenario: Scenario, targets: list[Target], rng: Random) -> Iterator[Outage]:
    hosts: dict[str | None, list[str]] = {}
    for target in targets:
        hosts.setdefault(target.host, []).append(target.id)
    names = list(hosts)
    for begin in _times(scenario, rng, scenario.hosts * len(names)):
        reason: Reason = rng.choice(("timed_out", "host_unreachable", "dns_failed"))
        yield Outage(
            targets=tuple(hosts[rng.choice(names)]),
            regions=region_names(scenario.regions),
            begin=begin,
            end=begin + _length(rng, 1_000, 1_200_000),
            reason=reason,
            what="dns" if reason == "dns_failed" else "host",
        )


def _regional(
    scenario: Scenario, targets: list[Target], regions: tuple[str, ...], rng: Random
) -> Iterator[Outage]:
    for region in regions:
        for begin in _times(scenario, rng, scenario.regional):
            part = rng.sample(targets, max(1, int(len(targets) * rng.uniform(0, 0.3))))
            yield Outage(
                targets=tuple(target.id for target in part),
                regions=(region,),
                begin=begin,
                end=begin + _length(rng, 1_000, 3_000_000),
                reason=rng.choice(("timed_out", "network_unreachable")),
                what="regional",
            )


def _storms(scenario: Scenario, targets: list[Target], rng: Random) -> Iterator[Outage]:
    for begin in _times(scenario, rng, scenario.storms * len(targets)):
        target = rng.choice(targets)
        most = rng.choice((2.0, 6.0)) * target.interval_ms
        at = begin
        for _ in range(rng.randint(3, 12)):
            end = at + _length(rng, 500, most)
            yield Outage(
                targets=(target.id,),
                regions=target.regions,
                begin=at,
                end=end,
                reason="connection_refused",
                what="flap",
            )
            at = end + _length(rng, 500, most)


def _losses(scenario: Scenario, region: str, rng: Random, *, guarded: bool) -> Iterator[Loss]:
    last = 0.0
    for begin in _times(scenario, rng, scenario.losses):
        if begin < last:
            continue
        last = begin + _length(rng, 1_000, 1_500_000)
        yield Loss(
            region=region,
            begin=begin,
            end=last,
            reason=rng.choice(("timed_out", "network_unreachable")),
            guarded=guarded,
            cut=rng.random() < 0.4,
        )


def _deaths(scenario: Scenario, region: str, number: int, rng: Random) -> Iterator[Death]:
    last = 0.0
    for begin in _times(scenario, rng, scenario.deaths):
        if begin < last + 10_000:
            continue
        last = begin + _length(rng, 2_000, 1_200_000)
        yield Death(region=region, number=number, begin=begin, end=last)


def _pauses(scenario: Scenario, rng: Random) -> Iterator[Pause]:
    last = 0.0
    for begin in _times(scenario, rng, scenario.pauses):
        if begin < last + 60_000:
            continue
        last = begin + _length(rng, 5_000, 300_000)
        yield Pause(begin=begin, end=last)


def _rests(
    scenario: Scenario, targets: list[Target], outages: list[Outage], rng: Random
) -> Iterator[Rest]:
    """Most begin in an outage, and some end in it. One target rests once at a time."""
    last: dict[str, float] = {}
    for at in _times(scenario, rng, scenario.rests * scenario.partitions):
        names = [target.id for target in targets]
        failing = [
            name
            for one in outages
            if one.begin <= at < one.end and len(one.regions) > 1
            for name in one.targets
            if name in names
        ]
        chosen = rng.choice(failing if failing and rng.random() < 0.8 else names or [""])
        if not chosen or at < last.get(chosen, 0.0) + 60_000:
            continue
        last[chosen] = at + _length(rng, 5_000, 1_200_000)
        yield Rest(target_id=chosen, begin=at, end=last[chosen], resumed=rng.random() < 0.5)


def _changes(
    scenario: Scenario, targets: list[Target], regions: tuple[str, ...], rng: Random
) -> Iterator[Change]:
    now = {target.id: target for target in targets}
    for count, at in enumerate(_times(scenario, rng, scenario.changes * scenario.partitions)):
        version = int(at)
        old = rng.choice([target for target in now.values() if target.version + 60_000 < at])
        new: Target | None
        match rng.choice(("add", "remove", "port", "host", "regions", "policy", "name")):
            case "add":
                new = structs.replace(old, id=f"new{count}", name=f"new{count}", port=2000 + count)
            case "remove" if len(now) > 3:
                new = None
            case "port":
                new = structs.replace(old, port=3000 + count)
            case "host":
                new = structs.replace(old, host=f"moved{count}.example.com")
            case "regions":
                some = rng.sample(regions, rng.randint(min(2, len(regions)), len(regions)))
                new = structs.replace(old, regions=tuple(sorted(some)))
            case "policy":
                new = structs.replace(
                    old,
                    interval_ms=rng.choice((20_000, 30_000, 60_000)),
                    retries=rng.choice((0, 1, 2)),
                )
            case _:
                new = structs.replace(old, name=f"{old.name} again")
        if new is None:
            del now[old.id]
            yield Change(at=at, target_id=old.id, target=None)
        else:
            new = structs.replace(new, version=version)
            now[new.id] = new
            yield Change(at=at, target_id=new.id, target=new)
