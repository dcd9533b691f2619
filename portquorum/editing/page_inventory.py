"""The page's own inventory: the Edits of `portquorum.changing.edits` over a Journal."""

import time
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from msgspec import structs

from foundation.settings import Settings
from portquorum.access.principal import Principal
from portquorum.changing.edits import BulkDone, BulkEdit, BulkPlan, CheckSaid, Written
from portquorum.changing.errors import ChangeError
from portquorum.editing import entries, yaml_file
from portquorum.editing.bulk import BulkEditor
from portquorum.editing.checking import Checker
from portquorum.editing.editor import Editor, Wanted, wrong
from portquorum.editing.entries import EntryError
from portquorum.editing.limits import must_be_within
from portquorum.editing.pauses import KafkaPauses, Pauses
from portquorum.editing.published import Published
from portquorum.editing.publisher import REPAIR_S, Publisher, Writes
from portquorum.editing.shelf import Shelf
from portquorum.editing.writes import KafkaWrites
from portquorum.inventory.document import TargetEntry
from portquorum.inventory.present import known_of
from portquorum.journal.protocol import Journal
from schemas.policy import WEB
from schemas.target import Target
from schemas.web import Bulk, WrittenMaintenance, WrittenTarget


class PageInventory:
    """See `portquorum.changing.edits.Edits`; `run` publishes what a killed process did not."""

    def __init__(
        self,
        journal: Journal,
        published: Published,
        writes: Writes,
        pauses: Pauses,
        partitions: int,
        *,
        repair_s: float = REPAIR_S,
        now: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        """`partitions` are those of [targets] and [results]; `now` gives UTC ms."""
        self._journal = journal
        self._published = published
        self._writes = writes
        self._shelf = Shelf(journal, published)
        self._publisher = Publisher(
            journal, published, writes, self._shelf, partitions, repair_s=repair_s
        )
        self._editor = Editor(journal, published, self._shelf, self._publisher, now)
        self._bulk = BulkEditor(journal, published, self._shelf, self._editor, pauses)
        self._checker = Checker()

    async def run(self) -> None:
        """Repairs without end; cancel the task to stop."""
        try:
            await self._publisher.run()
        finally:
            await self.close()

    async def close(self) -> None:
        """Ends the connections."""
        await self._writes.close()

    def targets(self) -> list[Written]:
        """All targets of the page's own, by id."""
        found = (self.get(name) for name in sorted(self._shelf.ids()))
        return [one for one in found if one is not None]

    async def repair(self) -> int:
        """Publishes once what differs; see `Publisher.repair`."""
        return await self._publisher.repair()

    def get(self, target: str) -> Written | None:
        record = self._shelf.record(target)
        if record is None or self._shelf.owner(target) != WEB:
            return None
        return self._seen(record)

    def owner(self, target: str) -> str | None:
        return self._shelf.owner(target)

    async def put(
        self, who: Principal, target: str, entry: TargetEntry, if_version: int | None
    ) -> Written:
        return await self._made(who, self._editor.put(who, target, entry, if_version))

    async def patch(
        self, who: Principal, target: str, merge: Mapping[str, Any], if_version: int | None
    ) -> Written:
        self._editor.must_be_read()
        self._editor.must_be_own(target)
        before = self._shelf.entry(target)
        if before is None:
            raise ChangeError(
                HTTPStatus.NOT_FOUND, f"there is no target {target!r} of the page's own"
            )
        self._editor.must_have_version(target, if_version)
        must_be_within(who, target, before)
        try:
            entry = entries.merged(before, merge)
        except EntryError as error:
            raise wrong(error.errors) from error
        return await self._made(who, self._editor.put(who, target, entry, if_version))

    async def remove(self, who: Principal, target: str, if_version: int | None) -> None:
        wanted = self._editor.remove(who, target, if_version)
        before = "" if wanted.before is None else wanted.before.entry
        change, counting = await self._editor.make(who, [wanted])
        if target not in counting:
            raise self._editor.first(target, wanted)
        await self._editor.audit(who, change, "remove target", target, before=before)

    async def check(self, who: Principal, entry: TargetEntry) -> CheckSaid:
        self._editor.must_be_read()
        target = entry.id or entries.id_of(entry) or "new"
        must_be_within(who, target, entry)
        found = self._shelf.resolved({target: structs.replace(entry, id=target)})
        for errors in found.errors.values():
            raise wrong(errors)
        return await self._checked(found.targets[target])

    async def check_now(self, who: Principal, target: str) -> CheckSaid:
        self._editor.must_be_read()
        placed = self._published.placed(target)
        if not placed:
            raise ChangeError(HTTPStatus.NOT_FOUND, f"there is no target {target!r}")
        must_be_within(who, target, placed[0].target)
        return await self._checked(placed[0].target)

    async def preview(self, who: Principal, targets: Sequence[str], edit: BulkEdit) -> BulkPlan:
        return await self._bulk.preview(who, targets, edit)

    async def apply(
        self, who: Principal, targets: Sequence[str], edit: BulkEdit, confirmation: str
    ) -> BulkDone:
        return await self._bulk.apply(who, targets, edit, confirmation)

    def bulk(self, bulk: str) -> Bulk | None:
        return self._bulk.bulk(bulk)

    async def undo(self, who: Principal, bulk: str) -> BulkDone:
        return await self._bulk.undo(who, bulk)

    def yaml(self) -> str:
        targets = ((name, self._shelf.entry(name)) for name in sorted(self._shelf.ids()))
        windows = self._journal.book.all(WrittenMaintenance)
        return yaml_file.document(
            [
                entry
                for name, entry in targets
                if entry is not None and self._shelf.owner(name) == WEB
            ],
            [yaml_file.window(one.entry) for _, one in sorted(windows.items())],
        )

    async def _checked(self, target: Target) -> CheckSaid:
        known = known_of(self._published.policy(), (), WEB)
        return await self._checker.check(target, known.vantages)

    async def _made(self, who: Principal, wanted: Wanted) -> Written:
        """Makes an edit of one target; nothing where it is so already."""
        target, entry = wanted.target, wanted.entry
        if wanted.before is not None and self._editor.is_same(wanted):
            await self._editor.settle(target)
            return self._seen(wanted.before)
        change, counting = await self._editor.make(who, [wanted])
        edit = counting.get(target)
        if edit is None or entry is None:
            raise self._editor.first(target, wanted)
        action = "add target" if wanted.before is None else "change target"
        before = "" if wanted.before is None else wanted.before.entry
        await self._editor.audit(who, change, action, target, before=before, after=edit.entry)
        return self._seen(edit)

    def _seen(self, record: WrittenTarget) -> Written:
        entry = entries.stored(record.entry)
        target = self._shelf.published(record.id)
        now = self._shelf.record(record.id)
        if entry is not None and (target is None or now is None or now.version != record.version):
            target = self._shelf.resolved({record.id: entry}).targets.get(record.id)
            target = target or entries.by_itself(entry)
        if entry is None or target is None:
            raise ChangeError(
                HTTPStatus.INTERNAL_SERVER_ERROR,
                f"what [web] has of {record.id!r} is no target: remove it and add it again",
            )
        return Written(
            id=record.id,
            version=record.version,
            entry=entry,
            target=target,
            at=record.at,
            by=record.by,
        )


def page_inventory(
    settings: Settings, journal: Journal, published: Published, *, repair_s: float = REPAIR_S
) -> PageInventory:
    """The page's own inventory over Kafka."""
    return PageInventory(
        journal,
        published,
        KafkaWrites(settings),
        KafkaPauses(settings, published),
        settings.partitions,
        repair_s=repair_s,
    )
