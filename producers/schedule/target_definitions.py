"""Which definition of a target holds, when several partitions of [targets] speak of it. Pure.

A target whose host changes is removed in its old partition and defined in its new one. Partitions
are read in any order, and again from the beginning at every assignment, so the order in which
records arrive says nothing: a partition's word is its last record of that id, and of the words of
several partitions the newest version holds.
"""

from collections.abc import Iterable, Mapping

from schemas.target import Target


class Definitions:
    """The last word of each partition of ours.

    What changes them returns the ids whose definition may be another now; ask `of` for it.
    """

    def __init__(self) -> None:
        self._partitions: dict[int, dict[str, Target]] = {}

    def define(self, partition: int, target: Target) -> tuple[str, ...]:
        """Takes a record of a partition."""
        self._partitions.setdefault(partition, {})[target.id] = target
        return (target.id,)

    def remove(self, partition: int, target_id: str) -> tuple[str, ...]:
        """Takes a removal; it takes away only what this partition itself has said."""
        known = self._partitions.get(partition, {})
        return () if known.pop(target_id, None) is None else (target_id,)

    def replace(self, partition: int, targets: Mapping[str, Target]) -> tuple[str, ...]:
        """Takes all that a partition holds, by id, in place of what is known of it."""
        before = self._partitions.get(partition, {})
        self._partitions[partition] = dict(targets)
        return tuple(dict.fromkeys((*before, *targets)))

    def keep(self, partitions: Iterable[int]) -> tuple[str, ...]:
        """Forgets what all other partitions have said."""
        kept = set(partitions)
        gone = [partition for partition in self._partitions if partition not in kept]
        return tuple(dict.fromkeys(key for part in gone for key in self._partitions.pop(part)))

    def of(self, target_id: str) -> Target | None:
        """The definition that holds, None if no partition of ours has one."""
        said = [known[target_id] for known in self._partitions.values() if target_id in known]
        return max(said, key=lambda target: target.version, default=None)
