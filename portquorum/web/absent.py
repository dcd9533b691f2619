"""Stands for what changes something in an app that only reads: of a test, or of a benchmark."""

# ruff: noqa: ARG002  the parameters are those of the Protocols

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Never

from portquorum.access.principal import Principal
from portquorum.changing.acts import PauseMade, Said, SilenceMade, WantedSilence, WindowMade
from portquorum.changing.edits import BulkDone, BulkEdit, BulkPlan, CheckSaid, Written
from portquorum.changing.errors import ChangeError
from portquorum.changing.keys import KeyShown, KeyUse, WantedKey
from portquorum.changing.office import SessionSeen, TokenShown, UserSeen, WantedToken, WantedUser
from portquorum.changing.status_edits import PostChange, WantedPage, WantedPost
from portquorum.inventory.document import MaintenanceEntry, TargetEntry
from portquorum.journal.protocol import Book, Outcome, Place, S, V
from schemas.target import Target
from schemas.web import (
    Audit,
    Bulk,
    IncidentNote,
    Invitation,
    Scope,
    ShareKey,
    Single,
    StatusPage,
    StatusPost,
    Versioned,
    Web,
)


def _absent() -> Never:
    raise ChangeError(HTTPStatus.SERVICE_UNAVAILABLE, "nothing can be changed here: this app reads")


class EmptyBook:
    """No record."""

    @property
    def clock(self) -> int:
        """0: the topic is empty."""
        return 0

    def get(self, kind: type[V], name: str) -> V | None:
        """There is none."""

    def version(self, kind: type[V], name: str) -> int:
        """There never was one."""
        return 0

    def all(self, kind: type[V]) -> Mapping[str, V]:
        """There are none."""
        return {}

    def one(self, kind: type[S], name: str) -> S | None:
        """There is none."""

    def every(self, kind: type[S]) -> Mapping[str, S]:
        """There are none."""
        return {}

    def place(self, kind: type[Web], name: str) -> Place | None:
        """There is none."""


class NoJournal:
    """An empty journal that was read to its end; nothing can be written."""

    def __init__(self) -> None:
        """Is present."""
        self._book = EmptyBook()
        self._is_present = asyncio.Event()
        self._is_present.set()

    @property
    def book(self) -> Book:
        """Empty."""
        return self._book

    @property
    def is_present(self) -> asyncio.Event:
        """Set."""
        return self._is_present

    def on_change(self, told: Callable[[Web | None, str], None]) -> None:
        """Never calls."""

    async def run(self) -> None:
        """Waits."""
        await asyncio.Event().wait()

    async def caught_up(self) -> None:
        """There is nothing to catch up with."""

    async def edit(self, edits: Sequence[Versioned]) -> tuple[Outcome, ...]:
        """503."""
        _absent()

    async def put(self, records: Sequence[Single]) -> None:
        """503."""
        _absent()

    async def drop(self, kinds: Iterable[tuple[type[Single], str]]) -> None:
        """503."""
        _absent()


class NoActs:
    """Nobody acts."""

    async def acknowledge(
        self, who: Principal, incidents: Sequence[str], note: str
    ) -> tuple[Said, ...]:
        """503."""
        _absent()

    async def resolve(
        self, who: Principal, incidents: Sequence[str], note: str
    ) -> tuple[Said, ...]:
        """503."""
        _absent()

    async def note(self, who: Principal, incident: str, text: str) -> IncidentNote:
        """503."""
        _absent()

    def notes(self, incident: str) -> Sequence[IncidentNote]:
        """There are none."""
        return ()

    async def silence(
        self, who: Principal, wanted: WantedSilence, *, dry_run: bool = False
    ) -> SilenceMade:
        """503."""
        _absent()

    async def end_silence(self, who: Principal, silence: str) -> SilenceMade:
        """503."""
        _absent()

    def window(self, name: str) -> WindowMade | None:
        """There is none."""

    async def put_window(
        self, who: Principal, name: str, entry: MaintenanceEntry, if_version: int | None
    ) -> WindowMade:
        """503."""
        _absent()

    async def remove_window(self, who: Principal, name: str, if_version: int | None) -> None:
        """503."""
        _absent()

    async def pause(
        self, who: Principal, targets: Sequence[str], until: int | None, reason: str
    ) -> tuple[PauseMade, ...]:
        """503."""
        _absent()

    async def resume(self, who: Principal, targets: Sequence[str]) -> tuple[PauseMade, ...]:
        """503."""
        _absent()


