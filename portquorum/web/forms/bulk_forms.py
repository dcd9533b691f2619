"""Many targets at once: what to do, what it would do, done; and undone."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec
from litestar import route
from litestar.types import ControllerRouterHandler
from msgspec.structs import replace

from portquorum.changing.edits import BulkEdit, BulkPlan
from portquorum.changing.errors import ChangeError, FieldError
from portquorum.inventory.document import TargetEntry
from portquorum.web.access.needs import needs
from portquorum.web.fleet import TooManyTargetsError
from portquorum.web.forms.desk import Desk
from portquorum.web.forms.form import Button, Field, Form, Group, Option, with_errors
from portquorum.web.forms.incident_forms import BOTH, Id, Shown
from portquorum.web.forms.lengths import NoMomentError, end_of
from portquorum.web.forms.offered import offered_by
from portquorum.web.forms.posted import Posted
from portquorum.web.forms.struct_fields import fields_of, values_of
from portquorum.web.forms.target_forms import pause_fields
from portquorum.web.pages import targets
from portquorum.web.pages.address import Address
from portquorum.web.pages.asked import Asked
from portquorum.web.pages.filters import refuse_unknown
from portquorum.web.pages.number_words import cut, fill, many, path
from portquorum.web.parts import TheEdits, TheFleet, ThePrincipal
from portquorum.web.ports import Fleet
from portquorum.web.unread import missing
from portquorum.web.words import ENGLISH

_W: Final = ENGLISH.forms
MOST: Final = 10_000
"""Targets of one change."""

_TEMPLATE: Final = "bulk.html"
_PAGE: Final = 1_000
_SET: Final = "set."
_FIELDS: Final = ("team", "criticality", "interval", "runbook", "regions")
_ACTIONS: Final = ("pause", "resume", "patch", "remove")
_OF_AN_ADMIN: Final = frozenset({"patch", "remove"})
_DECODER: Final = msgspec.json.Decoder(BulkEdit)


def _first_form(desk: Desk, sent: Posted, count: int) -> Form:
    may = [one for one in _ACTIONS if one not in _OF_AN_ADMIN or desk.who.may("admin")]
    chosen = sent.text("action")
    what = Field(
        name="action",
        label=_W.what_to_do,
        kind="radio",
        options=[Option(one, _W.bulk_actions[one]) for one in may],
        value=chosen if chosen in may else may[0],
    )
    return Form(
        title=many(_W.change_these, count),
        path=desk.here,
        back=_back(desk.address),
        groups=[
            Group(fields=[what], name="action"),
            Group(legend=_W.pause, fields=pause_fields(desk, sent), name="pause"),
            *([_patch_group(desk, sent)] if "patch" in may else []),
        ],
        buttons=(Button("preview", _W.preview, "main"),),
    )


def _patch_group(desk: Desk, sent: Posted) -> Group:
    offered = offered_by(desk.fleet)
    fields = fields_of(
        TargetEntry,
        sent,
        prefix=_SET,
        only=_FIELDS,
        labels=_W.entry_labels,
        hints=dict.fromkeys(_FIELDS, _W.empty_stays),
    )
    tags = [
        Field(name=name, label=label, value=", ".join(sent.lines(name)), hint=_W.with_commas)
        for name, label in (("add_tags", _W.add_tags), ("remove_tags", _W.remove_tags))
    ]
    made = [
        replace(one, suggestions=offered.teams) if one.name == f"{_SET}team" else one
        for one in fields
    ]
    return Group(legend=_W.bulk_actions["patch"], fields=[*made, *tags], name="patch")


def _edit_of(desk: Desk, sent: Posted) -> BulkEdit:
    """What was chosen.

    Raises:
        NoMomentError: a field is not as it should be.
    """
    match sent.text("action"):
        case "pause":
            until = end_of(sent, desk.viewer)
            return BulkEdit(action="pause", until=until, reason=sent.text("reason"))
        case "resume":
            return BulkEdit(action="resume")
        case "remove":
            return BulkEdit(action="remove")
        case "patch":
            values, errors = values_of(TargetEntry, sent, prefix=_SET, only=_FIELDS)
            if errors:
                raise NoMomentError(errors[0].field, errors[0].message)
            return _patch(values, sent)
    raise NoMomentError("action", _W.choose)


def _patch(values: dict[str, Any], sent: Posted) -> BulkEdit:
    add, remove = sent.lines("add_tags"), sent.lines("remove_tags")
    if not values and not add and not remove:
        raise NoMomentError("action", _W.nothing_to_change)
    return BulkEdit(action="patch", set=values, add_tags=add, remove_tags=remove)


def _second_form(desk: Desk, ids: Sequence[str], plan: BulkPlan) -> Form:
    edit = plan.edit
    looks = Button(
        "apply",
        many(_W.bulk_do[edit.action], plan.count),
        "danger" if edit.action == "remove" else "main",
    )
    return Form(
        title=many(_W.bulk_would[edit.action], plan.count),
        path=desk.here,
        back=_back(desk.address),
        hidden=(
            ("targets", "\n".join(ids)),
            ("edit", msgspec.json.encode(edit).decode()),
            ("confirmation", plan.confirmation),
        ),
        buttons=(looks,) if plan.count else (),
    )


def _back(address: Address) -> str:
    return address.with_path("/targets")


@route("/targets/bulk", http_method=BOTH, include_in_schema=False, opt=needs("operator"))
async def bulk(request: Asked, fleet: TheFleet, edits: TheEdits, principal: ThePrincipal) -> Shown:
    """Pauses, resumes, changes or removes what the filters leave."""
    desk = Desk(request, fleet, principal)
    refuse_unknown(desk.address, targets.FILTERS)
    sent = await desk.sent()
    if sent is not None and sent.text("do") == "apply":
        return await _applied(desk, edits, sent)
    try:
        ids = fleet.ids(targets.query_of(desk.address))
    except TooManyTargetsError as error:
        form = _first_form(desk, sent or Posted(), error.total)
        return desk.wrong(with_errors(form, (), f"{error}"))
    form = _first_form(desk, sent or Posted(), len(ids))
    if sent is None:
        return desk.page(form)
    try:
        return await _previewed(desk, edits, ids, _edit_of(desk, sent))
    except NoMomentError as error:
        return desk.wrong(with_errors(form, [error.error]))
    except ChangeError as error:
        return desk.refused(form, _at_set(error))


def _at_set(error: ChangeError) -> ChangeError:
    """Errors of an entry's fields are at those of the change."""
    errors = [
        FieldError(field=f"{_SET}{one.field.removeprefix(_SET)}", message=one.message)
        if one.field.partition(".")[0].partition("[")[0] in _FIELDS
        else one
        for one in error.errors
    ]
    return ChangeError(error.status, error.detail, errors=errors, version=error.version)


