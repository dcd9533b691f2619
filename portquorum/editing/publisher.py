"""Brings [targets] and the log to what the page's own inventory says.

A round of one process: it claims the ids in [web], reads [targets] up to its end, writes what
differs, drops the claim and reads [web] up to its end. Where a newer edit counts by then, it may
have been published before by somebody else, and overwritten here: the round is made again, and
writes the newest edit whatever [targets] says. So the last record of each target is of its newest
edit, whichever processes write, in whatever order; docs/decisions/0019.

Of a process that was killed in a round the claim is left; others make the round for it.
"""

import asyncio
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol

from aiokafka.errors import KafkaError
from msgspec import Struct, structs

from foundation.log_throttle import LogThrottle
from foundation.telemetry import logger
from portquorum.editing.published import Published
from portquorum.editing.shelf import STEP, Shelf
from portquorum.inventory.document import TargetEntry
from portquorum.inventory.heartbeats import now_ms, with_old_offsets
from portquorum.inventory.plan import Removal, home
from portquorum.inventory.present import Placed, pauses_of
from portquorum.journal.protocol import Journal
from schemas._types import MAX_MILLIS
from schemas.policy import WEB, Pause
from schemas.target import Target
from schemas.web import Claim, Web, WrittenTarget

REPAIR_S: Final = 30.0
"""How often what differs is looked for, and how long a claim stays before others act on it."""

HELD_S: Final = 5.0
"""How long an apply that has claimed an id is waited for."""

HELD_PAUSE_S: Final = 0.1

MOST_ROUNDS: Final = 50
"""Rounds of one publication: as many edits of others came between."""

CLAIM_IDS: Final = 1_000
"""Ids of one record."""

AWAY: Final = (KafkaError, OSError)
"""Errors of Kafka; `TimeoutError` is an OSError."""

_TARGETS: Final = f"{WrittenTarget.__struct_config__.tag}/"
_log = logger(__name__)


class Writes(Protocol):
    """Writes to [results] and [targets]; `portquorum.inventory.record_writer` has it."""

    async def targets(
        self, removals: Sequence[Removal], targets: Iterable[Target], pauses: Mapping[str, Pause]
    ) -> None:
        """Writes control records, then [targets]; all is confirmed on return.

        `pauses` are those of [policy], by target id: the stream must know one before its target.

        Raises:
            KafkaError, OSError: some may be written.
        """

    async def close(self) -> None:
        """Ends the connections."""


class Refusal(Struct, frozen=True):
    """Why the newest edit of a target is not published: the id is a file's, or it does not resolve.

    `version` is that of the edit. `is_held`: an apply has claimed the id, and may leave it.
    """

    version: int
    message: str
    is_held: bool = False


class _Work(Struct, frozen=True):
    """What a round writes, and what it can't."""

    removals: list[Removal]
    targets: list[Target]
    refusals: dict[str, Refusal]
    versions: dict[str, int]
    """By id the version of the edit that this is of."""

    @property
    def is_empty(self) -> bool:
        return not (self.removals or self.targets)


