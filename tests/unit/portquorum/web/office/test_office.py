"""Users, invitations, sessions, tokens and the audit log."""

import asyncio
from collections.abc import Coroutine
from http import HTTPStatus
from typing import Any

import msgspec
import pytest
from argon2 import PasswordHasher

from portquorum.access import tokens
from portquorum.access.passwords import Passwords
from portquorum.access.principal import Principal
from portquorum.changing.errors import ChangeError
from portquorum.changing.office import Office, WantedToken, WantedUser
from portquorum.web.office import office as office_module
from portquorum.web.office.office import INVITATION_MS, RecordsOffice
from schemas.duration import DAY_MS, HOUR_MS
from schemas.web import Audit, Bulk, Invitation, Scope, Session, SessionUse, Token, TokenSeen, User
from tests.memory_journal import MemoryJournal, MemoryLog

NOW = 1_764_500_000_000
GOOD = "correct horse battery"
OTHER = "staple battery horse"
LOCAL = Principal(name="local", scope="admin", via="local")
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class Desk:
    """An office with its journal, and a clock that a test sets."""

    def __init__(self, log: MemoryLog | None = None) -> None:
        self.journal = MemoryJournal(log)
        self.now = NOW
        self.office = RecordsOffice(self.journal, Passwords(QUICK), lambda: self.now)

    async def user(
        self, name: str, scope: Scope = "admin", *, teams: tuple[str, ...] = ()
    ) -> Principal:
        wanted = WantedUser(scope=scope, teams=teams, password=GOOD)
        await self.office.put_user(LOCAL, name, wanted, None)
        return Principal(
            name=name, scope=scope, via="password", teams=teams, session=f"cookie of {name}"
        )

    async def sign_in(self, who: Principal, cookie: str = "") -> str:
        user = self.journal.book.all(User)[who.name]
        record = Session(
            id=tokens.digest(cookie or who.session), user=who.name, via="password",
            epoch=user.epoch, created_at=self.now, seen_at=self.now, expires_at=self.now + DAY_MS,
        )  # fmt: skip
        await self.journal.put([record])
        return record.id

    def actions(self) -> list[str]:
        return [one.action for one in reversed(self.office.audit())]


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def refused(work: Coroutine[Any, Any, object], status: HTTPStatus, field: str = "") -> None:
    with pytest.raises(ChangeError) as found:
        await work
    assert found.value.status == status, found.value.detail
    if field:
        assert [one.field for one in found.value.errors] == [field]


def test_it_is_an_office(desk: Desk) -> None:
    office: Office = desk.office
    assert office.users() == []


# --- users


async def test_a_user_is_made_changed_and_removed(desk: Desk) -> None:
    await desk.user("ann")
    made = await desk.office.put_user(
        LOCAL, "bob", WantedUser(scope="operator", teams=("db", "db", " web ")), 0
    )
    assert (made.version, made.teams, made.has_password) == (1, ("db", "web"), False)
    changed = await desk.office.put_user(LOCAL, "bob", WantedUser(password=GOOD), 1)
    assert (changed.version, changed.scope, changed.has_password) == (2, "operator", True)
    kept = await desk.office.put_user(LOCAL, "bob", WantedUser(tags=("rack",)), None)
    assert (kept.has_password, kept.teams, kept.tags) == (True, ("db", "web"), ("rack",))
    gone = await desk.office.put_user(LOCAL, "bob", WantedUser(password=None), None)
    assert not gone.has_password
    assert [one.name for one in desk.office.users()] == ["ann", "bob"]
    await desk.office.remove_user(LOCAL, "bob", 4)
    assert [one.name for one in desk.office.users()] == ["ann"]
    again = await desk.office.put_user(LOCAL, "bob", WantedUser(), 0)
    assert (again.version, again.scope, again.teams) == (6, "viewer", ())
    assert desk.actions() == [
        "add user", "add user", "change user", "change user", "change user", "remove user",
        "add user",
    ]  # fmt: skip