async def _previewed(
    desk: Desk, edits: TheEdits, ids: Sequence[str], edit: BulkEdit, trouble: str = ""
) -> Shown:
    plan = await edits.preview(desk.who, ids, edit)
    form = replace(_second_form(desk, ids, plan), trouble=trouble)
    status = HTTPStatus.CONFLICT if trouble else HTTPStatus.OK
    return desk.page(
        form,
        template=_TEMPLATE,
        status=status,
        plan=plan,
        changes=_differing(plan) or _changes(desk, edit),
    )


def _differing(plan: BulkPlan) -> list[tuple[str, str]]:
    """Of each field that would differ what it is, of how many targets, and what it would be."""
    own = {"tags_added": _W.add_tags, "tags_removed": _W.remove_tags}
    said = []
    for name in dict.fromkeys((*plan.before, *plan.after)):
        label = own.get(name) or _W.entry_labels.get(name, name)
        values = [each for each in (plan.before.get(name), plan.after.get(name)) if each]
        said.append((label, cut(" → ".join(values), 500)))
    return said


def _changes(desk: Desk, edit: BulkEdit) -> list[tuple[str, str]]:
    """What the change sets, as pairs of words."""
    viewer = desk.viewer
    said = [
        (_W.entry_labels.get(name, name), cut(", ".join(map(str, value)), 300))
        if isinstance(value, list | tuple)
        else (_W.entry_labels.get(name, name), cut(str(value), 300))
        for name, value in edit.set.items()
    ]
    if edit.action == "pause":
        until = _W.until_resumed if edit.until is None else viewer.moment_with_utc(edit.until)
        said.append((ENGLISH.until_head, until))
    if edit.reason:
        said.append((_W.why, cut(edit.reason, 300)))
    for label, names in ((_W.add_tags, edit.add_tags), (_W.remove_tags, edit.remove_tags)):
        if names:
            said.append((label, cut(", ".join(names), 300)))
    return said


