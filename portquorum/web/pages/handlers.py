"""The routes of the pages: they ask fleet and history, and the modules beside this one show it."""

from collections.abc import Callable, Hashable, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Final, Literal, get_args

from litestar import Response, get
from litestar.datastructures import Cookie
from litestar.params import PathParameter
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler
from msgspec.structs import replace

from portquorum.changing.office import Office
from portquorum.inventory.heartbeats import is_job
from portquorum.report.history import UnknownScopeError
from portquorum.status_editing.post_rules import is_over
from portquorum.web.access.needs import needs
from portquorum.web.access.permission import principal_of
from portquorum.web.access.visit import visit_of
from portquorum.web.answers import IncidentAnswer, IncidentQuery, TargetQuery
from portquorum.web.api.document import document_of
from portquorum.web.api.moments import now_ms
from portquorum.web.charts.report_days import report_charts
from portquorum.web.explaining.explainer import ExplainUnavailableError
from portquorum.web.fleet import CursorError
from portquorum.web.headers import FOREVER
from portquorum.web.history.answers import IncidentHistory, TargetHistory
from portquorum.web.history.errors import HistoryTooSlowError, HistoryUnavailableError
from portquorum.web.history.stored_history import ReportQuery, TargetAsked
from portquorum.web.page_cache import NOT_PACKED_AGAIN, ThePages
from portquorum.web.pages import (
    api,
    error_page,
    explain,
    incident,
    incidents,
    maintenance,
    overview,
    regions,
    reports,
    target,
    targets,
)
from portquorum.web.pages.address import LONGEST_QUERY, Address, local_path
from portquorum.web.pages.asked import Asked, address_of, viewer_at
from portquorum.web.pages.because import because
from portquorum.web.pages.charts_of import incident_charts, target_charts
from portquorum.web.pages.filters import (
    NO_FILTERS,
    OF_A_TARGET,
    refuse_unknown,
    refuse_wrong_window,
)
from portquorum.web.pages.number_words import path
from portquorum.web.pages.past_rows import row_of_past
from portquorum.web.pages.region_words import last_event, region_words
from portquorum.web.pages.rendering import NAMES as STATIC_NAMES
from portquorum.web.pages.rendering import STATIC, static_url, warm
from portquorum.web.pages.viewer import THEME_COOKIE, THEMES, Viewer, viewer_of
from portquorum.web.pages.window_links import window_of
from portquorum.web.parts import (
    TheActs,
    TheExplainer,
    TheFleet,
    TheHistory,
    TheOffice,
    TheStatusEdits,
)
from portquorum.web.ports import Fleet, History
from portquorum.web.problem import RETRY_AFTER, Problem, ProblemError
from portquorum.web.short_ids import whole_id
from portquorum.web.unread import missing
from portquorum.web.words import ENGLISH
from schemas.web import Audit

Id = Annotated[str, PathParameter(max_length=255)]
ReportKind = Literal["uptime", "slo", "cost", "reliability"]

_KINDS: Final[tuple[ReportKind, ...]] = get_args(ReportKind)
_MEDIA_TYPES: Final = {
    "css": "text/css",
    "js": "text/javascript",
    "svg": "image/svg+xml",
}
_PACKED: Final = {NOT_PACKED_AGAIN: True} | needs("viewer")
_SEE_OTHER: Final = 303
_YEAR_S: Final = 31_536_000
_MOST_INCIDENTS: Final = 100
_OF_TARGETS: Final = frozenset(
    {"add target", "change target", "remove target", "pause target", "resume target"}
)
_MOST_TOGETHER: Final = 100
_MOST_POSTS: Final = 5


def _page(text: str) -> Response[str]:
    return Response(text, media_type="text/html")


def _viewer(request: Asked, now: int) -> Viewer:
    return viewer_at(request, now, principal_of(request))


def _base(request: Asked) -> str:
    return str(request.base_url).rstrip("/")


