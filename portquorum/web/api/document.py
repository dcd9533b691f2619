"""The OpenAPI 3.1 document, and what Litestar can't know of the routes."""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, Final

import msgspec
from litestar import Request, Router
from litestar.enums import OpenAPIMediaType
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import OpenAPIRenderPlugin

from portquorum.web.access.needs import needs
from portquorum.web.answers import Change
from portquorum.web.problem import MEDIA_TYPE, Problem
from schemas.json_schema import portable

DOCUMENT_PATH: Final = "/api/v1/openapi.json"

Document = dict[str, Any]
"""JSON."""

_RENAMED: Final = (
    (b"history_answers_", b"Past"),
    (b"portquorum.web.history.answers.", b"Past"),
    (b"portquorum.web.answers.", b""),
    (b"answers_", b""),
)
"""Names of Structs that have one name in two modules: now, and in the history."""

_PROBLEM: Final = {"$ref": "#/components/schemas/Problem"}
_ETAG: Final = {
    "description": "A weak tag of the answer; send it back as If-None-Match.",
    "schema": {"type": "string"},
}


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
        opts, types = _handlers(request)
        made = msgspec.json.encode(finished(openapi_schema, opts, types))
        request.app.state.document = made
    return made


def _handlers(
    request: "Request[Any, Any, Any]",
) -> tuple[dict[str, dict[str, Any]], list[type]]:
    """What each handler says of itself, by its operation's id; and what they answer."""
    opts: dict[str, dict[str, Any]] = {}
    types: dict[type, None] = {}
    for route in request.app.routes:
        for handler in getattr(route, "route_handlers", ()):
            name = getattr(handler, "operation_id", None)
            if isinstance(name, str):
                opts[name] = dict(handler.opt)
                inner = handler.parsed_fn_signature.return_type.inner_types
                types.update(dict.fromkeys(one.annotation for one in inner))
    return opts, list(types)


def finished(
    document: Document, opts: dict[str, dict[str, Any]], types: Sequence[type]
) -> Document:
    """The document with every answer that there is: problems, 304, CSV, live events.

    The schemas of what is answered are msgspec's own: they have every range and every docstring.
    """
    _, schemas = msgspec.json.schema_components(
        [*types, Problem, Change], ref_template="#/components/schemas/{name}"
    )
    components = portable(schemas)
    del components["$schema"]
    text = msgspec.json.encode({**document, "components": {"schemas": components}})
    for written, name in _RENAMED:
        text = text.replace(b'"' + written, b'"' + name).replace(b"/" + written, b"/" + name)
    made: Document = msgspec.json.decode(text)
    for path, item in made.get("paths", {}).items():
        for operation in item.values():
            if isinstance(operation, dict) and "responses" in operation:
                _finish(operation, path, opts.get(operation.get("operationId", ""), {}))
    return made


def _finish(operation: Document, path: str, opt: dict[str, Any]) -> None:
    for parameter in operation.get("parameters", ()):
        parameter["schema"] = _without_null(parameter["schema"])
    responses: Document = operation["responses"]
    success = responses["200"]
    if opt.get("live"):
        success["content"] = {"text/event-stream": {"schema": {"type": "string"}}}
    else:
        success.setdefault("headers", {})["ETag"] = _ETAG
        responses["304"] = {"description": "What you have is what there is."}
    if rows := opt.get("rows"):
        _with_fields(success["content"]["application/json"], rows)
    if opt.get("csv"):
        success["content"]["text/csv"] = {"schema": {"type": "string"}}
    responses["400"] = _problem("A parameter is wrong; `errors` names it.")
    responses["403"] = _problem("Not from this machine, or from another site's page.")
    if "{" in path or opt.get("missing"):
        responses["404"] = _problem("There is none.")
    if "{incident_id}" in path:
        responses["409"] = _problem("Several ids begin so; `detail` lists them.")
    responses["500"] = _problem("A fault of the program, which is in its log.")
    if opt.get("history"):
        responses["503"] = _problem("What is asked for is away (`since`: from when on), or slow.")
    elif opt.get("live"):
        responses["503"] = _problem("Too many watch live already.")
    elif opt.get("csv") or "{" in path:
        responses["503"] = _problem("The topics can't be read (`since`: from when on).")


def _with_fields(content: Document, rows: str) -> None:
    """With `fields`, rows have only these."""
    some = {
        "type": "object",
        "description": "With `fields`: as the other one, and rows have these fields alone.",
        "required": [rows],
        "properties": {rows: {"type": "array", "items": {"type": "object"}}},
    }
    content["schema"] = {"anyOf": [content["schema"], some]}


def _without_null(schema: Document) -> Document:
    """A query has no null: what may be left out is not `required`."""
    kept = [one for one in schema.get("oneOf", ()) if one != {"type": "null"}]
    if len(kept) != 1:
        return schema
    rest = {name: value for name, value in schema.items() if name != "oneOf"}
    return {**kept[0], **rest}


def _problem(description: str) -> Document:
    return {"description": description, "content": {MEDIA_TYPE: {"schema": _PROBLEM}}}
