"""Parameters that several questions have, and what becomes of others."""

import difflib
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from itertools import islice
from typing import Annotated, Final, Literal

from litestar import Litestar, Request
from litestar.datastructures import State as AppState
from litestar.openapi.spec import OpenAPIType, Schema
from litestar.openapi.spec import Parameter as DocumentedParameter
from litestar.params import QueryParameter
from msgspec import Meta

from portquorum.changing.errors import FieldError
from portquorum.web.problem import ProblemError

MOST_VALUES: Final = 100
"""Values of one filter."""
_MOST_ERRORS: Final = 20
"""Unknown parameters that are named: to find what each was meant to be takes time."""
LIMIT: Final = 100
MOST_ROWS: Final = 1000

Filter = list[Annotated[str, Meta(max_length=255)]]
Words = Annotated[
    str,
    QueryParameter(
        name="q",
        max_length=200,
        description="Words that all must be in id, name, place, team or a tag, in any case.",
    ),
]
Limit = Annotated[
    int,
    QueryParameter(ge=1, le=MOST_ROWS, description="The most rows of one answer (not of a CSV)."),
]
Cursor = Annotated[
    str,
    QueryParameter(
        max_length=2000, description="`next_cursor` of the answer before; the same filters with it."
    ),
]
Form = Annotated[
    Literal["json", "csv"],
    QueryParameter(
        name="format", description="`csv`: all rows, without pages; `Accept: text/csv` does too."
    ),
]
GroupBy = Annotated[
    Literal["team", "tag", "kind", "criticality", "region", "source"],
    QueryParameter(name="group_by", description="What makes a group."),
]


def many(name: str, description: str) -> QueryParameter:
    """A filter that may be given several times: any of its values matches."""
    return QueryParameter(
        name=name,
        max_items=MOST_VALUES,
        required=False,
        description=f"{description} Repeat it: any of the values matches.",
    )


_METHODS: Final = ("get", "put", "post", "patch", "delete")


def known_parameters(app: Litestar) -> Mapping[tuple[str, str], Mapping[str, bool]]:
    """The names of the query's parameters of each route of the API, by method and path.

    True for one whose value `null` would be read as if it were left out.
    """
    paths = app.openapi_schema.paths or {}
    return {
        (method.upper(), path): {
            one.name: _takes_null(one)
            for one in operation.parameters or ()
            if isinstance(one, DocumentedParameter) and one.param_in == "query"
        }
        for path, item in paths.items()
        for method in _METHODS
        if (operation := getattr(item, method)) is not None
    }


def _takes_null(parameter: DocumentedParameter) -> bool:
    schema = parameter.schema
    kinds = {
        one.type
        for one in (schema.one_of if isinstance(schema, Schema) else None) or ()
        if isinstance(one, Schema)
    }
    return OpenAPIType.NULL in kinds and not kinds & {OpenAPIType.ARRAY, OpenAPIType.STRING}


def refuse_unknown(request: Request[None, None, AppState]) -> None:
    """A misspelt filter would be an answer to another question, so it is refused.

    Raises:
        ProblemError: a parameter that the route does not have, or `null` for one.
    """
    place = request.method, request.scope["path_template"]
    known = request.app.state.known_parameters.get(place)
    if known is None:
        return
    if "format" not in known and request.query_params.get("format") == "csv":
        raise ProblemError(HTTPStatus.BAD_REQUEST, "this is no list, there is no CSV of it")
    strange = (name for name in dict.fromkeys(request.query_params.keys()) if name not in known)
    errors = tuple(
        FieldError(field=name[:100], message=_unknown(name, known))
        for name in islice(strange, _MOST_ERRORS)
    )
    errors += tuple(
        FieldError(field=name, message="`null` is no value of it; leave it out")
        for name, takes_null in known.items()
        if takes_null and request.query_params.get(name, "").lower() == "null"
    )
    if errors:
        said = "; ".join(f"{one.field}: {one.message}" for one in errors[:5])
        raise ProblemError(HTTPStatus.BAD_REQUEST, said, errors=errors)


def _unknown(name: str, known: Iterable[str]) -> str:
    alike = difflib.get_close_matches(name[:100], known, 1)
    if alike:
        return f"no such parameter; did you mean `{alike[0]}`?"
    there = ", ".join(sorted(known)) or "none"
    return f"no such parameter; there are {there}"
