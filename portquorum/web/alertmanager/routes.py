"""The routes of Alertmanager's API v2: `/api/v2/…`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from importlib.metadata import version
from typing import Annotated, Final, TypeVar

from litestar import Response, Router, delete, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter, SkipValidation

from portquorum.changing.acts import WantedSilence
from portquorum.changing.errors import ChangeError
from portquorum.web.access.needs import needs
from portquorum.web.alertmanager import silences
from portquorum.web.alertmanager.alert_book import RECEIVER, AlertBook, AlertsAsked
from portquorum.web.alertmanager.answers import (
    Alert,
    AlertGroup,
    ClusterStatus,
    OriginalConfig,
    PostedSilence,
    ReceiverName,
    ServerStatus,
    ShownSilence,
    SilenceId,
    VersionInfo,
)
from portquorum.web.alertmanager.matchers import (
    LabelMatcher,
    MatcherError,
    parsed,
    regex_fits,
)
from portquorum.web.answers import SilenceRow
from portquorum.web.api.bodies import Asked, body_of
from portquorum.web.parts import TheActs, TheFleet, ThePrincipal
from portquorum.web.ports import Fleet
from portquorum.web.problem import ProblemError
from portquorum.web.unread import missing, refuse_unread
from schemas.target import Target

PATH: Final = "/api/v2"
VERSION: Final = "0.28.0"
"""The Alertmanager whose API this is."""

CONFIG: Final = (
    "# Routes and receivers are those of portquorum's inventory: docs/notifications.md.\n"
    f"route:\n  receiver: {RECEIVER.name}\nreceivers:\n- name: {RECEIVER.name}\n"
)
_STARTED: Final = datetime.now(tz=UTC)
_MOST_FILTERS: Final = 100
_READS: Final = needs("viewer")
_CHANGES: Final = needs("operator")

T = TypeVar("T")

TheAlerts = NamedDependency[SkipValidation[AlertBook]]
"""A parameter `alert_book`."""
Filter = Annotated[
    list[str] | None,
    QueryParameter(name="filter", max_items=_MOST_FILTERS, required=False),
]
ReceiverMatchers = Annotated[
    list[str] | None,
    QueryParameter(name="receiver_matchers", max_items=_MOST_FILTERS, required=False),
]
ReceiverRegex = Annotated[str, QueryParameter(max_length=1_000)]
Flag = Annotated[bool, QueryParameter()]
SilenceIdPath = Annotated[str, PathParameter(max_length=64)]


@get("/status", include_in_schema=False, opt=_READS)
async def status() -> Response[ServerStatus]:
    """This process; there is no cluster."""
    return _json(
        ServerStatus(
            cluster=ClusterStatus(),
            version_info=VersionInfo(version=VERSION, revision=version("portquorum")),
            config=OriginalConfig(original=CONFIG),
            uptime=_STARTED,
        )
    )


@get("/receivers", include_in_schema=False, opt=_READS)
async def receivers(receiver_matchers: ReceiverMatchers = None) -> Response[list[ReceiverName]]:
    """The one receiver; it has no labels."""
    return _json([RECEIVER] if _is_receiver("", receiver_matchers) else [])


@get("/alerts", include_in_schema=False, opt=_READS)
async def alerts(
    *,
    request: Asked,
    fleet: TheFleet,
    alert_book: TheAlerts,
    filters: Filter = None,
    receiver: ReceiverRegex = "",
    receiver_matchers: ReceiverMatchers = None,
    active: Flag = True,
    silenced: Flag = True,
    inhibited: Flag = True,
) -> Response[list[Alert]]:
    """Open incidents; what is suppressed is neither silenced nor inhibited if it is muted."""
    refuse_unread(fleet.freshness())
    asked = AlertsAsked(
        matchers=_matchers(filters), active=active, silenced=silenced, inhibited=inhibited
    )
    if not _is_receiver(receiver, receiver_matchers):
        return _json([])
    return _json(await alert_book.alerts(asked, _place(request)))


@get("/alerts/groups", include_in_schema=False, opt=_READS)
async def alert_groups(
    *,
    request: Asked,
    fleet: TheFleet,
    alert_book: TheAlerts,
    filters: Filter = None,
    receiver: ReceiverRegex = "",
    receiver_matchers: ReceiverMatchers = None,
    active: Flag = True,
    silenced: Flag = True,
    inhibited: Flag = True,
    muted: Flag = True,
) -> Response[list[AlertGroup]]:
    """Open incidents of one name together."""
    refuse_unread(fleet.freshness())
    asked = AlertsAsked(
        matchers=_matchers(filters), active=active, silenced=silenced, inhibited=inhibited
    )
    if not _is_receiver(receiver, receiver_matchers):
        return _json([])
    groups: dict[str, list[Alert]] = {}
    for one in await alert_book.alerts(asked, _place(request)):
        groups.setdefault(one.labels["alertname"], []).append(one)
    return _json(
        [
            AlertGroup(
                labels={"alertname": name},
                route_labels={},
                receiver=RECEIVER,
                alerts=tuple(found),
            )
            for name, found in sorted(groups.items())
            if muted or any(one.status.state == "active" for one in found)
        ]
    )


@get("/silences", include_in_schema=False, opt=_READS)
async def shown_silences(
    *,
    fleet: TheFleet,
    filters: Filter = None,
    active: Flag = True,
    pending: Flag = True,
    expired: Flag = True,
) -> Response[list[ShownSilence]]:
    """Silences, the active ones first; those that ended stay for a day."""
    refuse_unread(fleet.freshness())
    wanted = _matchers(filters)
    states = {"active": active, "pending": pending, "expired": expired}
    found = map(silences.shown, fleet.silences().silences)
    return _json([one for one in found if states[one.status.state] and _has(one, wanted)])


@post("/silences", include_in_schema=False, status_code=HTTPStatus.OK, opt=_CHANGES)
async def post_silence(
    request: Asked, principal: ThePrincipal, fleet: TheFleet, acts: TheActs
) -> Response[SilenceId]:
    """Makes a silence of ours that matches the same; one with an id takes that one's place."""
    posted = await body_of(request, PostedSilence)
    if posted.annotations:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "a silence here has no annotations")
    before = _silence(fleet, posted.id) if posted.id else None
    wanted = _wanted(fleet, posted)
    made = await acts.silence(principal, wanted)
    if before is not None and before.state != "ended":
        try:
            await acts.end_silence(principal, before.id)
        except ChangeError as error:
            if error.status != HTTPStatus.CONFLICT:  # it has ended meanwhile
                await acts.end_silence(principal, made.id)
                raise
    return _json(SilenceId(made.id))


