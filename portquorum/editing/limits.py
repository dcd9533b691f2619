"""What a principal whose changes are limited to teams or tags may do to a target."""

from http import HTTPStatus

from portquorum.access.principal import Principal
from portquorum.changing.errors import ChangeError
from portquorum.inventory.document import TargetEntry
from schemas.target import Target


def is_within(who: Principal, of: TargetEntry | Target) -> bool:
    """True if a target, or what an entry would make of it, is within the limits."""
    return who.may_touch(of.team, of.tags or ())


def must_be_within(who: Principal, target: str, *states: TargetEntry | Target | None) -> None:
    """Every state of a target, before and after a change, has to be within the limits.

    Raises:
        ChangeError: 403.
    """
    for state in states:
        if state is not None and not is_within(who, state):
            raise ChangeError(
                HTTPStatus.FORBIDDEN,
                f"{who.name} may change targets of {words(who)} alone; {target!r} is of "
                f"{_of(state)}",
            )


def words(who: Principal) -> str:
    """The limits, for a sentence."""
    teams = f"the teams {', '.join(who.teams)}" if who.teams else ""
    tags = f"the tags {', '.join(who.tags)}" if who.tags else ""
    return " or ".join(part for part in (teams, tags) if part) or "any team"


def _of(state: TargetEntry | Target) -> str:
    team = f"the team {state.team}" if state.team else "no team"
    return f"{team}, with the tags {', '.join(state.tags)}" if state.tags else team
