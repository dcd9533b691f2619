"""What somebody may act on whose changes are limited to teams or tags."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portquorum.access.principal import Principal
from portquorum.changing.errors import ChangeError
from portquorum.silencing.matching import matches_target
from portquorum.web.acts.limits import must_be_bounded, must_cover, must_touch
from schemas.policy import Match
from schemas.target import Target
from schemas.web import Scope
from tests.unit.portquorum.web.fleet.fleet_story import target

FLEET = {
    one.id: one
    for one in (
        target("db-1", team="db", tags=("prod",)),
        target("db-2", team="db", tags=()),
        target("web-1", team="web", tags=("prod", "edge")),
        target("odd", team=None, tags=("edge",)),
    )
}


def who(scope: Scope = "operator", **limits: tuple[str, ...]) -> Principal:
    return Principal(name="olga", scope=scope, via="token", **limits)  # type: ignore[arg-type]


def may(principal: Principal, match: Match) -> bool:
    try:
        must_be_bounded(principal, match, lambda one: is_within(principal, one))
    except ChangeError:
        return False
    return True


def is_within(principal: Principal, name: str) -> bool:
    return name in FLEET and principal.may_change(FLEET[name])


@pytest.mark.parametrize(
    ("match", "allowed"),
    [
        (Match(teams=("db",)), True),
        (Match(teams=("db",), severities=("info",)), True),
        (Match(teams=("db", "web")), False),
        (Match(teams=("d*",)), False),
        (Match(teams=("*",)), False),
        (Match(tags=("edge",)), True),
        (Match(tags=("prod",)), False),
        (Match(tags=("prod",), teams=("db",)), True),
        (Match(targets=("db-1", "db-2")), True),
        (Match(targets=("db-1", "web-1")), True),
        (Match(targets=("db-*",)), False),
        (Match(targets=("unknown",)), False),
        (Match(kinds=("tcp",)), False),
        (Match(), False),
    ],
)
def test_a_match_is_bounded_by_one_of_its_conditions(match: Match, allowed: bool) -> None:
    assert may(who(teams=("db",), tags=("edge",)), match) is allowed


names = st.lists(st.sampled_from(["db", "web", "prod", "edge", "*", "d*", "", "db-1"]), max_size=2)
matches = st.builds(
    Match,
    teams=names.map(tuple),
    tags=names.map(tuple),
    targets=st.lists(st.sampled_from([*FLEET, "*", "db-*", "none"]), max_size=2).map(tuple),
    kinds=st.sampled_from([(), ("tcp",), ("*",)]),
)


@given(match=matches, other=st.sampled_from(list(FLEET.values())))
def test_what_is_allowed_takes_nothing_beyond_the_limits(match: Match, other: Target) -> None:
    for principal in (who(teams=("db",)), who(tags=("edge",)), who("admin", teams=("web",))):
        if may(principal, match) and matches_target(match, other):
            assert principal.may_change(other)


def test_everything_is_an_unlimited_admins() -> None:
    assert may(who("admin"), Match())
    assert not may(who("operator"), Match())
    assert not may(who("admin", teams=("db",)), Match())
    assert may(who("operator"), Match(severities=("info",)))


def test_who_says_what_of_whom() -> None:
    limited = who(teams=("db", "web"), tags=("edge",))
    with pytest.raises(ChangeError, match="of the teams db, web or the tag edge alone; it is of"):
        must_touch(limited, "it", "ops", ("prod",))
    must_touch(limited, "it", None, ("edge",))
    must_touch(who(), "it", None, ())


def test_what_maintenance_covers() -> None:
    limited = who(teams=("db",), tags=("edge",))
    for selectors, allowed in (
        (("tag:edge", "db-1"), True),
        (("odd",), True),
        (("tag:prod",), False),
        (("db-1", "tag:*"), False),
        (("nobody",), False),
    ):
        if allowed:
            must_cover(limited, selectors, lambda one: is_within(limited, one))
        else:
            with pytest.raises(ChangeError, match="may plan maintenance for what is of"):
                must_cover(limited, selectors, lambda one: is_within(limited, one))
    must_cover(who(), ("tag:prod",), lambda _one: False)