def _asked(request: Asked, viewer: Viewer) -> tuple[Hashable, ...]:
    """All that a page may show of a request."""
    return viewer.here, viewer.theme, viewer.zone_name, viewer.rights, _base(request)


@get("/", include_in_schema=False, opt=_PACKED)
async def overview_page(request: Asked, fleet: TheFleet, pages: ThePages) -> Response[bytes]:
    """What is wrong now."""
    refuse_unknown(address_of(request), NO_FILTERS)
    viewer = _viewer(request, fleet.freshness().now)
    return pages.answer(
        request,
        fleet,
        asked=_asked(request, viewer),
        render=lambda: overview.page(overview.by_team_or_tag(fleet), viewer),
    )


@get("/targets", include_in_schema=False, opt=_PACKED)
async def targets_page(request: Asked, fleet: TheFleet, pages: ThePages) -> Response[bytes]:
    """Targets by filters, a hundred at a time."""
    asked = address_of(request)
    refuse_unknown(asked, targets.FILTERS)
    query = targets.query_of(asked)
    viewer = _viewer(request, fleet.freshness().now)
    return pages.answer(
        request,
        fleet,
        asked=_asked(request, viewer),
        render=lambda: targets.page(fleet.targets(query), fleet.counts(), query, asked, viewer),
    )


@get("/targets/{target_id:str}", include_in_schema=False, opt=_PACKED)
async def target_page(  # noqa: PLR0917 - what handlers are given
    request: Asked,
    fleet: TheFleet,
    history: TheHistory,
    pages: ThePages,
    office: TheOffice,
    target_id: Id,
) -> Response[bytes]:
    """One target, and its past within a window."""
    wanted = address_of(request)
    refuse_unknown(wanted, OF_A_TARGET)
    refuse_wrong_window(wanted)
    found = fleet.target(target_id)
    if found is None:
        raise _no_target(fleet, target_id)
    now = now_ms()
    past = await history.target(
        TargetAsked(
            target=target_id,
            tags=found.row.tags,
            regions=found.row.regions,
            interval_ms=found.definition.interval_ms,
            window=window_of(wanted, now),
            is_job=is_job(found.definition),
        )
    )
    viewer = _viewer(request, fleet.freshness().now)
    done = _done_to(office, target_id)
    return pages.answer(
        request,
        fleet,
        asked=(*_asked(request, viewer), done),
        past=past,
        render=lambda: _target(fleet, target_id, past, viewer, _base(request), done),
    )


def _done_to(office: Office, target_id: str) -> tuple[Audit, ...]:
    """What people did to a target, by itself or with others, the newest first."""
    found = office.audit(about=target_id, limit=2 * target.MOST_DONE)
    of_it = [one for one in found if one.action in _OF_TARGETS or one.about != target_id]
    return tuple(of_it)[: target.MOST_DONE]


def _target(  # noqa: PLR0917 - in the order of the page
    fleet: Fleet,
    target_id: str,
    past: TargetHistory,
    viewer: Viewer,
    base: str,
    done: tuple[Audit, ...],
) -> str:
    found = fleet.target(target_id)  # as it is now: the history was waited for
    if found is None:
        raise _no_target(fleet, target_id)
    opened = [fleet.incident(one.id) for one in found.incidents if one.closed_at is None]
    last = last_event(found.incidents)
    event = None if last is None else fleet.incident(last)
    words = [] if is_job(found.definition) else region_words(found, event, past.checks)
    view = target.TargetView(
        answer=found,
        opened=tuple(one for one in opened if one is not None),
        past=past,
        charts=target_charts(past, viewer),
        because=because(found, words),
        words=words,
        base=base,
        done=done,
    )
    return target.page(view, fleet.counts(), viewer)


