"""The audit log: who changed what, when, from what to what."""

import re
from typing import Final

import msgspec
from litestar import Response, get
from litestar.types import ControllerRouterHandler
from msgspec import UNSET, Struct

from portquorum.web.access.needs import needs
from portquorum.web.forms.desk import Desk
from portquorum.web.pages.asked import Asked
from portquorum.web.pages.filters import refuse_unknown
from portquorum.web.pages.number_words import cut, fill
from portquorum.web.pages.viewer import Viewer
from portquorum.web.parts import TheEdits, TheFleet, TheOffice, ThePrincipal
from portquorum.web.words import ENGLISH
from schemas._types import MAX_MILLIS
from schemas.web import Audit, Bulk

_W: Final = ENGLISH.forms
LIMIT: Final = 50
_MOST_CHANGES: Final = 12
_FEW: Final = 3
"""Fields of something new up to which they are shown at once."""
_TIMES: Final = re.compile(r"\b1[0-9]{12}\b")
"""Times (UTC ms, 2001 to 2033) in the words of a bulk change."""
_FILTERS: Final = {"by": (), "about": (), "before": ()}


class FieldDiff(Struct, frozen=True):
    """A field, and what became of it."""

    field: str
    said: str


class AuditRow(Struct, frozen=True, kw_only=True):
    """One change; `left` counts fields that are not shown, `undo`: the change can be undone.

    `is_new`: there was nothing before, and its fields are many. `undone_by` has undone the change
    at `undone_at` (UTC ms, None: not known).
    """

    record: Audit
    changes: tuple[FieldDiff, ...]
    left: int
    undo: bool
    is_new: bool = False
    undone_by: str = ""
    undone_at: int | None = None


@get("/audit", include_in_schema=False, opt=needs("admin"))
async def audit(
    request: Asked, fleet: TheFleet, office: TheOffice, edits: TheEdits, principal: ThePrincipal
) -> Response[str]:
    """Changes, the newest first."""
    desk = Desk(request, fleet, principal)
    asked = desk.address
    refuse_unknown(asked, _FILTERS)
    found = office.audit(
        by=asked.value("by")[:255].strip(),
        about=asked.value("about")[:255].strip(),
        before=asked.value("before")[:16],
        limit=LIMIT + 1,
    )
    rows = [row_of(one, desk.viewer, edits.bulk(one.id)) for one in found[:LIMIT]]
    older = asked.replaced("before", found[LIMIT - 1].id) if len(found) > LIMIT else ""
    return desk.show("audit.html", rows=rows, older=older, asked=asked)


def row_of(record: Audit, viewer: Viewer, bulk: Bulk | None = None) -> AuditRow:
    """A change with what is different in it; of what is new or gone, what it is or was.

    `bulk` is the change if it was one of many targets.
    """
    before, after = _fields(record.before, viewer), _fields(record.after, viewer)
    names = [one for one in {**before, **after} if before.get(one) != after.get(one)]
    changes = tuple(
        FieldDiff(_label(one), _said(one, before.get(one, ""), after.get(one, ""), record))
        for one in names
    )
    return AuditRow(
        record=record,
        changes=changes[:_MOST_CHANGES],
        left=max(0, len(changes) - _MOST_CHANGES),
        undo=bulk is not None and bulk.undone_by is None and not record.action.startswith("undo"),
        is_new=not record.before and len(changes) > _FEW,
        undone_by="" if bulk is None else bulk.undone_by or "",
        undone_at=None if bulk is None or bulk.undone_at is UNSET else bulk.undone_at,
    )


def _said(name: str, before: str, after: str, record: Audit) -> str:
    if name in _OF_MANY:
        return after or before
    if not record.before:
        return after
    if not record.after:
        return fill(ENGLISH.was, state=before)
    return fill(_W.from_to, before=before or ENGLISH.none, after=after or ENGLISH.none)


def _fields(text: str, viewer: Viewer) -> dict[str, str]:
    """The fields of a JSON text that say something, in words; of anything else none."""
    try:
        found = msgspec.json.decode(text) if text else {}
    except msgspec.DecodeError:
        return {}
    if not isinstance(found, dict):
        return {}
    said = (
        (name, _time(value, viewer) if _is_time(name) else _text(value))
        for name, value in found.items()
    )
    return {name: text for name, text in said if text and name not in _TAGS}


_TAGS: Final = frozenset({"policy", "web"})
"""What a record is, in itself."""


_OF_MANY: Final = frozenset({"tags_added", "tags_removed"})
"""What a bulk change says of tags, which is no difference of a field."""


def _is_time(name: str) -> bool:
    return name == "until" or name.endswith("_at")


def _label(name: str) -> str:
    return _W.entry_labels.get(name) or name.replace("_", " ").capitalize()


def _time(value: object, viewer: Viewer) -> str:
    """A time in the viewer's zone; of several, each of them."""
    match value:
        case "resumed":
            return _W.until_resumed
        case int() if 0 < value <= MAX_MILLIS:
            return viewer.moment_with_utc(value)
        case str():
            return cut(_TIMES.sub(lambda one: viewer.moment_with_utc(int(one[0])), value), 200)
    return _text(value)


def _text(value: object) -> str:
    match value:
        case None | "" | [] | {}:
            return ""
        case bool():
            return _W.yes if value else _W.no
        case str() | int() | float():
            return cut(f"{value}", 200)
        case list() if all(isinstance(one, str | int | float) for one in value):
            return cut(", ".join(f"{one}" for one in value), 200)
    return cut(msgspec.json.encode(value).decode(), 200)


AUDIT: Final[tuple[ControllerRouterHandler, ...]] = (audit,)
