"""The changes of an apply: a pure comparison of the wanted with the present state."""

from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from portquorum.inventory.errors import InventoryError, Problem, Where, lines
from portquorum.inventory.heartbeats import with_old_offsets
from portquorum.inventory.present import Placed, Present
from portquorum.inventory.resolve import Inventory
from schemas import policy
from schemas._types import MAX_MILLIS
from schemas.partition import host_key, partition_for
from schemas.policy import ApplyMark, Pause, Policy
from schemas.target import Target

MAX_REMOVED: Final = 0.2
"""Greatest share of a source's targets that an apply removes without a confirmation."""

ASKED_FROM: Final = 5
"""Least number of removals that need a confirmation: a first file is replaced freely."""


class Removal(Struct, frozen=True):
    """A target that leaves a partition; `moved` if it continues in another one."""

    target: Target
    partition: int
    version: int
    moved: bool


class ApplyPlan(Struct, frozen=True):
    """The complete plan of an apply of one source.

    Args:
        source: whose inventory it is.
        at: the time of the apply (UTC ms), greater than that of the source's last one.
        added: targets that were not there.
        changed: the new definition of those that were, with a new version.
        removed: ids that are gone.
        republished: targets that are the same, written again.
        unchanged: how many are the same and left alone.
        removals: what leaves which partition, by removal or by a move.
        policy_set: entries of [policy] to write.
        policy_removed: their keys to remove.
        owned: how many targets the source had.
        unfinished: the last apply of the source did not finish.
        empties: nothing would be left of a source that had targets or policy: its file may have
            been emptied by accident.
        warnings: sentences for people.
        pauses: those of [policy] that are in force, of any target, by id.
    """

    source: str
    at: int
    added: tuple[Target, ...]
    changed: tuple[Target, ...]
    removed: tuple[str, ...]
    republished: tuple[Target, ...]
    unchanged: int
    removals: tuple[Removal, ...]
    policy_set: tuple[Policy, ...]
    policy_removed: tuple[bytes, ...]
    owned: int
    unfinished: bool = False
    empties: bool = False
    warnings: tuple[str, ...] = ()
    pauses: dict[str, Pause] = {}

    @property
    def empty(self) -> bool:
        """True if there is nothing to write."""
        return not (
            self.unfinished
            or self.added
            or self.changed
            or self.republished
            or self.removals
            or self.policy_set
            or self.policy_removed
        )

    @property
    def removes_too_many(self) -> bool:
        """True for five or more removals that are more than a fifth of the source's targets."""
        gone = len(self.removed)
        return gone >= ASKED_FROM and gone > MAX_REMOVED * self.owned

    def lines(self) -> list[str]:
        """The plan for people, one line a change: `+ id place`, `~ id place: fields`, `- id`."""
        lines = [f"+ {target.id} {target.place}" for target in self.added]
        lines += [f"~ {target.id} {target.place}" for target in self.changed]
        lines += [f"- {target_id}" for target_id in self.removed]
        lines += [f"= {target.id} {target.place} (again)" for target in self.republished]
        for entry in self.policy_set:
            if not isinstance(entry, ApplyMark):
                lines.append(f"~ {type(entry).__name__.lower()} {entry.name}")
        lines += [f"- {key.decode().split('/', 1)[1]}" for key in self.policy_removed]
        return lines


