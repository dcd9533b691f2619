"""Users, tokens and the audit log."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import UNSET, Struct, UnsetType

from portquorum.access.principal import Principal
from schemas.web import Audit, Invitation, Scope


class UserSeen(Struct, frozen=True, kw_only=True):
    """A user, without the hash."""

    name: str
    scope: Scope
    teams: tuple[str, ...]
    tags: tuple[str, ...]
    disabled: bool
    has_password: bool
    version: int
    created_at: int
    sessions: int


class TokenShown(Struct, frozen=True, kw_only=True):
    """A token; `secret` is the whole token in the answer that made it, None ever after."""

    id: str
    name: str
    scope: Scope
    teams: tuple[str, ...]
    tags: tuple[str, ...]
    owner: str
    created_at: int
    expires_at: int | None
    last_used_at: int | None
    secret: str | None = None


class SessionSeen(Struct, frozen=True, kw_only=True):
    """Somebody who has signed in somewhere; `id` is that of the record, which is no secret.

    `is_this`: the one that asks.
    """

    id: str
    via: str
    created_at: int
    seen_at: int
    expires_at: int
    is_this: bool = False


class WantedUser(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fields of a user to set; what is not given stays as it is, or gets its default."""

    scope: Scope | UnsetType = UNSET
    teams: tuple[str, ...] | UnsetType = UNSET
    tags: tuple[str, ...] | UnsetType = UNSET
    disabled: bool | UnsetType = UNSET
    password: str | UnsetType | None = UNSET


class WantedToken(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A token to make; it can do no more than who asks. `expires_in_days` 0: never."""

    name: str
    scope: Scope = "viewer"
    teams: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    expires_in_days: int = 90


class Office(Protocol):
    """Users, tokens and the audit log; `portquorum.web.office` has it. All raise ChangeError."""

    def users(self) -> Sequence[UserSeen]:
        """All users, by name."""

    async def put_user(
        self, who: Principal, name: str, wanted: WantedUser, if_version: int | None
    ) -> UserSeen:
        """Makes or changes a user; the last admin that is not disabled stays one."""

    async def remove_user(self, who: Principal, name: str, if_version: int | None) -> None:
        """Removes a user, their sessions and tokens."""

    async def invite(
        self, who: Principal, scope: Scope, teams: Sequence[str], tags: Sequence[str] = ()
    ) -> str:
        """The secret of a link that makes one user, within 24 h."""

    def invitation(self, secret: str) -> Invitation | None:
        """What a link's secret is good for; None: it was used, it is over, or never was one."""

    async def accept(self, secret: str, name: str, password: str) -> UserSeen:
        """Makes the user of a link; of two who use it at the same time one gets 404.

        Errors are at the fields `name` and `password`.
        """

    async def change_password(self, who: Principal, old: str, new: str) -> None:
        """Changes one's own password; all other sessions of the user end."""

    def sessions(self, who: Principal) -> Sequence[SessionSeen]:
        """One's own sessions, the newest use first."""

    async def end_session(self, who: Principal, session: str) -> None:
        """Ends one of one's own sessions by its id."""

    def tokens(self, who: Principal) -> Sequence[TokenShown]:
        """All tokens for an admin without limits, else those of `who`."""

    async def add_token(self, who: Principal, wanted: WantedToken) -> TokenShown:
        """Makes a token."""

    async def revoke_token(self, who: Principal, token: str) -> None:
        """Revokes a token, of one's own or as an admin."""

    def audit(
        self, *, by: str = "", about: str = "", before: str = "", limit: int = 100
    ) -> Sequence[Audit]:
        """Changes, the newest first, from the one after the id `before` on."""
