"""A browser without a script: it sends what stands in the fields of a form."""

import asyncio
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

import httpx

from foundation.http_origin import Served
from portquorum.access.principal import Principal
from portquorum.web.access.visit import Visit
from portquorum.web.app import create_app
from portquorum.web.pages.handlers import error_page_of
from portquorum.web.parts import Parts
from portquorum.web.routes import ROUTES
from tests.browser.web.changes import HandMadeActs, HandMadeEdits, HandMadeOffice
from tests.browser.web.fakes import HandMadeExplainer, HandMadeFleet, HandMadeHistory, HandMadeHub
from tests.browser.web.status_desk import StatusDesk

Changes = Mapping[str, str | list[str]]
Attributes = dict[str, str | None]
SESSION = "a secret of a session"


class Door:
    """Lets everybody in as one principal."""

    def __init__(self, principal: Principal) -> None:
        self.principal = principal

    def visit(self, scope: Any) -> Visit | str:  # noqa: ARG002 - whoever asks
        return Visit(principal=self.principal, form_secret=self.principal.session)


class Browser(httpx.AsyncClient):
    """The app of the pages with things made by hand, as somebody sees it."""

    def __init__(self, **who: Any) -> None:
        self.fleet = HandMadeFleet()
        self.acts, self.edits = HandMadeActs(self.fleet), HandMadeEdits(self.fleet)
        self.office = HandMadeOffice()
        self.status = StatusDesk(self.fleet)
        usual = {"name": "aino", "scope": "admin", "via": "password", "session": SESSION}
        self.principal = Principal(**(usual | who))
        app = create_app(
            Parts(
                self.fleet,
                HandMadeHub(),
                HandMadeHistory(),
                asyncio.Event(),
                HandMadeExplainer(),
                acts=self.acts,
                edits=self.edits,
                office=self.office,
                status_edits=self.status.editor,
                keys=self.status.keys,
            ),
            Served("127.0.0.1"),
            routes=ROUTES,
            error_page=error_page_of(self.fleet),
            door=Door(self.principal),
        )
        super().__init__(
            transport=httpx.ASGITransport(app, raise_app_exceptions=False),  # type: ignore[arg-type]
            base_url="http://127.0.0.1",
        )

    def reset(self) -> None:
        """As it was, whatever the test before made of it."""
        version = self.fleet.version
        self.fleet.__init__()  # type: ignore[misc] # an app is made once for many tests
        self.fleet.version = version + 1
        self.acts.__init__(self.fleet)  # type: ignore[misc]
        self.edits.__init__(self.fleet)  # type: ignore[misc]
        self.office.__init__()  # type: ignore[misc]
        self.status.reset()
        self.cookies.clear()
        self.edits.own(self.fleet.rows[9])

    async def send_form(
        self, path: str, changes: Changes | None = None, do: str = ""
    ) -> httpx.Response:
        """Opens a page, fills its form in and sends it by the button `do` (empty: the first)."""
        shown = await self.get(path)
        assert shown.status_code == 200, shown.text
        return await self.send_again(shown, changes, do)

    async def send_again(
        self,
        shown: httpx.Response,
        changes: Mapping[str, str | list[str]] | None = None,
        do: str = "",
    ) -> httpx.Response:
        """Fills in the form of a page that was shown and sends it."""
        form = form_of(shown.text)
        sent = form.sent | dict(changes or {})
        if do or form.buttons:
            name = do or form.buttons[0]
            assert name in form.buttons, form.buttons
            sent["do"] = name
        return await self.post(form.action, data=sent)


class FormOf(HTMLParser):
    """The form of a page: its address, what it would send, its buttons, and its labels."""

    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.sent: dict[str, str | list[str]] = {}
        self.buttons: list[str] = []
        self.ids: set[str] = set()
        self.fields: list[dict[str, str | None]] = []
        self.labels: set[str] = set()
        self._inside = False
        self._choice = ""
        self._text = ""
        self._labelled = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.ids.add(given.get("id") or "")
        if tag == "form" and "act" in (given.get("class") or "").split():
            self.action, self._inside = given.get("action") or "", True
        starts = getattr(self, f"_{tag}", None)
        if self._inside and starts is not None:
            starts(given, given.get("name") or "", given.get("value") or "")

    def _label(self, given: Attributes, _: str, __: str) -> None:
        self.labels.add(given.get("for") or "")
        self._labelled = "for" not in given

    def _input(self, given: Attributes, name: str, value: str) -> None:
        kind = given.get("type")
        if kind != "hidden":
            self.fields.append(given | {"labelled": "1" if self._labelled else None})
        if kind not in {"checkbox", "radio"}:
            self.sent[name] = value
        elif "checked" in given:
            known = self.sent.get(name, [])
            self.sent[name] = [*(known if isinstance(known, list) else [known]), value]

    def _select(self, given: Attributes, name: str, _: str) -> None:
        self.fields.append(given)
        self._choice = name

    def _option(self, given: Attributes, _: str, value: str) -> None:
        if self._choice and ("selected" in given or self._choice not in self.sent):
            self.sent[self._choice] = value

    def _textarea(self, given: Attributes, name: str, _: str) -> None:
        self.fields.append(given)
        self._text, self.sent[name] = name, ""

    def _button(self, _: Attributes, name: str, value: str) -> None:
        if name == "do":
            self.buttons.append(value)

    def handle_data(self, data: str) -> None:
        if self._text:
            self.sent[self._text] = f"{self.sent[self._text]}{data}".removeprefix("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "select":
            self._choice = ""
        elif tag == "textarea":
            self._text = ""
        elif tag == "label":
            self._labelled = False


def form_of(text: str) -> FormOf:
    """The form of a page."""
    made = FormOf()
    made.feed(text)
    assert made.action, "expected a form, found none"
    return made