def plan(
    wanted: Inventory, present: Present, partitions: int, now: int, *, republish: bool = False
) -> ApplyPlan:
    """Compares the wanted targets and policy with the present ones.

    Args:
        wanted: the inventory of one source.
        present: what the topics hold.
        partitions: the partition count of [targets] and [results].
        now: UTC ms.
        republish: write the targets that are the same again too. An unfinished apply of the
            source does so by itself, and with new versions: it may have left removals behind
            that are newer than the definitions.

    Raises:
        InventoryError: a region, team or route would go that another source uses.
    """
    source = wanted.source
    mark = present.mark(source)
    unfinished = mark is not None and mark.state == "begun"
    at = now if mark is None else _later(now, mark.at)
    have = present.targets()
    own = {key: placed for key, placed in have.items() if placed.target.source == source}
    added: list[Target] = []
    changed: list[Target] = []
    again: list[Target] = []
    unchanged = 0
    targets = [
        with_old_offsets(one, own[one.id].target if one.id in own else None, now)
        for one in wanted.targets
    ]
    for target in targets:
        old = own.get(target.id)
        if old is None:
            added.append(replace(target, version=at))
        elif replace(old.target, version=0) != target or unfinished:
            newer = replace(target, version=_later(at, old.target.version))
            same = replace(old.target, version=0) == target
            (again if same else changed).append(newer)
        elif republish:
            again.append(old.target)
        else:
            unchanged += 1
    ids = {target.id: target for target in targets}
    removed = tuple(sorted(key for key in own if key not in ids))
    policy_set, policy_removed = _policy(wanted, present, rewrite=republish or unfinished)
    _in_use(policy_removed, wanted, present)
    return ApplyPlan(
        source=source,
        at=at,
        added=tuple(added),
        changed=tuple(changed),
        removed=removed,
        republished=tuple(again),
        unchanged=unchanged,
        removals=tuple(_removals(ids, own, present.placed, partitions, at)),
        policy_set=policy_set,
        policy_removed=policy_removed,
        owned=len(own),
        unfinished=unfinished,
        empties=not wanted.targets and bool(own or (policy_removed and not wanted.policy)),
        warnings=(*lines(wanted.warnings), *_dependents_elsewhere(changed, have)),
        pauses=present.pauses(now),
    )


def _dependents_elsewhere(changed: Iterable[Target], have: dict[str, Placed]) -> Iterable[str]:
    """Names the other sources whose records have the old host of a target that moves.

    Only an apply of their own may write them: another one may be under way.
    """
    moved = {one.id: one.source for one in changed if one.host != have[one.id].target.host}
    if not moved:
        return
    stale: dict[str, set[str]] = {}
    for target in (placed.target for placed in have.values()):
        for name in target.depends_on:
            if name in moved and moved[name] != target.source:
                stale.setdefault(target.source, set()).add(name)
    for source, names in sorted(stale.items()):
        yield (
            f"targets of the source {source!r} depend on {', '.join(sorted(names))}, which "
            f"has another host now: apply {source!r} again, until then a failure of theirs has "
            "the old host checked"
        )


def _later(at: int, before: int) -> int:
    """A version that replaces `before`: `at`, or the next one.

    If somebody wrote the greatest readable version, it replaces itself.
    """
    return min(max(at, before + 1), MAX_MILLIS)


def home(target: Target, partitions: int) -> int:
    """The partition of a target in [targets] and [results]."""
    return partition_for(host_key(target.host, target.id), partitions)


def _removals(
    wanted: dict[str, Target],
    own: dict[str, Placed],
    placed: Iterable[Placed],
    partitions: int,
    at: int,
) -> Iterable[Removal]:
    for stands in placed:
        target = stands.target
        newest = own.get(target.id)
        if newest is None:
            continue
        goes_on = wanted.get(target.id)
        if goes_on is not None and home(goes_on, partitions) == stands.partition:
            continue
        version = _later(at, target.version)
        yield Removal(target, stands.partition, version, goes_on is not None)


def _policy(
    wanted: Inventory, present: Present, *, rewrite: bool
) -> tuple[tuple[Policy, ...], tuple[bytes, ...]]:
    entries = {policy.key(wanted.source, entry): entry for entry in wanted.policy}
    own = {
        key: kept.entry
        for key, kept in present.policy.items()
        if kept.source == wanted.source and not isinstance(kept.entry, ApplyMark)
    }
    to_set = tuple(e for key, e in entries.items() if rewrite or own.get(key) != e)
    return to_set, tuple(sorted(key for key in own if key not in entries))


def _in_use(removed: Iterable[bytes], wanted: Inventory, present: Present) -> None:
    uses: dict[tuple[str, str], str] = {}
    gone = [present.policy[key].entry for key in removed]
    if any(not isinstance(entry, policy.Maintenance) for entry in gone):
        uses = {(what, name): who for what, name, who in present.uses(wanted.source)}
    problems = []
    for entry in gone:
        if isinstance(entry, ApplyMark):
            continue
        what = type(entry).__name__.lower()
        who = uses.get((what, entry.name))
        if who is not None:
            where = Where(wanted.source, 0, (f"{what}s", entry.name))
            message = f"expected to stay, since the {who} uses it; found no such {what}"
            problems.append(Problem(where, message))
    if problems:
        raise InventoryError(problems)


def encode(target: Target) -> bytes:
    """The value of a target on [targets]."""
    return msgspec.json.encode(target)
