"""Keys of addresses: made (shown once), listed, revoked; of one heartbeat, and all of them."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

from litestar import Response, route
from litestar.types import ControllerRouterHandler
from msgspec import Struct

from portquorum.changing.errors import ChangeError
from portquorum.changing.keys import Keys, KeyShown, KeyUse, WantedKey
from portquorum.inventory.heartbeats import KIND
from portquorum.sharing.addresses import path_of
from portquorum.web.access.needs import needs
from portquorum.web.forms.desk import Desk
from portquorum.web.forms.form import Button, Field, Form, Group, Option, options_of
from portquorum.web.forms.incident_forms import BOTH, Id, Shown
from portquorum.web.forms.posted import Posted
from portquorum.web.forms.user_forms import limit_fields
from portquorum.web.pages.asked import Asked
from portquorum.web.pages.filters import refuse_unknown
from portquorum.web.pages.number_words import cut, fill, many, path
from portquorum.web.parts import TheFleet, TheKeys, ThePrincipal
from portquorum.web.ports import Fleet
from portquorum.web.problem import ProblemError
from portquorum.web.words import ENGLISH
from schemas.target import Target

_F: Final = ENGLISH.forms
_W: Final = ENGLISH.heartbeats
_TEMPLATE: Final = "keys.html"
_DAYS: Final = ("7", "30", "90", "365", "0")
MOST_ROWS: Final = 200


class Made(Struct, frozen=True, kw_only=True):
    """A key that was just made: its whole address, and lines that use it (empty: there are none).

    `is_first`: its job is new, too, and has not reported yet.
    """

    key: KeyShown
    address: str
    curl: str
    beat: str
    is_first: bool = False


def made_of(desk: Desk, key: KeyShown, *, is_first: bool = False) -> Made:
    """What is shown of a new key."""
    address = f"{desk.base}{path_of(key)}"
    is_report = key.use == "ping"
    return Made(
        key=key,
        address=address,
        curl=f"curl -fsS -m 10 --retry 5 -o /dev/null {address}" if is_report else "",
        beat=f"portquorum beat --url {desk.base} {key.secret} -- COMMAND"
        if is_report and key.about is not None
        else "",
        is_first=is_first,
    )


def job_page(
    desk: Desk, keys: Keys, target: Target, made: Made | None = None, form: Form | None = None
) -> Response[str]:
    """The page with the keys of a heartbeat."""
    return desk.page(
        form or _job_form(target, Posted()),
        template=_TEMPLATE,
        target=target,
        **_listed(keys.listed("ping", target.id)),
        made=made,
    )


@route(
    "/targets/{target_id:str}/keys",
    http_method=BOTH,
    include_in_schema=False,
    opt=needs("operator"),
)
async def job_keys(
    request: Asked, fleet: TheFleet, keys: TheKeys, principal: ThePrincipal, target_id: Id
) -> Shown:
    """The keys with which a heartbeat is reported."""
    desk = Desk(request, fleet, principal)
    refuse_unknown(desk.address, {"revoke": ()})
    target = desk.target(target_id).definition
    if target.kind != KIND:
        raise ProblemError(HTTPStatus.NOT_FOUND, fill(_W.not_a_job, name=cut(target.name, 80)))
    there = f"{path('targets', target_id)}/keys"
    sent = await desk.sent()
    if sent is not None and sent.text("do") == "revoke":
        found = _named(keys.listed("ping", target_id), sent.text("key"))
        return await _revoked(desk, keys, found, there, target)
    if sent is None:
        if wanted := desk.address.value("revoke"):
            found = _named(keys.listed("ping", target_id), wanted)
            return desk.page(_revoke_form(found, there))
        return job_page(desk, keys, target)
    wanted_key = WantedKey(
        use="ping",
        about=target_id,
        name=sent.text("name"),
        expires_in_days=_days_of(sent),
        secret=sent.text("secret") or None,
    )
    try:
        made = await keys.add(principal, wanted_key, target)
    except ChangeError as error:
        shown = _listed(keys.listed("ping", target_id))
        form = _job_form(target, sent)
        return desk.refused(form, error, template=_TEMPLATE, target=target, made=None, **shown)
    return job_page(desk, keys, target, made_of(desk, made))


@route("/keys", http_method=BOTH, include_in_schema=False, opt=needs("operator"))
async def all_keys(
    request: Asked, fleet: TheFleet, keys: TheKeys, principal: ThePrincipal
) -> Shown:
    """All keys; those of all heartbeats and badges are made here."""
    desk = Desk(request, fleet, principal)
    refuse_unknown(desk.address, {"revoke": ()})
    sent = await desk.sent()
    if sent is not None and sent.text("do") == "revoke":
        found = _named(keys.listed(), sent.text("key"))
        return await _revoked(desk, keys, found, "/keys", _target_of(fleet, found))
    if sent is None and (wanted := desk.address.value("revoke")):
        return desk.page(_revoke_form(_named(keys.listed(), wanted), "/keys"))
    form, made = _all_form(desk, sent or Posted()), None
    if sent is not None:
        wanted_key = _wanted(sent)
        about = wanted_key.about
        target = None if about is None else _published(fleet, about)
        try:
            made = made_of(desk, await keys.add(principal, wanted_key, target))
        except ChangeError as error:
            shown = _listed(keys.listed())
            return desk.refused(form, error, template=_TEMPLATE, target=None, made=None, **shown)
        form = _all_form(desk, Posted())
    return desk.page(form, template=_TEMPLATE, target=None, made=made, **_listed(keys.listed()))


def _listed(found: Sequence[KeyShown]) -> dict[str, Any]:
    return {"keys": found[:MOST_ROWS], "left": max(0, len(found) - MOST_ROWS)}


def _wanted(sent: Posted) -> WantedKey:
    use: KeyUse = "badge" if sent.text("use") == "badge" else "ping"
    return WantedKey(
        use=use,
        about=sent.text("about") or None,
        name=sent.text("name"),
        teams=sent.lines("teams"),
        tags=sent.lines("tags"),
        expires_in_days=_days_of(sent),
        secret=sent.text("secret") or None,
    )


def _days_of(sent: Posted) -> int:
    days = sent.text("days")
    return int(days) if days in _DAYS else 0


def _fields(sent: Posted) -> list[Field]:
    return [
        Field(
            name="name",
            label=_W.key_name,
            value=sent.text("name"),
            hint=_W.key_name_hint,
            most=100,
        ),
        Field(
            name="days",
            label=_F.ends_after,
            kind="select",
            options=[
                Option(one, many(_F.days, int(one)) if one != "0" else _F.never_ends)
                for one in _DAYS
            ],
            value=sent.text("days", "0"),
        ),
        Field(
            name="secret",
            label=_W.taken_over,
            value=sent.text("secret"),
            hint=_W.taken_over_hint,
            most=200,
        ),
    ]


def _job_form(target: Target, sent: Posted) -> Form:
    return Form(
        title=_W.new_key,
        path=f"{path('targets', target.id)}/keys",
        back=path("targets", target.id),
        groups=(Group(fields=_fields(sent)),),
        buttons=(Button("add", _W.new_key, "main"),),
    )


def _all_form(desk: Desk, sent: Posted) -> Form:
    use = Field(
        name="use",
        label=_W.use,
        kind="select",
        options=options_of(_W.use_words),
        value=sent.text("use", "ping"),
    )
    about = Field(
        name="about",
        label=_W.about,
        value=sent.text("about"),
        hint=_W.about_hint,
        most=128,
    )
    return Form(
        title=_W.new_key,
        path="/keys",
        back="/",
        groups=(Group(fields=[use, about, *_fields(sent), *limit_fields(desk, sent)]),),
        buttons=(Button("add", _W.new_key, "main"),),
    )


def _revoke_form(key: KeyShown, there: str) -> Form:
    return Form(
        title=fill(_W.revoke_key, name=cut(key.name, 80)),
        path=there,
        back=there,
        intro=(_W.revoke_note,),
        hidden=(("key", key.id),),
        buttons=(Button("revoke", _F.revoke, "danger"),),
    )


async def _revoked(
    desk: Desk, keys: Keys, key: KeyShown, there: str, target: Target | None
) -> Shown:
    try:
        await keys.revoke(desk.who, key.id, target)
    except ChangeError as error:
        return desk.refused(_revoke_form(key, there), error)
    return desk.done(there, "key-revoked")


def _named(found: Sequence[KeyShown], key: str) -> KeyShown:
    one = next((one for one in found if one.id == key), None)
    if one is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, _W.no_key)
    return one


def _target_of(fleet: Fleet, key: KeyShown) -> Target | None:
    return None if key.about is None or key.use == "page" else _published(fleet, key.about)


def _published(fleet: Fleet, target_id: str) -> Target | None:
    found = fleet.target(target_id)
    return None if found is None else found.definition


KEY_FORMS: Final[tuple[ControllerRouterHandler, ...]] = (job_keys, all_keys)
