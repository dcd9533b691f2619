"""Edits of single targets: checked, written to [web], published, written down.

An edit names the version that it makes, and counts if it was the first of that version. What counts
is published; what can't be, because a file has the id or a name is gone, is taken back.
"""

import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Final

import msgspec
from msgspec import Struct, structs

from foundation.telemetry import logger
from portquorum.access.principal import Principal
from portquorum.changing.errors import ChangeError, FieldError
from portquorum.editing import entries
from portquorum.editing.limits import must_be_within
from portquorum.editing.published import Published
from portquorum.editing.publisher import AWAY, Publisher, Refusal
from portquorum.editing.shelf import Shelf
from portquorum.inventory.document import PATTERN_TEXT, TargetEntry
from portquorum.journal.protocol import Journal
from schemas._types import TargetId
from schemas.policy import WEB
from schemas.target import Target
from schemas.web import Audit, WrittenTarget

EDITS: Final = 500
"""Edits that are written before others have a turn."""

_ID_TEXT: Final = PATTERN_TEXT[r"^[a-z0-9][a-z0-9._-]{0,127}\Z"]
_SHOWN: Final = 5
_log = logger(__name__)


class Wanted(Struct, frozen=True):
    """A change of one target that was checked.

    `before` is the edit that it replaces, None: there is no such target; `entry` None: it goes.
    """

    target: str
    version: int
    before: WrittenTarget | None
    entry: TargetEntry | None

    def edit(self, change: str, at: int, by: str) -> WrittenTarget:
        """The edit that makes it."""
        removed = self.entry is None
        text = "{}" if self.before is None else self.before.entry
        if self.entry is not None:
            text = entries.encoded(self.entry)
        return WrittenTarget(
            version=self.version + 1,
            change=change,
            at=at,
            by=by,
            removed=removed,
            id=self.target,
            entry=text,
        )


