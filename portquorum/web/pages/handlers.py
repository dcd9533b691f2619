"""The routes of the pages: they ask fleet and history, and the modules beside this one show it."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Final, Literal, get_args

from litestar import Request, Response, get
from litestar.datastructures import Cookie, State
from litestar.params import PathParameter
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler

from portquorum.report.history import UnknownScopeError
from portquorum.web.answers import IncidentAnswer
from portquorum.web.api.moments import now_ms
from portquorum.web.charts.report_days import report_charts
from portquorum.web.headers import FOREVER
from portquorum.web.history.errors import HistoryTooSlowError, HistoryUnavailableError
from portquorum.web.history.stored_history import ReportQuery, TargetAsked
from portquorum.web.pages import (
    error_page,
    incident,
    incidents,
    maintenance,
    overview,
    regions,
    reports,
    target,
    targets,
)
from portquorum.web.pages.address import Address
from portquorum.web.pages.because import because
from portquorum.web.pages.charts_of import incident_charts, target_charts
from portquorum.web.pages.past_rows import row_of_past
from portquorum.web.pages.rendering import NAMES as STATIC_NAMES
from portquorum.web.pages.rendering import STATIC, static_url, warm
from portquorum.web.pages.viewer import THEME_COOKIE, THEMES, Viewer, viewer_of
from portquorum.web.pages.window_links import window_of
from portquorum.web.parts import TheFleet, TheHistory
from portquorum.web.ports import Fleet, History
from portquorum.web.problem import Problem, ProblemError
from portquorum.web.words import ENGLISH

Asked = Request[None, None, State]
Id = Annotated[str, PathParameter(max_length=255)]
ReportKind = Literal["uptime", "slo", "cost", "reliability"]

_KINDS: Final[tuple[ReportKind, ...]] = get_args(ReportKind)
_MEDIA_TYPES: Final = {
    "css": "text/css",
    "js": "text/javascript",
    "svg": "image/svg+xml",
}
_SEE_OTHER: Final = 303
_YEAR_S: Final = 31_536_000
_MOST_INCIDENTS: Final = 100


def _page(text: str) -> Response[str]:
    return Response(text, media_type="text/html")


def _viewer(request: Asked, now: int) -> Viewer:
    return viewer_of(request.cookies, now, f"{_address(request)}")


def _address(request: Asked) -> Address:
    pairs = tuple((name, value) for name, value in request.query_params.multi_items())
    return Address(request.scope["path"], pairs)


def _base(request: Asked) -> str:
    return str(request.base_url).rstrip("/")


class _Kept:
    """The newest overviews as text: many viewers ask for the same one within a second."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._texts: dict[tuple[object, ...], str] = {}

    def text(self, key: tuple[object, ...], made: Callable[[], str]) -> str:
        """The text of `key`, made if it is not kept."""
        found = self._texts.get(key)
        if found is None:
            found = self._texts[key] = made()
            while len(self._texts) > self._most:
                del self._texts[next(iter(self._texts))]
        return found


_kept: Final = _Kept(32)


@get("/", include_in_schema=False)
async def overview_page(request: Asked, fleet: TheFleet) -> Response[str]:
    """What is wrong now."""
    fresh = fleet.freshness()
    viewer = _viewer(request, fresh.now)
    key = (
        *(id(fleet), fleet.version, fresh.now // 1000, fresh.data_at, fresh.blind_since),
        *(fresh.history_away_since, viewer.theme, viewer.zone_name, viewer.here),
    )
    return _page(_kept.text(key, lambda: overview.page(fleet.overview(), viewer)))


@get("/targets", include_in_schema=False)
async def targets_page(request: Asked, fleet: TheFleet) -> Response[str]:
    """Targets by filters, a hundred at a time."""
    asked = _address(request)
    query = targets.query_of(asked)
    found = fleet.targets(query)
    viewer = _viewer(request, found.freshness.now)
    return _page(targets.page(found, fleet.counts(), query, asked, viewer))


@get("/targets/{target_id:str}", include_in_schema=False)
async def target_page(
    request: Asked, fleet: TheFleet, history: TheHistory, target_id: Id
) -> Response[str]:
    """One target, and its past within a window."""
    found = fleet.target(target_id)
    if found is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, ENGLISH.error_404_target.format(id=target_id[:99]))
    now = now_ms()
    past = await history.target(
        TargetAsked(
            target=target_id,
            tags=found.row.tags,
            regions=found.row.regions,
            interval_ms=found.definition.interval_ms,
            window=window_of(_address(request), now),
        )
    )
    viewer = _viewer(request, found.freshness.now)
    opened = [fleet.incident(one.id) for one in found.incidents if one.closed_at is None]
    view = target.TargetView(
        answer=found,
        opened=tuple(one for one in opened if one is not None),
        past=past,
        charts=target_charts(past, viewer),
        because=because(found, past.checks or ()),
        base=_base(request),
    )
    return _page(target.page(view, fleet.counts(), viewer))


@get("/incidents", include_in_schema=False)
async def incidents_page(request: Asked, fleet: TheFleet, history: TheHistory) -> Response[str]:
    """Open incidents, or older ones."""
    asked = _address(request)
    fresh = fleet.freshness()
    found = await _incidents(asked, fleet, history)
    viewer = _viewer(request, fresh.now)
    return _page(incidents.page(found, fresh, fleet.counts(), asked, viewer))


