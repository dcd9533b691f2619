"""The present content of [targets] and [policy]."""

from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Struct

from foundation.kafka import Follower
from foundation.settings import Settings
from portquorum.inventory.resolve import Known
from producers.checks import address_policy
from producers.checks.model import Vantage
from schemas import policy, topics
from schemas import target as target_schema
from schemas.policy import PAUSES, ApplyMark, Pause, Policy
from schemas.target import Target


class Placed(Struct, frozen=True):
    """A target, and its partition of [targets]."""

    target: Target
    partition: int


class PolicyKept(Struct, frozen=True):
    """An entry of [policy]. `offset` is that of its newest record."""

    source: str
    entry: Policy
    offset: int


class Present(Struct, frozen=True):
    """The content of both topics.

    A target's id may be in more than one partition if an apply that moved it did not finish; the
    newest version counts. `policy` is by message key.
    """

    placed: tuple[Placed, ...]
    policy: dict[bytes, PolicyKept]

    def targets(self) -> dict[str, Placed]:
        """By id, the newest version of each."""
        newest: dict[str, Placed] = {}
        for placed in self.placed:
            other = newest.get(placed.target.id)
            if other is None or placed.target.version > other.target.version:
                newest[placed.target.id] = placed
        return newest

    def pauses(self, now: int) -> dict[str, Pause]:
        """By target id, the pauses that have not ended by themselves at `now` (UTC ms)."""
        found = pauses_of(self.policy.values())
        return {target_id: one for target_id, one in found.items() if not one.is_over(now)}

    def mark(self, source: str) -> ApplyMark | None:
        """The mark of the newest apply of `source`."""
        kept = self.policy.get(f"{source}/apply/".encode())
        return kept.entry if kept is not None and isinstance(kept.entry, ApplyMark) else None

    def known(self, source: str) -> Known:
        """The names that other sources than `source` define."""
        targets = (placed.target for placed in self.targets().values())
        return known_of(self.policy.values(), targets, source)

    def uses(self, source: str) -> Iterator[tuple[str, str, str]]:
        """The names that other sources use: (`region`|`team`|`route`, name, user)."""
        for placed in self.targets().values():
            target = placed.target
            if target.source != source:
                who = f"target {target.id} of source {target.source}"
                yield from (("region", region, who) for region in target.regions)
                if target.team is not None:
                    yield "team", target.team, who
        for kept in self.policy.values():
            if kept.source == source:
                continue
            if isinstance(kept.entry, policy.Team):
                who = f"team {kept.entry.name} of source {kept.source}"
                yield from (("route", route, who) for route in kept.entry.routes)
            elif isinstance(kept.entry, policy.Route):
                who = f"route {kept.entry.name} of source {kept.source}"
                told = (name for step in kept.entry.escalate for name in step.routes)
                yield from (("route", route, who) for route in (*kept.entry.fallback, *told))
                yield from (("region", region, who) for region in kept.entry.regions)
                yield from (("team", team, who) for team in kept.entry.teams)


def known_of(policies: Iterable[PolicyKept], targets: Iterable[Target], source: str) -> Known:
    """The names that other sources than `source` define, from what is published."""
    known = Known()
    for kept in policies:
        if kept.source == source:
            continue
        match kept.entry:
            case policy.Region() as region:
                known.regions[region.name] = kept.source
                known.vantages[region.name] = Vantage(
                    internal=region.internal,
                    allow=address_policy.networks(region.allow),
                    deny=address_policy.networks(region.deny),
                )
            case policy.Team() as team:
                known.teams[team.name] = kept.source
                known.goals[team.name] = team
            case policy.Route() as route:
                known.routes[route.name] = kept.source
                known.fallbacks[route.name] = route.fallback
            case _:
                pass
    for target in targets:
        if target.source != source:
            known.targets[target.id] = target.source
            if target.host is not None:
                known.hosts[target.id] = target.host
    return known


def pauses_of(kept: Iterable[PolicyKept]) -> dict[str, Pause]:
    """The pauses among the entries of [policy], by target id; those of other sources are none.

    Those that have ended by themselves are among them (`Pause.is_over`).
    """
    return {
        one.entry.name: one.entry
        for one in kept
        if isinstance(one.entry, Pause) and one.source == PAUSES
    }


async def read(settings: Settings) -> Present:
    """Reads both topics from the beginning to their present end.

    Skips records that can't be decoded (the sink dead-letters them).

    Raises:
        LookupError: a topic does not exist.
        aiokafka.errors.KafkaError: the cluster can't be reached.
    """
    return Present(await read_targets(settings), await read_policy(settings))


async def read_targets(settings: Settings) -> tuple[Placed, ...]:
    """The targets in every partition of [targets]."""
    raw: dict[tuple[int, bytes], bytes | None] = {}
    async with Follower(settings, settings.topic(topics.TARGETS.name)) as follower:
        async for record in follower.present():
            if record.key is not None:
                raw[record.partition, record.key] = record.value
    placed = []
    for (partition, _), value in raw.items():
        if value:
            try:
                placed.append(Placed(target_schema.decode(value), partition))
            except msgspec.DecodeError:
                continue
    return tuple(placed)


async def read_policy(settings: Settings) -> dict[bytes, PolicyKept]:
    """The entries of [policy] by their message keys."""
    found: dict[bytes, PolicyKept] = {}
    async with Follower(settings, settings.topic(topics.POLICY.name)) as follower:
        async for record in follower.present():
            if record.key is None:
                continue
            found.pop(record.key, None)
            if record.value:
                try:
                    entry = policy.decode(record.value)
                    source = record.key.decode().split("/", 1)[0]
                except (msgspec.DecodeError, UnicodeDecodeError):  # the value, the key
                    continue
                found[record.key] = PolicyKept(source, entry, record.offset)
    return found
