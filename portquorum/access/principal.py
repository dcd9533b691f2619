"""Who asks, and what they may do."""

from collections.abc import Iterable
from typing import Final, Literal

from msgspec import Struct, structs

from schemas.target import Target
from schemas.web import Scope

Need = Literal["public", "viewer", "operator", "admin"]
"""What a route needs; `public`: nobody is asked who they are."""

Via = Literal["local", "password", "token", "oidc", "proxy"]

_RANK: Final[dict[Need, int]] = {"public": 0, "viewer": 1, "operator": 2, "admin": 3}


class Principal(Struct, frozen=True, kw_only=True):
    """Somebody who was let in.

    `name` is written down with what they change. `teams` and `tags` limit what they may change to
    targets that have one of them; both empty: no limit. `via`: how they showed who they are;
    `local` is anybody on this machine, as long as there are no users. `session` is the secret from
    which the CSRF token of their forms is made; empty for programs (tokens), which need none.
    """

    name: str
    scope: Scope
    via: Via
    teams: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    session: str = ""

    @property
    def is_limited(self) -> bool:
        """True if only some targets may be changed."""
        return bool(self.teams or self.tags)

    def may(self, need: Need) -> bool:
        """True if the scope is enough for what a route needs."""
        return _RANK[self.scope] >= _RANK[need]

    def may_touch(self, team: str | None, tags: Iterable[str]) -> bool:
        """True if a target of this team, with these tags, is within the limits."""
        if not self.is_limited:
            return True
        return (team is not None and team in self.teams) or not set(self.tags).isdisjoint(tags)

    def may_change(self, target: Target) -> bool:
        """True if `target` is within the limits."""
        return self.may_touch(target.team, target.tags)


def may_do_less(
    one: Principal, scope: Scope, teams: Iterable[str], tags: Iterable[str]
) -> Principal:
    """`one`, who does no more than somebody with this scope and these limits.

    Of limits that have nothing in common nothing is left to change: a viewer.
    """
    lower = min(one.scope, scope, key=lambda named: _RANK[named])
    theirs = (tuple(teams), tuple(tags))
    if not any(theirs):
        return structs.replace(one, scope=lower)
    if not one.is_limited:
        return structs.replace(one, scope=lower, teams=theirs[0], tags=theirs[1])
    both = (
        tuple(name for name in one.teams if name in theirs[0]),
        tuple(name for name in one.tags if name in theirs[1]),
    )
    if not any(both):
        lower, both = "viewer", ((), ())
    return structs.replace(one, scope=lower, teams=both[0], tags=both[1])