async def test_no_hash_and_no_password_is_in_answers_and_audit(desk: Desk) -> None:
    ann = await desk.user("ann")
    await desk.sign_in(ann)
    await desk.office.change_password(ann, GOOD, OTHER)
    made = await desk.office.add_token(ann, WantedToken(name="ci"))
    secret = await desk.office.invite(LOCAL, "viewer", ())
    said = msgspec.json.encode(
        [
            desk.office.users(),
            desk.office.audit(),
            desk.office.tokens(ann),
            desk.office.sessions(ann),
        ]
    ).decode()
    hashed = desk.journal.book.all(User)["ann"].password
    assert hashed is not None
    assert made.secret is not None
    kept = desk.journal.book.all(Token)[made.id].secret
    for hidden in (hashed, GOOD, OTHER, made.secret, kept, secret, "argon2", ann.session):
        assert hidden not in said
    for hidden in (GOOD, OTHER, made.secret, secret, ann.session):
        assert hidden not in desk.journal.log.texts()


@pytest.mark.parametrize("name", ["", "Ann", "-ann", "a b", "ann\n", "a" * 101, "ann/1"])
async def test_what_is_no_name(desk: Desk, name: str) -> None:
    work = desk.office.put_user(LOCAL, name, WantedUser(scope="admin"), None)
    await refused(work, HTTPStatus.BAD_REQUEST, "name")


async def test_wrong_fields_are_named(desk: Desk) -> None:
    await desk.user("ann")
    put = desk.office.put_user
    await refused(
        put(LOCAL, "bob", WantedUser(password=GOOD[:5]), None), HTTPStatus.BAD_REQUEST, "password"
    )
    await refused(put(LOCAL, "bob", WantedUser(teams=("",)), None), HTTPStatus.BAD_REQUEST, "teams")
    many = tuple(str(one) for one in range(101))
    await refused(put(LOCAL, "bob", WantedUser(tags=many), None), HTTPStatus.BAD_REQUEST, "tags")


async def test_only_admins_without_limits_make_users(desk: Desk) -> None:
    await desk.user("ann")
    for who in (
        Principal(name="x", scope="operator", via="password"),
        Principal(name="x", scope="admin", via="password", teams=("db",)),
        Principal(name="x", scope="admin", via="token", tags=("rack",)),
    ):
        await refused(desk.office.put_user(who, "bob", WantedUser(), None), HTTPStatus.FORBIDDEN)
        await refused(desk.office.remove_user(who, "ann", None), HTTPStatus.FORBIDDEN)
        await refused(desk.office.invite(who, "viewer", ()), HTTPStatus.FORBIDDEN)


async def test_versions_are_held(desk: Desk) -> None:
    await desk.user("ann")
    put = desk.office.put_user
    await refused(put(LOCAL, "ann", WantedUser(), 0), HTTPStatus.PRECONDITION_FAILED)
    await refused(put(LOCAL, "ann", WantedUser(), 2), HTTPStatus.PRECONDITION_FAILED)
    await refused(put(LOCAL, "bob", WantedUser(), 1), HTTPStatus.PRECONDITION_FAILED)
    await refused(desk.office.remove_user(LOCAL, "bob", None), HTTPStatus.NOT_FOUND)
    await refused(desk.office.remove_user(LOCAL, "ann", 3), HTTPStatus.PRECONDITION_FAILED)


async def test_of_two_at_the_same_time_one_is_first(desk: Desk) -> None:
    await desk.user("ann")
    other = Desk(desk.journal.log)
    answers = await asyncio.gather(
        desk.office.put_user(LOCAL, "bob", WantedUser(scope="operator"), None),
        other.office.put_user(LOCAL, "bob", WantedUser(scope="viewer"), None),
        return_exceptions=True,
    )
    assert sorted(type(one).__name__ for one in answers) == ["ChangeError", "UserSeen"]
    (error,) = (one for one in answers if isinstance(one, ChangeError))
    assert (error.status, error.version) == (HTTPStatus.CONFLICT, 1)


# --- the last admin


@pytest.mark.parametrize(
    "wanted",
    [
        WantedUser(scope="operator"),
        WantedUser(disabled=True),
        WantedUser(teams=("db",)),
        WantedUser(tags=("rack",)),
    ],
)
async def test_the_last_admin_stays_one(desk: Desk, wanted: WantedUser) -> None:
    await desk.user("ann")
    await desk.user("bob", "operator")
    await refused(desk.office.put_user(LOCAL, "ann", wanted, None), HTTPStatus.CONFLICT)
    await refused(desk.office.remove_user(LOCAL, "ann", None), HTTPStatus.CONFLICT)
    await desk.user("carla")
    await desk.office.put_user(LOCAL, "ann", wanted, None)


