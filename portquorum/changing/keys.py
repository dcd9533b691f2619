"""Keys in addresses: reports of heartbeats, badges, locked status pages."""

from collections.abc import Sequence
from typing import Literal, Protocol

from msgspec import Struct

from portquorum.access.principal import Principal
from schemas.target import Target
from schemas.web import ShareKey

KeyUse = Literal["ping", "badge", "page"]


class WantedKey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key to make; see `schemas.web.ShareKey`.

    `about` None: all that `teams` and `tags` allow. `expires_in_days` 0: never. `secret` takes over
    the text that others have already (of Healthchecks, of Uptime Kuma); None: a new one is made.
    """

    use: KeyUse
    name: str = ""
    about: str | None = None
    teams: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    expires_in_days: int = 0
    secret: str | None = None


class KeyShown(Struct, frozen=True, kw_only=True):
    """A key; `secret` is its whole text in the answer that made it, None ever after."""

    id: str
    name: str
    use: KeyUse
    about: str | None
    teams: tuple[str, ...]
    tags: tuple[str, ...]
    owner: str
    created_at: int
    expires_at: int | None
    secret: str | None = None


class Keys(Protocol):
    """The keys; `portquorum.sharing.share_keys` has it. What changes something raises ChangeError.

    Of a key `about` a target the caller gives the target as it is published, which decides about
    limits; None: there is none of this id.
    """

    def find(self, secret: str, use: KeyUse) -> ShareKey | None:
        """The key of a text in an address; None: there is none, it is over or of another use.

        Answers at once, from memory. Nobody knows before `Journal.is_present`: ask that first.
        """

    def get(self, key: str) -> KeyShown | None:
        """A key by its id; None: there is none, or it was revoked."""

    def listed(self, use: KeyUse | None = None, about: str | None = None) -> Sequence[KeyShown]:
        """Keys by what they are about and name, also those that are over; None: all."""

    async def add(
        self, who: Principal, wanted: WantedKey, target: Target | None = None
    ) -> KeyShown:
        """Makes a key; 409 if another one has its secret."""

    async def revoke(self, who: Principal, key: str, target: Target | None = None) -> KeyShown:
        """Revokes a key: it lets nobody in from now on."""
