"""The page of an error. It must not fail itself, so it needs little."""

import re
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

from litestar import Response

from portquorum.web.answers import Counts, Freshness
from portquorum.web.pages.rendering import render, render_bare
from portquorum.web.pages.viewer import Viewer
from portquorum.web.problem import Problem
from portquorum.web.words import ENGLISH

_TARGET: Final = re.compile(r"/targets/([^/?]{1,255})(?=$|[/?])")
_TITLES: Final = {
    HTTPStatus.BAD_REQUEST: ENGLISH.error_400,
    HTTPStatus.FORBIDDEN: ENGLISH.error_403,
    HTTPStatus.NOT_FOUND: ENGLISH.error_404,
    HTTPStatus.CONFLICT: ENGLISH.error_409,
    HTTPStatus.METHOD_NOT_ALLOWED: ENGLISH.error_405,
    HTTPStatus.SERVICE_UNAVAILABLE: ENGLISH.error_503,
}
_AGAIN: Final = {"Refresh": "3"}
"""A browser asks again after so many seconds."""
_HINTS: Final = {
    HTTPStatus.NOT_FOUND: ENGLISH.error_404_help,
    HTTPStatus.INTERNAL_SERVER_ERROR: ENGLISH.error_500_help,
}


def page(
    found: Problem, freshness: Freshness, counts: Counts, viewer: Viewer, without: str = ""
) -> str:
    """The page as HTML; `counts` are those of the whole fleet.

    `without`: the address without what is wrong in it (empty: there is none).
    """
    status = HTTPStatus(found.status)
    usual = ENGLISH.error_500 if status >= HTTPStatus.INTERNAL_SERVER_ERROR else found.title
    return render(
        "error.html",
        viewer,
        freshness,
        counts,
        title=_TITLES.get(status, usual),
        detail=found.detail,
        errors=found.errors[:20],
        hint=_HINTS.get(status, ""),
        without=without,
        past=_past(status, viewer.here),
        live_path="",
    )


def _past(status: HTTPStatus, here: str) -> str:
    """The incidents of a target that there is no more; empty: no target was asked for."""
    found = _TARGET.match(here)
    if status != HTTPStatus.NOT_FOUND or found is None:
        return ""
    return f"/incidents?status=all&target={quote(found[1], safe='')}"


def bare(found: Problem, viewer: Viewer) -> Response[str]:
    """The page of an error for a stranger: it says nothing of the fleet.

    While nobody knows yet who may come in, it asks again by itself.
    """
    status = HTTPStatus(found.status)
    is_early = status == HTTPStatus.SERVICE_UNAVAILABLE
    text = render_bare(
        "refused.html",
        viewer,
        title=_TITLES.get(status, found.title),
        detail=found.detail,
        is_early=is_early,
        may_sign_in=not is_early,
    )
    return Response(text, media_type="text/html", headers=_AGAIN if is_early else {})


def refusal(status: HTTPStatus, why: str) -> str:
    """The page for whom the door refuses (another site's page, a proxy, a strange name)."""
    return render_bare(
        "refused.html",
        Viewer(now=0),
        title=_TITLES.get(status, status.phrase),
        detail=why,
        is_early=False,
        may_sign_in=False,
    )
