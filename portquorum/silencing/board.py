"""All silences, and what they are held against: targets, open incidents, the notifier's word."""

import asyncio
from collections.abc import Mapping

from msgspec import Struct

from foundation.settings import Settings
from portquorum.delivery.names import event_of
from portquorum.delivery.reading import read_memory
from portquorum.inventory import present
from portquorum.silencing import records
from portquorum.silencing.matching import MatchedNow, matched
from schemas.incident import IncidentEvent
from schemas.policy import Match, Region, Silence
from schemas.target import Target


class SilenceBoard(Struct, frozen=True, kw_only=True):
    """What there is at one moment. `heeded` is the active notifier's word, None: it said none."""

    silences: Mapping[str, Silence]
    targets: Mapping[str, Target]
    regions: frozenset[str]
    opened: tuple[IncidentEvent, ...]
    heeded: records.InForce | None

    def matched(self, match: Match) -> MatchedNow:
        """What a match takes of the targets and the open incidents."""
        return matched(match, self.targets.values(), self.opened)

    def heeds(self, one: Silence, now: int) -> bool:
        """True if the active notifier knows a silence as it is, and it has not ended."""
        return one.ends_at > now and (self.heeded or {}).get(one.name) == one.ends_at


async def read(settings: Settings) -> SilenceBoard:
    """Reads [policy], [targets] and what the notifier wrote.

    Raises:
        aiokafka.errors.KafkaError: the cluster can't be reached.
        LookupError: a topic does not exist.
    """
    kept, placed, memory, heeded = await asyncio.gather(
        present.read_policy(settings),
        present.read_targets(settings),
        read_memory(settings),
        records.in_force(settings),
    )
    events = [event_of(one) for one in memory.subjects.values() if one.phase != "closed"]
    return SilenceBoard(
        silences=records.silences_of(kept.values()),
        targets={name: one.target for name, one in present.Present(placed, kept).targets().items()},
        regions=frozenset(one.entry.name for one in kept.values() if isinstance(one.entry, Region)),
        opened=tuple(one for one in events if isinstance(one, IncidentEvent)),
        heeded=heeded,
    )
