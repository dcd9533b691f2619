"""Finds secrets that were typed as they are, in options that take `${PORTQUORUM_SECRET_…}`.

A file of an inventory is its owner's own; what stands on the page, everybody who is let in reads.
"""

import re
from collections.abc import Iterator
from typing import Final

from producers.kinds import secrets
from producers.kinds.secret_places import Path, Place, places
from schemas.target import Target

_TELLING: Final = re.compile(
    r"auth|cookie|token|secret|passw|passphrase|credential|api-?_?key|access-?_?key|private-?_?key"
    r"|signature|session|vault|\bpwd\b|\bsig\b",
    re.IGNORECASE,
)
"""Names of headers and parameters whose values let somebody in."""

_PARAMETER: Final = re.compile(r"[?&;]([^=&;#]{1,200})=([^&;#]+)")
_SAID: Final = re.compile(
    r"^\s*(auth|pass|login)\s+\S|(passw(or)?d|secret|token|api_?key)[\"']?\s*[:=]\s*[\"']?[^\s\"']",
    re.IGNORECASE,
)
"""What a dialogue or a body says when it lets somebody in."""

_USER_INFO: Final = re.compile(r"://[^/@\s]*:[^/@\s]+@")
_PUBLIC_COMMUNITIES: Final = frozenset({"public"})
_WANTED: Final = (
    f"expected a secret as ${{{secrets.PREFIX}…}}, which probers alone fill in; found it as it is: "
    "everybody who may read the page would see it"
)


def typed_secrets(target: Target) -> Iterator[tuple[Path, str]]:
    """The places within an entry, each with its sentence; no sentence has the secret."""
    for place in () if target.probe is None else places(target.probe):
        if not secrets.names(place.text) and _is_secret(place):
            yield ("probe", *place.path), _WANTED
    if target.runbook is not None and _USER_INFO.search(target.runbook):
        yield ("runbook",), "expected an address without a password, found one with it"


def _is_secret(place: Place) -> bool:
    name, *inner = place.path
    last = str(inner[-1]) if inner else ""
    match name:
        case "bearer" | "client_certificate":
            found = True
        case "basic_auth":
            found = last == "password"
        case "headers" | "metadata":
            found = _TELLING.search(last) is not None
        case "community":
            found = place.text not in _PUBLIC_COMMUNITIES
        case "proxy":
            found = _USER_INFO.search(place.text) is not None
        case "path":
            parameters = _PARAMETER.finditer(place.text)
            found = any(_TELLING.search(one[1]) for one in parameters)
        case _:  # body, json, what a dialogue sends
            found = _SAID.search(place.text) is not None
    return found