async def test_the_first_user_is_an_admin(desk: Desk) -> None:
    for wanted in (
        WantedUser(),
        WantedUser(scope="operator"),
        WantedUser(scope="admin", tags=("x",)),
    ):
        await refused(desk.office.put_user(LOCAL, "ann", wanted, None), HTTPStatus.CONFLICT)
    await refused(desk.office.invite(LOCAL, "operator", ()), HTTPStatus.CONFLICT)
    assert desk.office.users() == []


async def test_two_admins_who_take_away_each_others_rights_leave_one(desk: Desk) -> None:
    ann, bob = await desk.user("ann"), await desk.user("bob")
    other = Desk(desk.journal.log)
    answers = await asyncio.gather(
        desk.office.put_user(ann, "bob", WantedUser(scope="viewer"), None),
        other.office.remove_user(bob, "ann", None),
        return_exceptions=True,
    )
    assert any(isinstance(one, ChangeError) for one in answers)
    assert [one.scope for one in desk.office.users()].count("admin") == 1


# --- sessions


async def test_sessions_end_with_a_new_password_disabling_and_removal(desk: Desk) -> None:
    await desk.user("ann")
    for wanted in (WantedUser(password=OTHER), WantedUser(disabled=True)):
        bob = await desk.user("bob", "operator")
        await desk.sign_in(bob)
        assert [one.sessions for one in desk.office.users()] == [0, 1]
        epoch = desk.journal.book.all(User)["bob"].epoch
        await desk.office.put_user(LOCAL, "bob", WantedUser(scope="viewer"), None)
        assert desk.office.sessions(bob)
        await desk.office.put_user(LOCAL, "bob", wanted, None)
        assert not desk.office.sessions(bob)
        assert desk.journal.book.all(User)["bob"].epoch != epoch
        await desk.sign_in(bob)
        await desk.office.remove_user(LOCAL, "bob", None)
        assert not desk.journal.book.every(Session)


async def test_ones_own_new_password_ends_all_other_sessions(desk: Desk) -> None:
    ann, bob = await desk.user("ann"), await desk.user("bob")
    this = await desk.sign_in(ann)
    await desk.sign_in(ann, "another browser")
    theirs = await desk.sign_in(bob)
    assert len(desk.office.sessions(ann)) == 2
    await desk.journal.put([SessionUse(id=this, at=NOW + 5)])
    assert [(one.seen_at, one.is_this) for one in desk.office.sessions(ann)] == [
        (NOW + 5, True),
        (NOW, False),
    ]
    await desk.office.change_password(ann, GOOD, OTHER)
    (left,) = desk.office.sessions(ann)
    assert (left.id, left.is_this) == (this, True)
    user, session = desk.journal.book.all(User)["ann"], desk.journal.book.one(Session, this)
    assert session is not None
    assert session.epoch == user.epoch
    assert desk.journal.book.one(Session, theirs) is not None
    await refused(desk.office.change_password(ann, GOOD, OTHER), HTTPStatus.FORBIDDEN, "old")


async def test_a_stolen_session_can_not_try_passwords_without_end(desk: Desk) -> None:
    ann = await desk.user("ann")
    for _ in range(6):
        await refused(desk.office.change_password(ann, OTHER, OTHER), HTTPStatus.FORBIDDEN, "old")
    await refused(desk.office.change_password(ann, GOOD, OTHER), HTTPStatus.FORBIDDEN, "old")
    desk.now += 1_000
    await refused(desk.office.change_password(ann, GOOD, "short"), HTTPStatus.BAD_REQUEST, "new")
    await desk.office.change_password(ann, GOOD, OTHER)


async def test_who_has_no_password_here_changes_none(desk: Desk) -> None:
    await desk.user("ann")
    await desk.office.put_user(LOCAL, "ann", WantedUser(password=None), None)
    for name in ("ann", "zoe"):
        who = Principal(name=name, scope="admin", via="oidc")
        await refused(desk.office.change_password(who, GOOD, OTHER), HTTPStatus.CONFLICT)


