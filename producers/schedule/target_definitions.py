"""Chooses the valid definition of a target from several partitions of [targets]. Pure.

A target whose host changes is removed in its old partition and defined in its new one. Partitions
are read in any order, and from the beginning at every assignment, so the arrival order of records
has no meaning: the last record of an id counts in each partition, and the newest version of all
partitions is valid.
"""

from collections.abc import Iterable, Mapping

from schemas.target import Target


class Definitions:
    """The last definitions of each assigned partition.

    Methods that change them return the ids whose definition may have changed; see `of`.
    """

    def __init__(self) -> None:
        self._partitions: dict[int, dict[str, Target]] = {}

    def define(self, partition: int, target: Target) -> tuple[str, ...]:
        """Applies a record of a partition."""
        self._partitions.setdefault(partition, {})[target.id] = target
        return (target.id,)

    def remove(self, partition: int, target_id: str) -> tuple[str, ...]:
        """Applies a removal; it removes only the definition of this partition."""
        known = self._partitions.get(partition, {})
        return () if known.pop(target_id, None) is None else (target_id,)

    def replace(self, partition: int, targets: Mapping[str, Target]) -> tuple[str, ...]:
        """Replaces all definitions of a partition, by id."""
        before = self._partitions.get(partition, {})
        self._partitions[partition] = dict(targets)
        return tuple(dict.fromkeys((*before, *targets)))

    def keep(self, partitions: Iterable[int]) -> tuple[str, ...]:
        """Drops the definitions of all other partitions."""
        kept = set(partitions)
        gone = [partition for partition in self._partitions if partition not in kept]
        return tuple(dict.fromkeys(key for part in gone for key in self._partitions.pop(part)))

    def of(self, target_id: str) -> Target | None:
        """The valid definition, None if no assigned partition has one."""
        said = [known[target_id] for known in self._partitions.values() if target_id in known]
        return max(said, key=lambda target: target.version, default=None)
