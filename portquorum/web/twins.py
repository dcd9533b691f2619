"""The twins of pages: `/targets.json` is what `/api/v1/targets` answers, `.csv` the same as CSV."""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from litestar.types import HTTPScope

_API: Final = "/api/v1"
_NAMED: Final = {"": "overview", "index": "overview", "maintenance": "maintenances"}
"""Pages whose twin has another name."""


def twin(scope: "HTTPScope") -> "HTTPScope":
    """The scope of the API's answer for the path of a twin; any other scope as it is.

    The query is the same: pages and API have the same parameters.
    """
    path = scope["path"]
    stem, dot, form = path.rpartition(".")
    if not dot or form not in {"json", "csv"} or path.startswith(("/api/", "/static/")):
        return scope
    name = stem.removeprefix("/")
    target = f"{_API}/{_NAMED.get(name, name)}"
    query = scope["query_string"]
    if form == "csv":
        query = b"&".join(part for part in (query, b"format=csv") if part)
    return {**scope, "path": target, "query_string": query}
