"""The Office over the journal: users, invitations, sessions, tokens, and the audit log."""

import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import Final

from msgspec import structs

from portquorum.access import tokens
from portquorum.access.passwords import Passwords, PasswordsBusyError, problem_of
from portquorum.access.principal import Principal
from portquorum.changing.away import kafka_errors_said
from portquorum.changing.errors import ChangeError, FieldError
from portquorum.changing.office import (
    SessionSeen,
    TokenShown,
    UserSeen,
    WantedToken,
    WantedUser,
)
from portquorum.journal.audit_log import AuditLog, now_ms
from portquorum.journal.protocol import Journal
from portquorum.web.office import rules
from portquorum.web.office.attempts import Attempts, TooManyAttemptsError
from schemas.duration import DAY_MS
from schemas.web import (
    Audit,
    Bulk,
    Invitation,
    Request,
    Scope,
    Session,
    SessionUse,
    Token,
    TokenSeen,
    User,
    Versioned,
)

INVITATION_MS: Final = DAY_MS
MOST_TOKENS: Final = 1_000
"""Tokens of one owner: every process keeps all of them, and a viewer may make some, too."""

MOST_ENTRIES: Final = 1_000
"""Entries of the audit log in one answer."""

_FIRST_EPOCHS: Final = 2**30


