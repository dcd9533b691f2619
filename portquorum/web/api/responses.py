"""What each operation of the OpenAPI document may answer, and what it takes beside its query."""

from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct

from portquorum.web.access.needs import NEED
from portquorum.web.api.changes import CHANGE, Change
from portquorum.web.api.repeats import HEADER
from portquorum.web.problem import MEDIA_TYPE

Document = dict[str, Any]
"""JSON."""
RefOf = Callable[[type[Struct]], Document]
"""The reference to the schema of a Struct."""

SECURITY_SCHEMES: Final[Document] = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token `pq_…` of /tokens; it can do what its scope and its limits let it.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "portquorum_session",
        "description": "Somebody who signed in with a browser; with TLS it is called "
        "`__Host-portquorum_session`.",
    },
    "csrf": {
        "type": "apiKey",
        "in": "header",
        "name": "X-CSRF-Token",
        "description": "Beside a session, for what changes something: the field `csrf` of a form.",
    },
}
_READS: Final[list[Document]] = [{"token": []}, {"session": []}, {}]
_CHANGES: Final[list[Document]] = [{"token": []}, {"session": [], "csrf": []}, {}]
"""The empty one: programs on this machine, as long as there are no users."""

_PROBLEM: Final = {"$ref": "#/components/schemas/Problem"}
_WEAK_TAG: Final = {
    "description": "A weak tag of the answer; send it back as If-None-Match.",
    "schema": {"type": "string"},
}
_STRONG_TAG: Final = {
    "description": "The version; send it back as If-Match with a change, or as If-None-Match.",
    "schema": {"type": "string"},
}
_LOCATION: Final = {"description": "Where it is.", "schema": {"type": "string"}}
_TAGS: Final = {"type": "string", "pattern": r'^(\*|"[0-9]{1,15}")$'}
_MATCH: Final[list[Document]] = [
    {
        "name": "If-Match",
        "in": "header",
        "required": False,
        "description": "The `ETag` that is to be replaced; `*`: any, but there must be one.",
        "schema": _TAGS,
    },
    {
        "name": "If-None-Match",
        "in": "header",
        "required": False,
        "description": "`*`: there must be none yet.",
        "schema": _TAGS,
    },
]
_KEY: Final[Document] = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "A key of your own, as a UUID: what is sent again with it within 24 h is done "
    "once, and gets the same answer.",
    "schema": {"type": "string", "pattern": r'^"?[!#-\[\]-~]{1,255}"?$'},
}


def finish(operation: Document, method: str, path: str, opt: Document, ref_of: RefOf) -> None:
    """Completes an operation; `opt` is what its route says of itself."""
    for parameter in operation.get("parameters", ()):
        parameter["schema"] = _without_null(parameter["schema"])
    change = opt.get(CHANGE)
    operation["x-portquorum-scope"] = opt.get(NEED, "public")
    operation["security"] = _READS if change is None else _CHANGES
    responses: Document = operation["responses"]
    responses["400"] = _problem("A parameter or a field is wrong; `errors` names it.")
    responses["401"] = _problem("Nobody is known by this request: send a token, or sign in.")
    responses["403"] = _problem("Your scope or your limits do not allow it, or it is forged.")
    responses["500"] = _problem("A fault of the program, which is in its log.")
    if "{" in path or opt.get("missing"):
        responses["404"] = _problem("There is none.")
    if "{incident_id}" in path:
        responses["409"] = _problem("Several ids begin so; `detail` lists them.")
    if isinstance(change, Change):
        _changes(operation, method, change, ref_of)
    else:
        _reads(responses, opt)


def _reads(responses: Document, opt: Document) -> None:
    success = responses["200"]
    if opt.get("live"):
        success["content"] = {"text/event-stream": {"schema": {"type": "string"}}}
    elif media_type := opt.get("yaml"):
        success["content"] = {media_type: {"schema": {"type": "object"}}}
    else:
        tag = _STRONG_TAG if opt.get("versioned") else _WEAK_TAG
        success.setdefault("headers", {})["ETag"] = tag
        responses["304"] = {"description": "What you have is what there is."}
    if rows := opt.get("rows"):
        _with_fields(success["content"]["application/json"], rows)
    if opt.get("csv"):
        success["content"]["text/csv"] = {"schema": {"type": "string"}}
    if opt.get("history"):
        responses["503"] = _problem("What is asked for is away (`since`: from when on), or slow.")
    elif opt.get("live"):
        responses["503"] = _problem("Too many watch live already.")
    else:
        responses["503"] = _problem("The topics can't be read (`since`: from when on).")


def _changes(operation: Document, method: str, change: Change, ref_of: RefOf) -> None:
    responses: Document = operation["responses"]
    parameters: list[Document] = operation.setdefault("parameters", [])
    success = next(responses[one] for one in ("200", "201", "204") if one in responses)
    if change.also:
        content = success["content"]["application/json"]
        content["schema"] = {"anyOf": [content["schema"], *map(ref_of, change.also)]}
    if change.body is not None:
        schema = ref_of(change.body)
        operation["requestBody"] = {
            "required": change.needs_body,
            "content": {name: {"schema": schema} for name in change.media_types},
        }
        responses["408"] = _problem("The body did not come within 10 s.")
        responses["413"] = _problem("The body is larger than 1 MB.")
        responses["415"] = _problem("The body is of another media type.")
    if change.has_version:
        parameters += _MATCH
        responses["412"] = _problem("A condition fails; `version` is the present one.")
        if "content" in success:
            success.setdefault("headers", {})["ETag"] = _STRONG_TAG
    if method == "post":
        parameters.append(_KEY)
        responses["422"] = _problem(f"{HEADER}: the key was used for another request.")
    responses["409"] = _problem("Somebody else was first, or it is under way.")
    responses["503"] = _problem("Kafka is away, or the topics can't be read; nothing was changed.")
    if change.made and method != "post":
        responses["201"] = {**success, "description": "It is new."}
    if change.made:
        made = responses["201"]
        made["headers"] = {**made.get("headers", {}), "Location": _LOCATION}
    for status, says in change.statuses.items():
        is_success = status < 300
        responses[str(status)] = {**success, "description": says} if is_success else _problem(says)
    operation["responses"] = dict(sorted(responses.items()))


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
