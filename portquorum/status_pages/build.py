"""From the records of a page, the fleet and the history to what is shown."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Final, Protocol

from msgspec import Struct
from msgspec.structs import replace

from portquorum.status_pages.model import (
    Component,
    ComponentState,
    Group,
    Past,
    Post,
    Snapshot,
    Update,
    Window,
)
from portquorum.status_pages.states import (
    TargetState,
    component_state,
    page_state,
    post_state,
    worst,
)
from schemas.duration import DAY_MS
from schemas.web import StatusComponent, StatusPage, StatusPost

POSTS_MS: Final = 365 * DAY_MS
"""Posts that ended longer ago are on no page."""

MOST_POSTS: Final = 1_000
MOST_WINDOWS: Final = 100
_COMPARED: Final = ("id", "name", "description", "measured", "state", "since")
AHEAD_MS: Final = 90 * DAY_MS
"""Windows that begin later are not announced yet."""


class Seen(Struct, frozen=True, gc=False):
    """A target now; `since` (UTC ms): from when on it is down. A state of None says nothing."""

    state: TargetState | None
    since: int | None = None


class Planned(Struct, frozen=True):
    """A window of the inventory that is on or comes next, UTC ms."""

    begins_at: int
    ends_at: int


class Sight(Protocol):
    """The fleet as status pages see it."""

    def seen(self, target: str) -> Seen | None:
        """A target by its id; None: there is none."""

    def planned(self, targets: Iterable[str]) -> Iterable[Planned]:
        """The windows that are on, or come next, of any of some targets."""


class History(Struct, frozen=True):
    """The past of components by their ids, as it was asked at `at` (UTC ms).

    `whole_at`: when all days were asked, for `version` of the page; since then the newest ones.
    """

    at: int
    past: Mapping[str, Past]
    whole_at: int = 0
    version: int = 0


def head_of(page: StatusPage) -> Snapshot:
    """A page of which nothing is known yet but its record."""
    return Snapshot(
        slug=page.slug,
        version=page.version,
        title=page.title,
        description=page.description,
        access=page.access,
        lock=lock_of(page),
        contact=page.contact,
        days=page.days,
        show_uptime=page.show_uptime,
        show_response_times=page.show_response_times,
        state="unknown",
        seen_at=None,
        groups=tuple(
            Group(
                name=group.name,
                components=tuple(
                    Component(
                        id=one.id, name=one.name, description=one.description, state="unknown"
                    )
                    for one in group.components
                ),
            )
            for group in page.groups
        ),
    )


def lock_of(page: StatusPage) -> str:
    """What a locked page's cookie is held against; empty for a public page."""
    if page.access != "locked":
        return ""
    return blake2b(f"lock {page.password}".encode(), digest_size=32).hexdigest()


def build(
    page: StatusPage,
    posts: Iterable[StatusPost],
    sight: Sight | None,
    history: History | None,
    *,
    seen_at: int | None,
    before: Snapshot | None = None,
    now: int,
) -> Snapshot:
    """The page at `now` (UTC ms).

    `sight` None: the fleet can't be seen; the states are those of `before`, and so is `seen_at`.
    `history` None: that of `before`.
    """
    known = {} if before is None else {one.id: one for one in before.components()}
    shown = [shown_post(one, page) for one in posts if page.slug in one.pages and not one.removed]
    shown = [one for one in shown if not one.is_over or _end(one) > now - POSTS_MS]
    shown.sort(key=lambda one: (one.starts_at, one.id), reverse=True)
    by_posts = _by_posts(shown, now)
    groups = tuple(
        Group(
            name=group.name,
            components=tuple(
                _component(one, sight, history, known.get(one.id), by_posts.get(one.id))
                for one in group.components
            ),
        )
        for group in page.groups
    )
    states = [one.state for group in groups for one in group.components]
    return replace(
        head_of(page),
        state=page_state(states, by_posts.get("", ())),
        seen_at=seen_at if sight is not None else None if before is None else before.seen_at,
        history_at=history.at
        if history is not None
        else None
        if before is None
        else before.history_at,
        groups=groups,
        posts=tuple(shown[:MOST_POSTS]),
        windows=_windows(page, sight, now) if sight is not None else _left(before, now),
    )