class RecordsOffice:
    """The Office (`portquorum.changing.office`) of one process."""

    def __init__(
        self,
        journal: Journal,
        passwords: Passwords | None = None,
        now: Callable[[], int] = now_ms,
    ) -> None:
        """`journal` must be run by somebody; `now` gives UTC ms.

        `passwords` is that of the process: it bounds how many are checked at a time.
        """
        self._journal = journal
        self._passwords = passwords or Passwords()
        self._now = now
        self._attempts = Attempts(journal, self._passwords, now)
        self._audit = AuditLog(journal, now)

    # --- users

    def users(self) -> Sequence[UserSeen]:
        book, now = self._journal.book, self._now()
        sessions = Counter(one.user for one in book.every(Session).values() if one.expires_at > now)
        return [_seen(one, sessions[name]) for name, one in sorted(book.all(User).items())]

    async def put_user(
        self, who: Principal, name: str, wanted: WantedUser, if_version: int | None
    ) -> UserSeen:
        rules.expect_full_admin(who)
        name = rules.login_of(name)
        before = self._journal.book.get(User, name)
        rules.expect_version(before.version if before else 0, if_version)
        after = rules.changed_user(before, self._new_user(who, name), wanted)
        if isinstance(wanted.password, str):
            after = structs.replace(after, password=await self._hash(wanted.password))
        if before is not None and rules.ends_sessions(before, after):
            after = structs.replace(after, epoch=_next_epoch(before.epoch))
        rules.expect_admin_stays(self._journal.book.all(User), name, after)
        await self._edit(after)
        await self._expect_admin(before, after)
        if before is not None and after.epoch != before.epoch:
            await self._end_sessions(name)
        if before is not None and not rules.is_full_admin(after):
            await self._end_links(name)
        action = "add user" if before is None else "change user"
        await self._note(who, action, name, before, after)
        return _seen(after, self._sessions_of(name))

    async def remove_user(self, who: Principal, name: str, if_version: int | None) -> None:
        rules.expect_full_admin(who)
        before = self._journal.book.get(User, name)
        if before is None:
            raise ChangeError(HTTPStatus.NOT_FOUND, "there is no such user")
        rules.expect_version(before.version, if_version)
        rules.expect_admin_stays(self._journal.book.all(User), name, None)
        gone = structs.replace(
            self._new_user(who, name),
            scope=before.scope,
            epoch=_next_epoch(before.epoch),
            created_at=before.created_at,
            removed=True,
        )
        await self._edit(gone)
        await self._expect_admin(before, gone)
        await self._revoke_all(who, name)
        await self._end_sessions(name)
        await self._end_links(name)
        await self._note(who, "remove user", name, before, None, change=gone.change)

    async def change_password(self, who: Principal, old: str, new: str) -> None:
        before = self._journal.book.get(User, who.name)
        if before is None or before.password is None or who.via != "password":
            raise ChangeError(HTTPStatus.CONFLICT, "you have no password here to change")
        await self._expect_password(before, old)
        if problem := problem_of(new):
            raise _at("new", problem)
        after = structs.replace(
            before,
            version=before.version + 1,
            change=_nonce(),
            at=self._now(),
            by=who.name,
            password=await self._hash(new),
            epoch=_next_epoch(before.epoch),
        )
        await self._edit(after)
        await self._end_sessions(who.name, but=tokens.digest(who.session), epoch=after.epoch)
        await self._audit.record(
            who, "change password", who.name, "changed their password", change=after.change
        )

    # --- invitations

    async def invite(
        self, who: Principal, scope: Scope, teams: Sequence[str], tags: Sequence[str] = ()
    ) -> str:
        rules.expect_full_admin(who)
        errors: list[FieldError] = []
        names = rules.names_of("teams", teams, errors)
        tagged = rules.names_of("tags", tags, errors)
        if errors:
            raise ChangeError(HTTPStatus.BAD_REQUEST, errors[0].message, errors=errors)
        if not self._journal.book.all(User) and (scope != "admin" or names or tagged):
            raise ChangeError(HTTPStatus.CONFLICT, rules.FIRST)
        secret = secrets.token_urlsafe(32)
        invitation = Invitation(
            id=tokens.digest(secret),
            scope=scope,
            teams=names,
            tags=tagged,
            by=who.name,
            expires_at=self._now() + INVITATION_MS,
        )
        with kafka_errors_said():
            await self._journal.put([invitation])
        detail = f"made a link for a new {_words(scope, names, tagged)}"
        await self._audit.record(who, "add link", scope, detail)
        return secret

    def invitation(self, secret: str) -> Invitation | None:
        return self._open_invitation(tokens.digest(secret))

    def _open_invitation(self, ident: str) -> Invitation | None:
        found = self._journal.book.one(Invitation, ident)
        if found is None or found.expires_at <= self._now():
            return None
        return None if self._journal.book.get(Request, found.id) else found

    async def accept(self, secret: str, name: str, password: str) -> UserSeen:
        invitation = self.invitation(secret)
        if invitation is None:
            raise _no_invitation()
        name = rules.login_of(name)
        who = Principal(name=name, scope=invitation.scope, via="password")
        if self._journal.book.get(User, name) is not None:
            raise _at("name", "there is a user of this name", HTTPStatus.CONFLICT)
        wanted = WantedUser(scope=invitation.scope, teams=invitation.teams, tags=invitation.tags)
        user = rules.changed_user(
            None, self._new_user(who, name), structs.replace(wanted, password=password)
        )
        user = structs.replace(user, password=await self._hash(password))
        rules.expect_admin_stays(self._journal.book.all(User), name, user)
        claim = await self._claim(invitation, name)
        try:
            await self._edit(user)
        except ChangeError:
            await self._edit(structs.replace(claim, version=claim.version + 1, removed=True))
            raise
        with kafka_errors_said():
            await self._journal.drop([(Invitation, invitation.id)])
        detail = (
            f"came in by a link of {invitation.by} as {_words(user.scope, user.teams, user.tags)}"
        )
        await self._audit.record(
            who, "use link", name, detail, None, rules.shown(user), change=user.change
        )
        return _seen(user, 0)

    # --- sessions

    def sessions(self, who: Principal) -> Sequence[SessionSeen]:
        this, now = tokens.digest(who.session), self._now()
        own = [
            one
            for one in self._journal.book.every(Session).values()
            if one.user == who.name and one.expires_at > now
        ]
        return [
            SessionSeen(
                id=one.id,
                via=one.via,
                created_at=one.created_at,
                seen_at=self._seen_at(one),
                expires_at=one.expires_at,
                is_this=one.id == this,
            )
            for one in sorted(own, key=self._seen_at, reverse=True)
        ]

    async def end_session(self, who: Principal, session: str) -> None:
        found = self._journal.book.one(Session, session)
        if found is None or found.user != who.name:
            raise ChangeError(HTTPStatus.NOT_FOUND, "you have no such session")
        with kafka_errors_said():
            await self._journal.drop([(Session, session)])
        await self._audit.record(who, "end session", who.name, "ended one of their sessions")

    # --- tokens

    def tokens(self, who: Principal) -> Sequence[TokenShown]:
        is_all = who.may("admin") and not who.is_limited
        found = [
            one for one in self._journal.book.all(Token).values() if is_all or one.owner == who.name
        ]
        return [self._shown(one) for one in sorted(found, key=lambda one: (one.owner, one.name))]

    async def add_token(self, who: Principal, wanted: WantedToken) -> TokenShown:
        wanted = rules.checked_token(who, wanted)
        own = sum(one.owner == who.name for one in self._journal.book.all(Token).values())
        if own >= MOST_TOKENS:
            text = f"expected at most {MOST_TOKENS} tokens of one owner: revoke some first"
            raise ChangeError(HTTPStatus.CONFLICT, text)
        made = tokens.new_token()
        now, days = self._now(), wanted.expires_in_days
        token = Token(
            version=self._journal.book.version(Token, made.id) + 1,
            change=_nonce(),
            at=now,
            by=who.name,
            id=made.id,
            name=wanted.name,
            secret=made.digest,
            scope=wanted.scope,
            teams=wanted.teams,
            tags=wanted.tags,
            owner=who.name,
            created_at=now,
            expires_at=now + days * DAY_MS if days else None,
        )
        if self._journal.book.get(Token, made.id) is not None:  # once in 4 billion
            return await self.add_token(who, wanted)
        await self._edit(token)
        detail = f"made the token {token.name}, {_words(token.scope, token.teams, token.tags)}"
        await self._audit.record(
            who, "add token", token.id, detail, None, self._shown(token), change=token.change
        )
        return structs.replace(self._shown(token), secret=made.whole)

    async def revoke_token(self, who: Principal, token: str) -> None:
        found = self._journal.book.get(Token, token)
        if found is None or not rules.may_end(who, found):
            raise ChangeError(HTTPStatus.NOT_FOUND, "there is no such token")
        gone = self._revoked(who, found)
        await self._edit(gone)
        detail = f"revoked the token {found.name} of {found.owner}"
        await self._audit.record(
            who, "revoke token", token, detail, self._shown(found), change=gone.change
        )

    # --- the audit log

    def audit(
        self, *, by: str = "", about: str = "", before: str = "", limit: int = 100
    ) -> Sequence[Audit]:
        entries = iter(reversed(list(self._journal.book.every(Audit).values())))
        if before and not any(one.id == before for one in entries):
            return []
        found: list[Audit] = []
        bulks = self._bulks_of(about)
        for one in entries:
            if len(found) >= min(max(limit, 1), MOST_ENTRIES):
                break
            of_it = not about or one.about == about or one.id in bulks
            if of_it and (not by or one.by == by):
                found.append(one)
        return found

    # --- parts of them

    def _bulks_of(self, target: str) -> set[str]:
        """The ids of bulk changes that changed a target: their entries name a number alone."""
        parts = self._journal.book.every(Bulk).values() if target else ()
        return {one.id for one in parts if target in one.targets}

    def _new_user(self, who: Principal, name: str) -> User:
        now = self._now()
        return User(
            version=self._journal.book.version(User, name) + 1,
            change=_nonce(),
            at=now,
            by=who.name,
            name=name,
            scope="viewer",
            # Not that of a former user of this name, whose sessions must not come back to life.
            epoch=secrets.randbelow(_FIRST_EPOCHS),
            created_at=now,
        )

    async def _edit(self, *edits: Versioned) -> None:
        with kafka_errors_said():
            outcomes = await self._journal.edit(edits)
        refused = [one for one in outcomes if not one.accepted]
        if refused:
            raise ChangeError(
                HTTPStatus.CONFLICT,
                "somebody else changed this at the same time; look at it and try again",
                version=refused[0].version,
            )

    async def _expect_admin(self, before: User | None, after: User) -> None:
        """Two may take away each other's rights at the same time: the later one is put back."""
        if before is None or rules.has_admin(self._journal.book.all(User).values()):
            return
        await self._edit(
            structs.replace(before, version=after.version + 1, change=_nonce(), at=self._now())
        )
        raise ChangeError(HTTPStatus.CONFLICT, rules.LAST)

    async def _hash(self, password: str) -> str:
        with _busy():
            return await self._passwords.hash(password)

    async def _expect_password(self, user: User, password: str) -> None:
        with _busy(), kafka_errors_said():
            try:
                found = await self._attempts.user(user.name, password)
            except TooManyAttemptsError as error:
                raise _at("old", str(error), HTTPStatus.FORBIDDEN) from error
        if found is None:
            raise _at("old", "this is not your password", HTTPStatus.FORBIDDEN)

    async def _claim(self, invitation: Invitation, name: str) -> Request:
        """Makes sure that a link makes one user: of two at the same time, one has the claim."""
        if self._open_invitation(invitation.id) is None:  # used while the password was hashed
            raise _no_invitation()
        claim = Request(
            version=self._journal.book.version(Request, invitation.id) + 1,
            change=_nonce(),
            at=self._now(),
            by=name,
            key=invitation.id,
            asked=invitation.id,
        )
        try:
            await self._edit(claim)
        except ChangeError as error:
            if error.status == HTTPStatus.CONFLICT:
                raise _no_invitation() from error
            raise
        return claim

    def _seen_at(self, session: Session) -> int:
        seen = self._journal.book.one(SessionUse, session.id)
        return session.seen_at if seen is None else max(seen.at, session.seen_at)

    def _sessions_of(self, name: str) -> int:
        return sum(one.user == name for one in self._journal.book.every(Session).values())

    async def _end_sessions(self, name: str, *, but: str = "", epoch: int = 0) -> None:
        """Ends a user's sessions; the one with the id `but` goes on in the new epoch."""
        own = [one for one in self._journal.book.every(Session).values() if one.user == name]
        with kafka_errors_said():
            await self._journal.put(
                [structs.replace(one, epoch=epoch) for one in own if one.id == but]
            )
            await self._journal.drop([(Session, one.id) for one in own if one.id != but])

    async def _end_links(self, name: str) -> None:
        """Links that somebody made would let them in again, as whatever they were."""
        own = [one for one in self._journal.book.every(Invitation).values() if one.by == name]
        with kafka_errors_said():
            await self._journal.drop([(Invitation, one.id) for one in own])

    async def _revoke_all(self, who: Principal, owner: str) -> None:
        own = [one for one in self._journal.book.all(Token).values() if one.owner == owner]
        with kafka_errors_said():
            await self._journal.edit([self._revoked(who, one) for one in own])

    def _revoked(self, who: Principal, token: Token) -> Token:
        return structs.replace(
            token,
            version=token.version + 1,
            change=_nonce(),
            at=self._now(),
            by=who.name,
            removed=True,
        )

    def _shown(self, token: Token) -> TokenShown:
        seen = self._journal.book.one(TokenSeen, token.id)
        return TokenShown(
            id=token.id,
            name=token.name,
            scope=token.scope,
            teams=token.teams,
            tags=token.tags,
            owner=token.owner,
            created_at=token.created_at,
            expires_at=token.expires_at,
            # The record is to the hour: it may lie before the token was made.
            last_used_at=None if seen is None else max(seen.at, token.created_at),
        )

    async def _note(
        self,
        who: Principal,
        action: str,
        name: str,
        before: User | None,
        after: User | None,
        *,
        change: str = "",
    ) -> None:
        if after is None:
            detail = f"removed {name}, their sessions and tokens"
        elif before is None:
            detail = f"made {name}, {_words(after.scope, after.teams, after.tags)}"
        else:
            detail = f"changed {name}: {', '.join(_differences(before, after)) or 'nothing'}"
        await self._audit.record(
            who,
            action,
            name,
            detail,
            before and rules.shown(before),
            after and rules.shown(after),
            change=after.change if after is not None else change,
        )