class Publisher:
    """Publishes the page's own targets, one round at a time in this process."""

    def __init__(
        self,
        journal: Journal,
        published: Published,
        writes: Writes,
        shelf: Shelf,
        partitions: int,
        *,
        repair_s: float = REPAIR_S,
    ) -> None:
        """`partitions` are those of [targets] and [results]."""
        self._journal = journal
        self._published = published
        self._writes = writes
        self._shelf = shelf
        self._partitions = partitions
        self._repair_s = repair_s
        self._lock = asyncio.Lock()
        self._waiting: set[str] = set()
        self._forced: set[str] = set()
        """Ids whose newest edit is written even if [targets] has it: a stale one may be after it.
        """
        self._refusals: dict[str, Refusal] = {}
        self._own: set[str] = set()
        """Claims of this process that are not dropped yet."""
        self._left: dict[str, int] = {}
        """Claims of others that were there at the last repair, with their offsets."""
        self._edits = 0
        """Grows with each change of a target in the book."""
        self._clean: tuple[int, int] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        journal.on_change(self._has_changed)

    async def publish(self, targets: Iterable[str]) -> dict[str, Refusal]:
        """Publishes the newest edits of these targets; on return that is confirmed.

        Returns what can't be published, by id. It goes on when the caller is cancelled.

        Raises:
            KafkaError, OSError, TimeoutError: Kafka is away; it is done as soon as it is back.
        """
        wanted = frozenset(targets)
        loop = asyncio.get_running_loop()
        until = loop.time() + HELD_S
        waiting = wanted
        while True:
            self._waiting |= waiting
            task = asyncio.create_task(self._turn(waiting))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            await asyncio.shield(task)
            refusals = {name: self._refusals[name] for name in wanted & self._refusals.keys()}
            waiting = frozenset(name for name, one in refusals.items() if one.is_held)
            if not waiting or loop.time() > until:
                return refusals
            await asyncio.sleep(HELD_PAUSE_S)
            await self._journal.caught_up()

    async def run(self) -> None:
        """Repairs at once and then every 30 s, without end; cancel the task to stop."""
        await self._journal.is_present.wait()
        throttle: LogThrottle[str] = LogThrottle()
        while True:
            try:
                await self.repair()
            except AWAY as error:
                if throttle.times("kafka"):
                    _log.warning("targets of the page wait for Kafka", error=repr(error))
            else:
                throttle.forget("kafka")
            await asyncio.sleep(self._repair_s)

    async def repair(self) -> int:
        """Publishes what differs from the book; returns the number of targets that did.

        Raises:
            KafkaError, OSError, TimeoutError: Kafka is away.
        """
        await self._drop_own()
        await self._journal.caught_up()
        await self._published.caught_up()
        left = self._left_behind()
        self._forced |= {name for one in left.values() for name in one.targets}
        seen = (self._edits, self._published.version)
        if seen == self._clean and not self._forced and not self._waiting:
            return 0
        differ = {*self._forced, *self._waiting}
        work = await self._work({*self._shelf.ids(), *self._published.ids_of(WEB)})
        differ |= {one.target.id for one in work.removals} | {one.id for one in work.targets}
        if differ:
            _log.info("targets of the page are published anew", targets=len(differ))
            await self.publish(differ)
        else:
            self._clean = seen
        if left:
            await self._journal.drop([(Claim, name) for name in left])
        await self._forget_taken()
        return len(differ)

    def _has_changed(self, _record: Web | None, identity: str) -> None:
        self._edits += identity.startswith(_TARGETS)

    async def _drop_own(self) -> None:
        """Drops claims of rounds of this process that did not end well."""
        async with self._lock:
            if self._own:
                await self._journal.drop([(Claim, name) for name in self._own])
                self._own.clear()

    async def _forget_taken(self) -> None:
        """Removes entries whose ids a file has: who wrote them was killed before it knew that."""
        taken = [
            record
            for name in self._shelf.ids()
            if self._shelf.owner(name) not in (None, WEB)
            and (record := self._shelf.record(name)) is not None
        ]
        if taken:
            await self._journal.edit(
                [structs.replace(one, version=one.version + 1, removed=True) for one in taken]
            )

    def _left_behind(self) -> dict[str, Claim]:
        """Claims of other processes of the page that were there at the last repair already."""
        book = self._journal.book
        now = {
            name: place.offset
            for name, claim in book.every(Claim).items()
            if claim.source == WEB
            and name not in self._own
            and (place := book.place(Claim, name)) is not None
        }
        old = {name for name, offset in now.items() if self._left.get(name) == offset}
        self._left = now
        return {name: claim for name, claim in book.every(Claim).items() if name in old}

    async def _turn(self, wanted: frozenset[str]) -> None:
        async with self._lock:
            taken = frozenset(self._waiting)
            if taken.isdisjoint(wanted):  # the round of another caller took them along
                return
            self._waiting.clear()
            try:
                await self._rounds(taken)
            except BaseException:
                self._waiting |= taken
                self._clean = None
                raise

    async def _rounds(self, names: frozenset[str]) -> None:
        for _ in range(MOST_ROUNDS):
            names = await self._round(names)
            if not names:
                return
        self._waiting |= names

    async def _round(self, names: frozenset[str]) -> frozenset[str]:
        """One round; returns the ids for which a newer edit came meanwhile."""
        await self._published.caught_up()
        names |= self._dependents(names)
        forced = frozenset(self._forced & names)
        if not forced:
            work = await self._work(names)
            if work.is_empty:
                self._note(work, names)
                return self._newer(work)
        claims = await self._claim(names)
        await self._published.caught_up()
        # From here on a kill leaves the claim, and an error the ids to be written again.
        self._forced |= names
        work = await self._work(names, forced)
        pauses = pauses_of(self._published.policy())
        await self._writes.targets(work.removals, work.targets, pauses)
        await self._journal.drop([(Claim, one) for one in claims])
        self._own.difference_update(claims)
        newer = self._newer(work)
        self._forced -= names - newer
        self._note(work, names - newer)
        await self._published.caught_up()  # who changed it reads it back
        return newer

    def _newer(self, work: _Work) -> frozenset[str]:
        """The ids for which another edit counts by now."""
        version = self._shelf.version
        return frozenset(name for name, done in work.versions.items() if version(name) != done)

    async def _claim(self, names: Iterable[str]) -> tuple[str, ...]:
        nonce, listed = secrets.token_hex(8), sorted(names)
        claims = [
            Claim(id=nonce, source=WEB, targets=tuple(listed[at : at + CLAIM_IDS]), part=part)
            for part, at in enumerate(range(0, len(listed), CLAIM_IDS))
        ]
        keys = tuple(f"{nonce}.{one.part}" for one in claims)
        self._own.update(keys)
        await self._journal.put(claims)
        return keys

    def _dependents(self, names: Iterable[str]) -> frozenset[str]:
        """The page's targets that have the host of one of these in their own definition."""
        moved = {name for name in names if self._has_moved(name)}
        if not moved:
            return frozenset()
        entries = ((name, self._shelf.entry(name)) for name in self._shelf.ids())
        return frozenset(
            name
            for name, entry in entries
            if entry is not None and not moved.isdisjoint(entry.depends_on)
        )

    def _has_moved(self, name: str) -> bool:
        entry, there = self._shelf.entry(name), self._shelf.published(name)
        return entry is None or there is None or entry.host != there.host

    def _note(self, work: _Work, names: Iterable[str]) -> None:
        for name in names:
            self._refusals.pop(name, None)
            if name in work.refusals:
                self._refusals[name] = work.refusals[name]

    async def _work(self, names: Iterable[str], forced: frozenset[str] = frozenset()) -> _Work:
        """What has to be written for these ids; of `forced` ones all of it."""
        work = _Work([], [], {}, {})
        listed = sorted(names)
        for at in range(0, len(listed), STEP):
            self._add_work(work, listed[at : at + STEP], forced)
            await asyncio.sleep(0)
        return work

    def _add_work(self, work: _Work, names: Iterable[str], forced: frozenset[str]) -> None:
        shelf = self._shelf
        wanted: dict[str, TargetEntry] = {}
        for name in names:
            work.versions[name] = version = shelf.version(name)
            refused = self._foreign(name, version)
            entry = shelf.entry(name)
            if refused is not None:
                if shelf.record(name) is not None or refused.is_held:
                    work.refusals[name] = refused
            elif entry is not None:
                wanted[name] = entry
            elif version and shelf.record(name) is None:
                work.removals.extend(self._removals(name, None, is_forced=name in forced))
        found = shelf.resolved(wanted)
        for name, errors in found.errors.items():
            text = "; ".join(f"{one.field}: {one.message}" for one in errors)
            work.refusals[name] = Refusal(work.versions[name], text)
        for name, target in found.targets.items():
            there = self._published.placed(name)
            new = self._versioned(target, there)
            is_forced = name in forced
            work.removals.extend(self._removals(name, new, is_forced=is_forced))
            at_home = [one for one in there if one.partition == home(new, self._partitions)]
            if is_forced or not at_home or at_home[0].target != new:
                work.targets.append(new)

    def _foreign(self, name: str, version: int) -> Refusal | None:
        """Why the page may not write a target of this id; None: it may."""
        owner = self._shelf.owner(name)
        if owner not in (None, WEB):
            return Refusal(version, f"the id {name!r} belongs to the inventory {owner!r}")
        held = self._shelf.held(name)
        if held is None:
            return None
        text = f"the id {name!r} is being added by an apply of the inventory {held.source!r}"
        return Refusal(version, text, is_held=True)

    def _versioned(self, target: Target, there: Sequence[Placed]) -> Target:
        """The target with the broker's time of its edit as version, or one more than it has."""
        place = self._journal.book.place(WrittenTarget, target.id)
        edited = 0 if place is None else place.at
        if not there:
            return structs.replace(target, version=min(edited, MAX_MILLIS))
        newest = there[0].target
        target = with_old_offsets(target, newest, now_ms())
        if structs.replace(newest, version=0) == target and newest.version >= edited:
            return newest
        return structs.replace(target, version=min(max(edited, newest.version + 1), MAX_MILLIS))

    def _removals(self, name: str, goes_on: Target | None, *, is_forced: bool) -> list[Removal]:
        """What leaves which partition; with `is_forced` all others are told, too."""
        place = self._journal.book.place(WrittenTarget, name)
        edited = 0 if place is None else place.at
        at_home = None if goes_on is None else home(goes_on, self._partitions)
        there = {one.partition: one.target for one in self._published.placed(name)}
        newest = max((one.version for one in there.values()), default=0)
        version = min(max(edited, newest + 1), MAX_MILLIS)
        gone = [Removal(one, part, version, goes_on is not None) for part, one in there.items()]
        if is_forced:
            stand_in = goes_on or _gone(name)
            gone += [
                Removal(stand_in, part, version, goes_on is not None)
                for part in range(self._partitions)
                if part not in there
            ]
        return [one for one in gone if one.partition != at_home]


def _gone(name: str) -> Target:
    """A definition for the removal of a target of which none is known."""
    return Target(
        id=name,
        name=name,
        kind="tcp",
        host=None,
        port=None,
        regions=("any",),
        interval_ms=1000,
        timeout_ms=1000,
        version=0,
        source=WEB,
    )
