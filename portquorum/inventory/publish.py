"""Publishes an inventory: control records to [results] first, then [targets], marked in [policy].

Two applies of one source at the same time: the one that ends second finds the other's mark,
leaves the source marked as unfinished and says so; the next apply writes all of it again. Kafka
has no lock for this that would not put transaction markers into [results].
"""

import asyncio
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from msgspec import Struct, structs

from foundation import kafka
from foundation.kafka.trouble import explained
from foundation.settings import Settings
from portquorum.inventory import plan as plans
from portquorum.inventory import present as presents
from portquorum.inventory.claims import claimed
from portquorum.inventory.environment import environment_problems
from portquorum.inventory.errors import ApplyError, InventoryError
from portquorum.inventory.load import load
from portquorum.inventory.present import PolicyKept
from portquorum.inventory.record_writer import RecordWriter
from portquorum.inventory.resolve import NOTHING_KNOWN, Inventory, Known, resolve
from schemas import policy
from schemas.policy import ApplyMark
from schemas.target import Target

OWN_SOURCES: Final = frozenset({policy.SILENCES, policy.DRILLS, policy.PAUSES, policy.WEB})
"""Sources of portquorum's own commands and page; no inventory has one of these names."""

Progress = Callable[[int, int], None]
"""Called with the number of acknowledged records and the total."""


class ApplyReport(Struct, frozen=True, kw_only=True):
    """The result of an apply. Ids are sorted; `warnings` are sentences for people."""

    source: str
    at: int
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    republished: int
    unchanged: int
    policy_set: int
    policy_removed: int
    warnings: tuple[str, ...] = ()


def source_name(paths: Sequence[Path], source: str | None = None) -> str:
    """The name of the source of targets: the given one, or the first path's without suffix.

    Raises:
        ApplyError: the name is not valid in a message key, or is that of portquorum's own records.
    """
    name = source or (paths[0].resolve().stem if paths else "")
    if not name or "/" in name or len(name) > 200 or not name.isprintable():
        raise ApplyError(f"expected a --source of 1 to 200 characters without /, found {name!r}")
    if name in OWN_SOURCES:
        raise ApplyError(
            f"the source {name!r} is portquorum's own: rename the file, or give the inventory "
            "another name by --source"
        )
    return name


def check(
    paths: Sequence[Path],
    *,
    source: str | None = None,
    env: Mapping[str, str] | None = None,
    secrets: bool = False,
    known: Known = NOTHING_KNOWN,
) -> Inventory:
    """Validates files by themselves, without a cluster.

    Args:
        paths: files, or folders of them.
        source: the name under which the targets would be applied.
        env: the environment in which the channels of routes are looked at; None: in no one.
        secrets: whether a channel that can't be used there is a problem, and not a warning.
        known: the names that other sources define.

    Raises:
        InventoryError: with every problem.
    """
    entries, problems = load(paths)
    found = resolve(entries, source_name(paths, source), problems, known)
    unusable = [] if env is None else environment_problems(entries, env)
    if unusable and secrets:
        raise InventoryError(unusable)
    return structs.replace(found, warnings=(*found.warnings, *unusable))


async def diff(
    settings: Settings,
    paths: Sequence[Path],
    *,
    source: str | None = None,
    republish: bool = False,
) -> plans.ApplyPlan:
    """The changes that `apply` would make now; writes nothing, but creates missing topics.

    Raises:
        InventoryError: with every problem.
        ApplyError: the cluster can't be reached.
    """
    return await _plan(settings, paths, source, republish=republish)


async def apply(
    settings: Settings,
    paths: Sequence[Path],
    *,
    source: str | None = None,
    yes: bool = False,
    allow_empty: bool = False,
    republish: bool = False,
    on_progress: Progress | None = None,
) -> ApplyReport:
    """Publishes the inventory; on return the broker has confirmed all of it.

    Args:
        settings: where the cluster is.
        paths: files, or folders of files.
        source: see `source_name`; only targets of this source are ever removed.
        yes: remove 5 or more targets that are more than 20 % of the source's.
        allow_empty: remove the last target of the source; includes `yes` then.
        republish: write unchanged targets again too.
        on_progress: called while records are written.

    Raises:
        InventoryError: with every problem; nothing was changed.
        ApplyError: too many removals or nothing left (nothing was changed), a cluster that can't be
            reached, or another apply at the same time; the text says which.
    """
    plan = await _plan(settings, paths, source, republish=republish)
    if plan.empties and not allow_empty:
        raise ApplyError(_emptied(plan, paths))
    if plan.removes_too_many and not (yes or plan.empties):
        raise ApplyError(_too_many(plan, paths))
    if not plan.empty:
        try:
            await _write(settings, plan, on_progress or (lambda _done, _of: None))
        except KafkaError as error:
            raise ApplyError(
                f"the apply did not finish: {await explained(settings, error)}. Apply again, all "
                "of it is then written anew",
                again=True,
            ) from error
    return ApplyReport(
        source=plan.source,
        at=plan.at,
        added=tuple(sorted(target.id for target in plan.added)),
        changed=tuple(sorted(target.id for target in plan.changed)),
        removed=plan.removed,
        republished=len(plan.republished),
        unchanged=plan.unchanged,
        policy_set=len(plan.policy_set),
        policy_removed=len(plan.policy_removed),
        warnings=plan.warnings,
    )


async def publish(settings: Settings, inventory: Inventory) -> None:
    """Publishes an inventory that is no file's, whatever it removes.

    Raises:
        aiokafka.errors.KafkaError: the cluster can't be reached.
        ApplyError: another publication of the source ran at the same time.
    """
    present = await presents.read(settings)
    now = time.time_ns() // 1_000_000
    plan = plans.plan(inventory, present, settings.partitions, now)
    if not plan.empty:
        await _write(settings, plan, lambda _done, _of: None)


