"""From a post as asked for to one as it is stored, and what an update makes of it. Pure."""

from collections.abc import Collection, Mapping
from typing import Final

from msgspec import UNSET, structs

from portquorum.changing.status_edits import PostChange, PostSeen, WantedPost
from portquorum.status_editing.wrong import Wrongs
from schemas.web import PostState, PostUpdate, StatusPost

INCIDENT: Final[tuple[PostState, ...]] = ("investigating", "identified", "monitoring", "resolved")
MAINTENANCE: Final[tuple[PostState, ...]] = ("scheduled", "in_progress", "completed")
OVER: Final[frozenset[PostState]] = frozenset({"resolved", "completed"})
"""States in which a post is over."""

MOST_UPDATES: Final = 200
MOST_COMPONENTS: Final = 1_000
MOST_PAGES: Final = 100
MOST_TITLE: Final = 100
MOST_TEXT: Final = 5_000
_MOST_NAME: Final = 255

Components = Mapping[str, Collection[str]]
"""The ids of the components of each page, by slug."""


def states_of(sort: str) -> tuple[PostState, ...]:
    """The states of a sort of posts in their order."""
    return MAINTENANCE if sort == "maintenance" else INCIDENT


def is_over(post: StatusPost) -> bool:
    """True if its newest update says so."""
    return post.updates[-1].state in OVER


def seen(post: StatusPost) -> PostSeen:
    """A post as people who change it see it."""
    return PostSeen(**{name: getattr(post, name) for name in PostSeen.__struct_fields__})


def new_post(  # noqa: PLR0917 - what is asked, and who asks when
    wanted: WantedPost, made: StatusPost, known: Components, now: int, by: str, wrongs: Wrongs
) -> StatusPost:
    """The first version of a post; `made` has its id, version and nonce. Errors are in `wrongs`."""
    states = states_of(wanted.sort)
    state = states[0] if wanted.state is UNSET else wanted.state
    text = wrongs.text("text", wanted.text, MOST_TEXT, needed=True)
    impact = wanted.impact
    if impact is UNSET:
        impact = "maintenance" if wanted.sort == "maintenance" else "minor"
    if wanted.sort == "maintenance" and wanted.starts_at is UNSET:
        wrongs.add("starts_at", "expected when the work begins, found nothing")
    post = structs.replace(
        made,
        sort=wanted.sort,
        title=wrongs.line("title", wanted.title, MOST_TITLE, needed=True),
        impact=impact,
        updates=(PostUpdate(at=now, state=state, text=text, by=by[:_MOST_NAME]),),
        starts_at=now if wanted.starts_at is UNSET else wanted.starts_at,
        ends_at=wanted.ends_at,
        incident_id=wanted.incident_id,
    )
    post = _placed(post, wanted.pages, wanted.components, known, wrongs)
    return _checked(_ended(post, now), wrongs)


def changed_post(  # noqa: PLR0917
    post: StatusPost, change: PostChange, known: Components, now: int, by: str, wrongs: Wrongs
) -> StatusPost:
    """A post with what a change says; its version is still the old one."""
    made = post
    if change.title is not UNSET:
        made = structs.replace(
            made, title=wrongs.line("title", change.title, MOST_TITLE, needed=True)
        )
    if change.impact is not UNSET:
        made = structs.replace(made, impact=change.impact)
    if change.starts_at is not UNSET:
        made = structs.replace(made, starts_at=change.starts_at)
    if change.texts is not UNSET:
        made = _corrected(made, change.texts, wrongs)
    made = _updated(made, change, now, by, wrongs)
    if change.ends_at is not UNSET:
        made = structs.replace(made, ends_at=change.ends_at)
    if change.pages is not UNSET or change.components is not UNSET:
        pages = made.pages if change.pages is UNSET else change.pages
        components = made.components if change.components is UNSET else change.components
        made = _placed(made, pages, components, known, wrongs, before=post)
    return _checked(made, wrongs)


def _corrected(post: StatusPost, texts: tuple[str, ...], wrongs: Wrongs) -> StatusPost:
    if len(texts) != len(post.updates):
        wrongs.add(
            "texts",
            f"expected the texts of all {len(post.updates)} updates, found {len(texts)}",
        )
        return post
    updates = tuple(
        structs.replace(one, text=wrongs.text(f"texts[{at}]", text, MOST_TEXT, needed=True))
        for at, (one, text) in enumerate(zip(post.updates, texts, strict=True))
    )
    return structs.replace(post, updates=updates)


