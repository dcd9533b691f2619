"""What readers and stored messages of one version of a schema would miss in another.

Both directions count: a reader made from the old schema meets new messages, and a reader made from
the new schema meets old ones, which stay on the topics for months. Compared is what the schemas
mean, not how they write it: `anyOf` with null is the same as a list of types.

Conditions (`if`) are compared as they are written: any other one is a break. Of libraries for
this, those that compare sets of valid documents do not see that an optional field is gone (any
object may have more fields), and those that compare texts call each other way of writing a break.
"""

from collections.abc import Iterator
from typing import Any, Final

from msgspec import Struct

CONDITIONS: Final = ("if", "then", "else", "not", "allOf", "oneOf", "dependentRequired")
"""Keywords that say what the fields of an object say of each other."""

LIMITS: Final = {
    "minimum": 1,
    "exclusiveMinimum": 1,
    "minLength": 1,
    "minItems": 1,
    "minProperties": 1,
    "maximum": -1,
    "exclusiveMaximum": -1,
    "maxLength": -1,
    "maxItems": -1,
    "maxProperties": -1,
}
"""Keyword → 1 if a greater number takes fewer values, -1 if it takes more."""


class Broken(Struct, frozen=True, order=True):
    """One difference that breaks a reader: where, and what."""

    path: str
    what: str


class _Meaning(Struct, frozen=True):
    """What a schema takes: type → its keywords, and objects by their names."""

    types: dict[str, dict[str, Any]]
    objects: dict[str, dict[str, Any]]


def breaks(old: dict[str, Any], new: dict[str, Any]) -> list[Broken]:
    """All breaks between the released schema `old` and `new`; none if `new` has a later version."""
    versions = [_version(schema) for schema in (old, new)]
    if versions[1] > versions[0]:
        return []
    found = list(_differ(old, new, old, new, ""))
    if "$id" in old and old["$id"] != new.get("$id"):
        found.append(Broken("$id", f"was {old['$id']}, is {new.get('$id')}, of the same version"))
    return sorted(set(found))


def document_breaks(old: dict[str, Any], new: dict[str, Any]) -> list[Broken]:
    """All breaks between two AsyncAPI documents: addresses, messages, keys, headers and payloads.

    Names of channels are free, a reader knows the address. Types of values are compared by the JSON
    Schemas.
    """
    return sorted(_document_breaks(old, new))


def _document_breaks(old: dict[str, Any], new: dict[str, Any]) -> Iterator[Broken]:
    now = {channel["address"]: channel for channel in new["channels"].values()}
    for channel in old["channels"].values():
        address = channel["address"]
        if address not in now:
            yield Broken(address, "the channel is gone")
            continue
        bound, bound_now = (one["bindings"]["kafka"] for one in (channel, now[address]))
        if bound.get("partitions") != bound_now.get("partitions"):
            yield Broken(address, "another number of partitions")
        cleanup, cleanup_now = (
            one["topicConfiguration"]["cleanup.policy"] for one in (bound, bound_now)
        )
        if cleanup != cleanup_now:
            yield Broken(address, f"cleanup was {cleanup}, is {cleanup_now}")
        known, known_now = _messages(old, channel), _messages(new, now[address])
        for name in sorted(known):
            if name not in known_now:
                yield Broken(f"{address} {name}", "the message is gone")
            else:
                yield from _message_breaks(known[name], known_now[name], f"{address} {name}")


def _messages(document: dict[str, Any], channel: dict[str, Any]) -> dict[str, dict[str, Any]]:
    listed = (document["components"]["messages"][key] for key in channel["messages"])
    return {message["name"]: message for message in listed}


def _message_breaks(old: dict[str, Any], new: dict[str, Any], path: str) -> Iterator[Broken]:
    for key in ("contentType", "payload"):
        if old.get(key) != new.get(key):
            yield Broken(path, f"{key} was {old.get(key)}, is {new.get(key)}")
    key_before, key_now = _key(old), _key(new)
    if key_before != key_now:
        yield Broken(path, f"the key was {key_before}, is {key_now}")
    headers, headers_now = old.get("headers"), new.get("headers")
    if headers is not None:
        for one in breaks(headers, headers_now or {"type": "null"}):
            yield Broken(f"{path} headers{one.path}", one.what)


def _key(message: dict[str, Any]) -> dict[str, Any] | None:
    """The schema of a message's key: a type, and words that say what it is."""
    found: dict[str, Any] | None = message.get("bindings", {}).get("kafka", {}).get("key")
    return found


def _version(schema: dict[str, Any]) -> int:
    """The version in the `$id`: `urn:…:v1`. Schemas of 0.1 have none: they are 1."""
    return int(schema.get("$id", ":v1").rpartition(":v")[2])


