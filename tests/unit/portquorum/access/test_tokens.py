"""Tokens: their form, what is kept of them, and what they may do when their owner may do less."""

import hypothesis.strategies as st
import pytest
from hypothesis import given
from msgspec import structs

from portquorum.access.principal import Principal, may_do_less
from portquorum.access.tokens import is_secret_of, new_token, parse, principal_of
from schemas import web
from schemas.web import Scope, Token, User

NOW = 1_764_500_000_000
SCOPES: tuple[Scope, ...] = ("viewer", "operator", "admin")
names = st.lists(st.sampled_from(["a", "b", "c"]), unique=True).map(tuple)
principals = st.builds(
    Principal,
    name=st.just("a"),
    scope=st.sampled_from(SCOPES),
    via=st.just("token"),
    teams=names,
    tags=names,
)


def token(**fields: object) -> Token:
    made = Token(
        version=1, change="0" * 16, at=0, by="ann", id="1" * 8, name="ci", secret="a" * 64,
        scope="operator", owner="ann", created_at=0,
    )  # fmt: skip
    return structs.replace(made, **fields)


def user(**fields: object) -> User:
    made = User(version=1, change="0" * 16, at=0, by="ann", name="ann", scope="admin", created_at=0)
    return structs.replace(made, **fields)


def test_a_token_is_parsed_and_known_again() -> None:
    made = new_token()
    assert parse(made.whole) == made
    kept = token(id=made.id, secret=made.digest)
    assert web.decode(web.encode(kept)) == kept
    assert is_secret_of(kept, made.secret)
    assert not is_secret_of(kept, new_token().secret)
    assert made.secret not in repr(made)


@given(st.text() | st.from_regex(r"pq_[0-9a-f]{8}_.*"))
def test_any_text_is_parsed(text: str) -> None:
    found = parse(text)
    assert found is None or found.whole == text


@pytest.mark.parametrize(
    "text", ["", "pq_", "pq_12345678_", "pq_1234567G_" + "a" * 43, "pq_12345678_" + "a" * 43 + "\n"]
)
def test_what_is_no_token(text: str) -> None:
    assert parse(text) is None


def test_a_token_ends() -> None:
    assert principal_of(token(), user(), NOW, is_gone=False) is not None
    assert principal_of(token(expires_at=NOW), user(), NOW, is_gone=False) is None
    assert principal_of(token(expires_at=NOW + 1), user(), NOW, is_gone=False) is not None
    assert principal_of(token(removed=True), user(), NOW, is_gone=False) is None
    assert principal_of(token(), user(disabled=True), NOW, is_gone=False) is None
    assert principal_of(token(), None, NOW, is_gone=True) is None


def test_a_token_of_who_never_was_a_user_stands_for_itself() -> None:
    found = principal_of(token(teams=("db",)), None, NOW, is_gone=False)
    assert found == Principal(name="ann", scope="operator", via="token", teams=("db",))


def test_limits_that_have_nothing_in_common_leave_nothing() -> None:
    found = principal_of(token(teams=("db",)), user(teams=("web",)), NOW, is_gone=False)
    assert found is not None
    assert found.scope == "viewer"


@given(principals, principals, st.sampled_from(["a", "b", "c", None]), names)
def test_nobody_can_do_more_than_either(
    one: Principal, other: Principal, team: str | None, target_tags: tuple[str, ...]
) -> None:
    both = may_do_less(one, other.scope, other.teams, other.tags)
    for need in SCOPES:
        assert both.may(need) <= (one.may(need) and other.may(need))
    if both.may("operator") and both.may_touch(team, target_tags):
        assert one.may_touch(team, target_tags)
        assert other.may_touch(team, target_tags)


def test_a_target_is_within_the_limits_by_its_team_or_a_tag() -> None:
    one = Principal(name="a", scope="operator", via="token", teams=("db",), tags=("rack",))
    assert one.may_touch("db", ())
    assert one.may_touch(None, ("x", "rack"))
    assert not one.may_touch("web", ("x",))