async def test_ones_own_sessions_can_be_ended(desk: Desk) -> None:
    ann, bob = await desk.user("ann"), await desk.user("bob")
    own, theirs = await desk.sign_in(ann), await desk.sign_in(bob)
    await refused(desk.office.end_session(ann, theirs), HTTPStatus.NOT_FOUND)
    await desk.office.end_session(ann, own)
    assert not desk.office.sessions(ann)
    await refused(desk.office.end_session(ann, own), HTTPStatus.NOT_FOUND)


# --- invitations


async def test_a_link_makes_one_user(desk: Desk) -> None:
    secret = await desk.office.invite(LOCAL, "admin", ())
    assert desk.office.invitation(secret) is not None
    await refused(desk.office.accept(secret, "Ann", GOOD), HTTPStatus.BAD_REQUEST, "name")
    await refused(desk.office.accept(secret, "ann", "short"), HTTPStatus.BAD_REQUEST, "password")
    await refused(desk.office.accept(secret + "x", "ann", GOOD), HTTPStatus.NOT_FOUND)
    made = await desk.office.accept(secret, "ann", GOOD)
    assert (made.name, made.scope, made.has_password) == ("ann", "admin", True)
    assert desk.office.invitation(secret) is None
    assert not desk.journal.book.every(Invitation)
    await refused(desk.office.accept(secret, "bob", GOOD), HTTPStatus.NOT_FOUND)
    assert desk.actions() == ["add link", "use link"]


async def test_of_two_who_use_a_link_one_comes_in(desk: Desk) -> None:
    await desk.user("root")
    secret = await desk.office.invite(LOCAL, "operator", ("db",))
    other = Desk(desk.journal.log)
    answers = await asyncio.gather(
        desk.office.accept(secret, "ann", GOOD),
        other.office.accept(secret, "bob", GOOD),
        return_exceptions=True,
    )
    (error,) = (one for one in answers if isinstance(one, ChangeError))
    assert error.status == HTTPStatus.NOT_FOUND
    assert [one.teams for one in desk.office.users()].count(("db",)) == 1


async def test_the_limits_of_a_link_are_those_of_its_user(desk: Desk) -> None:
    await desk.user("root")
    secret = await desk.office.invite(LOCAL, "operator", ("db",), ("rack-7",))
    await desk.office.accept(secret, "ann", GOOD)
    (ann,) = (one for one in desk.office.users() if one.name == "ann")
    assert (ann.teams, ann.tags) == (("db",), ("rack-7",))


class Late(Passwords):
    """Is done when somebody says so."""

    def __init__(self) -> None:
        super().__init__(QUICK)
        self.begun, self.goes_on = asyncio.Event(), asyncio.Event()

    async def hash(self, password: str) -> str:
        self.begun.set()
        await self.goes_on.wait()
        return await super().hash(password)


async def test_a_link_that_is_used_while_a_password_is_hashed_makes_no_second_user(
    desk: Desk,
) -> None:
    await desk.user("root")
    secret = await desk.office.invite(LOCAL, "admin", ())
    late = Late()
    other = RecordsOffice(MemoryJournal(desk.journal.log), late, lambda: desk.now)
    second = asyncio.create_task(other.accept(secret, "eve", GOOD))
    await late.begun.wait()
    await desk.office.accept(secret, "ann", GOOD)
    late.goes_on.set()
    await refused(second, HTTPStatus.NOT_FOUND)
    assert {one.name for one in desk.office.users()} == {"ann", "root"}


async def test_a_link_ends_and_takes_no_name_that_is_taken(desk: Desk) -> None:
    await desk.user("ann")
    secret = await desk.office.invite(LOCAL, "viewer", ())
    await refused(desk.office.accept(secret, "ann", GOOD), HTTPStatus.CONFLICT, "name")

    def somebody_is_first() -> None:
        desk.journal.before_write = take_the_name

    def take_the_name() -> None:
        desk.journal.log.append(
            b"user/bob/1/" + b"0" * 16,
            msgspec.json.encode(
                User(
                    version=1,
                    change="0" * 16,
                    at=0,
                    by="x",
                    name="bob",
                    scope="viewer",
                    created_at=0,
                )
            ),
        )

    desk.journal.before_write = somebody_is_first
    await refused(desk.office.accept(secret, "bob", GOOD), HTTPStatus.CONFLICT)
    assert desk.office.invitation(secret) is not None
    assert (await desk.office.accept(secret, "carla", GOOD)).name == "carla"
    late = await desk.office.invite(LOCAL, "viewer", ())
    desk.now += INVITATION_MS
    await refused(desk.office.accept(late, "dora", GOOD), HTTPStatus.NOT_FOUND)


