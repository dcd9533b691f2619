"""Targets: made, changed, checked, paused, resumed, removed, silenced."""

from http import HTTPStatus
from typing import Final

from litestar import route
from litestar.types import ControllerRouterHandler
from msgspec.structs import replace

from portquorum.changing.acts import WantedMatch
from portquorum.changing.edits import Written
from portquorum.changing.errors import ChangeError, FieldError
from portquorum.changing.keys import Keys, WantedKey
from portquorum.inventory.document import TargetEntry
from portquorum.inventory.heartbeats import KIND as JOB
from portquorum.inventory.places import default_port
from portquorum.web.access.needs import needs
from portquorum.web.answers import TargetAnswer
from portquorum.web.forms.desk import Desk
from portquorum.web.forms.entries import entry_of, groups_of, kind_of, sent_of
from portquorum.web.forms.form import Button, Field, Form, Group, with_errors
from portquorum.web.forms.incident_forms import BOTH, Id, Shown, silence_fields, silenced
from portquorum.web.forms.key_forms import job_page, made_of
from portquorum.web.forms.lengths import NoMomentError, end_of, length_fields
from portquorum.web.forms.offered import offered_by
from portquorum.web.forms.posted import Posted
from portquorum.web.pages.asked import Asked
from portquorum.web.pages.number_words import cut, fill, many, path
from portquorum.web.parts import TheActs, TheEdits, TheFleet, TheKeys, ThePrincipal
from portquorum.web.problem import ProblemError
from portquorum.web.words import ENGLISH
from schemas.target_id import slug

_W: Final = ENGLISH.forms
_TEMPLATE: Final = "target_form.html"
_MOST_NOTE: Final = 500
_BAD: Final = HTTPStatus.BAD_REQUEST
_CONFLICT: Final = HTTPStatus.CONFLICT


def _entry_form(desk: Desk, sent: Posted, written: Written | None) -> Form:
    is_new = written is None
    is_job = kind_of(sent) == JOB
    checks = [] if is_job else [Button("check", _W.check_now)]
    here = "/targets" if written is None else path("targets", written.id)
    return Form(
        title=_W.new_target if written is None else fill(_W.edit_target, name=_name_of(written)),
        path="/targets/new" if is_new else f"{here}/edit",
        back=here,
        groups=groups_of(sent, offered_by(desk.fleet), with_id=is_new),
        hidden=(
            *([] if written is None else [("version", f"{written.version}")]),
            ("options", kind_of(sent)),
        ),
        buttons=(Button("save", _W.save, "main"), *checks),
        # The answer of a new job is a page of its own: it shows the address to report to.
        in_place=not (is_new and is_job),
    )


def _name_of(written: Written) -> str:
    return cut(written.target.name, 120)


@route("/targets/new", http_method=BOTH, include_in_schema=False, opt=needs("admin"))
async def new(
    request: Asked, fleet: TheFleet, edits: TheEdits, keys: TheKeys, principal: ThePrincipal
) -> Shown:
    """A target of the page's own; its first check can be seen before it is stored.

    A job gets a key with it: the answer shows the address to report to.
    """
    desk = Desk(request, fleet, principal)
    sent = await desk.sent()
    if sent is None:
        typed = Posted([pair for pair in desk.address.pairs if pair[0] in _PREFILLED])
        return desk.page(_entry_form(desk, typed, None), template=_TEMPLATE, said=None)
    return await _saved(desk, edits, sent, None, keys)


_PREFILLED: Final = frozenset({"kind", "host", "port", "name", "team", "tags"})


@route(
    "/targets/{target_id:str}/edit",
    http_method=BOTH,
    include_in_schema=False,
    opt=needs("admin"),
)
async def edit(
    request: Asked, fleet: TheFleet, edits: TheEdits, principal: ThePrincipal, target_id: Id
) -> Shown:
    """Changes a target of the page's own."""
    desk = Desk(request, fleet, principal)
    written = _own(desk, edits, target_id)
    sent = await desk.sent()
    if sent is None:
        form = _entry_form(desk, sent_of(written.entry), written)
        return desk.page(form, template=_TEMPLATE, said=None)
    return await _saved(desk, edits, sent, written)


