"""Access tokens: `pq_ID_SECRET`, ID of 8 hex digits, SECRET of 256 bits. Pure.

What is kept is the SHA-256 of the secret: a random secret needs no slow hash.
"""

import hashlib
import hmac
import re
import secrets
from typing import Final

from msgspec import Struct

from portquorum.access.principal import Principal, may_do_less
from schemas.web import Token, User

_FORM: Final = re.compile(r"pq_([0-9a-f]{8})_([A-Za-z0-9_-]{43})")


class TokenText(Struct, frozen=True):
    """A token as its owner has it, taken apart. Its `repr` does not show the secret."""

    id: str
    secret: str

    @property
    def whole(self) -> str:
        """The token."""
        return f"pq_{self.id}_{self.secret}"

    @property
    def digest(self) -> str:
        """What is kept of it."""
        return digest(self.secret)

    def __repr__(self) -> str:
        """Without the secret."""
        return f"TokenText({self.id})"


def new_token() -> TokenText:
    """A token that nobody can guess."""
    return TokenText(secrets.token_hex(4), secrets.token_urlsafe(32))


def digest(secret: str) -> str:
    """The SHA-256 of a secret, in hex: of tokens, cookies, invitations."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def parse(text: str) -> TokenText | None:
    """A token taken apart; None: it has not the form of one."""
    found = _FORM.fullmatch(text)
    return None if found is None else TokenText(found[1], found[2])


def is_secret_of(token: Token, secret: str) -> bool:
    """True if this is the token's secret; takes equally long for each wrong one."""
    return hmac.compare_digest(token.secret, digest(secret))


def principal_of(token: Token, owner: User | None, now: int, *, is_gone: bool) -> Principal | None:
    """Who a token stands for at `now` (UTC ms); None: it is over.

    It does no more than its `owner` can now. None as owner is somebody who never was a user here
    (a provider named them, or a command made the token), and then it stands for itself; `is_gone`:
    they were one, and were removed.
    """
    is_over = token.expires_at is not None and token.expires_at <= now
    if token.removed or is_over or is_gone or (owner is not None and owner.disabled):
        return None
    by = Principal(
        name=token.owner, scope=token.scope, via="token", teams=token.teams, tags=token.tags
    )
    return by if owner is None else may_do_less(by, owner.scope, owner.teams, owner.tags)
