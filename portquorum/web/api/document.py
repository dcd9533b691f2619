"""The OpenAPI 3.1 document, and what Litestar can't know of the routes."""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, Final

import msgspec
from litestar import Litestar, Request, Router
from litestar.enums import OpenAPIMediaType
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import OpenAPIRenderPlugin

from portquorum.web.access.needs import needs
from portquorum.web.answers import Change as LiveChange
from portquorum.web.api.changes import CHANGE, Change
from portquorum.web.api.responses import SECURITY_SCHEMES, Document, finish
from portquorum.web.problem import Problem
from schemas.json_schema import portable

DOCUMENT_PATH: Final = "/api/v1/openapi.json"

_RENAMED: Final = (
    (b"history_answers_", b"Past"),
    (b"portquorum.web.history.answers.", b"Past"),
    (b"portquorum.web.answers.", b""),
    (b"answers_", b""),
)
"""Names of Structs that have one name in two modules: now, and in the history."""


def openapi_config() -> OpenAPIConfig:
    """What Litestar makes the document of."""
    return OpenAPIConfig(
        title="portquorum",
        version=version("portquorum"),
        summary="What is up, what is down and why, and what was.",
        description=(
            "All times are UTC in ms since 1970, unless they are dates. Names, summaries, notes "
            "and details are as people typed them and servers sent them: clean them before you "
            "show them. A value that is null is not known, or does not apply; it is never zero. "
            "New fields and new values of enumerations may come in any version."
        ),
        use_handler_docstrings=True,
        openapi_router=Router(
            DOCUMENT_PATH, route_handlers=[], include_in_schema=False, opt=needs("viewer")
        ),
        render_plugins=[DocumentPlugin()],
    )


class DocumentPlugin(OpenAPIRenderPlugin):
    """Serves the document; nothing is fetched from elsewhere."""

    def __init__(self) -> None:
        """At `DOCUMENT_PATH`."""
        # The second path is where Litestar would serve its own.
        super().__init__(path=["/", "/openapi.json"], media_type=OpenAPIMediaType.OPENAPI_JSON)

    def render(self, request: "Request[Any, Any, Any]", openapi_schema: dict[str, Any]) -> bytes:
        """The document, made once."""
        return document_of(request, openapi_schema)


def document_of(request: "Request[Any, Any, Any]", openapi_schema: dict[str, Any]) -> bytes:
    """The document as JSON, made once for each app; `openapi_schema` is Litestar's."""
    made: bytes | None = request.app.state.get("document")
    if made is None:
        made = request.app.state.document = made_of(request.app, openapi_schema)
    return made


def made_of(app: Litestar, openapi_schema: dict[str, Any]) -> bytes:
    """The document of an app as JSON; `openapi_schema` is Litestar's."""
    opts, types = _handlers(app)
    return msgspec.json.encode(finished(openapi_schema, opts, types))


def _handlers(app: Litestar) -> tuple[dict[str, dict[str, Any]], list[type]]:
    """What each handler says of itself, by its operation's id; and what they take and answer."""
    opts: dict[str, dict[str, Any]] = {}
    types: dict[type, None] = {}
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            name = getattr(handler, "operation_id", None)
            if isinstance(name, str):
                opts[name] = dict(handler.opt)
                inner = handler.parsed_fn_signature.return_type.inner_types
                types.update(dict.fromkeys(one.annotation for one in inner))
    changes = [one for opt in opts.values() if isinstance(one := opt.get(CHANGE), Change)]
    types.update(dict.fromkeys(one.body for one in changes if one.body is not None))
    types.update(dict.fromkeys(also for one in changes for also in one.also))
    return opts, list(types)


def finished(
    document: Document, opts: dict[str, dict[str, Any]], types: Sequence[type]
) -> Document:
    """The document with every answer that there is: problems, 304, CSV, live events.

    The schemas of what is taken and answered are msgspec's own: they have every range and every
    docstring.
    """
    wanted = [*types, Problem, LiveChange]
    refs, schemas = msgspec.json.schema_components(
        wanted, ref_template="#/components/schemas/{name}"
    )
    components = portable(schemas)
    del components["$schema"]
    made: Document = _renamed({**document, "components": {"schemas": components}})
    made["components"]["securitySchemes"] = SECURITY_SCHEMES
    ref_of = dict(zip(wanted, map(_renamed, refs), strict=True))
    for path, item in made.get("paths", {}).items():
        for method, operation in item.items():
            if isinstance(operation, dict) and "responses" in operation:
                opt = opts.get(operation.get("operationId", ""), {})
                finish(operation, method, path, opt, ref_of.__getitem__)
    return made


def _renamed(document: Document) -> Document:
    text = msgspec.json.encode(document)
    for written, name in _RENAMED:
        text = text.replace(b'"' + written, b'"' + name).replace(b"/" + written, b"/" + name)
    made: Document = msgspec.json.decode(text)
    return made