@pytest.mark.parametrize(
    "wanted",
    [None, WantedUser(disabled=True), WantedUser(scope="viewer"), WantedUser(teams=("a",))],
)
async def test_links_end_with_the_rights_of_who_made_them(
    desk: Desk, wanted: WantedUser | None
) -> None:
    """Else who is sent away comes back by a link that they made before."""
    root = await desk.user("root")
    ann = await desk.user("ann")
    secret, other = [await desk.office.invite(one, "admin", ()) for one in (ann, root)]
    await desk.office.put_user(root, "ann", WantedUser(password=OTHER), None)
    assert desk.office.invitation(secret) is not None
    if wanted is None:
        await desk.office.remove_user(root, "ann", None)
    else:
        await desk.office.put_user(root, "ann", wanted, None)
    assert desk.office.invitation(secret) is None
    await refused(desk.office.accept(secret, "eve", GOOD), HTTPStatus.NOT_FOUND)
    assert desk.office.invitation(other) is not None


# --- tokens


async def test_a_token_is_shown_once_and_works(desk: Desk) -> None:
    ann = await desk.user("ann")
    made = await desk.office.add_token(ann, WantedToken(name="ci", scope="operator"))
    assert made.secret is not None
    text = tokens.parse(made.secret)
    assert text is not None
    kept = desk.journal.book.get(Token, text.id)
    assert kept is not None
    assert tokens.is_secret_of(kept, text.secret)
    assert kept.expires_at == NOW + 90 * DAY_MS
    await desk.journal.put([TokenSeen(id=made.id, at=NOW)])
    (listed,) = desk.office.tokens(ann)
    assert (listed.secret, listed.last_used_at, listed.owner) == (None, NOW, "ann")
    await desk.journal.put([TokenSeen(id=made.id, at=NOW - HOUR_MS)])
    (listed,) = desk.office.tokens(ann)
    assert listed.last_used_at == NOW
    never = await desk.office.add_token(ann, WantedToken(name="for ever", expires_in_days=0))
    assert never.expires_at is None
    await desk.office.revoke_token(ann, made.id)
    assert [one.name for one in desk.office.tokens(ann)] == ["for ever"]
    await refused(desk.office.revoke_token(ann, made.id), HTTPStatus.NOT_FOUND)


async def test_a_token_does_no_more_than_who_makes_it(desk: Desk) -> None:
    await desk.user("root")
    bob = await desk.user("bob", "operator", teams=("db", "web"))
    add = desk.office.add_token
    assert (await add(bob, WantedToken(name="a", scope="operator"))).teams == ("db", "web")
    assert (await add(bob, WantedToken(name="a", teams=("db",)))).teams == ("db",)
    for wanted, field in (
        (WantedToken(name="a", scope="admin"), "scope"),
        (WantedToken(name="a", teams=("mail",)), "teams"),
        (WantedToken(name="a", tags=("rack",)), "tags"),
    ):
        await refused(add(bob, wanted), HTTPStatus.FORBIDDEN, field)
    for wanted, field in (
        (WantedToken(name=" "), "name"),
        (WantedToken(name="a", expires_in_days=-1), "expires_in_days"),
        (WantedToken(name="a", expires_in_days=10**9), "expires_in_days"),
        (WantedToken(name="a", teams=("x" * 256,)), "teams"),
    ):
        await refused(add(bob, wanted), HTTPStatus.BAD_REQUEST, field)
    by_token = Principal(name="bob", scope="operator", via="token")
    await refused(add(by_token, WantedToken(name="a")), HTTPStatus.FORBIDDEN)


