"""What a principal whose changes are limited to teams or tags may act on. Pure."""

from collections.abc import Callable, Iterable
from http import HTTPStatus

from portquorum.access.principal import Principal
from portquorum.changing.errors import ChangeError
from portquorum.silencing.matching import is_everything
from schemas.policy import Match

TAG = "tag:"
"""What stands before the name of a tag in a maintenance window's `targets`."""

IsWithin = Callable[[str], bool]
"""Whether the target of an id is there, and within the limits."""


def limits_of(who: Principal) -> str:
    """The limits in words: `the teams db, web or the tag prod`."""
    parts = []
    for what, names in (("team", who.teams), ("tag", who.tags)):
        if names:
            parts.append(f"the {what}{'s' if len(names) > 1 else ''} {', '.join(names)}")
    return " or ".join(parts)


def must_touch(who: Principal, what: str, team: str | None, tags: Iterable[str]) -> None:
    """Checks that something of a team, with tags, is within the limits.

    Raises:
        ChangeError: 403.
    """
    if not who.may_touch(team, tags):
        of = f"of the team {team}" if team else "of no team"
        raise ChangeError(
            HTTPStatus.FORBIDDEN,
            f"{who.name} may act on what is of {limits_of(who)} alone; {what} is {of}",
        )


def must_be_bounded(who: Principal, match: Match, is_within: IsWithin) -> None:
    """Checks that a match can take nothing beyond the limits, now or later.

    It is bounded by one of its own conditions: the fields of a match must all hold. What it takes
    at the moment is no measure: a target may come tomorrow.

    Raises:
        ChangeError: 403; of a match without any condition, too, unless `who` is an admin.
    """
    if is_everything(match) and not (who.may("admin") and not who.is_limited):
        raise ChangeError(
            HTTPStatus.FORBIDDEN,
            "this would silence everything, which needs the scope admin without limits: say what "
            "(teams, tags, targets, kinds, regions, severities, incident_types, criticalities)",
        )
    if not who.is_limited or _is_bounded(who, match, is_within):
        return
    raise ChangeError(
        HTTPStatus.FORBIDDEN,
        f"{who.name} may silence what is of {limits_of(who)} alone: name some of these in "
        "match.teams or match.tags, or the ids of their targets in match.targets, without *",
    )


def must_cover(who: Principal, selectors: Iterable[str], is_within: IsWithin) -> None:
    """Checks what a maintenance window covers: ids of targets, and `tag:NAME`.

    Raises:
        ChangeError: 403.
    """
    if not who.is_limited:
        return
    for one in selectors:
        tag = one.removeprefix(TAG)
        if (tag != one and tag in who.tags) or (tag == one and is_within(one)):
            continue
        raise ChangeError(
            HTTPStatus.FORBIDDEN,
            f"{who.name} may plan maintenance for what is of {limits_of(who)} alone; {one!r} is "
            "not: name ids of their targets, or tag:NAME with one of these tags",
        )


def _is_bounded(who: Principal, match: Match, is_within: IsWithin) -> bool:
    return (
        _is_among(match.teams, who.teams)
        or _is_among(match.tags, who.tags)
        or (bool(match.targets) and all("*" not in one and is_within(one) for one in match.targets))
    )


def _is_among(names: tuple[str, ...], allowed: tuple[str, ...]) -> bool:
    return bool(names) and all("*" not in one and one in allowed for one in names)
