"""The state of a component from those of its targets, and of a page from its components."""

from collections.abc import Iterable
from typing import Final, Literal

from portquorum.status_pages.model import STATES, ComponentState, Post
from schemas.web import Impact

TargetState = Literal["down", "degraded", "unknown", "maintenance", "up"]
"""As much as a status page asks of a target. One that nobody checks on purpose, or
that has no result yet, has none."""

_OF_IMPACT: Final[dict[Impact, ComponentState]] = {
    "none": "operational",
    "minor": "degraded",
    "major": "partial_outage",
    "critical": "major_outage",
    "maintenance": "maintenance",
}


def worst(states: Iterable[ComponentState]) -> ComponentState:
    """The worst of some states; of none it is `operational`."""
    return STATES[min(map(STATES.index, states), default=len(STATES) - 1)]


def component_state(targets: Iterable[TargetState | None]) -> ComponentState:
    """The worst of its targets; None is one that is gone, paused or new, and says nothing.

    All down is a major outage, some down a partial one. Without any target that says something it
    is unknown.
    """
    said = [one for one in targets if one is not None]
    down = said.count("down")
    if not said:
        return "unknown"
    if down:
        return "major_outage" if down == len(said) else "partial_outage"
    if "degraded" in said:
        return "degraded"
    if "unknown" in said:
        return "unknown"
    return "maintenance" if "maintenance" in said else "operational"


def post_state(post: Post, now: int) -> ComponentState:
    """What a post makes of its components at `now` (UTC ms), at least.

    Planned work counts while it is on.
    """
    if post.is_over:
        return "operational"
    if post.sort == "maintenance":
        is_due = post.starts_at <= now < (post.ends_at or post.starts_at)
        return "maintenance" if post.state == "in_progress" or is_due else "operational"
    return _OF_IMPACT[post.impact]


def page_state(
    components: Iterable[ComponentState], posts: Iterable[ComponentState] = ()
) -> ComponentState:
    """The state of a page; `posts` are those of posts about no component.

    A major outage is one of all components that are not in maintenance: of some it is a partial one
    of the page.
    """
    states = list(components)
    found = worst([*states, *posts])
    judged = [one for one in states if one != "maintenance"]
    if found == "major_outage" and "major_outage" not in posts:
        return found if all(one == "major_outage" for one in judged) else "partial_outage"
    return found