@get("/targets/{target_id:str}/explain", include_in_schema=False, opt=needs("viewer"))
async def explain_page(
    request: Asked, fleet: TheFleet, explainer: TheExplainer, target_id: Id
) -> Response[str]:
    """Why a target has an incident or none, from the state of the stream."""
    refuse_unknown(address_of(request), NO_FILTERS)
    found = fleet.target(target_id)
    if found is None:
        raise _no_target(fleet, target_id)
    told, trouble = None, ""
    try:
        told = await explainer.explain(found.definition)
    except ExplainUnavailableError as error:
        trouble = str(error)
    viewer = _viewer(request, now_ms())
    return _page(explain.page(explain.ExplainView(found, told, trouble), fleet.counts(), viewer))


def _no_target(fleet: Fleet, target_id: str) -> ProblemError:
    return missing(fleet.freshness(), ENGLISH.error_404_target.format(id=target_id[:99]))


@get("/incidents", include_in_schema=False, opt=_PACKED)
async def incidents_page(
    request: Asked, fleet: TheFleet, history: TheHistory, pages: ThePages
) -> Response[bytes]:
    """Open incidents, or older ones."""
    asked = address_of(request)
    refuse_unknown(asked, incidents.FILTERS)
    past = None if incidents.which_of(asked) == "open" else await _older(asked, fleet, history)
    fresh = fleet.freshness()
    viewer = _viewer(request, fresh.now)

    def rendered() -> str:
        found = past or _remembered(asked, fleet)
        return incidents.page(found, fresh, fleet.counts(), asked, viewer)

    return pages.answer(request, fleet, asked=_asked(request, viewer), past=past, render=rendered)


async def _older(asked: Address, fleet: Fleet, history: History) -> incidents.IncidentsView:
    """From the history; without it those of the last 24 h."""
    try:
        past = await history.incidents(
            incidents.past_query_of(asked), asked.value("cursor")[:2000] or None, _MOST_INCIDENTS
        )
    except (HistoryUnavailableError, HistoryTooSlowError) as error:
        return _remembered(asked, fleet, f"{error} {ENGLISH.only_24h}")
    return incidents.IncidentsView(
        rows=tuple(row_of_past(one) for one in past.rows),
        total=past.total,
        next_cursor=past.next or "",
    )


def _remembered(asked: Address, fleet: Fleet, trouble: str = "") -> incidents.IncidentsView:
    """From memory; in the place of the history from the beginning, if the cursor is its."""
    query = incidents.query_of(asked)
    try:
        found = fleet.incidents(query)
    except CursorError:
        if not trouble:
            raise
        found = fleet.incidents(replace(query, cursor=""))
    return incidents.IncidentsView(
        rows=found.rows, total=found.total, next_cursor=found.next_cursor, trouble=trouble
    )


@get("/incidents/{incident_id:str}", include_in_schema=False, opt=_PACKED)
async def incident_page(
    request: Asked,
    fleet: TheFleet,
    history: TheHistory,
    *,
    pages: ThePages,
    acts: TheActs,
    status_edits: TheStatusEdits,
    incident_id: Id,
) -> Response[bytes] | Redirect:
    """One incident, open or long over; the first characters of its id lead to its address."""
    refuse_unknown(address_of(request), NO_FILTERS)
    whole = whole_id(fleet, incident_id)
    if whole != incident_id:
        return Redirect(
            f"{address_of(request).with_path(path('incidents', whole))}", status_code=_SEE_OTHER
        )
    past, trouble = await _past_of(history, incident_id)
    if past is None and fleet.incident(incident_id) is None:
        if trouble:
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, trouble, headers=RETRY_AFTER)
        raise missing(fleet.freshness(), ENGLISH.error_404_incident.format(id=incident_id[:99]))
    notes = tuple(acts.notes(incident_id))
    has_status_pages = bool(status_edits.pages())
    open_posts = tuple(
        one for one in status_edits.posts() if one.incident_id == incident_id and not is_over(one)
    )[:_MOST_POSTS]
    fresh = fleet.freshness()
    viewer = _viewer(request, fresh.now)

    def rendered() -> str:
        answer = fleet.incident(incident_id)
        view = incident.IncidentView(
            answer=answer,
            past=past,
            trouble=trouble,
            is_there=_is_there(fleet, answer, past),
            charts=incident_charts(past, viewer),
            together=_together(fleet, answer),
            base=_base(request),
            notes=notes,
            has_status_pages=has_status_pages,
            open_posts=open_posts,
        )
        return incident.page(view, fresh, fleet.counts(), viewer)

    return pages.answer(
        request,
        fleet,
        asked=(*_asked(request, viewer), trouble, notes, has_status_pages, open_posts),
        past=past,
        render=rendered,
    )


