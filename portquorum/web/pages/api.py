"""The REST API for people: each path of the OpenAPI document, with its parameters and answers."""

from typing import Final

import msgspec
from msgspec import Struct

from portquorum.web.answers import Counts, Freshness
from portquorum.web.api.document import DOCUMENT_PATH
from portquorum.web.pages.rendering import render
from portquorum.web.pages.viewer import Viewer


class ParameterDoc(Struct, frozen=True):
    """A parameter; `says` is what values it takes."""

    name: str
    says: str
    description: str


class PathDoc(Struct, frozen=True):
    """A path of the API. `example` can be asked as it stands; empty: something is missing."""

    name: str
    path: str
    summary: str
    description: str
    parameters: tuple[ParameterDoc, ...]
    example: str


class _Parameter(Struct):
    name: str
    schema: dict[str, object]
    description: str = ""
    required: bool = False


class _Operation(Struct):
    operationId: str  # noqa: N815 - OpenAPI's name
    summary: str = ""
    description: str = ""
    parameters: tuple[_Parameter, ...] = ()


class _Item(Struct):
    get: _Operation


class _Document(Struct):
    paths: dict[str, _Item]


_MOST_VALUES: Final = 12


def page(document: bytes, freshness: Freshness, counts: Counts, viewer: Viewer) -> str:
    """The page as HTML; `document` is the OpenAPI document as JSON."""
    found = msgspec.json.decode(document, type=_Document)
    return render(
        "api.html",
        viewer,
        freshness,
        counts,
        paths=[_path(path, item.get) for path, item in found.paths.items()],
        document=DOCUMENT_PATH,
    )


def _path(path: str, found: _Operation) -> PathDoc:
    needs = "{" in path or any(one.required for one in found.parameters)
    return PathDoc(
        name=found.operationId,
        path=path,
        summary=found.summary,
        description=" ".join(found.description.split()),
        parameters=tuple(
            ParameterDoc(one.name, _values(one.schema), one.description) for one in found.parameters
        ),
        example="" if needs or path.endswith("/events") else path,
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
    bounds = [f"{schema[name]}" for name in ("minimum", "maximum") if name in schema]
    words = kind if isinstance(kind, str) else ""
    return f"{words} {' to '.join(bounds)}".strip()
