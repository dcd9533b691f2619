"""The real editor of status pages over a journal in memory, with two pages and a post."""

from collections.abc import Iterable
from typing import Any, Final

from argon2 import PasswordHasher

from portquorum.access.passwords import Passwords
from portquorum.sharing.share_keys import ShareKeys
from portquorum.status_editing.editor import StatusEditor
from portquorum.status_pages.build import Planned, Seen, build
from portquorum.status_pages.states import TargetState
from portquorum.web.office.attempts import Attempts
from portquorum.web.public.app import PublicApp, PublicParts
from portquorum.web.public.keeper import Kept
from portquorum.web.public.page_locks import PageLocks
from schemas import web
from schemas.target import Target
from schemas.web import PostUpdate, StatusComponent, StatusGroup, StatusPage, StatusPost, Versioned
from tests.browser.web.nights import HOUR, NOW
from tests.memory_journal import MemoryJournal

POST: Final = "0" * 15 + "1"
PASSWORD: Final = "correct horse battery"  # noqa: S105
QUICK: Final = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
_HASH: Final = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
_STATES: Final[dict[str, TargetState]] = {"down": "down", "slow": "degraded", "up": "up"}
_STAMP: Final[dict[str, Any]] = {"version": 1, "change": "0" * 16, "at": NOW, "by": "aino"}

SHOP: Final = StatusPage(
    slug="shop",
    title="The shop",
    groups=(
        StatusGroup(
            name="Buying",
            components=(
                StatusComponent(id="orders", name="Orders", targets=("orders-db-0",)),
                StatusComponent(id="search", name="Search", targets=("orders-db-7", "gone")),
            ),
        ),
    ),
    **_STAMP,
)
INNER: Final = StatusPage(
    slug="inner",
    title="For partners",
    access="locked",
    password=_HASH,
    groups=(
        StatusGroup(
            components=(
                StatusComponent(id="cluster-7", name="Cluster 7", targets=("orders-db-0",)),
            )
        ),
    ),
    **_STAMP,
)
SLOW: Final = StatusPost(
    id=POST,
    pages=("shop",),
    sort="incident",
    title="Search is slow",
    impact="minor",
    components=("shop/search",),
    updates=(PostUpdate(at=NOW - HOUR, state="investigating", text="We are looking.", by="mika"),),
    starts_at=NOW - HOUR,
    created_at=NOW - HOUR,
    **_STAMP,
)


class FleetTargets:
    """The targets of a fleet made by hand."""

    def __init__(self, fleet: Any) -> None:
        self._fleet = fleet
        self.is_present = True

    def target(self, target: str) -> Target | None:
        found = self._fleet.target(target)
        definition: Target | None = None if found is None else found.definition
        return definition


class StatusDesk:
    """`editor` and `keys` over one journal."""

    def __init__(self, fleet: Any) -> None:
        self._fleet = fleet
        self.journal = MemoryJournal()
        self.editor = StatusEditor(self.journal, FleetTargets(fleet), QUICK, lambda: NOW)
        self.keys = ShareKeys(self.journal, lambda: NOW)
        self._fill()

    def reset(self) -> None:
        """As it was, in the same objects: an app is made once for many tests."""
        self.journal.__init__()  # type: ignore[misc]
        self.editor.__init__(  # type: ignore[misc]
            self.journal, FleetTargets(self._fleet), QUICK, lambda: NOW
        )
        self.keys.__init__(self.journal, lambda: NOW)  # type: ignore[misc]
        self._fill()

    def write(self, record: Versioned) -> None:
        """As another process would."""
        self.journal.log.append(web.key(record, "0" * 16), web.encode(record))

    def _fill(self) -> None:
        for record in (SHOP, INNER, SLOW):
            self.write(record)


class DeskPages:
    """The pages of a desk as readers see them: each time as it is now."""

    def __init__(self, desk: StatusDesk, fleet: Any) -> None:
        self._desk = desk
        self._fleet = fleet

    def get(self, slug: str) -> Kept | None:
        page = self._desk.editor.page(slug)
        if page is None:
            return None
        posts = [one for one in self._desk.editor.posts() if slug in one.pages]
        now = self._fleet.freshness().now
        made = build(page, posts, self, None, seen_at=now, now=now)
        return Kept(made, page.version * 1_000 + sum(one.version for one in posts))

    def seen(self, target: str) -> Seen | None:
        found = self._fleet.target(target)
        return None if found is None else Seen(_STATES.get(found.row.state, "unknown"), None)

    def planned(self, targets: Iterable[str]) -> Iterable[Planned]:
        del targets
        return ()


def public_app(desk: StatusDesk, fleet: Any) -> PublicApp:
    """What stands before the monitor: the pages of a desk, with their locks."""
    locks = PageLocks(desk.journal, desk.keys, Attempts(desk.journal, QUICK))
    return PublicApp(
        PublicParts(pages=DeskPages(desk, fleet), may_read=locks.may_read, unlock=locks.unlock)
    )
