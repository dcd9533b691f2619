"""The one order of upgrades: sink, notifier, stream, prober. Pure.

Whoever reads is never older than whoever writes: an older sink or notifier would leave out the
events that only a newer stream has, an older stream the reasons of a newer prober. So the way there
is that order, and the way back is the reverse. Why: docs/decisions/0026-one-order-of-upgrades.md.
"""

import re
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from typing import Final, Literal

from msgspec import Struct

Role = Literal["sink", "notify", "stream", "probe"]
Series = tuple[int, int]
"""The first two numbers of a version. Versions of one series have the same formats and rules."""

ROLES: Final[tuple[Role, ...]] = ("sink", "notify", "stream", "probe")
"""In the order of an upgrade: each reads what those after it write."""

NOUNS: Final[dict[Role, str]] = {
    "sink": "sink",
    "notify": "notifier",
    "stream": "stream",
    "probe": "prober",
}
SILENT: Final[Series] = (0, 1)
"""What a member counts as that does not announce its version: 0.1 and the first 0.2 did not."""

_ANNOUNCED: Final = re.compile(
    r"portquorum-(sink|notify|stream|probe)-((\d{1,6})\.(\d{1,6})[0-9A-Za-z.+-]{0,40})", re.ASCII
)
_LIBRARIES: Final = ("aiokafka-", "faust-")
"""How the client ids begin that the libraries of a silent member choose."""

_ORDER: Final = "the order is sink, notifier, stream, prober"
_PAGE: Final = "docs/operations.md#upgrade"


class Member(Struct, frozen=True):
    """A running role, as a member of its consumer group.

    `version` is None if it does not announce one; `region` is empty but for a prober; `host` is the
    address from which Kafka sees it, empty if that does not matter.
    """

    role: Role
    version: str | None
    host: str
    region: str = ""

    @property
    def series(self) -> Series:
        """The series of its version."""
        return SILENT if self.version is None else series(self.version)


def own_version() -> str:
    """The version of this program."""
    return version("portquorum")


def series(text: str) -> Series:
    """The series of a version; `SILENT` for a text that is no version."""
    found = re.match(r"(\d{1,6})\.(\d{1,6})", text, re.ASCII)
    return SILENT if found is None else (int(found[1]), int(found[2]))


def client_id(role: Role) -> str:
    """The Kafka client id by which a member of a role's group announces its version."""
    return f"portquorum-{role}-{own_version()}"


def member(role: Role, client: str, host: str, region: str = "") -> Member | None:
    """The member of a role's group that has this client id; None for a program of others."""
    found = _ANNOUNCED.fullmatch(client)
    if found is not None:
        return Member(role, found[2], host, region) if found[1] == role else None
    return Member(role, None, host, region) if client.startswith(_LIBRARIES) else None


def role_of(group: str, prefix: str) -> tuple[Role, str] | None:
    """The role and the region of a consumer group; `prefix` is what all our groups begin with."""
    rest = group.removeprefix(prefix)
    if rest == group:
        return None
    for role in ROLES:
        if role != "probe" and rest == role:
            return role, ""
    region = rest.removeprefix("probe-")
    return None if region == rest else ("probe", region)


def refusal(role: Role, own: str, members: Iterable[Member], region: str = "") -> str | None:
    """Why a role of version `own` must not begin beside these members: a sentence, or None."""
    step, ours = ROLES.index(role), series(own)
    older, newer, same = list[Member](), list[Member](), list[Member]()
    for one in members:
        other = ROLES.index(one.role)
        if other < step and one.series < ours:
            older.append(one)
        elif other > step and one.series > ours:
            newer.append(one)
        elif (one.role, one.region) == (role, region) and one.series > ours:
            same.append(one)
    me = f"a {NOUNS[role]} of {own} does not start"
    if older:
        first = _first(older)
        return (
            f"{me} beside {_named(first)}, which can't read all that it writes: upgrade the "
            f"{NOUNS[first[0].role]}s first, {_ORDER} ({_PAGE})"
        )
    if same:
        return (
            f"{me} beside {_named(same)}, whose work it can't take over: start that version here, "
            f"or, to go back, end all of them first ({_PAGE})"
        )
    if newer:
        last = _first(newer)
        return (
            f"{me} beside {_named(last)}, of which it can't read everything: start that version "
            f"here, or, to go back, end the {NOUNS[last[0].role]}s first ({_PAGE})"
        )
    return None


def disorder(members: Sequence[Member]) -> str | None:
    """What is wrong among those that run: an older reader beside a newer writer; None if nothing.

    Those that ran before this was refused, or of versions that refuse nothing.
    """
    for reader in ROLES:
        readers = [one for one in members if one.role == reader]
        writers = [one for one in members if ROLES.index(one.role) > ROLES.index(reader)]
        oldest = min((one.series for one in readers), default=None)
        newer = [one for one in writers if oldest is not None and one.series > oldest]
        if newer:
            older = [one for one in readers if one.series == oldest]
            return (
                f"{_named(older)} beside {_named(_first(newer))}, and can't read all that is "
                f"written: upgrade the {NOUNS[reader]}s ({_PAGE})"
            )
    return None


def _first(members: Sequence[Member]) -> list[Member]:
    """The members of the role that comes first."""
    role = min(ROLES.index(one.role) for one in members)
    return [one for one in members if ROLES.index(one.role) == role]


def _named(members: Sequence[Member]) -> str:
    """Members of one role in words: how many, of which versions, and where the first one is."""
    versions = sorted({_words(one.version) for one in members})
    first = min(members, key=lambda one: (one.region, one.host))
    at = f"at {first.host}" if first.host else ""
    where = " in ".join(word for word in (at, first.region) if word)
    noun = NOUNS[first.role]
    if len(members) == 1:
        return f"a {noun} of {versions[0]}" + (f" ({where})" if where else "")
    return f"{len(members)} {noun}s of {', '.join(versions)}" + (f" (one {where})" if where else "")


def _words(text: str | None) -> str:
    return "an older version" if text is None else text