def _is_there(fleet: Fleet, answer: IncidentAnswer | None, past: IncidentHistory | None) -> bool:
    """Whether the inventory has the target, also of an incident that memory has no more."""
    if answer is not None:
        return answer.target_row is not None
    return past is not None and fleet.target(past.newest.target) is not None


def _together(fleet: Fleet, answer: IncidentAnswer | None) -> list[str]:
    """The incidents of its cause that nobody has acknowledged, some of many."""
    cause = None if answer is None else answer.cause
    if cause is None or cause.incidents < 2:
        return []
    found = fleet.targets(TargetQuery(cause=cause.key, limit=_MOST_TOGETHER))
    query = IncidentQuery(
        targets=tuple(one.id for one in found.rows), acknowledged=False, limit=_MOST_TOGETHER
    )
    return [one.id for one in fleet.incidents(query).rows]


async def _past_of(history: History, incident_id: str) -> tuple[IncidentHistory | None, str]:
    """The past of an incident, and why there is none (empty: nobody knows it)."""
    try:
        return await history.incident(incident_id), ""
    except (HistoryUnavailableError, HistoryTooSlowError) as error:
        return None, str(error)


@get("/regions", include_in_schema=False, opt=_PACKED)
async def regions_page(request: Asked, fleet: TheFleet, pages: ThePages) -> Response[bytes]:
    """Regions and their probers."""
    refuse_unknown(address_of(request), NO_FILTERS)
    viewer = _viewer(request, fleet.freshness().now)
    return pages.answer(
        request,
        fleet,
        asked=_asked(request, viewer),
        render=lambda: regions.page(fleet.regions(), fleet.counts(), viewer),
    )


@get("/maintenance", include_in_schema=False, opt=_PACKED)
async def maintenance_page(request: Asked, fleet: TheFleet, pages: ThePages) -> Response[bytes]:
    """Maintenance windows and silences."""
    refuse_unknown(address_of(request), NO_FILTERS)
    viewer = _viewer(request, fleet.freshness().now)
    return pages.answer(
        request,
        fleet,
        asked=_asked(request, viewer),
        render=lambda: maintenance.page(
            fleet.maintenance(), fleet.silences(), fleet.counts(), viewer
        ),
    )


@get("/reports", include_in_schema=False, opt=needs("viewer"))
async def reports_page() -> Redirect:
    """The first report."""
    return Redirect(f"/reports/{_KINDS[0]}", status_code=_SEE_OTHER)


@get("/reports/{kind:str}", include_in_schema=False, opt=needs("viewer"))
async def report_page(
    request: Asked, fleet: TheFleet, history: TheHistory, kind: Id
) -> Response[str]:
    """A report over whole days (UTC), the last of which is today."""
    known = next((one for one in _KINDS if one == kind), None)
    if known is None:
        raise ProblemError(
            HTTPStatus.NOT_FOUND, ENGLISH.error_404_report.format(known=", ".join(_KINDS))
        )
    asked = address_of(request)
    refuse_unknown(asked, reports.FILTERS)
    fresh = fleet.freshness()
    viewer = _viewer(request, fresh.now)
    view = await _report(asked, known, history)
    return _page(reports.page(view, fresh, fleet.counts(), asked, viewer))


