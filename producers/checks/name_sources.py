"""The sources of host names and their order: the line `hosts:` of nsswitch.conf(5), as glibc.

(nss/nss_database.c, nss/nss_action_parse.c.) Of the sources we have `files` (the hosts file) and
`dns`; `resolve` (systemd-resolved) is asked as `dns`, which its stub resolver answers. All others
(mDNS, myhostname, LDAP, …) count as not installed: `UNAVAIL`.
"""

from typing import Final, Literal

from msgspec import Struct

Status = Literal["SUCCESS", "NOTFOUND", "UNAVAIL", "TRYAGAIN"]

_STATUSES: Final[tuple[Status, ...]] = ("SUCCESS", "NOTFOUND", "UNAVAIL", "TRYAGAIN")
_ACTIONS: Final = {"RETURN": True, "CONTINUE": False, "MERGE": False}
_WHITE: Final = " \t\r\v\f"
_OURS: Final = {"files": "files", "dns": "dns", "resolve": "dns"}


class Source(Struct, frozen=True, gc=False):
    """A source of names; `ends` are the statuses after which no other source is asked.

    `service` is `files`, `dns`, or the name of a source that we do not have.
    """

    service: str
    ends: frozenset[Status] = frozenset({"SUCCESS"})


DEFAULT: Final[tuple[Source, ...]] = (Source("files"), Source("dns"))
"""Without the file, or without the line (glibc 2.35 and later)."""


def parsed(data: bytes) -> tuple[Source, ...]:
    """The sources that an nsswitch.conf names for `hosts`; the last such line counts.

    As in glibc a `#` is a comment only at the beginning of a line, and a last line without a
    newline is ignored.

    Raises:
        ValueError: the line can't be understood (glibc then resolves nothing at all).
    """
    found: tuple[Source, ...] = DEFAULT
    for line in data.split(b"\n")[:-1]:
        text = line.partition(b"\0")[0].decode("latin-1").strip(_WHITE)
        name, rest = _cut(text, _WHITE + ":")
        if name == "hosts":
            found = _sources(rest.lstrip(_WHITE + ":"))
    return found


def _sources(text: str) -> tuple[Source, ...]:
    """Of `( SOURCE ( "[" ( "!"? STATUS "=" ACTION )+ "]" )? )*`."""
    found: list[Source] = []
    rest = text.lstrip(_WHITE)
    while rest and not rest.startswith("["):
        service, rest = _cut(rest, _WHITE + "[")
        rest = rest.lstrip(_WHITE)
        ends: set[Status] = {"SUCCESS"}
        if rest.startswith("["):
            inside, closed, rest = rest[1:].partition("]")
            criteria = inside.strip(_WHITE)
            if not closed or not criteria:
                raise ValueError(f"expected [STATUS=action] after {service!r}, found {text!r}")
            while criteria:
                criteria = _apply(criteria, ends, text)
        found.append(Source(_OURS.get(service, service), frozenset(ends)))
        rest = rest.lstrip(_WHITE)
    return tuple(found)


def _apply(criteria: str, ends: set[Status], text: str) -> str:
    """Takes the first criterion into `ends`; returns the others."""
    word, rest = _cut(criteria, _WHITE + "=")
    _, equals, rest = rest.partition("=")
    action, rest = _cut(rest.lstrip(_WHITE), _WHITE + "=")
    inverted = word.startswith("!")
    status = next((one for one in _STATUSES if one == word.removeprefix("!").upper()), None)
    if status is None or not equals or action.upper() not in _ACTIONS:
        raise ValueError(f"expected a status and an action as NOTFOUND=return, found {text!r}")
    chosen = [one for one in _STATUSES if (one == status) is not inverted]
    if _ACTIONS[action.upper()]:
        ends.update(chosen)
    else:
        ends.difference_update(chosen)
    return rest.lstrip(_WHITE)


def _cut(text: str, ends: str) -> tuple[str, str]:
    """`text` before the first character of `ends`, and from it on."""
    for position, character in enumerate(text):
        if character in ends:
            return text[:position], text[position:]
    return text, ""
