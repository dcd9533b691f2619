"""Maintenance windows of the page's own."""

from http import HTTPStatus
from typing import Final

import msgspec
from litestar import route
from litestar.types import ControllerRouterHandler

from portquorum.changing.acts import WindowMade
from portquorum.changing.errors import ChangeError, FieldError
from portquorum.inventory.decode import one_entry
from portquorum.inventory.document import MaintenanceEntry
from portquorum.inventory.errors import Problem, path_text
from portquorum.inventory.tree import Mapping as Tree
from portquorum.inventory.tree import Root
from portquorum.web.access.needs import needs
from portquorum.web.forms.desk import Desk
from portquorum.web.forms.form import Button, Field, Form, Group, with_errors
from portquorum.web.forms.incident_forms import BOTH, Id, Shown
from portquorum.web.forms.posted import Posted, filled
from portquorum.web.pages.asked import Asked
from portquorum.web.pages.number_words import cut, fill, many, path
from portquorum.web.parts import TheActs, TheFleet, ThePrincipal
from portquorum.web.problem import ProblemError
from portquorum.web.unread import missing
from portquorum.web.words import ENGLISH

_W: Final = ENGLISH.forms
_BACK: Final = "/maintenance"
_RULES: Final = ("FREQ=DAILY", "FREQ=WEEKLY", "FREQ=WEEKLY;BYDAY=SU", "FREQ=MONTHLY;BYDAY=1SU")
_DIGITS: Final = 16


def _fields(desk: Desk, sent: Posted, *, is_new: bool) -> list[Field]:
    zone = sent.text("timezone", desk.viewer.zone_name)
    name = Field(
        name="name",
        label=_W.window_name,
        value=sent.text("name"),
        is_needed=True,
        most=63,
        hint=_W.window_name_hint,
    )
    return [
        *([name] if is_new else []),
        Field(
            name="targets",
            label=_W.window_targets,
            kind="textarea",
            value="\n".join(sent.lines("targets")),
            hint=_W.window_targets_hint,
            is_needed=True,
        ),
        Field(
            name="start",
            label=_W.window_start,
            kind="datetime-local",
            value=sent.text("start"),
            is_needed=True,
        ),
        Field(name="timezone", label=_W.window_zone, value=zone, hint=_W.window_zone_hint),
        Field(
            name="duration",
            label=_W.window_duration,
            value=sent.text("duration", "1h"),
            hint=_W.window_duration_hint,
            is_needed=True,
        ),
        Field(
            name="rrule",
            label=_W.window_rule,
            value=sent.text("rrule"),
            hint=_W.window_rule_hint,
            suggestions=_RULES,
        ),
    ]


def _form(desk: Desk, sent: Posted, window: WindowMade | None) -> Form:
    here = "/maintenance/new" if window is None else f"{path('maintenance', window.name)}/edit"
    title = _W.new_window if window is None else fill(_W.edit_window, name=cut(window.name, 80))
    return Form(
        title=title,
        path=here,
        back=_BACK,
        intro=(_W.window_note,),
        groups=(Group(fields=_fields(desk, sent, is_new=window is None)),),
        hidden=() if window is None else (("version", f"{window.version}"),),
        buttons=(Button("", _W.save, "main"),),
    )


def _entry(name: str, sent: Posted) -> tuple[MaintenanceEntry | None, list[FieldError]]:
    item = Tree(0)
    item["name"] = name
    item["targets"] = list(sent.lines("targets"))
    for one in ("start", "timezone", "duration", "rrule"):
        if sent.text(one):
            item[one] = sent.text(one)
    needed = [("name", name), *((one, sent.text(one)) for one in ("targets", "start", "duration"))]
    empty = [FieldError(field=field, message=_W.needed) for field, text in needed if not text]
    problems: list[Problem] = []
    entry = next(one_entry(Root("", item, 0), (), item, MaintenanceEntry, problems), None)
    said = {one.field for one in empty}
    errors = empty + [
        FieldError(field=path_text(one.where.path), message=one.message)
        for one in problems
        if path_text(one.where.path) not in said
    ]
    return (None, errors) if errors or entry is None else (entry.value, [])