async def _incidents(asked: Address, fleet: Fleet, history: History) -> incidents.IncidentsView:
    """From memory if that has all, else from the history; without it those of the last 24 h."""
    trouble = ""
    if incidents.which_of(asked) != "open":
        try:
            past = await history.incidents(
                incidents.past_query_of(asked),
                asked.value("cursor")[:2000] or None,
                _MOST_INCIDENTS,
            )
        except (HistoryUnavailableError, HistoryTooSlowError) as error:
            trouble = f"{error} {ENGLISH.only_24h}"
        else:
            return incidents.IncidentsView(
                rows=tuple(row_of_past(one) for one in past.rows),
                total=past.total,
                next_cursor=past.next or "",
            )
    query = incidents.query_of(asked)
    found = fleet.incidents(query)
    return incidents.IncidentsView(
        rows=found.rows, total=found.total, next_cursor=found.next_cursor, trouble=trouble
    )


@get("/incidents/{incident_id:str}", include_in_schema=False)
async def incident_page(
    request: Asked, fleet: TheFleet, history: TheHistory, incident_id: Id
) -> Response[str]:
    """One incident, open or long over."""
    answer = fleet.incident(incident_id)
    view = await _incident_view(request, answer, history, incident_id)
    if view.answer is None and view.past is None:
        status = HTTPStatus.SERVICE_UNAVAILABLE if view.trouble else HTTPStatus.NOT_FOUND
        raise ProblemError(
            status, view.trouble or ENGLISH.error_404_incident.format(id=incident_id[:99])
        )
    fresh = fleet.freshness()
    return _page(incident.page(view, fresh, fleet.counts(), _viewer(request, fresh.now)))


async def _incident_view(
    request: Asked, answer: IncidentAnswer | None, history: History, incident_id: str
) -> incident.IncidentView:
    past, trouble = None, ""
    try:
        past = await history.incident(incident_id)
    except (HistoryUnavailableError, HistoryTooSlowError) as error:
        trouble = str(error)
    return incident.IncidentView(
        answer=answer,
        past=past,
        trouble=trouble,
        is_there=answer is not None and answer.target_row is not None,
        charts=incident_charts(past, _viewer(request, now_ms())),
        base=_base(request),
    )


@get("/regions", include_in_schema=False)
async def regions_page(request: Asked, fleet: TheFleet) -> Response[str]:
    """Regions and their probers."""
    found = fleet.regions()
    viewer = _viewer(request, found.freshness.now)
    return _page(regions.page(found, fleet.counts(), viewer))


@get("/maintenance", include_in_schema=False)
async def maintenance_page(request: Asked, fleet: TheFleet) -> Response[str]:
    """Maintenance windows and silences."""
    windows = fleet.maintenance()
    viewer = _viewer(request, windows.freshness.now)
    return _page(maintenance.page(windows, fleet.silences(), fleet.counts(), viewer))


@get("/reports", include_in_schema=False)
async def reports_page() -> Redirect:
    """The first report."""
    return Redirect(f"/reports/{_KINDS[0]}", status_code=_SEE_OTHER)


@get("/reports/{kind:str}", include_in_schema=False)
async def report_page(
    request: Asked, fleet: TheFleet, history: TheHistory, kind: Id
) -> Response[str]:
    """A report over whole days (UTC), the last of which is today."""
    known = next((one for one in _KINDS if one == kind), None)
    if known is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, "")
    asked = _address(request)
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


@get("/theme", include_in_schema=False)
async def theme(request: Asked) -> Redirect:
    """Keeps the theme in a cookie and leads back to the page."""
    asked = _address(request)
    chosen = next((one for one in THEMES if one == asked.value("theme")), "auto")
    cookie = Cookie(
        key=THEME_COOKIE, value=chosen, path="/", max_age=_YEAR_S, httponly=True, samesite="lax"
    )
    return Redirect(local_path(asked.value("back")), status_code=_SEE_OTHER, cookies=[cookie])


def local_path(text: str) -> str:
    """`text` if it is a path on this server, else the overview's.

    Two slashes of either kind and what a browser makes of tabs and line feeds lead elsewhere.
    """
    is_local = text.startswith("/") and not text.startswith(("//", "/\\"))
    return text if is_local and text.isascii() and text.isprintable() else "/"


@get("/static/{digest:str}/{name:str}", include_in_schema=False)
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
    incidents_page,
    incident_page,
    regions_page,
    maintenance_page,
    reports_page,
    report_page,
    theme,
    static,
)
"""All routes of the pages."""


def error_page_of(fleet: Fleet) -> Callable[[Asked, Problem], Response[str]]:
    """Shows an error to a person; see `portquorum.web.errors.ErrorPage`.

    The templates are compiled when this returns.
    """
    warm()

    def shown(request: Asked, problem: Problem) -> Response[str]:
        fresh = fleet.freshness()
        viewer = _viewer(request, fresh.now)
        return _page(error_page.page(problem, fresh, fleet.counts(), viewer))

    return shown
