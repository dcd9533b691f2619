"""One change of many targets: what it would do, doing it, and putting it back.

A preview names, by its confirmation, exactly the targets, their versions and the edit; nothing else
is ever made. The record from which it is put back is written before it.
"""

import asyncio
import hashlib
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Final, Literal

import msgspec
from msgspec import Struct, structs

from portquorum.access.principal import Principal
from portquorum.changing.edits import BulkDone, BulkEdit, BulkLeftOut, BulkPlan
from portquorum.changing.errors import ChangeError, FieldError
from portquorum.editing import bulk_records, entries
from portquorum.editing.bulk_records import Line
from portquorum.editing.differences import differences
from portquorum.editing.editor import Editor, Wanted, wrong
from portquorum.editing.entries import EntryError
from portquorum.editing.limits import is_within, words
from portquorum.editing.pauses import Pauses
from portquorum.editing.published import Published
from portquorum.editing.publisher import AWAY
from portquorum.editing.shelf import STEP, Shelf
from portquorum.inventory.document import TargetEntry
from portquorum.journal.protocol import Journal
from schemas._types import MAX_MILLIS
from schemas.plain_text import plain
from schemas.policy import WEB, Pause
from schemas.web import Bulk

MOST: Final = 10_000
SHOWN: Final = 100
_SOME: Final = 10
_MOST_REASON: Final = 500

Why = Literal["file", "limits", "same", "wrong", "changed"]
_MESSAGES: Final[dict[Why, str]] = {
    "file": "they belong to files: change them there",
    "same": "they are so already",
    "changed": "somebody else changed them meanwhile",
}
_OF_PAUSES: Final = frozenset({"pause", "resume", "undo pause", "undo resume"})


class _Left:
    """Targets that are left out, by reason."""

    def __init__(self) -> None:
        self.ids: dict[Why, list[str]] = {}
        self.messages: dict[Why, str] = dict(_MESSAGES)

    def add(self, why: Why, target: str, message: str = "") -> None:
        self.ids.setdefault(why, []).append(target)
        if message:
            self.messages.setdefault(why, message)

    def listed(self) -> tuple[BulkLeftOut, ...]:
        return tuple(
            BulkLeftOut(
                why=why,
                count=len(names),
                some=tuple(names[:_SOME]),
                message=self.messages.get(why, ""),
            )
            for why, names in self.ids.items()
        )


class _Plan(Struct, frozen=True):
    """What a change would do: edits, or pauses (None: it ends), and the mark of each target."""

    edits: list[Wanted]
    pauses: dict[str, Pause | None]
    marks: dict[str, str]
    left: _Left

    @property
    def names(self) -> list[str]:
        return [one.target for one in self.edits] or list(self.pauses)