async def _plan(
    settings: Settings, paths: Sequence[Path], source: str | None, *, republish: bool
) -> plans.ApplyPlan:
    name = source_name(paths, source)
    entries, problems = await asyncio.to_thread(load, paths)
    if problems:  # no need of the cluster to refuse, and more may be found
        resolve(entries, name, problems)
    try:
        created = await kafka.create_topics(settings)
        remark = await kafka.lone_copies(settings) if created else None
        present = await presents.read(settings)
    except (KafkaError, OSError) as error:
        why = await explained(settings, error)
        raise ApplyError(f"{why}. Nothing was changed", again=True) from error
    inventory = await asyncio.to_thread(resolve, entries, name, (), present.known(name))
    now = time.time_ns() // 1_000_000
    plan = plans.plan(inventory, present, settings.partitions, now, republish=republish)
    return structs.replace(plan, warnings=(*plan.warnings, remark)) if remark else plan


def _emptied(plan: plans.ApplyPlan, paths: Sequence[Path]) -> str:
    what = f"all {plan.owned} targets" if plan.owned != 1 else "the only target"
    if not plan.owned:
        what = "all regions, teams, routes and maintenance windows"
    shown = ", ".join(plan.removed[:5]) + (", …" if len(plan.removed) > 5 else "")
    files = shlex.join(["--source", plan.source, *map(str, paths)])
    return (
        f"the inventory is empty, which would remove {what} of the source {plan.source!r}"
        f"{f' ({shown})' if shown else ''}: nothing was changed, and what is published stays. If "
        f"it is meant, run `portquorum inventory apply --allow-empty {files}`; if not, put the "
        "file's content back"
    )


def _too_many(plan: plans.ApplyPlan, paths: Sequence[Path]) -> str:
    shown = ", ".join(plan.removed[:5]) + (", …" if len(plan.removed) > 5 else "")
    share = round(100 * len(plan.removed) / plan.owned)
    files = shlex.join(["--source", plan.source, *map(str, paths)])
    return (
        f"this would remove {len(plan.removed)} of the {plan.owned} targets of the source "
        f"{plan.source!r} ({share} %): {shown}. {plans.ASKED_FROM} or more that are over "
        f"{100 * plans.MAX_REMOVED:.0f} % go only when asked for: nothing was changed. If it is "
        f"meant, run `portquorum inventory apply --yes {files}`; if not, put the targets back"
    )


async def _write(settings: Settings, plan: plans.ApplyPlan, on_progress: Progress) -> None:
    producer = kafka.producer(settings, linger_ms=5)
    await producer.start()
    try:
        added = [target.id for target in plan.added]
        async with claimed(settings, producer, plan.source, added):
            await _Writer(settings, producer, plan, on_progress).write()
    finally:
        await producer.stop()


class _Writer:
    """Writes a plan in the promised order; each step is confirmed before the next."""

    def __init__(
        self,
        settings: Settings,
        producer: AIOKafkaProducer,
        plan: plans.ApplyPlan,
        on_progress: Progress,
    ) -> None:
        self.settings = settings
        self.plan = plan
        self.on_progress = on_progress
        self.producer = producer
        self.writer = RecordWriter(settings, producer, self._confirmed)
        self.targets = (*plan.added, *plan.changed, *plan.republished)
        self.done = 0
        self.total = 2 * (len(self.targets) + len(plan.removals))
        self.total += len(plan.policy_set) + len(plan.policy_removed)
        self.total += sum(target.id in plan.pauses for target in self.targets)

    async def write(self) -> None:
        plan, writer = self.plan, self.writer
        begun = await self._mark("begun")
        await writer.entries((policy.key(plan.source, e), e) for e in plan.policy_set)
        await writer.targets(plan.removals, self.targets, plan.pauses)
        await writer.entries((key, None) for key in plan.policy_removed)
        kept = await self._policy_now()
        await self._tell_later_pauses(kept)
        mark = kept.get(f"{plan.source}/apply/".encode())
        if mark is None or mark.offset != begun:
            await self._mark("begun")
            raise ApplyError(
                f"another apply of the source {plan.source!r} ran at the same time, and what is "
                "published may be a mixture: apply again, all of it is then written anew",
                again=True,
            )
        await self._mark("done")

    async def _policy_now(self) -> Mapping[bytes, PolicyKept]:
        return await presents.read_policy(self.settings)

    def _confirmed(self, count: int) -> None:
        self.done += count
        self.on_progress(self.done, self.total)

    async def _mark(self, state: Literal["begun", "done"]) -> int:
        """Marks the apply in [policy]; returns the mark's offset."""
        mark = ApplyMark(source=self.plan.source, state=state, at=self.plan.at)
        future = await self.writer.send_policy(policy.key(self.plan.source, mark), mark)
        return int((await future).offset)  # type: ignore[attr-defined]

    async def _tell_later_pauses(self, kept: Mapping[bytes, PolicyKept]) -> None:
        """A target that was paused meanwhile may have moved: its new partition is told, too.

        Likewise of a pause that ended meanwhile.
        """
        found = presents.pauses_of(kept.values())
        await self.writer.ended(self.targets, self.plan.pauses, found)
        known, at = self.plan.pauses, self.plan.at
        later = {
            name: one
            for name, one in found.items()
            if known.get(name) != one and not one.is_over(at)
        }
        moved = [target for target in self.targets if target.id in later]
        self.total += len(moved)
        await self.writer.paused(moved, later)


__all__ = ["ApplyReport", "Progress", "Target", "apply", "check", "diff", "publish", "source_name"]