def _seen(user: User, sessions: int) -> UserSeen:
    return UserSeen(
        name=user.name,
        scope=user.scope,
        teams=user.teams,
        tags=user.tags,
        disabled=user.disabled,
        has_password=user.password is not None,
        version=user.version,
        created_at=user.created_at,
        sessions=sessions,
    )


def _differences(before: User, after: User) -> list[str]:
    found = []
    if before.scope != after.scope:
        found.append(f"{after.scope} in place of {before.scope}")
    if (before.teams, before.tags) != (after.teams, after.tags):
        found.append("other limits")
    if before.disabled != after.disabled:
        found.append("disabled" if after.disabled else "no longer disabled")
    if before.password != after.password:
        found.append("no password" if after.password is None else "a new password")
    return found


def _words(scope: Scope, teams: Sequence[str], tags: Sequence[str]) -> str:
    limits = ", ".join((*teams, *(f"tag {one}" for one in tags)))
    return f"{scope} of {limits}" if limits else scope


def _next_epoch(epoch: int) -> int:
    return (epoch + 1) % (2**31 - 1)


def _nonce() -> str:
    return secrets.token_hex(8)


def _at(field: str, words: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> ChangeError:
    return ChangeError(status, f"{field}: {words}", errors=[FieldError(field=field, message=words)])


def _no_invitation() -> ChangeError:
    return ChangeError(
        HTTPStatus.NOT_FOUND, "this link is not valid: it was used, it is over, or never was one"
    )


@contextmanager
def _busy() -> Iterator[None]:
    try:
        yield
    except PasswordsBusyError as error:
        raise ChangeError(HTTPStatus.SERVICE_UNAVAILABLE, str(error)) from error