class BulkEditor:
    """Plans, makes and undoes changes of up to 10,000 targets."""

    def __init__(
        self,
        journal: Journal,
        published: Published,
        shelf: Shelf,
        editor: Editor,
        pauses: Pauses,
    ) -> None:
        self._journal = journal
        self._published = published
        self._shelf = shelf
        self._editor = editor
        self._pauses = pauses

    async def preview(self, who: Principal, targets: Sequence[str], edit: BulkEdit) -> BulkPlan:
        plan = await self._plan(who, targets, edit)
        names = plan.names if edit.action == "patch" else ()
        before, after = await _differing(plan, names)
        return BulkPlan(
            count=len(plan.names),
            some=tuple(plan.names[:SHOWN]),
            left_out=plan.left.listed(),
            confirmation=_confirmation(plan, edit),
            edit=edit,
            before=before,
            after=after,
        )

    async def apply(
        self, who: Principal, targets: Sequence[str], edit: BulkEdit, confirmation: str
    ) -> BulkDone:
        plan = await self._plan(who, targets, edit)
        if _confirmation(plan, edit) != confirmation:
            before = confirmation.partition("-")[0]
            was = f", in place of the {before} of the preview" if before.isdecimal() else ""
            raise ChangeError(
                HTTPStatus.CONFLICT,
                f"it would change {len(plan.names)} targets now{was}, or others than those, or "
                "they were changed meanwhile: nothing was changed; look at a new preview",
            )
        return await self._make(who, edit.action, plan)

    def bulk(self, bulk: str) -> Bulk | None:
        return bulk_records.whole(bulk_records.found(self._journal.book, bulk))

    async def undo(self, who: Principal, bulk: str) -> BulkDone:
        self._editor.must_be_read()
        parts = bulk_records.found(self._journal.book, bulk)
        change = bulk_records.whole(parts)
        if change is None:
            text = f"there is no change {bulk!r}: changes can be undone for 30 days"
            raise ChangeError(HTTPStatus.NOT_FOUND, text)
        if change.undone_by is not None:
            raise ChangeError(HTTPStatus.CONFLICT, f"{change.undone_by} has undone it already")
        is_of_pauses = change.action in _OF_PAUSES
        _must_be_able(who, "pause" if is_of_pauses else "patch")
        left = _Left()
        plan = self._old_pauses(who, change, left) if is_of_pauses else _Plan([], {}, {}, left)
        if not is_of_pauses:
            await self._old_entries(who, change, plan)
        action = change.action.removeprefix("undo ")
        done = await self._make(who, f"undo {action}", plan)
        if done.id is not None:
            await self._journal.put(
                [
                    structs.replace(one, undone_by=who.name, undone_at=self._editor.now())
                    for one in parts
                ]
            )
        return done

    # Plans.

    async def _plan(self, who: Principal, targets: Sequence[str], edit: BulkEdit) -> _Plan:
        self._editor.must_be_read()
        names = list(dict.fromkeys(targets))
        if len(names) > MOST:
            text = f"expected at most {MOST:,} targets, found {len(names):,}: choose fewer"
            raise ChangeError(HTTPStatus.BAD_REQUEST, text)
        _must_be_able(who, edit.action)
        _must_make_sense(edit, self._editor.now())
        plan = _Plan([], {}, {}, _Left())
        if edit.action in {"pause", "resume"}:
            self._pausing(who, names, edit, plan)
        elif edit.action == "remove":
            await self._removing(who, names, plan)
        else:
            await self._patching(who, names, edit, plan)
        return plan

    def _pausing(self, who: Principal, names: Sequence[str], edit: BulkEdit, plan: _Plan) -> None:
        now = self._editor.now()
        known = self._pauses.now()
        for name in names:
            placed = self._published.placed(name)
            if not placed:
                plan.left.add("wrong", name, "there are no such targets")
                continue
            if not is_within(who, placed[0].target):
                plan.left.add("limits", name, f"{who.name} may change those of {words(who)} alone")
                continue
            there = known.get(name)
            there = None if there is None or there.is_over(now) else there
            new = None
            if edit.action == "pause":
                new = Pause(
                    name=name,
                    paused_at=now,
                    until=edit.until,
                    reason=plain(edit.reason).strip(),
                    by=who.name,
                )
            if _is_same_pause(there, new):
                plan.left.add("same", name)
                continue
            plan.pauses[name] = new
            plan.marks[name] = "" if there is None else msgspec.json.encode(there).decode()

    async def _removing(self, who: Principal, names: Sequence[str], plan: _Plan) -> None:
        along = frozenset(names)
        for position, name in enumerate(names):
            if position % STEP == STEP - 1:
                await asyncio.sleep(0)
            if not self._is_own(who, name, plan.left):
                continue
            try:
                wanted = self._editor.remove(who, name, None, along)
            except ChangeError as error:
                plan.left.add("wrong", name, error.detail)
            else:
                plan.edits.append(wanted)
                plan.marks[name] = str(wanted.version)

    async def _patching(
        self, who: Principal, names: Sequence[str], edit: BulkEdit, plan: _Plan
    ) -> None:
        def changed(before: TargetEntry) -> TargetEntry:
            entry = entries.merged(before, edit.set) if edit.set else before
            if not (edit.add_tags or edit.remove_tags):
                return entry
            return entries.with_tags(entry, edit.add_tags, edit.remove_tags)

        wanted: dict[str, TargetEntry] = {}
        for position, name in enumerate(names):
            if position % STEP == STEP - 1:
                await asyncio.sleep(0)
            if not self._is_own(who, name, plan.left):
                continue
            entry = self._patched(who, name, changed, plan.left)
            if entry is not None:
                wanted[name] = entry
        await self._take(wanted, plan)

    def _patched(
        self,
        who: Principal,
        name: str,
        changed: Callable[[TargetEntry], TargetEntry],
        left: _Left,
    ) -> TargetEntry | None:
        before = self._shelf.entry(name)
        if before is None:
            left.add("wrong", name, "there are no such targets")
            return None
        try:
            entry = changed(before)
        except EntryError as error:
            left.add("wrong", name, str(error))
            return None
        if entry == before:
            left.add("same", name)
            return None
        if not is_within(who, entry):
            left.add("limits", name, f"{who.name} may change those of {words(who)} alone")
            return None
        return entry

    async def _take(self, wanted: Mapping[str, TargetEntry], plan: _Plan) -> None:
        """Adds entries to the plan, those that resolve."""
        if (circle := self._shelf.circle(wanted)) is not None:
            raise wrong([circle])
        listed = list(wanted)
        for at in range(0, len(listed), STEP):
            some = {name: wanted[name] for name in listed[at : at + STEP]}
            found = self._shelf.resolved(some, wanted)
            for name, entry in some.items():
                errors = found.errors.get(name, ())
                if not errors and name in found.targets:
                    errors = tuple(entries.secret_errors(found.targets[name]))
                if errors:
                    text = "; ".join(f"{one.field}: {one.message}" for one in errors)
                    plan.left.add("wrong", name, text)
                    continue
                version = self._shelf.version(name)
                plan.edits.append(Wanted(name, version, self._shelf.record(name), entry))
                plan.marks[name] = str(version)
            await asyncio.sleep(0)

    def _is_own(self, who: Principal, name: str, left: _Left) -> bool:
        owner = self._shelf.owner(name)
        if owner is None:
            left.add("wrong", name, "there are no such targets")
            return False
        if owner != WEB:
            left.add("file", name)
            return False
        state = self._shelf.entry(name) or self._shelf.published(name)
        if state is not None and not is_within(who, state):
            left.add("limits", name, f"{who.name} may change those of {words(who)} alone")
            return False
        return True

    # Making.

    async def _make(self, who: Principal, action: str, plan: _Plan) -> BulkDone:
        if not plan.names:
            return BulkDone(id=None, changed=0, left_out=plan.left.listed())
        change = secrets.token_hex(8)
        at = self._editor.now()
        lines = self._lines(plan)
        head = Bulk(id=change, at=at, by=who.name, action=action, targets=())
        await self._record(bulk_records.parts_of(head, lines))
        if plan.edits:
            _, counting = await self._editor.make(who, plan.edits, change)
            made = [one.target for one in plan.edits if one.target in counting]
            for one in plan.edits:
                if one.target not in counting:
                    plan.left.add("changed", one.target)
            if len(made) < len(plan.edits):
                counted = [line for line in lines if line.target in counting]
                await self._record(self._padded(head, lines, counted))
        else:
            made = list(plan.pauses)
            pauses = plan.pauses
            if action == "pause":  # by its time it is known again
                pauses = {
                    name: None if one is None else structs.replace(one, paused_at=at)
                    for name, one in pauses.items()
                }
            await self._written(pauses, who.name, at)
        verb = {"pause": "paused", "resume": "resumed", "remove": "removed"}.get(action, action)
        some = ", ".join(made[:_SOME]) + (", …" if len(made) > _SOME else "")
        before, after = await _differences(plan, made)
        await self._editor.audit(
            who,
            change,
            action,
            _count(made),
            detail=f"{verb}: {some}"[:500],
            before=before,
            after=after,
        )
        return BulkDone(id=change if made else None, changed=len(made), left_out=plan.left.listed())

    def _padded(self, head: Bulk, lines: Sequence[Line], counted: Sequence[Line]) -> list[Bulk]:
        """The records without lines that did not count, in as many parts as before."""
        before = bulk_records.parts_of(head, lines)
        names = {line.target for line in counted}
        return [
            structs.replace(
                head,
                targets=tuple(n for n in part.targets if n in names),
                made=tuple(m for n, m in zip(part.targets, part.made, strict=True) if n in names),
                before=tuple(
                    b for n, b in zip(part.targets, part.before, strict=True) if n in names
                ),
                part=part.part,
                parts=part.parts,
            )
            for part in before
        ]

    async def _record(self, parts: Sequence[Bulk]) -> None:
        try:
            await self._journal.put(parts)
        except AWAY as error:
            raise ChangeError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"Kafka did not confirm it ({type(error).__name__}): nothing was changed",
            ) from error

    async def _written(self, pauses: Mapping[str, Pause | None], by: str, at: int) -> None:
        try:
            await self._pauses.write(pauses, by, at)
        except AWAY as error:
            raise ChangeError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"Kafka did not confirm it ({type(error).__name__}): some targets may be changed; "
                "do it again",
            ) from error

    def _lines(self, plan: _Plan) -> list[Line]:
        if plan.edits:
            return [
                Line(
                    one.target,
                    one.version + 1,
                    "" if one.before is None else one.before.entry,
                )
                for one in plan.edits
            ]
        return [Line(name, 0, plan.marks[name]) for name in plan.pauses]

    # Undoing.

    async def _old_entries(self, who: Principal, change: Bulk, plan: _Plan) -> None:
        wanted: dict[str, TargetEntry] = {}
        for position, line in enumerate(bulk_records.lines_of(change)):
            if position % STEP == STEP - 1:
                await asyncio.sleep(0)
            if not self._is_untouched(change, line):
                plan.left.add("changed", line.target)
                continue
            before = entries.stored(line.before) if line.before else None
            now = self._shelf.entry(line.target)
            states = [one for one in (before, now) if one is not None]
            if not all(is_within(who, one) for one in states):
                text = f"{who.name} may change those of {words(who)} alone"
                plan.left.add("limits", line.target, text)
            elif before is not None:
                wanted[line.target] = before
            elif now is not None:
                version = self._shelf.version(line.target)
                record = self._shelf.record(line.target)
                plan.edits.append(Wanted(line.target, version, record, None))
        await self._take(wanted, plan)

    def _is_untouched(self, change: Bulk, line: Line) -> bool:
        """True if a target is as the change left it."""
        if self._shelf.version(line.target) != line.made:
            return False
        if self._shelf.owner(line.target) not in (None, WEB):
            return False  # a file has taken the id since it was removed
        record = self._shelf.record(line.target)
        return record is None or record.change == change.id

    def _old_pauses(self, who: Principal, change: Bulk, left: _Left) -> _Plan:
        plan = _Plan([], {}, {}, left)
        now = self._pauses.now()
        for line in bulk_records.lines_of(change):
            there = now.get(line.target)
            placed = self._published.placed(line.target)
            if not placed or not _is_of_change(there, change):
                left.add("changed", line.target)
                continue
            if not is_within(who, placed[0].target):
                text = f"{who.name} may change those of {words(who)} alone"
                left.add("limits", line.target, text)
                continue
            before = msgspec.json.decode(line.before, type=Pause) if line.before else None
            if before is not None and before.is_over(self._editor.now()):
                before = None
            if _is_same_pause(there, before):
                left.add("same", line.target)
                continue
            plan.pauses[line.target] = before
            plan.marks[line.target] = "" if there is None else msgspec.json.encode(there).decode()
        return plan