class NoEdits:
    """The page has no inventory of its own."""

    def get(self, target: str) -> Written | None:
        """There is none."""

    def owner(self, target: str) -> str | None:
        """Nobody."""

    async def put(
        self, who: Principal, target: str, entry: TargetEntry, if_version: int | None
    ) -> Written:
        """503."""
        _absent()

    async def patch(
        self, who: Principal, target: str, merge: Mapping[str, Any], if_version: int | None
    ) -> Written:
        """503."""
        _absent()

    async def remove(self, who: Principal, target: str, if_version: int | None) -> None:
        """503."""
        _absent()

    async def check(self, who: Principal, entry: TargetEntry) -> CheckSaid:
        """503."""
        _absent()

    async def check_now(self, who: Principal, target: str) -> CheckSaid:
        """503."""
        _absent()

    async def preview(self, who: Principal, targets: Sequence[str], edit: BulkEdit) -> BulkPlan:
        """503."""
        _absent()

    async def apply(
        self, who: Principal, targets: Sequence[str], edit: BulkEdit, confirmation: str
    ) -> BulkDone:
        """503."""
        _absent()

    def bulk(self, bulk: str) -> Bulk | None:
        """There is none."""

    async def undo(self, who: Principal, bulk: str) -> BulkDone:
        """503."""
        _absent()

    def yaml(self) -> str:
        """An empty inventory."""
        return "targets: []\n"


class NoOffice:
    """There are no users."""

    def users(self) -> Sequence[UserSeen]:
        """There are none."""
        return ()

    async def put_user(
        self, who: Principal, name: str, wanted: WantedUser, if_version: int | None
    ) -> UserSeen:
        """503."""
        _absent()

    async def remove_user(self, who: Principal, name: str, if_version: int | None) -> None:
        """503."""
        _absent()

    async def invite(
        self, who: Principal, scope: Scope, teams: Sequence[str], tags: Sequence[str] = ()
    ) -> str:
        """503."""
        _absent()

    def invitation(self, secret: str) -> Invitation | None:
        """There is none."""

    async def accept(self, secret: str, name: str, password: str) -> UserSeen:
        """503."""
        _absent()

    def sessions(self, who: Principal) -> Sequence[SessionSeen]:
        """There are none."""
        return ()

    async def end_session(self, who: Principal, session: str) -> None:
        """503."""
        _absent()

    async def change_password(self, who: Principal, old: str, new: str) -> None:
        """503."""
        _absent()

    def tokens(self, who: Principal) -> Sequence[TokenShown]:
        """There are none."""
        return ()

    async def add_token(self, who: Principal, wanted: WantedToken) -> TokenShown:
        """503."""
        _absent()

    async def revoke_token(self, who: Principal, token: str) -> None:
        """503."""
        _absent()

    def audit(
        self, *, by: str = "", about: str = "", before: str = "", limit: int = 100
    ) -> Sequence[Audit]:
        """There is none."""
        return ()


class NoStatusEdits:
    """There are no status pages."""

    def pages(self) -> Sequence[StatusPage]:
        """There are none."""
        return ()

    def page(self, slug: str) -> StatusPage | None:
        """There is none."""

    def must_be_theirs(self, who: Principal, page: StatusPage) -> None:
        """503."""
        _absent()

    async def put_page(
        self, who: Principal, slug: str, wanted: WantedPage, if_version: int | None
    ) -> StatusPage:
        """503."""
        _absent()

    async def remove_page(self, who: Principal, slug: str, if_version: int | None) -> None:
        """503."""
        _absent()

    def posts(self) -> Sequence[StatusPost]:
        """There are none."""
        return ()

    def post(self, post: str) -> StatusPost | None:
        """There is none."""

    async def add_post(self, who: Principal, wanted: WantedPost) -> StatusPost:
        """503."""
        _absent()

    async def change_post(
        self, who: Principal, post: str, change: PostChange, if_version: int | None
    ) -> StatusPost:
        """503."""
        _absent()

    async def remove_post(self, who: Principal, post: str, if_version: int | None) -> None:
        """503."""
        _absent()


class NoKeys:
    """There are no keys."""

    def find(self, secret: str, use: KeyUse) -> ShareKey | None:
        """There is none."""

    def get(self, key: str) -> KeyShown | None:
        """There is none."""

    def listed(self, use: KeyUse | None = None, about: str | None = None) -> Sequence[KeyShown]:
        """There are none."""
        return ()

    async def add(
        self, who: Principal, wanted: WantedKey, target: Target | None = None
    ) -> KeyShown:
        """503."""
        _absent()

    async def revoke(self, who: Principal, key: str, target: Target | None = None) -> KeyShown:
        """503."""
        _absent()
