"""What is published, as the page's inventory sees it: [targets] and [policy]."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Protocol

from foundation.settings import Settings
from portquorum.inventory import present as presents
from portquorum.inventory.present import Placed, PolicyKept
from schemas.target import Target


class Published(Protocol):
    """[targets] and [policy] as far as they were read; all but `caught_up` answers at once."""

    @property
    def is_present(self) -> bool:
        """True once both topics have been read up to their ends."""

    @property
    def version(self) -> int:
        """Grows with each change of either."""

    async def caught_up(self) -> None:
        """Returns when all that was confirmed before the call has been read.

        Raises:
            KafkaError, OSError, TimeoutError: Kafka is away.
        """

    def placed(self, target: str) -> Sequence[Placed]:
        """The definitions of a target in all partitions, the one that counts first."""

    def ids_of(self, source: str) -> Iterable[str]:
        """The ids of the targets of a source."""

    def dependents(self, target: str) -> Iterable[Target]:
        """The targets that depend on one."""

    def policy(self) -> Iterable[PolicyKept]:
        """All entries of [policy]."""


class ReadTopics:
    """Both topics for a command: read from their beginnings by each `caught_up`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._placed: dict[str, list[Placed]] = {}
        self._policy: tuple[PolicyKept, ...] = ()
        self.version = 0

    @property
    def is_present(self) -> bool:
        return self.version > 0

    async def caught_up(self) -> None:
        found = await presents.read(self._settings)
        placed = defaultdict(list)
        for one in found.placed:
            placed[one.target.id].append(one)
        for several in placed.values():
            several.sort(key=lambda one: one.target.version, reverse=True)
        self._placed, self._policy = dict(placed), tuple(found.policy.values())
        self.version += 1

    def placed(self, target: str) -> Sequence[Placed]:
        return self._placed.get(target, ())

    def ids_of(self, source: str) -> Iterable[str]:
        return [name for name, one in self._placed.items() if one[0].target.source == source]

    def dependents(self, target: str) -> Iterable[Target]:
        newest = (one[0].target for one in self._placed.values())
        return [one for one in newest if target in one.depends_on]

    def policy(self) -> Iterable[PolicyKept]:
        return self._policy