def _count(names: Sequence[str]) -> str:
    return "1 target" if len(names) == 1 else f"{len(names)} targets"


async def _differences(plan: _Plan, made: Sequence[str]) -> tuple[str, str]:
    """What was changed of the targets that were, as JSON before and after; empty: nothing."""
    was, now = await _differing(plan, made)
    return _json(was), _json(now)


async def _differing(plan: _Plan, made: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
    """The fields that differ, before and after; of removed targets their names say it."""
    changed: list[tuple[Mapping[str, object], Mapping[str, object]]] = []
    counting = frozenset(made)
    for position, one in enumerate(plan.edits):
        if position % STEP == STEP - 1:
            await asyncio.sleep(0)
        if one.target not in counting or one.before is None or one.entry is None:
            continue
        before = entries.stored(one.before.entry)
        if before is not None and not one.before.removed:
            changed.append((entries.written(before), entries.written(one.entry)))
    for name, pause in plan.pauses.items():
        if pause is not None and made:
            marked = plan.marks[name]
            there = msgspec.json.decode(marked, type=Pause) if marked else None
            changed.append(({} if there is None else _pause_fields(there), _pause_fields(pause)))
    return differences(changed)


def _pause_fields(pause: Pause) -> dict[str, object]:
    return {"until": pause.until or "resumed", "reason": pause.reason or None}


def _json(fields: Mapping[str, str]) -> str:
    return msgspec.json.encode(fields).decode() if fields else ""


def _is_of_change(there: Pause | None, change: Bulk) -> bool:
    """True if nobody has paused or resumed a target since a change."""
    if change.action == "pause":
        return there is not None and there.paused_at == change.at
    return there is None or there.paused_at <= change.at


def _is_same_pause(one: Pause | None, other: Pause | None) -> bool:
    if one is None or other is None:
        return one is other
    return (one.until, one.reason) == (other.until, other.reason)


def _confirmation(plan: _Plan, edit: BulkEdit) -> str:
    """`COUNT-DIGEST` of the targets, their marks and the edit."""
    asked = structs.replace(edit) if edit.action != "resume" else BulkEdit(action="resume")
    parts: Iterable[object] = (asked, sorted(plan.marks.items()))
    digest = hashlib.sha256(msgspec.json.encode(parts, order="deterministic")).hexdigest()[:32]
    return f"{len(plan.names)}-{digest}"


def _must_be_able(who: Principal, action: str) -> None:
    need: Literal["operator", "admin"] = "operator" if action in {"pause", "resume"} else "admin"
    if not who.may(need):
        text = f"it needs the scope {need}, {who.name} has {who.scope}: nothing was changed"
        raise ChangeError(HTTPStatus.FORBIDDEN, text)


def _must_make_sense(edit: BulkEdit, now: int) -> None:
    errors = []
    if edit.action == "patch" and not (edit.set or edit.add_tags or edit.remove_tags):
        errors.append(FieldError(field="set", message="expected a field to set, found none"))
    if "id" in edit.set:
        errors.append(FieldError(field="set.id", message="expected none, for ids never change"))
    if edit.until is not None and not now < edit.until <= MAX_MILLIS:
        errors.append(
            FieldError(field="until", message="expected a time to come, found another one")
        )
    if len(edit.reason) > _MOST_REASON:
        text = f"expected at most {_MOST_REASON} characters, found {len(edit.reason)}"
        errors.append(FieldError(field="reason", message=text))
    if errors:
        raise wrong(errors)
