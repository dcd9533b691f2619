"""What a status page shows, as a value: the only thing that public answers are made of.

There is nothing in it that is internal: no id, host, port or address of a target, no reason, team,
tag or incident id. What is not here can't be on a page. Times are UTC ms, lengths are in s or ms as
their names say; None is "not known".
"""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from schemas._types import Millis
from schemas.web import Impact, PostState, PublicName, PublicText, Slug

FORMAT: Final = 1
"""Of the file; another number is of another version of this program, and not read."""

ComponentState = Literal[
    "major_outage", "partial_outage", "degraded", "unknown", "maintenance", "operational"
]
"""The worst first: the order in which they go before one another."""

STATES: Final[tuple[ComponentState, ...]] = (
    "major_outage",
    "partial_outage",
    "degraded",
    "unknown",
    "maintenance",
    "operational",
)

DAYS: Final = 90
"""Days of history that are kept."""

SPANS: Final = (1, 7, 30, 90)
"""The spans (days) of uptime and response times."""

HOURS: Final = 24
"""Hours of response times that are kept."""

_Seconds = Annotated[int, Meta(ge=0, le=86_400)]
_Ms = Annotated[float, Meta(ge=0, le=86_400_000)]


class Day(Struct, frozen=True, gc=False, array_like=True):
    """A day (UTC) of a component: the time in which it was measured, and in which it was down.

    `planned_s`: down within maintenance; a part of `down_s`, which is a part of `measured_s`.
    """

    measured_s: _Seconds = 0
    down_s: _Seconds = 0
    planned_s: _Seconds = 0


class Past(Struct, frozen=True, gc=False, kw_only=True):
    """The history of a component.

    `days` ends with the day of `PageHistory.at`, and begins up to `DAYS` days before. `down_24h_s`
    (unplanned) of `measured_24h_s` are of the last 24 h. `response_ms` are medians over `SPANS`,
    `hours_ms` those of the last `HOURS` hours, the oldest first; both empty where they are not
    asked for.
    """

    days: Annotated[tuple[Day, ...], Meta(max_length=DAYS)] = ()
    measured_24h_s: _Seconds = 0
    down_24h_s: _Seconds = 0
    response_ms: Annotated[tuple[_Ms | None, ...], Meta(max_length=len(SPANS))] = ()
    hours_ms: Annotated[tuple[_Ms | None, ...], Meta(max_length=HOURS)] = ()


class Component(Struct, frozen=True, kw_only=True):
    """A line of the page.

    `measured` is what its targets say, `state` the worst of that and of what open posts say of it.
    `since`: from when on it is down.
    """

    id: Slug
    name: PublicName
    state: ComponentState
    measured: ComponentState = "unknown"
    description: PublicText = ""
    since: Millis | None = None
    past: Past = Past()


class Group(Struct, frozen=True, kw_only=True):
    """Components under a heading; without a name there is none."""

    components: Annotated[tuple[Component, ...], Meta(max_length=1_000)]
    name: Annotated[str, Meta(max_length=100)] = ""


class Update(Struct, frozen=True, gc=False, kw_only=True):
    """An entry of a post's timeline; `text` is Markdown without HTML. Who wrote it is not said."""

    at: Millis
    state: PostState
    text: PublicText


class Post(Struct, frozen=True, kw_only=True):
    """What people wrote. `components` are ids of this page. The newest of `updates` is last."""

    id: Annotated[str, Meta(pattern=r"^[0-9a-f]{16}\Z")]
    sort: Literal["incident", "maintenance"]
    title: PublicName
    impact: Impact
    starts_at: Millis
    ends_at: Millis | None
    created_at: Millis
    components: Annotated[tuple[Slug, ...], Meta(max_length=1_000)] = ()
    updates: Annotated[tuple[Update, ...], Meta(min_length=1, max_length=200)]

    @property
    def state(self) -> PostState:
        """The newest word."""
        return self.updates[-1].state

    @property
    def is_over(self) -> bool:
        """Nothing more is expected of it."""
        return self.state in {"resolved", "completed"}


class Window(Struct, frozen=True, kw_only=True):
    """A time of planned work that the inventory knows: its name is internal, and not here.

    `id` is made of nothing but the page, the components and the begin.
    """

    id: Annotated[str, Meta(pattern=r"^[0-9a-f]{16}\Z")]
    begins_at: Millis
    ends_at: Millis
    components: Annotated[tuple[Slug, ...], Meta(max_length=1_000)]


class Snapshot(Struct, frozen=True, kw_only=True):
    """A status page as it was at `seen_at`: what it says was true then, and may not be later.

    `history_at`: when the history was asked (None: never). `lock` is empty on a public page; of a
    locked one it is the SHA-256 of its password's hash, by which a cookie is known that was given
    for this password. `posts`: the newest begin first. `windows`: those that are on or come next,
    by their begin.
    """

    format: Literal[1] = FORMAT
    slug: Slug
    version: Annotated[int, Meta(ge=1, le=2**53)]
    title: PublicName
    description: PublicText = ""
    access: Literal["public", "locked"] = "public"
    lock: Annotated[str, Meta(max_length=64)] = ""
    contact: Annotated[str, Meta(max_length=500)] = ""
    days: Annotated[int, Meta(ge=1, le=DAYS)] = DAYS
    show_uptime: bool = True
    show_response_times: bool = False
    state: ComponentState
    seen_at: Millis | None
    history_at: Millis | None = None
    groups: Annotated[tuple[Group, ...], Meta(max_length=100)]
    posts: Annotated[tuple[Post, ...], Meta(max_length=1_000)] = ()
    windows: Annotated[tuple[Window, ...], Meta(max_length=1_000)] = ()

    def components(self) -> tuple[Component, ...]:
        """All components, in their order."""
        return tuple(one for group in self.groups for one in group.components)

    def component(self, name: str) -> Component | None:
        """A component by its id."""
        return next((one for one in self.components() if one.id == name), None)

    def post(self, name: str) -> Post | None:
        """A post by its id."""
        return next((one for one in self.posts if one.id == name), None)