async def _report(asked: Address, kind: ReportKind, history: History) -> reports.ReportView:
    last = datetime.now(UTC).date()
    wanted = ReportQuery(
        kind=kind,
        since=last - timedelta(days=reports.days_of(asked) - 1),
        until=last,
        team=asked.value("team")[:255],
        target="" if asked.value("team") else asked.value("target")[:128],
    )
    try:
        found = await history.report(wanted)
    except (HistoryUnavailableError, HistoryTooSlowError, UnknownScopeError) as error:
        return reports.ReportView(kind=kind, report=None, trouble=str(error))
    return reports.ReportView(kind=kind, report=found, charts=report_charts(found))


@get("/api", include_in_schema=False, opt=_PACKED)
async def api_page(request: Asked, fleet: TheFleet, pages: ThePages) -> Response[bytes]:
    """The REST API for people."""
    refuse_unknown(address_of(request), NO_FILTERS)
    viewer = _viewer(request, fleet.freshness().now)
    document = document_of(request, request.app.openapi_schema.to_schema())
    return pages.answer(
        request,
        fleet,
        asked=_asked(request, viewer),
        render=lambda: api.page(document, fleet.freshness(), fleet.counts(), viewer),
    )


@get("/theme", include_in_schema=False, opt=needs("public"))
async def theme(request: Asked) -> Redirect:
    """Keeps the theme in a cookie and leads back to the page."""
    asked = request.query_params
    chosen = next((one for one in THEMES if one == asked.get("theme")), "auto")
    cookie = Cookie(
        key=THEME_COOKIE, value=chosen, path="/", max_age=_YEAR_S, httponly=True, samesite="lax"
    )
    return Redirect(local_path(asked.get("back", "")), status_code=_SEE_OTHER, cookies=[cookie])


@get("/static/{digest:str}/{name:str}", include_in_schema=False, opt=needs("public"))
async def static(digest: Id, name: Id) -> Response[bytes]:
    """A file beside the pages; another digest is another version's, which is not here."""
    if name not in STATIC_NAMES or static_url(name) != f"/static/{digest}/{name}":
        raise ProblemError(HTTPStatus.NOT_FOUND, "")
    return Response(
        (STATIC / name).read_bytes(),
        media_type=_MEDIA_TYPES[name.rpartition(".")[2]],
        headers={"Cache-Control": FOREVER},
    )


PAGE_ROUTES: Final[Sequence[ControllerRouterHandler]] = (
    overview_page,
    targets_page,
    target_page,
    explain_page,
    incidents_page,
    incident_page,
    regions_page,
    maintenance_page,
    reports_page,
    report_page,
    api_page,
    theme,
    static,
)
"""All routes of the pages."""


def _without_wrong(request: Asked, problem: Problem) -> str:
    """The address without the filters that are wrong; empty if they are not what is wrong."""
    if not problem.errors or len(request.scope["query_string"]) > LONGEST_QUERY:
        return ""
    return address_of(request).without(one.field for one in problem.errors)


def error_page_of(fleet: Fleet) -> Callable[[Asked, Problem], Response[str]]:
    """Shows an error to a person; see `portquorum.web.errors.ErrorPage`.

    The templates are compiled when this returns.
    """
    warm()

    def shown(request: Asked, problem: Problem) -> Response[str]:
        visit = visit_of(request.scope)
        if visit.principal is None:
            # A stranger reads nothing of the fleet.
            return error_page.bare(problem, viewer_of(request.cookies, now_ms(), "/"))
        fresh = fleet.freshness()
        # The query may be what is wrong.
        viewer = viewer_of(request.cookies, fresh.now, request.scope["path"])
        without = _without_wrong(request, problem)
        return _page(error_page.page(problem, fresh, fleet.counts(), viewer, without))

    return shown
