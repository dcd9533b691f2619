"""Who gets which rights: roles by their principals, as `portquorum acl` prints them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from foundation.kafka.rights import ROLES, Right, Role, rights_of
from foundation.settings import Settings

DEFAULT: Final[tuple[Role, ...]] = tuple(role for role in ROLES if role != "subscriber")
"""A subscriber is somebody else's program: it is named each time."""

_USER: Final = "User:"


class Grant(Struct, frozen=True):
    """A principal with the rights of its roles, none twice."""

    principal: str
    roles: tuple[Role, ...]
    rights: tuple[Right, ...]

    @property
    def needed(self) -> tuple[Right, ...]:
        """The rights without which one of the roles does nothing."""
        return tuple(right for right in self.rights if right.without is None)

    @property
    def further(self) -> dict[str, tuple[Right, ...]]:
        """The other rights, by what does not work without them."""
        found: dict[str, tuple[Right, ...]] = {}
        for right in self.rights:
            if right.without is not None:
                found[right.without] = (*found.get(right.without, ()), right)
        return found


def grants(
    roles: Sequence[Role],
    settings: Settings,
    *,
    prefix: str,
    named: Mapping[Role, str],
    region: str | None = None,
) -> list[Grant]:
    """The principals of these roles; one that has several gets what they need together.

    Args:
        roles: in the order of the answer.
        settings: for the names of topics and groups.
        prefix: of the principals that `named` lacks: `User:` + prefix + role.
        named: principals of single roles, with their type (`User:CN=prober`).
        region: as of `rights_of`.
    """
    of: dict[str, dict[Role, tuple[Right, ...]]] = {}
    for role in roles:
        principal = named.get(role, f"{_USER}{prefix}{role}")
        user = principal.removeprefix(_USER)
        found = rights_of(role, settings, region=region, user=user)
        of.setdefault(principal, {})[role] = found
    return [Grant(who, tuple(has), merged(has.values())) for who, has in of.items()]


def merged(sets: Iterable[Sequence[Right]]) -> tuple[Right, ...]:
    """All rights once; one that any needs is needed."""
    found: dict[tuple[str, str, bool, str], Right] = {}
    for rights in sets:
        for right in rights:
            key = (right.resource, right.name, right.prefixed, right.operation)
            if key not in found or right.without is None:
                found[key] = right
    return tuple(found.values())