@route("/maintenance/new", http_method=BOTH, include_in_schema=False, opt=needs("operator"))
async def new(request: Asked, fleet: TheFleet, acts: TheActs, principal: ThePrincipal) -> Shown:
    """A window of the page's own."""
    desk = Desk(request, fleet, principal)
    sent = await desk.sent()
    form = _form(desk, sent or Posted(), None)
    if sent is None:
        return desk.page(form)
    return await _saved(desk, acts, form, sent, sent.text("name"))


@route(
    "/maintenance/{name:str}/edit",
    http_method=BOTH,
    include_in_schema=False,
    opt=needs("operator"),
)
async def edit(
    request: Asked, fleet: TheFleet, acts: TheActs, principal: ThePrincipal, name: Id
) -> Shown:
    """Changes a window of the page's own."""
    desk = Desk(request, fleet, principal)
    window = _own(desk, acts, name)
    sent = await desk.sent()
    if sent is None:
        return desk.page(_form(desk, _sent_of(window.entry), window))
    form = _form(desk, sent, window)
    return await _saved(desk, acts, form, sent, window.name)


@route(
    "/maintenance/{name:str}/remove",
    http_method=BOTH,
    include_in_schema=False,
    opt=needs("operator"),
)
async def remove(
    request: Asked, fleet: TheFleet, acts: TheActs, principal: ThePrincipal, name: Id
) -> Shown:
    """Removes a window of the page's own."""
    desk = Desk(request, fleet, principal)
    window = _own(desk, acts, name)
    sent = await desk.sent()
    form = Form(
        title=fill(_W.remove_window, name=cut(window.name, 80)),
        path=f"{path('maintenance', window.name)}/remove",
        back=_BACK,
        intro=(many(_W.window_covers, window.targets_total),),
        hidden=(("version", f"{window.version}"),),
        buttons=(Button("", _W.remove, "danger"),),
    )
    if sent is None:
        return desk.page(form)
    try:
        await acts.remove_window(principal, window.name, _version(sent))
    except ChangeError as error:
        return desk.refused(form, error)
    return desk.done(_BACK, "window-removed")


async def _saved(desk: Desk, acts: TheActs, form: Form, sent: Posted, name: str) -> Shown:
    entry, errors = _entry(name, sent)
    if entry is None:
        return desk.wrong(with_errors(form, errors))
    try:
        await acts.put_window(desk.who, name, entry, _version(sent))
    except ChangeError as error:
        return desk.refused(form, error)
    return desk.done(_BACK, "window-saved")


def _own(desk: Desk, acts: TheActs, name: str) -> WindowMade:
    window = acts.window(name)
    if window is not None:
        return window
    rows = desk.fleet.maintenance().windows
    row = next((one for one in rows if one.name == name), None)
    if row is None:
        raise missing(desk.fresh, fill(_W.no_window, name=name[:80]))
    said = fill(_W.window_of_a_file, name=cut(name, 80), source=cut(row.source, 120))
    raise ProblemError(HTTPStatus.CONFLICT, said)


def _sent_of(entry: MaintenanceEntry) -> Posted:
    written = msgspec.to_builtins(entry)
    texts = {name: value for name, value in written.items() if isinstance(value, str)}
    # A box for times takes no seconds and no zone.
    start = (entry.start or "").replace(" ", "T")[:16]
    return filled(texts | {"targets": "\n".join(entry.targets or ()), "start": start})


def _version(sent: Posted) -> int:
    text = sent.text("version")
    return int(text) if text.isdecimal() and len(text) < _DIGITS else 0


MAINTENANCE_FORMS: Final[tuple[ControllerRouterHandler, ...]] = (new, edit, remove)