def _updated(post: StatusPost, change: PostChange, now: int, by: str, wrongs: Wrongs) -> StatusPost:
    """With one more update, if the change has one."""
    if not change.text.strip():
        if change.state is not UNSET:
            wrongs.add("text", "expected some text for the new state, found none")
        return post
    if len(post.updates) >= MOST_UPDATES:
        wrongs.add("text", f"expected at most {MOST_UPDATES} updates: write another post")
        return post
    text = wrongs.text("text", change.text, MOST_TEXT, needed=True)
    newest = post.updates[-1]
    state = newest.state if change.state is UNSET else change.state
    # Clocks of two processes may differ: a timeline goes forward.
    update = PostUpdate(at=max(now, newest.at), state=state, text=text, by=by[:_MOST_NAME])
    return _ended(structs.replace(post, updates=(*post.updates, update)), now)


def _ended(post: StatusPost, now: int) -> StatusPost:
    """What its newest state says of its end.

    An incident ends when it is resolved, and goes on when it is not any more; planned work may be
    completed before its end.
    """
    if not is_over(post):
        return structs.replace(post, ends_at=None) if post.sort == "incident" else post
    if post.sort == "incident":
        return post if post.ends_at is not None else structs.replace(post, ends_at=now)
    is_early = post.ends_at is not None and post.starts_at < now < post.ends_at
    return structs.replace(post, ends_at=now) if is_early else post


def _placed(  # noqa: PLR0917
    post: StatusPost,
    pages: tuple[str, ...],
    components: tuple[str, ...],
    known: Components,
    wrongs: Wrongs,
    before: StatusPost | None = None,
) -> StatusPost:
    """On its pages, with its components; what it had `before` may be gone by now."""
    kept_pages = frozenset(() if before is None else before.pages)
    kept = frozenset(() if before is None else before.components)
    found = tuple(dict.fromkeys(components))
    for at, one in enumerate(found):
        page, _, component = one.partition("/")
        if one not in kept and component not in known.get(page, ()):
            wrongs.add(f"components[{at}]", f"there is no component {one[:128]!r}")
    slugs = tuple(dict.fromkeys((*pages, *(one.partition("/")[0] for one in found))))
    for at, page in enumerate(slugs):
        if page not in known and page not in kept_pages:
            field = f"pages[{at}]" if at < len(pages) else "components"
            wrongs.add(field, f"there is no status page {page[:63]!r}")
    if not slugs:
        wrongs.add("pages", "expected at least one status page, found none")
    if len(slugs) > MOST_PAGES:
        wrongs.add("pages", f"expected at most {MOST_PAGES} pages, found {len(slugs)}")
    if len(found) > MOST_COMPONENTS:
        wrongs.add(
            "components", f"expected at most {MOST_COMPONENTS} components, found {len(found)}"
        )
    return structs.replace(post, pages=slugs, components=found)


def _checked(post: StatusPost, wrongs: Wrongs) -> StatusPost:
    states, state = states_of(post.sort), post.updates[-1].state
    if state not in states:
        wrongs.add("state", f"expected one of {', '.join(states)}, found {state}")
    if (post.impact == "maintenance") != (post.sort == "maintenance"):
        wrongs.add(
            "impact",
            "expected maintenance for planned work, and only for it: "
            f"found {post.impact} for the sort {post.sort}",
        )
    if post.sort == "maintenance" and post.ends_at is None:
        wrongs.add("ends_at", "expected when the work ends, found nothing")
    is_planned = post.sort == "maintenance" and post.ends_at is not None
    if post.ends_at is not None and (
        post.ends_at < post.starts_at or (is_planned and post.ends_at == post.starts_at)
    ):
        wrongs.add("ends_at", "expected an end after the beginning, found one before it")
    for field, at in (("starts_at", post.starts_at), ("ends_at", post.ends_at or 0)):
        if not 0 <= at <= _LAST:
            wrongs.add(field, "expected a time in UTC ms, found another number")
    return post


_LAST: Final = 9_999_999_999_999
