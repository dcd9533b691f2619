"""All that a wing says, without logins, `password: …` and known tokens: the last net before people.

Wings turn secrets of requests and channels into names themselves. This is for what people wrote
into names, labels and groups, and for sentences that quote what could not be read.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from portquorum.importing.hiding import named, sentence
from portquorum.importing.model import Found, Ignored, Import, Secret, Unreadable


def without_secrets(found: Import) -> Import:
    """The same with clean names and sentences; keys by which entries refer to each other stay."""
    return replace(
        found,
        entries=[_entry(one) for one in found.entries],
        route_differences={name: _all(texts) for name, texts in found.route_differences.items()},
        secrets=[_secret(one) for one in found.secrets],
        ignored=ignored(found.ignored),
        unreadable=[Unreadable(one.place, sentence(one.why)) for one in found.unreadable],
    )


def ignored(several: Iterable[Ignored]) -> list[Ignored]:
    """Clean ones."""
    return [Ignored(one.place, sentence(one.what), sentence(one.why)) for one in several]


def _entry(one: Found) -> Found:
    differences = _all(one.differences)
    books = [str(target.get("runbook", "")) for target in one.targets]
    if any(sentence(book) != book for book in books):
        differences.append("its runbook is not taken over: there is a secret in its URL")
    return replace(
        one,
        name=named(one.name),
        group=named(one.group),
        targets=[_target(target) for target in one.targets],
        differences=differences,
        left_out=None if one.left_out is None else sentence(one.left_out),
        ignored=ignored(one.ignored),
    )


def _target(target: Mapping[str, Any]) -> dict[str, Any]:
    clean = dict(target)
    for name in ("name", "purpose", "id"):
        if isinstance(clean.get(name), str):
            clean[name] = named(clean[name])
    if "runbook" in clean and sentence(str(clean["runbook"])) != clean["runbook"]:
        del clean["runbook"]
    if "tags" in clean:
        clean["tags"] = list(dict.fromkeys(named(str(one)) for one in clean["tags"]))
    return clean


def _secret(one: Secret) -> Secret:
    return replace(one, what=sentence(one.what))


def _all(texts: Iterable[str]) -> list[str]:
    return [sentence(one) for one in texts]