async def _applied(desk: Desk, edits: TheEdits, sent: Posted) -> Shown:
    ids = sent.lines("targets")[:MOST]
    try:
        edit = _DECODER.decode(sent.raw("edit"))
    except (msgspec.DecodeError, UnicodeEncodeError):
        form = _first_form(desk, sent, len(ids))
        return desk.wrong(with_errors(form, (), _W.not_understood))
    try:
        made = await edits.apply(desk.who, ids, edit, sent.text("confirmation"))
    except ChangeError as error:
        if error.status == HTTPStatus.CONFLICT:
            return await _previewed(desk, edits, ids, edit, error.detail)
        return desk.refused(_first_form(desk, sent, len(ids)), error)
    if made.id is None:
        return desk.done(_back(desk.address), "nothing-changed")
    return desk.done(f"{path('changes', made.id)}/undo", "bulk-done")


@route(
    "/changes/{change_id:str}/undo",
    http_method=BOTH,
    include_in_schema=False,
    opt=needs("operator"),
)
async def undo(
    request: Asked, fleet: TheFleet, edits: TheEdits, principal: ThePrincipal, change_id: Id
) -> Shown:
    """What a bulk change did, and its way back."""
    desk = Desk(request, fleet, principal)
    sent = await desk.sent()
    found = edits.bulk(change_id)
    if found is None:
        raise missing(desk.fresh, fill(_W.no_change, id=change_id[:40]))
    action = _W.bulk_did.get(found.action.removeprefix("undo "), _W.bulk_did["patch"])
    at = desk.viewer.moment_with_utc(found.at)
    is_over = found.undone_by is not None
    form = Form(
        title=many(action, len(found.targets)),
        path=f"{path('changes', change_id)}/undo",
        back="/targets",
        intro=(
            *([_W.bulk_was_undo] if found.action.startswith("undo ") else []),
            fill(_W.bulk_by, name=cut(found.by, 60), time=at),
            fill(_W.bulk_undone, name=cut(found.undone_by or "", 60)) if is_over else _W.undo_note,
        ),
        buttons=() if is_over else (Button("", _W.undo, "main"),),
    )
    more: dict[str, Any] = {"some": _rows(fleet, found.targets), "total": len(found.targets)}
    if sent is None:
        return desk.page(form, template="undo.html", **more)
    try:
        made = await edits.undo(principal, change_id)
    except ChangeError as error:
        return desk.refused(form, error, template="undo.html", **more)
    word = "undone-in-part" if made.left_out else "undone"
    return desk.done(form.path, word)


def _rows(fleet: Fleet, ids: Sequence[str]) -> list[tuple[str, str]]:
    """Ids and names of some targets; one that is gone has none."""
    found = ((one, fleet.target(one)) for one in ids[:_SHOWN])
    return [(one, "" if answer is None else answer.row.name) for one, answer in found]


_SHOWN: Final = 20


BULK_FORMS: Final[tuple[ControllerRouterHandler, ...]] = (bulk, undo)