async def test_nobody_has_tokens_without_end(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(office_module, "MOST_TOKENS", 2)
    ann, bob = await desk.user("ann"), await desk.user("bob", "viewer")
    made = [await desk.office.add_token(bob, WantedToken(name="x")) for _ in range(2)]
    await refused(desk.office.add_token(bob, WantedToken(name="x")), HTTPStatus.CONFLICT)
    assert (await desk.office.add_token(ann, WantedToken(name="x"))).owner == "ann"
    await desk.office.revoke_token(bob, made[0].id)
    await desk.office.add_token(bob, WantedToken(name="x"))


async def test_tokens_are_seen_and_revoked_by_their_owner_and_admins(desk: Desk) -> None:
    ann, bob = await desk.user("ann"), await desk.user("bob", "operator")
    carla = await desk.user("carla", "operator")
    first = await desk.office.add_token(bob, WantedToken(name="first"))
    await desk.office.add_token(bob, WantedToken(name="second"))
    assert len(desk.office.tokens(ann)) == len(desk.office.tokens(bob)) == 2
    assert desk.office.tokens(carla) == []
    await refused(desk.office.revoke_token(carla, first.id), HTTPStatus.NOT_FOUND)
    await desk.office.revoke_token(ann, first.id)
    await desk.office.remove_user(ann, "bob", None)
    assert not desk.journal.book.all(Token)


# --- the audit log


async def test_the_audit_log_is_read_in_pages(desk: Desk) -> None:
    for name in ("ann", "bob", "carla", "dora"):
        await desk.user(name)
    names = [one.about for one in desk.office.audit(limit=2)]
    assert names == ["dora", "carla"]
    last = desk.office.audit(limit=2)[-1]
    assert [one.about for one in desk.office.audit(before=last.id)] == ["bob", "ann"]
    assert [one.about for one in desk.office.audit(about="bob")] == ["bob"]
    assert len(desk.office.audit(by="local")) == 4
    assert desk.office.audit(by="nobody") == desk.office.audit(before="0" * 16) == []
    assert len(desk.office.audit(limit=-1)) == 1


async def test_the_audit_log_says_what_was_and_what_is(desk: Desk) -> None:
    await desk.user("ann")
    await desk.user("bob", "operator", teams=("db",))
    await desk.office.put_user(LOCAL, "bob", WantedUser(scope="viewer", password=OTHER), None)
    (entry, *_) = desk.office.audit()
    assert entry.detail == "changed bob: viewer in place of operator, a new password"
    assert msgspec.json.decode(entry.before)["scope"] == "operator"
    assert msgspec.json.decode(entry.after) == {
        "name": "bob", "scope": "viewer", "teams": ["db"], "tags": [], "disabled": False,
        "has_password": True,
    }  # fmt: skip
    assert entry.id == desk.journal.book.all(User)["bob"].change
    assert isinstance(entry, Audit)


async def test_kafka_away_is_one_sentence(desk: Desk) -> None:
    ann = await desk.user("ann")
    await desk.sign_in(ann)
    token = await desk.office.add_token(ann, WantedToken(name="a"))
    secret = await desk.office.invite(ann, "viewer", ())
    session = desk.office.sessions(ann)[0].id
    desk.journal.is_away = True
    for work in (
        desk.office.put_user(ann, "bob", WantedUser(), None),
        desk.office.accept(secret, "zoe", GOOD),
        desk.office.invite(ann, "viewer", ()),
        desk.office.change_password(ann, GOOD, OTHER),
        desk.office.end_session(ann, session),
        desk.office.add_token(ann, WantedToken(name="b")),
        desk.office.revoke_token(ann, token.id),
    ):
        await refused(work, HTTPStatus.SERVICE_UNAVAILABLE)


async def test_a_change_of_many_is_found_by_each_target_of_it(desk: Desk) -> None:
    many, other = "0" * 15 + "1", "0" * 15 + "2"
    await desk.journal.put(
        [
            Bulk(id=many, at=1, by="ann", action="pause", targets=("db", "web")),
            Audit(id=many, at=1, by="ann", action="pause", about="2 targets"),
            Audit(id=other, at=2, by="bob", action="change target", about="db"),
        ]
    )
    assert [one.id for one in desk.office.audit(about="db")] == [other, many]
    assert [one.id for one in desk.office.audit(about="web")] == [many]
    assert desk.office.audit(about="mail") == []
