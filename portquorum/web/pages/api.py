"""The REST API for people: each operation of the OpenAPI document, and the scope that it needs."""

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Struct, field

from portquorum.web.answers import Counts, Freshness
from portquorum.web.api.document import DOCUMENT_PATH
from portquorum.web.pages.rendering import render
from portquorum.web.pages.viewer import Viewer


class ParameterDoc(Struct, frozen=True):
    """A parameter; `says` is what values it takes."""

    name: str
    says: str
    description: str


class OperationDoc(Struct, frozen=True):
    """A method of a path of the API, and the scope that it needs.

    `fields` are those of its body. `example` can be asked as it stands; empty: it can not.
    """

    name: str
    method: str
    path: str
    need: str
    summary: str
    description: str
    parameters: tuple[ParameterDoc, ...]
    fields: tuple[ParameterDoc, ...]
    example: str


class _Parameter(Struct, rename={"place": "in"}):
    name: str
    place: str = "query"
    schema: dict[str, object] = {}
    description: str = ""
    required: bool = False


class _Content(Struct):
    schema: dict[str, object] = {}


class _Body(Struct):
    content: dict[str, _Content] = {}


class _Operation(Struct, rename={"operation_id": "operationId", "body": "requestBody"}):
    operation_id: str
    summary: str = ""
    description: str = ""
    parameters: tuple[_Parameter, ...] = ()
    need: str = field(default="", name="x-portquorum-scope")
    body: _Body | None = None


class _Components(Struct, frozen=True):
    schemas: dict[str, dict[str, object]] = {}


class _Document(Struct):
    paths: dict[str, dict[str, _Operation]]
    components: _Components = _Components()


_MOST_VALUES: Final = 12
_HEADER: Final = "header"
"""Where conditions and keys stand: they are the same for all changes, and said once above."""


def page(document: bytes, freshness: Freshness, counts: Counts, viewer: Viewer) -> str:
    """The page as HTML; `document` is the OpenAPI document as JSON."""
    return render(
        "api.html",
        viewer,
        freshness,
        counts,
        operations=operations(document),
        document=DOCUMENT_PATH,
    )


def operations(document: bytes) -> list[OperationDoc]:
    """The operations of the OpenAPI document (JSON), in its order."""
    found = msgspec.json.decode(document, type=_Document)
    return [
        _operation(method, path, one, found.components.schemas)
        for path, item in found.paths.items()
        for method, one in item.items()
    ]


def _operation(
    method: str, path: str, found: _Operation, schemas: Mapping[str, Mapping[str, object]]
) -> OperationDoc:
    needs = "{" in path or any(one.required for one in found.parameters)
    is_example = method == "get" and not needs and not path.endswith("/events")
    return OperationDoc(
        name=found.operation_id,
        method=method.upper(),
        path=path,
        need=found.need,
        summary=found.summary,
        description=" ".join(found.description.split()),
        parameters=tuple(
            ParameterDoc(one.name, _values(one.schema), one.description)
            for one in found.parameters
            if one.place != _HEADER
        ),
        fields=_fields(found.body, schemas),
        example=path if is_example else "",
    )


def _fields(
    body: _Body | None, schemas: Mapping[str, Mapping[str, object]]
) -> tuple[ParameterDoc, ...]:
    """The fields of a body, as far as its schema names them."""
    content = next(iter(body.content.values()), _Content()) if body is not None else _Content()
    name = f"{content.schema.get('$ref', '')}".rpartition("/")[2]
    found = schemas.get(name, {}).get("properties")
    if not isinstance(found, dict):
        return ()
    return tuple(
        ParameterDoc(one, _values(schema), f"{schema.get('description', '')}")
        for one, schema in found.items()
    )


def _values(schema: dict[str, object]) -> str:
    """What values a parameter takes, in words: its choices, else its type and bounds."""
    inner = schema.get("items")
    if isinstance(inner, dict):
        return _values(inner)
    choices = schema.get("enum")
    if isinstance(choices, list):
        shown = ", ".join(f"{one}" for one in choices[:_MOST_VALUES] if one != "")
        return f"{shown}, …" if len(choices) > _MOST_VALUES else shown
    kind = schema.get("type")
    bounds = [f"{schema[name]:,.15g}" for name in ("minimum", "maximum") if name in schema]
    words = kind if isinstance(kind, str) else ""
    return f"{words} {' to '.join(bounds)}".strip()