@get("/silence/{silence_id:str}", include_in_schema=False, opt=_READS)
async def shown_silence(fleet: TheFleet, silence_id: SilenceIdPath) -> Response[ShownSilence]:
    """One that is active or pending, or ended within a day."""
    return _json(silences.shown(_silence(fleet, silence_id)))


@delete(
    "/silence/{silence_id:str}", include_in_schema=False, status_code=HTTPStatus.OK, opt=_CHANGES
)
async def expire_silence(
    principal: ThePrincipal, acts: TheActs, silence_id: SilenceIdPath
) -> Response[None]:
    """It ends now; one that has ended already stays so."""
    try:
        await acts.end_silence(principal, silence_id)
    except ChangeError as error:
        if error.status != HTTPStatus.CONFLICT:
            raise
    return Response(None, status_code=HTTPStatus.OK)


ALERTMANAGER_ROUTES: Final = Router(
    path=PATH,
    route_handlers=[
        status,
        receivers,
        alerts,
        alert_groups,
        shown_silences,
        post_silence,
        shown_silence,
        expire_silence,
    ],
)


def _wanted(fleet: Fleet, posted: PostedSilence) -> WantedSilence:
    def target_of(name: str) -> Target | None:
        found = fleet.target(name)
        return None if found is None else found.definition

    asked = [
        LabelMatcher(one.name, one.value, one.is_regex, one.is_equal) for one in posted.matchers
    ]
    begins = _ms(posted.starts_at)
    with _said():
        match = silences.match_of(asked, target_of)
    return WantedSilence(
        match=match,
        reason=posted.comment,
        begins_at=begins if begins > _ms(datetime.now(tz=UTC)) else None,
        ends_at=_ms(posted.ends_at),
    )


def _silence(fleet: Fleet, name: str) -> SilenceRow:
    found = next((one for one in fleet.silences().silences if one.id == name), None)
    if found is None:
        raise missing(fleet.freshness(), f"there is no silence {name[:64]!r}")
    return found


def _has(one: ShownSilence, wanted: Sequence[LabelMatcher]) -> bool:
    """True if each of `wanted` is one of a silence's matchers, as Alertmanager compares them."""
    there = {(of.name, of.value, of.is_regex, of.is_equal) for of in one.matchers}
    return all((of.name, of.value, of.is_regex, of.is_equal) in there for of in wanted)


def _matchers(texts: Sequence[str] | None) -> list[LabelMatcher]:
    with _said():
        return [parsed(text) for text in texts or ()]


def _is_receiver(regex: str, matchers: Sequence[str] | None) -> bool:
    """True if the one receiver, which has no labels, is among those that are asked for."""
    with _said():
        named = not regex or regex_fits(regex)(RECEIVER.name)
    return named and all(one.holds({}) for one in _matchers(matchers))


def _place(request: Asked) -> str:
    """The URL of the page, as who asks sees it."""
    return str(request.base_url).rstrip("/")


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _json(value: T) -> Response[T]:
    return Response(value, media_type="application/json", headers={"Cache-Control": "no-store"})


@contextmanager
def _said() -> Iterator[None]:
    """What is wrong with a matcher is 400."""
    try:
        yield
    except MatcherError as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, str(error)) from error