def _own(desk: Desk, edits: TheEdits, target_id: str) -> Written:
    """A target of the page's own that may be changed.

    Raises:
        ProblemError: 404 (there is none), 403 (beyond the limits), 409 (a file has it).
    """
    written = edits.get(target_id)
    if written is None:
        found = desk.target(target_id, change=False)
        owner = edits.owner(target_id) or found.row.source or found.definition.source
        raise ProblemError(
            _CONFLICT, fill(_W.of_a_file, name=cut(found.row.name, 80), source=cut(owner, 120))
        )
    if not desk.who.may_change(written.target):
        raise desk.beyond(written.target.name)
    return written


async def _saved(
    desk: Desk,
    edits: TheEdits,
    sent: Posted,
    written: Written | None,
    keys: Keys | None = None,
) -> Shown:
    do = sent.text("do")
    form = _entry_form(desk, sent, written)
    if do == "options":
        return desk.page(form, template=_TEMPLATE, said=None)
    entry, errors = entry_of(sent, None if written is None else written.entry)
    if entry is None:
        return desk.wrong(with_errors(form, errors), template=_TEMPLATE, said=None)
    try:
        if do == "check":
            said = await edits.check(desk.who, entry)
            return desk.page(form, template=_TEMPLATE, said=said)
        made = await _put(desk, edits, sent, entry, written)
    except ChangeError as error:
        return desk.refused(form, error, template=_TEMPLATE, said=None)
    if keys is not None and made.target.kind == JOB:
        return await _with_key(desk, keys, made)
    return desk.done(path("targets", made.id), "added" if written is None else "changed")


async def _with_key(desk: Desk, keys: Keys, job: Written) -> Shown:
    """Makes the first key of a new job, and shows its address."""
    try:
        key = await keys.add(desk.who, WantedKey(use="ping", about=job.id), job.target)
    except ChangeError:  # the job is made: the page of its keys says what is missing
        return desk.done(f"{path('targets', job.id)}/keys", "job-added")
    return job_page(desk, keys, job.target, made_of(desk, key, is_first=True))


async def _put(
    desk: Desk, edits: TheEdits, sent: Posted, entry: TargetEntry, written: Written | None
) -> Written:
    if written is not None:
        version = sent.text("version")
        there = int(version) if version.isdecimal() and len(version) < _DIGITS else 0
        return await edits.put(desk.who, written.id, entry, there)
    made = entry.id or id_of(entry)
    if not made:
        raise ChangeError(_BAD, _W.no_id, errors=[FieldError(field="id", message=_W.no_id)])
    return await edits.put(desk.who, made, entry, 0)


_DIGITS: Final = 16


def id_of(entry: TargetEntry) -> str:
    """An id made from the name, else from host and port; empty: none can be made."""
    if entry.name:
        return slug(entry.name)
    port = entry.port or default_port(entry.kind)
    return slug(f"{entry.host or ''}{'' if port is None else f':{port}'}")


def _target_form(
    found: TargetAnswer, what: str, title: str, button: Button, groups: tuple[Group, ...] = ()
) -> Form:
    here = path("targets", found.row.id)
    place = "" if found.row.place in found.row.name else f" ({cut(found.row.place, 120)})"
    return Form(
        title=title,
        path=f"{here}/{what}",
        back=here,
        intro=(f"{cut(found.row.name, 120)}{place}",),
        groups=groups,
        buttons=(button,),
    )


@route(
    "/targets/{target_id:str}/pause",
    http_method=BOTH,
    include_in_schema=False,
    opt=needs("operator"),
)
async def pause(
    request: Asked, fleet: TheFleet, acts: TheActs, principal: ThePrincipal, target_id: Id
) -> Shown:
    """Nobody checks it for a while; what is open of it closes."""
    desk = Desk(request, fleet, principal)
    found = desk.target(target_id)
    sent = await desk.sent()
    group = Group(fields=pause_fields(desk, sent or Posted()), note=_W.pause_note)
    form = _target_form(found, "pause", _W.pause, Button("", _W.pause, "main"), (group,))
    if sent is None:
        return desk.page(form)
    try:
        until = end_of(sent, desk.viewer)
        await acts.pause(principal, [target_id], until, sent.text("reason"))
    except NoMomentError as error:
        return desk.wrong(with_errors(form, [error.error]))
    except ChangeError as error:
        return desk.refused(form, error)
    return desk.done(form.back, "paused")


