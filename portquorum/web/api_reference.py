"""`python -m portquorum.web.api_reference [--check]`: writes docs/api-reference.md.

Every operation of the REST API with its parameters, and every Struct of its answers, from the
OpenAPI document. With `--check` nothing is written; the exit code is 1 if the page differs.
"""

import asyncio
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, cast

import msgspec
from litestar import Litestar

from foundation.http_origin import Served
from portquorum.web.api.document import made_of
from portquorum.web.app import create_app
from portquorum.web.pages.api import OperationDoc, ParameterDoc, operations
from portquorum.web.parts import Parts

PAGE: Final = Path(__file__).parents[2] / "docs" / "api-reference.md"
_REFERENCE: Final = "#/components/schemas/"
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_HEAD: Final = """\
# The REST API: every operation and field

Made from the code by `make generate`, of what `/api/v1/openapi.json` says; [api.md](api.md)
explains how to use it. **Scope**: what a user or token must at least have
([access.md](access.md)). A field that may be null is not known then, or does not apply.
"""


def document() -> bytes:
    """The OpenAPI document (JSON) of an app that answers nobody."""
    nothing = Parts(cast("Any", None), cast("Any", None), cast("Any", None), asyncio.Event())
    app = cast("Litestar", create_app(nothing, Served("127.0.0.1")).app)
    return made_of(app, app.openapi_schema.to_schema())


def page() -> str:
    """The whole page."""
    written = document()
    lines = [_HEAD, "## Operations\n"]
    # Litestar has them in another order in each process.
    for one in sorted(operations(written), key=lambda one: (one.path, _METHODS.index(one.method))):
        lines += _operation(one)
    lines.append("## Structs\n")
    schemas = msgspec.json.decode(written)["components"]["schemas"]
    for name, schema in sorted(schemas.items()):
        lines += _struct(name, schema)
    return "\n".join(lines)


def _operation(one: OperationDoc) -> Iterator[str]:
    yield f"### {one.method} `{one.path}`\n"
    scope = f" Scope: `{one.need}`." if one.need else ""
    yield f"{one.summary}.{scope}\n"
    if one.description and one.description != one.summary:
        yield f"{one.description}\n"
    for title, listed in (("parameter", one.parameters), ("field of the body", one.fields)):
        if listed:
            yield from _table(title, listed)


def _table(title: str, listed: tuple[ParameterDoc, ...]) -> Iterator[str]:
    yield f"| {title} | values | meaning |"
    yield "|---|---|---|"
    for one in listed:
        yield f"| `{one.name}` | {_cell(one.says)} | {_cell(one.description)} |"
    yield ""


def _struct(name: str, schema: Mapping[str, Any]) -> Iterator[str]:
    properties = schema.get("properties")
    if not properties:
        return
    yield f"### {name}\n"
    if schema.get("description"):
        yield f"{_cell(schema['description'])}\n"
    yield "| field | type |"
    yield "|---|---|"
    for field, inner in properties.items():
        yield f"| `{field}` | {_cell(_type(inner))} |"
    yield ""


def _type(schema: Mapping[str, Any]) -> str:
    """A type in words: Structs by their names, choices by their values."""
    if "$ref" in schema:
        return f"`{schema['$ref'].removeprefix(_REFERENCE)}`"
    if "enum" in schema:
        return ", ".join(f"`{one}`" for one in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(map(_type, schema["anyOf"]))
    kind = schema.get("type", "any value")
    if kind == "array":
        members = schema.get("prefixItems")
        inner = [_type(one) for one in members] if members else [_type(schema.get("items", {}))]
        return f"list of {', '.join(inner)}"
    values = schema.get("additionalProperties")
    if kind == "object" and isinstance(values, Mapping):
        return f"mapping to {_type(values)}"
    words = schema.get("description", "")
    return f"{kind}" + (f" ({words})" if words else "")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def main(arguments: list[str]) -> int:
    """Writes the page, or compares it; returns the exit code."""
    made = page()
    if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == made:
        return 0
    check = "--check" in arguments
    if not check:
        PAGE.write_text(made, encoding="utf-8")
    sys.stdout.write(f"{'differs' if check else 'written'}: docs/{PAGE.name}\n")
    return 1 if check else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
