"""The secrets that this prober lacks for its targets, or may not send where they lead."""

from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from producers.checks.errors import CheckFailedError
from producers.kinds import secrets
from producers.kinds.revealing import Revealer
from producers.kinds.secret_places import Place, places
from schemas.missing_secrets import MOST_TARGETS, MOST_VARIABLES
from schemas.target import Target

_NAME_LENGTH: Final = 255


def has_secrets(target: Target) -> bool:
    """Whether an option of the target's kind has a placeholder."""
    return target.probe is not None and any("${" in place.text for place in places(target.probe))


def missing(target: Target) -> frozenset[str]:
    """The names of the secrets that no check of this target gets here."""
    if target.probe is None:
        return frozenset()
    return frozenset(
        name
        for place in places(target.probe)
        for name in secrets.names(place.text)
        if secrets.is_secret(name) and not _has(target, place, name)
    )


def named(targets: Iterable[Target]) -> dict[str, tuple[str, ...]]:
    """The missing secrets of the targets: by the variable's name some names of targets."""
    found: dict[str, set[str]] = {}
    for target in targets:
        for name in missing(target):
            found.setdefault(name, set()).add(target.name[:_NAME_LENGTH])
    return {
        name: tuple(sorted(found[name])[:MOST_TARGETS]) for name in sorted(found)[:MOST_VARIABLES]
    }


def _has(target: Target, place: Place, name: str) -> bool:
    to = urlsplit(place.text).hostname if place.field == "proxy" else None
    try:
        Revealer(target).reveal(f"${{{name}}}", place.field, to)
    except CheckFailedError:
        return False
    return True