def pause_fields(desk: Desk, sent: Posted, prefix: str = "") -> list[Field]:
    """Until when, and why."""
    return [
        *length_fields(sent, desk.viewer, "1h", without_end=_W.until_resumed, prefix=prefix),
        Field(
            name=f"{prefix}reason",
            label=_W.why,
            value=sent.text(f"{prefix}reason"),
            hint=_W.why_hint,
            most=_MOST_NOTE,
        ),
    ]


@route(
    "/targets/{target_id:str}/resume",
    http_method=BOTH,
    include_in_schema=False,
    opt=needs("operator"),
)
async def resume(
    request: Asked, fleet: TheFleet, acts: TheActs, principal: ThePrincipal, target_id: Id
) -> Shown:
    """Checks it again."""
    desk = Desk(request, fleet, principal)
    found = desk.target(target_id)
    sent = await desk.sent()
    group = Group(fields=(), note=_W.resume_note)
    form = _target_form(found, "resume", _W.resume, Button("", _W.resume, "main"), (group,))
    if sent is None:
        return desk.page(form)
    try:
        await acts.resume(principal, [target_id])
    except ChangeError as error:
        return desk.refused(form, error)
    return desk.done(form.back, "resumed")


@route(
    "/targets/{target_id:str}/remove",
    http_method=BOTH,
    include_in_schema=False,
    opt=needs("admin"),
)
async def remove(
    request: Asked, fleet: TheFleet, edits: TheEdits, principal: ThePrincipal, target_id: Id
) -> Shown:
    """Removes a target of the page's own."""
    desk = Desk(request, fleet, principal)
    written = _own(desk, edits, target_id)
    sent = await desk.sent()
    here = path("targets", target_id)
    found = fleet.target(target_id)
    depends = found.dependents if found is not None else 0
    form = Form(
        title=_W.remove_target,
        path=f"{here}/remove",
        back=here,
        intro=(
            fill(_W.remove_target_note, name=_name_of(written)),
            *([many(_W.depend_on_it, depends)] if depends else []),
        ),
        hidden=(("version", f"{written.version}"),),
        buttons=(Button("", _W.remove, "danger"),),
    )
    if sent is None:
        return desk.page(form)
    version = sent.text("version")
    try:
        there = int(version) if version.isdecimal() and len(version) < _DIGITS else 0
        await edits.remove(principal, target_id, there)
    except ChangeError as error:
        return desk.refused(form, error)
    return desk.done("/targets", "removed")


@route(
    "/targets/{target_id:str}/silence",
    http_method=BOTH,
    include_in_schema=False,
    opt=needs("operator"),
)
async def silence(
    request: Asked, fleet: TheFleet, acts: TheActs, principal: ThePrincipal, target_id: Id
) -> Shown:
    """Tells nobody of it for a while; it is checked all the same."""
    desk = Desk(request, fleet, principal)
    found = desk.target(target_id)
    sent = await desk.sent()
    group = Group(fields=silence_fields(desk, sent or Posted()), note=_W.silence_note)
    form = _target_form(found, "silence", _W.silence, Button("", _W.silence, "main"), (group,))
    if sent is None:
        return desk.page(form)
    return await silenced(desk, acts, form, sent, WantedMatch(targets=(target_id,)))


@route(
    "/targets/{target_id:str}/check",
    http_method=BOTH,
    include_in_schema=False,
    opt=needs("operator"),
)
async def check(
    request: Asked, fleet: TheFleet, edits: TheEdits, principal: ThePrincipal, target_id: Id
) -> Shown:
    """Checks it once from here; the answer is shown and not recorded."""
    desk = Desk(request, fleet, principal)
    found = desk.target(target_id)
    sent = await desk.sent()
    group = Group(fields=(), note=_W.check_note)
    button = Button("", _W.check_now, "main")
    form = replace(_target_form(found, "check", _W.check_now, button, (group,)), in_place=True)
    if sent is None:
        return desk.page(form, template=_TEMPLATE, said=None)
    try:
        said = await edits.check_now(principal, target_id)
    except ChangeError as error:
        return desk.refused(form, error, template=_TEMPLATE, said=None)
    return desk.page(form, template=_TEMPLATE, said=said)


TARGET_FORMS: Final[tuple[ControllerRouterHandler, ...]] = (
    new,
    edit,
    pause,
    resume,
    remove,
    silence,
    check,
)
