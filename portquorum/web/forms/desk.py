"""A request to a page that changes something: who asks for what, and the answers to it."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

from litestar import Response
from litestar.response import Redirect

from portquorum.access.principal import Principal
from portquorum.changing.errors import ChangeError
from portquorum.web.access.csrf import token_of
from portquorum.web.answers import IncidentAnswer, TargetAnswer
from portquorum.web.forms.form import Form, refused
from portquorum.web.forms.posted import Posted, posted
from portquorum.web.pages.address import Address
from portquorum.web.pages.asked import Asked, address_of, viewer_at
from portquorum.web.pages.number_words import cut, fill
from portquorum.web.pages.rendering import render
from portquorum.web.ports import Fleet
from portquorum.web.problem import ProblemError
from portquorum.web.unread import missing
from portquorum.web.words import ENGLISH

_SEE_OTHER: Final = 303
_NOT_KEPT: Final = {"Cache-Control": "no-store"}


class Desk:
    """One request. Its pages have a name and a token in them, so that nobody keeps them."""

    def __init__(self, request: Asked, fleet: Fleet, who: Principal) -> None:
        self.fleet = fleet
        self.who = who
        self._request = request
        self.address: Address = address_of(request)
        self.fresh = fleet.freshness()
        self.viewer = viewer_at(request, self.fresh.now, who)

    @property
    def now(self) -> int:
        """UTC ms."""
        return self.fresh.now

    @property
    def base(self) -> str:
        """The address of this server, as the browser has it."""
        return str(self._request.base_url).rstrip("/")

    @property
    def here(self) -> str:
        """Path and query: where a form goes to."""
        return f"{self.address}"

    async def sent(self) -> Posted | None:
        """What was sent; None: the page is asked for.

        Raises:
            ProblemError: it is none of a form.
        """
        if self._request.method != "POST":
            return None
        kind = self._request.headers.get("content-type", "")
        return posted(await self._request.body(), kind)

    def page(
        self,
        form: Form,
        *,
        template: str = "form.html",
        status: HTTPStatus = HTTPStatus.OK,
        **more: object,
    ) -> Response[str]:
        """A page with a form."""
        return self.show(template, status=status, form=form, **more)

    def show(
        self, template: str, *, status: HTTPStatus = HTTPStatus.OK, **more: object
    ) -> Response[str]:
        """A page for this principal alone."""
        text = render(
            template,
            self.viewer,
            self.fresh,
            self.fleet.counts(),
            me=self.who,
            csrf=token_of(self.who),
            **more,
        )
        return Response(
            text, media_type="text/html", status_code=int(status), headers=dict(_NOT_KEPT)
        )

    def refused(
        self, form: Form, error: ChangeError, *, template: str = "form.html", **more: object
    ) -> Response[str]:
        """The form again, with what was typed and what is wrong with it."""
        shown, status = refused(form, error)
        return self.page(shown, template=template, status=status, **more)

    def wrong(self, form: Form, *, template: str = "form.html", **more: object) -> Response[str]:
        """The form again: what was typed can't be."""
        return self.page(form, template=template, status=HTTPStatus.BAD_REQUEST, **more)

    def done(self, path: str, word: str, **also: str) -> Redirect:
        """Leads to the page where a change is seen; `word` is one of `words.DONE`."""
        pairs: Sequence[tuple[str, str]] = [*also.items(), ("done", word)]
        there, mark, anchor = path.partition("#")
        return Redirect(f"{there}?{urlencode(pairs)}{mark}{anchor}", status_code=_SEE_OTHER)

    def target(self, target_id: str, *, change: bool = True) -> TargetAnswer:
        """A target that this principal may change.

        Raises:
            ProblemError: 404 (there is none), 403 (it is beyond the limits).
        """
        found = self.fleet.target(target_id)
        if found is None:
            said = ENGLISH.error_404_target.format(id=target_id[:99])
            raise missing(self.fresh, said)
        if change and not self.who.may_touch(found.row.team, found.row.tags):
            raise self.beyond(found.row.name)
        return found

    def incident(self, incident_id: str) -> IncidentAnswer:
        """An incident that this principal may change, open or closed within 24 h.

        Raises:
            ProblemError: 404, 403.
        """
        found = self.fleet.incident(incident_id)
        if found is None:
            said = ENGLISH.error_404_incident.format(id=incident_id[:99])
            raise missing(self.fresh, said)
        if not self.who.may_touch(found.row.team, found.tags):
            raise self.beyond(found.row.name)
        return found

    def beyond(self, name: str) -> ProblemError:
        """Why somebody with limits may not change this."""
        who = self.who
        within = ", ".join((*who.teams, *(f"tag {one}" for one in who.tags)))
        said = fill(ENGLISH.forms.beyond, name=cut(name, 80), within=cut(within, 200))
        return ProblemError(HTTPStatus.FORBIDDEN, said)
