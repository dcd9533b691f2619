"""An app whose door asks real records, with users, tokens and sessions of every kind."""

import secrets
from typing import Any, Final

import httpx
from argon2 import PasswordHasher
from msgspec.structs import replace

from foundation.http_origin import Served
from portquorum.access.passwords import Passwords
from portquorum.access.rules import AccessRules
from portquorum.access.tokens import TokenText, digest, new_token
from portquorum.web.access.csrf import token
from portquorum.web.access.door import RecordsDoor
from portquorum.web.access.known import LONGEST_MS
from portquorum.web.access.last_use import LastUse
from portquorum.web.pages.handlers import error_page_of
from portquorum.web.routes import page_routes
from portquorum.web.sign_in.attempts import Attempts
from portquorum.web.sign_in.entry import SignIn
from portquorum.web.sign_in.invitations import Invitations
from portquorum.web.sign_in.provider import OidcProvider
from portquorum.web.sign_in.sessions import Sessions
from schemas.web import Scope, Session, Token, User
from tests.unit.portquorum.web.access.memory_journal import AT, MemoryJournal
from tests.unit.portquorum.web.fakes import FakeFleet, Made

PASSWORD: Final = "correct horse battery"  # noqa: S105  of all users of the tests
BROWSER: Final = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate"}
_CHEAP: Final = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class House:
    """One web process; its clock is `now`."""

    def __init__(
        self,
        journal: MemoryJournal | None = None,
        *,
        rules: AccessRules | None = None,
        names: tuple[str, ...] = (),
        listen: str = "127.0.0.1",
        **options: Any,
    ) -> None:
        self.now = AT
        self.away: int | None = None
        self.journal = journal or MemoryJournal()
        self.rules = rules or AccessRules()
        self.passwords = Passwords(_CHEAP)
        clock = lambda: self.now  # noqa: E731
        self.last_use = LastUse(self.journal)
        served = Served(listen, names)
        fleet = FakeFleet()
        self.sign_in = SignIn(
            self.journal,
            self.rules,
            Sessions(self.journal, clock),
            Attempts(self.journal, self.passwords, clock),
            Invitations(self.journal, self.passwords, clock),
            None if self.rules.provider is None else OidcProvider(self.rules.provider),
        )
        extra = options.pop("routes", ())
        self.made = Made(
            fleet=fleet,
            parts={"journal": self.journal},
            routes=[*page_routes(self.journal, self.rules, self.sign_in), *extra],
            error_page=error_page_of(fleet),
            door=RecordsDoor(
                self.journal,
                served,
                self.rules,
                last_use=self.last_use,
                away_since=lambda: self.away,
                clock=clock,
            ),
            **options,
        )

    async def user(self, name: str, scope: Scope = "viewer", **changed: Any) -> User:
        """Makes or changes a user; with `PASSWORD`, unless `password=None`."""
        before = self.journal.book.get(User, name)
        values: dict[str, Any] = {
            "password": await self.passwords.hash(PASSWORD),
            "epoch": 1,
            **changed,
        }
        if before is not None and "password" not in changed:
            values["password"] = before.password
        made = User(
            version=self.journal.book.version(User, name) + 1,
            change=secrets.token_hex(8),
            at=self.now,
            by="test",
            name=name,
            scope=scope,
            created_at=self.now,
            **values,
        )
        await self.journal.edit([made])
        return made

    async def token(self, scope: Scope, owner: str = "root", **changed: Any) -> TokenText:
        text = new_token()
        made = Token(
            version=1,
            change=secrets.token_hex(8),
            at=self.now,
            by=owner,
            id=text.id,
            name="of a test",
            secret=text.digest,
            scope=scope,
            owner=owner,
            created_at=self.now,
            **changed,
        )
        await self.journal.edit([made])
        return text

    async def revoke(self, name: str) -> None:
        """Removes a token by its id."""
        token = self.journal.book.get(Token, name)
        assert token is not None
        await self.journal.edit([replace(token, version=token.version + 1, removed=True)])

    async def session(self, user: User, **changed: Any) -> str:
        """A session of a user, without the form; the secret of its cookie."""
        secret = secrets.token_urlsafe(32)
        values: dict[str, Any] = {
            "user": user.name,
            "via": "password",
            "epoch": user.epoch,
            "created_at": self.now,
            "seen_at": self.now,
            "expires_at": self.now + LONGEST_MS,
            **changed,
        }
        await self.journal.put([Session(id=digest(secret), **values)])
        return secret

    def client(self, peer: str = "127.0.0.1", **headers: str) -> httpx.AsyncClient:
        """A browser: it keeps cookies, and says where its requests come from."""
        return self.made.client(peer, **{**BROWSER, **headers})

    def program(self, peer: str = "127.0.0.1", **headers: str) -> httpx.AsyncClient:
        """A client that is no browser."""
        return self.made.client(peer, **headers)

    async def signed_in(self, name: str, peer: str = "127.0.0.1") -> httpx.AsyncClient:
        """A browser in which a user has signed in."""
        client = self.client(peer)
        answer = await sign_in(client, name)
        assert answer.status_code == 303, answer.text
        return client


async def sign_in(
    client: httpx.AsyncClient, name: str, password: str = PASSWORD, **fields: str
) -> httpx.Response:
    """Loads the form and sends it."""
    page = await client.get("/login")
    csrf = page.text.partition('name="csrf" value="')[2].partition('"')[0]
    return await client.post(
        "/login", data={"csrf": csrf, "name": name, "password": password, **fields}
    )


def csrf_of(client: httpx.AsyncClient) -> str:
    """The token of the forms of a browser that is signed in."""
    for name in ("__Host-portquorum_session", "portquorum_session"):
        if found := client.cookies.get(name):
            return token(found)
    return token(client.cookies.get("portquorum_form") or "")


__all__ = ["AT", "LONGEST_MS", "PASSWORD", "House", "csrf_of", "sign_in"]
