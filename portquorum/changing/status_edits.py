"""Status pages and what people post on them."""

from collections.abc import Sequence
from typing import Annotated, Literal, Protocol

from msgspec import UNSET, Meta, Struct, UnsetType

from portquorum.access.principal import Principal
from schemas.web import (
    Impact,
    PostState,
    PostUpdate,
    Slug,
    StatusPage,
    StatusPost,
)


class WantedComponent(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line of a status page as asked for.

    `id` None: that of the component which had this name, or these targets, on the page so far; of a
    new one it is made from its name.
    """

    name: str
    targets: tuple[str, ...]
    description: str = ""
    id: str | None = None


class WantedGroup(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Components under a heading; without a name there is none."""

    components: tuple[WantedComponent, ...]
    name: str = ""


class WantedPage(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A status page as asked for.

    `password`: not given, it stays as it is; null, there is none. It opens a `locked` page, as a
    key does. `contact` is a link (https, http or mailto).
    """

    title: str
    groups: tuple[WantedGroup, ...] = ()
    description: str = ""
    access: Literal["public", "locked"] = "public"
    password: str | UnsetType | None = UNSET
    days: Annotated[int, Meta(ge=1, le=90)] = 90
    show_uptime: bool = True
    show_response_times: bool = False
    contact: str = ""


class PageSeen(Struct, frozen=True, kw_only=True):
    """A status page, for those who may change it; of its password only whether it has one.

    `entry` is what a PUT would take. `version` counts its edits, for If-Match.
    """

    slug: Slug
    version: int
    at: int
    by: str
    has_password: bool
    entry: WantedPage


class WantedPost(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A post as asked for; times are UTC ms.

    `components` are `PAGE/COMPONENT`; `pages` need to name only those without any. `state` not
    given: the first one of its sort. `impact` not given: `minor`, of planned work `maintenance`.
    `starts_at` not given: now. Planned work (`maintenance`) needs `starts_at` and `ends_at`.
    """

    title: str
    text: str
    sort: Literal["incident", "maintenance"] = "incident"
    pages: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    state: PostState | UnsetType = UNSET
    impact: Impact | UnsetType = UNSET
    starts_at: int | UnsetType = UNSET
    ends_at: int | None = None
    incident_id: str | None = None


class PostSeen(Struct, frozen=True, kw_only=True):
    """A post, for those who may change it; `version` counts its edits, for If-Match.

    `updates` are its timeline, the newest last. `ends_at` None: it goes on. `incident_id` is the
    one that it was drafted from; no reader of a status page sees it, nor who wrote.
    """

    id: str
    version: int
    at: int
    by: str
    sort: Literal["incident", "maintenance"]
    title: str
    impact: Impact
    pages: tuple[str, ...]
    components: tuple[str, ...]
    updates: tuple[PostUpdate, ...]
    starts_at: int
    ends_at: int | None
    incident_id: str | None
    created_at: int


class PostChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a post gets: what is not given stays as it is.

    With `text` the timeline gets an update, in the `state` (not given: the newest one). `texts`
    corrects what was written before: the texts of all updates so far, the oldest first.
    """

    state: PostState | UnsetType = UNSET
    text: str = ""
    title: str | UnsetType = UNSET
    impact: Impact | UnsetType = UNSET
    pages: tuple[str, ...] | UnsetType = UNSET
    components: tuple[str, ...] | UnsetType = UNSET
    starts_at: int | UnsetType = UNSET
    ends_at: int | UnsetType | None = UNSET
    texts: tuple[str, ...] | UnsetType = UNSET


class StatusEdits(Protocol):
    """Status pages and posts; `portquorum.status_editing` has it. All raise ChangeError.

    Pages are changed by admins, posts written by operators. Limits to teams or tags hold: all
    targets of a page, and of the components of a post, must be within them.
    """

    def pages(self) -> Sequence[StatusPage]:
        """All pages, by slug."""

    def page(self, slug: str) -> StatusPage | None:
        """A page; None: there is none."""

    def must_be_theirs(self, who: Principal, page: StatusPage) -> None:
        """Raises ChangeError (403) if a target of the page is beyond the limits of `who`."""

    async def put_page(
        self, who: Principal, slug: str, wanted: WantedPage, if_version: int | None
    ) -> StatusPage:
        """Makes or replaces a page; `if_version` as of `Edits.put`.

        The same page again changes nothing. Errors are at the fields of `WantedPage`
        (`groups[0].components[2].targets`).
        """

    async def remove_page(self, who: Principal, slug: str, if_version: int | None) -> None:
        """Removes a page; posts that are on no other page stay, and nobody sees them."""

    def posts(self) -> Sequence[StatusPost]:
        """All posts, the newest first."""

    def post(self, post: str) -> StatusPost | None:
        """A post by its id; None: there is none."""

    async def add_post(self, who: Principal, wanted: WantedPost) -> StatusPost:
        """Publishes a post."""

    async def change_post(
        self, who: Principal, post: str, change: PostChange, if_version: int | None
    ) -> StatusPost:
        """Writes an update of a post, or corrects it."""

    async def remove_post(self, who: Principal, post: str, if_version: int | None) -> None:
        """Takes a post from all pages."""
