"""What a page is asked: its address, and who looks at it."""

from http import HTTPStatus
from typing import Any

from litestar import Request

from portquorum.access.principal import Principal
from portquorum.web.pages.address import LONGEST_QUERY, MOST_PAIRS, Address
from portquorum.web.pages.viewer import Viewer, rights_of, viewer_of
from portquorum.web.problem import ProblemError
from portquorum.web.words import ENGLISH

Asked = Request[Any, Any, Any]


def address_of(request: Asked) -> Address:
    """Path and query.

    Raises:
        ProblemError: the query is longer than any that a page leads to.
    """
    if len(request.scope["query_string"]) <= LONGEST_QUERY:
        pairs = tuple((name, value) for name, value in request.query_params.multi_items())
        if len(pairs) <= MOST_PAIRS:
            return Address(request.scope["path"], pairs)
    raise ProblemError(HTTPStatus.BAD_REQUEST, ENGLISH.error_long_query.format(most=MOST_PAIRS))


def viewer_at(request: Asked, now: int, who: Principal) -> Viewer:
    """Who looks, without their name: pages are kept for all who may do the same."""
    return viewer_of(request.cookies, now, f"{address_of(request)}", rights_of(who))
