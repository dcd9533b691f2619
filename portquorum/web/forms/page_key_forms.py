"""Keys of a locked status page: links that open it, made (shown once), listed, revoked."""

from typing import Any, Final

from litestar import route
from litestar.types import ControllerRouterHandler

from portquorum.changing.errors import ChangeError
from portquorum.changing.keys import Keys, KeyShown, WantedKey
from portquorum.status_editing.page_keys import made_key, revoked_key
from portquorum.web.access.needs import needs
from portquorum.web.forms.desk import Desk
from portquorum.web.forms.form import Button, Field, Form, Group, Option
from portquorum.web.forms.incident_forms import BOTH, Id, Shown
from portquorum.web.forms.posted import Posted
from portquorum.web.forms.status_page_forms import BACK, page_of
from portquorum.web.pages.asked import Asked
from portquorum.web.pages.filters import refuse_unknown
from portquorum.web.pages.number_words import cut, fill, many, path
from portquorum.web.parts import TheFleet, TheKeys, ThePrincipal, TheStatusEdits
from portquorum.web.words import ENGLISH
from schemas.web import StatusPage

_F: Final = ENGLISH.forms
_S: Final = ENGLISH.posting
_TEMPLATE: Final = "page_keys.html"
_DAYS: Final = ("7", "30", "90", "365", "0")
_PAGE: Final = "page"


@route(
    "/status-pages/{slug:str}/keys", http_method=BOTH, include_in_schema=False, opt=needs("admin")
)
async def page_keys(  # noqa: PLR0917 - what handlers are given
    request: Asked,
    fleet: TheFleet,
    status_edits: TheStatusEdits,
    keys: TheKeys,
    principal: ThePrincipal,
    slug: Id,
) -> Shown:
    """The keys of a page."""
    desk = Desk(request, fleet, principal)
    refuse_unknown(desk.address, {"revoke": ()})
    page = page_of(status_edits, slug)
    sent = await desk.sent()
    if sent is not None and sent.text("do") == "revoke":
        return await _revoked(desk, status_edits, keys, page, sent.text("key"))
    if sent is None and (wanted := desk.address.value("revoke")):
        key = next((one for one in keys.listed(_PAGE, slug) if one.id == wanted), None)
        if key is not None:
            return desk.page(_revoke_form(page, key))
    form, made, link = _form(page, sent or Posted()), None, ""
    if sent is not None:
        days = sent.text("days")
        asked = WantedKey(
            use=_PAGE,
            name=sent.text("name"),
            about=slug,
            expires_in_days=int(days) if days in _DAYS else 0,
        )
        try:
            made = await made_key(principal, status_edits, keys, page, asked)
        except ChangeError as error:
            return desk.refused(form, error, template=_TEMPLATE, **_shown(page, keys))
        link = f"{desk.base}{path('status', slug)}?key={made.secret}"
    return desk.page(form, template=_TEMPLATE, **_shown(page, keys, link))


def _shown(page: StatusPage, keys: Keys, link: str = "") -> dict[str, Any]:
    return {"page": page, "keys": keys.listed(_PAGE, page.slug), "link": link}


def _form(page: StatusPage, sent: Posted) -> Form:
    name = Field(
        name="name",
        label=_S.key_name,
        value=sent.text("name"),
        hint=_S.key_name_hint,
        most=100,
    )
    days = Field(
        name="days",
        label=_F.ends_after,
        kind="select",
        options=[
            Option(one, many(_F.days, int(one)) if one != "0" else _F.never_ends) for one in _DAYS
        ],
        value=sent.text("days", "0"),
    )
    return Form(
        title=_S.new_key,
        path=f"{path('status-pages', page.slug)}/keys",
        back=BACK,
        groups=(Group(fields=[name, days]),),
        buttons=(Button("add", _S.new_key, "main"),),
    )


def _revoke_form(page: StatusPage, key: KeyShown) -> Form:
    here = f"{path('status-pages', page.slug)}/keys"
    return Form(
        title=fill(_S.revoke_key, name=cut(key.name, 80)),
        path=here,
        back=here,
        intro=(_S.revoke_note,),
        hidden=(("key", key.id),),
        buttons=(Button("revoke", _F.revoke, "danger"),),
    )


async def _revoked(
    desk: Desk, status_edits: TheStatusEdits, keys: Keys, page: StatusPage, key: str
) -> Shown:
    here = f"{path('status-pages', page.slug)}/keys"
    try:
        await revoked_key(desk.who, status_edits, keys, page, key)
    except ChangeError as error:
        shown = next((one for one in keys.listed(_PAGE, page.slug) if one.id == key), None)
        form = _form(page, Posted()) if shown is None else _revoke_form(page, shown)
        return desk.refused(form, error)
    return desk.done(here, "key-revoked")


PAGE_KEY_FORMS: Final[tuple[ControllerRouterHandler, ...]] = (page_keys,)