def _differ(
    old: Any, new: Any, old_root: dict[str, Any], new_root: dict[str, Any], path: str
) -> Iterator[Broken]:
    before, after = _meaning(old, old_root), _meaning(new, new_root)
    for name in sorted(before.types.keys() - after.types.keys()):
        yield Broken(path, f"no longer {name}")
    for name in sorted(after.types.keys() - before.types.keys()):
        yield Broken(path, f"may be {name}")
    for name in sorted(before.types.keys() & after.types.keys()):
        was, now = before.types[name], after.types[name]
        yield from _limits(was, now, path)
        yield from _members(was, now, path)
        if name == "array":
            yield from _differ(
                was.get("items", {}), now.get("items", {}), old_root, new_root, f"{path}[]"
            )
    for name in sorted(before.objects.keys() - after.objects.keys()):
        yield Broken(path, f"no longer {name}")
    for name in sorted(before.objects.keys() & after.objects.keys()):
        here = f"{path}.{name}" if name else path
        yield from _objects(before.objects[name], after.objects[name], old_root, new_root, here)


def _limits(was: dict[str, Any], now: dict[str, Any], path: str) -> Iterator[Broken]:
    for keyword, sign in LIMITS.items():
        before, after = was.get(keyword), now.get(keyword)
        if before == after:
            continue
        narrower = before is None or (after is not None and (after - before) * sign > 0)
        word = "narrowed" if narrower else "widened"
        yield Broken(path, f"{word}: {keyword} was {before}, is {after}")
    for keyword in ("pattern", "format"):
        if was.get(keyword) != now.get(keyword):
            yield Broken(path, f"{keyword} was {was.get(keyword)}, is {now.get(keyword)}")


def _members(was: dict[str, Any], now: dict[str, Any], path: str) -> Iterator[Broken]:
    before, after = was.get("enum"), now.get("enum")
    if before is None and after is not None and not now.get("open"):
        yield Broken(path, f"narrowed: any text was allowed, now {after}")
    if before is not None:
        for member in sorted(set(before) - set(after or ())):
            yield Broken(path, f"no longer the member {member}")
    if was.get("open") and after is not None and not now.get("open"):
        yield Broken(path, "the enumeration was open, is closed")


def _objects(
    was: dict[str, Any],
    now: dict[str, Any],
    old_root: dict[str, Any],
    new_root: dict[str, Any],
    path: str,
) -> Iterator[Broken]:
    yield from _limits(was, now, path)
    before, after = was.get("properties", {}), now.get("properties", {})
    must, must_now = set(was.get("required", ())), set(now.get("required", ()))
    for name in sorted(before.keys() - after.keys()):
        yield Broken(f"{path}.{name}", "the field is gone")
    for name in sorted(must_now - must):
        yield Broken(f"{path}.{name}", "the field is required, and was not")
    for name in sorted((must - must_now) & after.keys()):
        yield Broken(f"{path}.{name}", "the field was required, and is not")
    for name in sorted(before.keys() & after.keys()):
        yield from _differ(before[name], after[name], old_root, new_root, f"{path}.{name}")
    for keyword in CONDITIONS:
        if was.get(keyword) != now.get(keyword):
            word = "new" if keyword not in was else "gone" if keyword not in now else "another"
            yield Broken(path, f"the condition `{keyword}` is {word}")
    for keyword in ("additionalProperties", "propertyNames"):
        one, other = was.get(keyword, True), now.get(keyword, True)
        if isinstance(one, dict) and isinstance(other, dict):
            yield from _differ(one, other, old_root, new_root, f"{path}.{keyword}")
        elif one != other:
            yield Broken(f"{path}.{keyword}", f"was {one}, is {other}")


def _meaning(node: dict[str, Any], root: dict[str, Any]) -> _Meaning:
    found = _Meaning({}, {})
    for leaf in _leaves(node, root):
        if "const" in leaf:
            leaf = {"enum": [leaf["const"]]} | leaf  # noqa: PLW2901 - the same, in other words
        kind = leaf.get("type", "string" if "enum" in leaf or "const" in leaf else "any")
        if kind == "object":
            found.objects[leaf.get("title", "")] = leaf
        elif kind in found.types and kind == "string":
            # An open enumeration: known members, and any string.
            one = found.types[kind]
            members = leaf.get("enum", one.get("enum"))
            found.types[kind] = {"type": "string", "enum": members, "open": True}
        else:
            found.types[kind] = leaf
    return found


def _leaves(node: dict[str, Any], root: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The alternatives of a schema, each of one type."""
    if "$ref" in node:
        target: Any = root
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        yield from _leaves(target, root)
    elif "anyOf" in node:
        for choice in node["anyOf"]:
            yield from _leaves(choice, root)
    elif isinstance(node.get("type"), list):
        for kind in node["type"]:
            yield node | {"type": kind} if kind != "null" else {"type": "null"}
    else:
        yield node