class Editor:
    """Checks and makes edits; see the module."""

    def __init__(
        self,
        journal: Journal,
        published: Published,
        shelf: Shelf,
        publisher: Publisher,
        now: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        """`now` gives UTC ms."""
        self._journal = journal
        self._published = published
        self._shelf = shelf
        self._publisher = publisher
        self.now = now

    def must_be_read(self) -> None:
        """Refuses to change what was not read yet.

        Raises:
            ChangeError: 503.
        """
        if not (self._journal.is_present.is_set() and self._published.is_present):
            text = "the topics are not read yet, or Kafka is away: nothing was changed; try again"
            raise ChangeError(HTTPStatus.SERVICE_UNAVAILABLE, text)

    def must_be_own(self, target: str) -> None:
        """Refuses to change a target of a file.

        Raises:
            ChangeError: 409, with the name of its inventory.
        """
        owner = self._shelf.owner(target)
        if owner not in (None, WEB):
            raise ChangeError(
                HTTPStatus.CONFLICT,
                f"the target {target!r} belongs to the inventory {owner!r}, which is a file: "
                "change it there and apply it (portquorum inventory apply)",
            )
        held = self._shelf.held(target)
        if held is not None:
            raise ChangeError(
                HTTPStatus.CONFLICT,
                f"an apply of the inventory {held.source!r} is adding the target {target!r} right "
                "now; nothing was changed",
            )

    def must_have_version(self, target: str, if_version: int | None) -> WrittenTarget | None:
        """The edit that counts, if it is the one that the caller has seen.

        Raises:
            ChangeError: 412, with the present version.
        """
        record = self._shelf.record(target)
        if if_version is None:
            return record
        version = 0 if record is None else record.version
        if if_version == version:
            return record
        if not if_version:
            raise ChangeError(
                HTTPStatus.PRECONDITION_FAILED,
                f"there is a target {target!r} already",
                errors=[FieldError(field="id", message="expected an id that no target has")],
                version=version,
            )
        now = f"it has version {version} now" if version else "there is none of this id now"
        raise ChangeError(
            HTTPStatus.PRECONDITION_FAILED,
            f"expected version {if_version} of {target!r}, and {now}: somebody else was first; "
            "nothing was changed",
            version=version,
        )

    def put(
        self, who: Principal, target: str, entry: TargetEntry, if_version: int | None
    ) -> Wanted:
        """A new state of a target, checked.

        Raises:
            ChangeError: why it may not be.
        """
        self.must_be_read()
        self.must_be_own(target)
        before = self.must_have_version(target, if_version)
        entry = self._with_id(target, entry)
        must_be_within(who, target, self._shelf.entry(target), entry)
        self.must_resolve({target: entry})
        return Wanted(target, self._shelf.version(target), before, entry)

    def remove(
        self,
        who: Principal,
        target: str,
        if_version: int | None,
        along: Iterable[str] = (),
    ) -> Wanted:
        """The end of a target, checked; `along` are ids that go with it.

        Raises:
            ChangeError: why it may not be.
        """
        self.must_be_read()
        self.must_be_own(target)
        before = self.must_have_version(target, if_version)
        state = self._shelf.entry(target) or self._shelf.published(target)
        if state is None:
            raise ChangeError(
                HTTPStatus.NOT_FOUND, f"there is no target {target!r} of the page's own"
            )
        must_be_within(who, target, state)
        staying = sorted(self._dependents(target) - frozenset(along))
        if staying:
            shown = ", ".join(staying[:_SHOWN]) + (", …" if len(staying) > _SHOWN else "")
            depend = "depends" if len(staying) == 1 else "depend"
            raise ChangeError(
                HTTPStatus.CONFLICT,
                f"{shown} {depend} on {target!r}: take it out of depends_on first; nothing was "
                "changed",
            )
        return Wanted(target, self._shelf.version(target), before, None)

    def must_resolve(self, wanted: Mapping[str, TargetEntry]) -> dict[str, Target]:
        """What entries resolve to.

        Raises:
            ChangeError: 400, with every problem of the first wrong one.
        """
        found = self._shelf.resolved(wanted)
        for errors in found.errors.values():
            raise wrong(errors)
        circle = self._shelf.circle(wanted)
        if circle is not None:
            raise wrong([circle])
        for target in found.targets.values():
            errors = tuple(entries.secret_errors(target))
            if errors:
                raise wrong(errors)
        return found.targets

    def is_same(self, wanted: Wanted) -> bool:
        """True if a target is so already."""
        entry = self._shelf.entry(wanted.target)
        return entry is not None and entry == wanted.entry

    async def make(
        self, who: Principal, wanted: Sequence[Wanted], change: str = ""
    ) -> tuple[str, dict[str, WrittenTarget]]:
        """Writes changes and publishes those that count.

        Returns the id of the change and the edits that count, by target; the others were refused:
        somebody else was first, or the id belongs to a file now.

        Raises:
            ChangeError: 503, Kafka is away; the text says what is known.
        """
        change = change or secrets.token_hex(8)
        edits = [one.edit(change, self.now(), who.name) for one in wanted]
        counting = await self._written(edits)
        if counting:
            refusals = await self._publish(counting)
            for name, refusal in refusals.items():
                if name in counting and refusal.version == counting[name].version:
                    del counting[name]
            await self._take_back(wanted, refusals, edits)
        return change, counting

    async def settle(self, target: str) -> None:
        """Publishes what counts of a target if it is not yet.

        Raises:
            ChangeError: 503, Kafka is away.
        """
        await self._publish((target,))

    async def audit(
        self, who: Principal, change: str, action: str, about: str, **more: str
    ) -> None:
        """Writes down what was done; a failure is logged, for it is done."""
        entry = Audit(
            id=change, at=self.now(), by=who.name, action=action, about=about[:2000], **more
        )
        try:
            await self._journal.put([entry])
        except AWAY as error:
            _log.warning("the audit log lacks a change", change=change, error=repr(error))

    def first(self, target: str, wanted: Wanted) -> ChangeError:
        """The refusal of an edit that did not count."""
        self.must_be_own(target)
        return ChangeError(
            HTTPStatus.CONFLICT,
            f"somebody else changed {target!r} at the same time and was first: nothing of yours "
            "was changed; look at it and try again",
            version=max(self._shelf.version(target), wanted.version),
        )

    async def _written(self, edits: Sequence[WrittenTarget]) -> dict[str, WrittenTarget]:
        """The edits that count, by target."""
        counting: dict[str, WrittenTarget] = {}
        for at in range(0, len(edits), EDITS):
            part = edits[at : at + EDITS]
            try:
                outcomes = await self._journal.edit(part)
            except AWAY as error:
                counting |= await self._found_again(part, error)
                continue
            counting |= {
                one.id: one for one, outcome in zip(part, outcomes, strict=True) if outcome.accepted
            }
        return counting

    async def _found_again(
        self, edits: Sequence[WrittenTarget], error: Exception
    ) -> dict[str, WrittenTarget]:
        """After a failure: what was written all the same."""
        try:
            await self._journal.caught_up()
        except AWAY:
            raise ChangeError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"Kafka did not confirm the change ({type(error).__name__}): look again whether it "
                "was made",
            ) from error
        return {one.id: one for one in edits if self._counts(one)}

    def _counts(self, edit: WrittenTarget) -> bool:
        """True if an edit counts, or did until a later one replaced it."""
        version = self._shelf.version(edit.id)
        if version != edit.version:
            return False
        record = self._shelf.record(edit.id)
        return edit.removed if record is None else record.change == edit.change

    async def _publish(self, names: Iterable[str]) -> dict[str, Refusal]:
        try:
            return await self._publisher.publish(names)
        except AWAY as error:
            raise ChangeError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "the change is written down, and is made as soon as Kafka answers again "
                f"({type(error).__name__})",
            ) from error

    async def _take_back(
        self,
        wanted: Sequence[Wanted],
        refusals: Mapping[str, Refusal],
        edits: Sequence[WrittenTarget],
    ) -> None:
        """Puts back what was there before the edits that can't be published."""
        back = [
            structs.replace(
                edit,
                version=edit.version + 1,
                removed=one.before is None,
                entry=edit.entry if one.before is None else one.before.entry,
            )
            for one, edit in zip(wanted, edits, strict=True)
            if one.target in refusals and refusals[one.target].version == edit.version
        ]
        if back:
            _log.info("edits are taken back", targets=[one.id for one in back[:_SHOWN]])
            counting = await self._written(back)
            await self._publish(counting)

    def _dependents(self, target: str) -> frozenset[str]:
        """All targets that depend on one, of any source."""
        of_others = (one.id for one in self._published.dependents(target) if one.source != WEB)
        return frozenset((*of_others, *self._shelf.dependents(target)))

    def _with_id(self, target: str, entry: TargetEntry) -> TargetEntry:
        try:
            msgspec.convert(target, TargetId)
        except msgspec.ValidationError:
            text = f"expected {_ID_TEXT}, found {target[:80]!r}"
            raise wrong([FieldError(field="id", message=text)]) from None
        if entry.id not in (None, target):
            text = f"expected {target!r}, for an id never changes; found {entry.id!r}"
            raise wrong([FieldError(field="id", message=text)])
        return structs.replace(entry, id=target, tags=entry.tags or None)


def wrong(errors: Iterable[FieldError]) -> ChangeError:
    """The refusal of an entry with these problems."""
    listed = tuple(errors)
    count = "one field is wrong" if len(listed) == 1 else f"{len(listed)} fields are wrong"
    return ChangeError(HTTPStatus.BAD_REQUEST, f"{count}: nothing was changed", errors=listed)
