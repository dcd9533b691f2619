"""The Keys over the journal: found, made, revoked, and each change written down."""

import secrets
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Final

from msgspec import structs

from portquorum.access.principal import Principal
from portquorum.changing.away import kafka_errors_said
from portquorum.changing.errors import ChangeError, FieldError
from portquorum.changing.keys import KeyShown, KeyUse, WantedKey
from portquorum.journal.audit_log import AuditLog, now_ms
from portquorum.journal.protocol import Journal
from portquorum.sharing import rules
from portquorum.sharing.key_index import KeyIndex
from portquorum.sharing.key_text import digest_of, new_text
from schemas.duration import DAY_MS
from schemas.target import Target
from schemas.web import ShareKey

MOST_KEYS: Final = 50_000
"""Keys in all: every process keeps them in memory."""

MOST_OF_ONE: Final = 20
"""Keys of one use about one thing."""

TAKEN: Final = "another key has this text: take another one, or revoke that key first"


class ShareKeys:
    """The Keys (`portquorum.changing.keys`) of one process."""

    def __init__(self, journal: Journal, now: Callable[[], int] = now_ms) -> None:
        """`journal` must be run by somebody; `now` gives UTC ms."""
        self._journal = journal
        self._now = now
        self._index = KeyIndex(journal)
        self._audit = AuditLog(journal, now)

    def find(self, secret: str, use: KeyUse) -> ShareKey | None:
        key = self._index.find(digest_of(secret))
        if key is None or key.use != use:
            return None
        is_over = key.expires_at is not None and key.expires_at <= self._now()
        return None if is_over else key

    def get(self, key: str) -> KeyShown | None:
        found = self._journal.book.get(ShareKey, key)
        return None if found is None else _shown(found)

    def listed(self, use: KeyUse | None = None, about: str | None = None) -> Sequence[KeyShown]:
        found = [
            _shown(one)
            for one in self._journal.book.all(ShareKey).values()
            if use in {None, one.use} and about in {None, one.about}
        ]
        return sorted(found, key=lambda one: (one.about or "", one.name, one.created_at, one.id))

    async def add(
        self, who: Principal, wanted: WantedKey, target: Target | None = None
    ) -> KeyShown:
        wanted = rules.checked(who, wanted, target)
        self._expect_room(wanted)
        text = wanted.secret or new_text(wanted.use, wanted.about)
        key = self._new(who, wanted, digest_of(text))
        if self._index.find(key.secret) is not None:
            raise _taken()
        await self._edit(key)
        first = self._index.find(key.secret)
        if first is not None and first.id != key.id:  # somebody else took it over just before
            await self._edit(self._revoked(who, key))
            raise _taken()
        shown = _shown(key)
        detail = f"made the key {key.name} for {_purpose(key)}"
        await self._audit.record(
            who, "add key", key.about or key.id, detail, None, shown, change=key.change
        )
        return structs.replace(shown, secret=text)

    async def revoke(self, who: Principal, key: str, target: Target | None = None) -> KeyShown:
        found = self._journal.book.get(ShareKey, key)
        if found is None:
            raise ChangeError(HTTPStatus.NOT_FOUND, "there is no such key")
        rules.expect_may_revoke(who, found, target)
        gone = self._revoked(who, found)
        await self._edit(gone)
        shown = _shown(found)
        detail = f"revoked the key {found.name} for {_purpose(found)}"
        await self._audit.record(
            who, "revoke key", found.about or found.id, detail, shown, change=gone.change
        )
        return shown

    def _expect_room(self, wanted: WantedKey) -> None:
        every = self._journal.book.all(ShareKey)
        same = sum(one.use == wanted.use and one.about == wanted.about for one in every.values())
        most = MOST_OF_ONE if wanted.about is not None else MOST_KEYS
        if same >= most or len(every) >= MOST_KEYS:
            found = f"expected at most {min(most, MOST_KEYS)} such keys: revoke some first"
            raise ChangeError(HTTPStatus.CONFLICT, found)

    def _new(self, who: Principal, wanted: WantedKey, digest: str) -> ShareKey:
        ident, now = self._free_id(), self._now()
        days = wanted.expires_in_days
        return ShareKey(
            version=self._journal.book.version(ShareKey, ident) + 1,
            change=secrets.token_hex(8),
            at=now,
            by=who.name,
            id=ident,
            name=wanted.name,
            use=wanted.use,
            secret=digest,
            about=wanted.about,
            teams=wanted.teams,
            tags=wanted.tags,
            owner=who.name,
            created_at=now,
            expires_at=now + days * DAY_MS if days else None,
        )

    def _free_id(self) -> str:
        """Not that of a key there is, nor of one that was revoked lately."""
        while True:
            ident = secrets.token_hex(4)
            if not self._journal.book.version(ShareKey, ident):
                return ident

    def _revoked(self, who: Principal, key: ShareKey) -> ShareKey:
        return structs.replace(
            key,
            version=key.version + 1,
            change=secrets.token_hex(8),
            at=self._now(),
            by=who.name,
            removed=True,
        )

    async def _edit(self, key: ShareKey) -> None:
        with kafka_errors_said():
            (outcome,) = await self._journal.edit([key])
        if not outcome.accepted:
            raise ChangeError(
                HTTPStatus.CONFLICT,
                "somebody else changed this key at the same time; look at it and try again",
                version=outcome.version,
            )


def _shown(key: ShareKey) -> KeyShown:
    return KeyShown(
        id=key.id,
        name=key.name,
        use=key.use,
        about=key.about,
        teams=key.teams,
        tags=key.tags,
        owner=key.owner,
        created_at=key.created_at,
        expires_at=key.expires_at,
    )


def _purpose(key: ShareKey) -> str:
    match key.use:
        case "ping":
            return f"reports of {key.about or 'all heartbeats'}"
        case "badge":
            return f"badges of {key.about or 'all targets'}"
        case "page":
            return f"the status page {key.about}"


def _taken() -> ChangeError:
    return ChangeError(
        HTTPStatus.CONFLICT, f"secret: {TAKEN}", errors=[FieldError(field="secret", message=TAKEN)]
    )