def shown_post(post: StatusPost, page: StatusPage) -> Post:
    """A post as readers of a page see it."""
    begin = f"{page.slug}/"
    named = (one.removeprefix(begin) for one in post.components if one.startswith(begin))
    ids = {one.id for group in page.groups for one in group.components}
    return Post(
        id=post.id,
        sort=post.sort,
        title=post.title,
        impact=post.impact,
        starts_at=post.starts_at,
        ends_at=post.ends_at,
        created_at=post.created_at,
        components=tuple(one for one in named if one in ids),
        updates=tuple(Update(at=one.at, state=one.state, text=one.text) for one in post.updates),
    )


def _end(post: Post) -> int:
    return max(post.updates[-1].at, post.ends_at or 0)


def _by_posts(posts: Iterable[Post], now: int) -> dict[str, list[ComponentState]]:
    """What open posts make of components by their ids; "" is the page as a whole."""
    found: dict[str, list[ComponentState]] = {}
    for post in posts:
        state = post_state(post, now)
        if state != "operational":
            for name in post.components or ("",):
                found.setdefault(name, []).append(state)
    return found


def _component(
    one: StatusComponent,
    sight: Sight | None,
    history: History | None,
    before: Component | None,
    told: Sequence[ComponentState] | None,
) -> Component:
    since = None
    if sight is not None:
        seen = [sight.seen(target) for target in one.targets]
        measured = component_state(None if see is None else see.state for see in seen)
        times = [see.since for see in seen if see is not None and see.since is not None]
        since = min(times, default=None) if measured in {"major_outage", "partial_outage"} else None
    elif before is not None:
        measured, since = before.measured, before.since
    else:
        measured = "unknown"
    past = Past() if before is None else before.past
    if history is not None:
        past = history.past.get(one.id, Past())
    found = Component(
        id=one.id,
        name=one.name,
        description=one.description,
        measured=measured,
        state=worst([measured, *(told or ())]),
        since=since,
        past=past,
    )
    # What is the same stays the same object: it is soon compared, and not drawn again.
    return before if before is not None and _is_same(found, before) else found


def _is_same(one: Component, other: Component) -> bool:
    return one.past is other.past and all(
        getattr(one, name) == getattr(other, name) for name in _COMPARED
    )


def is_same(one: Snapshot, other: Snapshot) -> bool:
    """True if two snapshots of a page show the same, but for `seen_at`."""
    mine, others = one.components(), other.components()
    return (
        len(mine) == len(others)
        and all(a is b for a, b in zip(mine, others, strict=True))
        and _without_components(one) == _without_components(other)
    )


def _without_components(one: Snapshot) -> tuple[Snapshot, tuple[tuple[str, int], ...]]:
    shape = tuple((group.name, len(group.components)) for group in one.groups)
    return replace(one, groups=(), seen_at=None), shape


def _windows(page: StatusPage, sight: Sight, now: int) -> tuple[Window, ...]:
    """Windows of the same time are one, of all components that they cover."""
    covered: dict[tuple[int, int], list[str]] = {}
    for group in page.groups:
        for one in group.components:
            times = {(each.begins_at, each.ends_at) for each in sight.planned(one.targets)}
            for time in times:
                covered.setdefault(time, []).append(one.id)
    return tuple(
        Window(
            id=_window_id(page.slug, begin, names),
            begins_at=begin,
            ends_at=end,
            components=tuple(names),
        )
        for (begin, end), names in sorted(covered.items())
        if end > now and begin < now + AHEAD_MS
    )[:MOST_WINDOWS]


def _left(before: Snapshot | None, now: int) -> tuple[Window, ...]:
    return () if before is None else tuple(one for one in before.windows if one.ends_at > now)


def _window_id(slug: str, begin: int, names: Sequence[str]) -> str:
    return blake2b(f"{slug} {begin} {' '.join(names)}".encode(), digest_size=8).hexdigest()
