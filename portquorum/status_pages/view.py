"""What a page says of a snapshot at a time: the values that its template shows."""

from collections.abc import Iterable
from datetime import date
from typing import Final

from markupsafe import Markup
from msgspec import Struct

from portquorum.status_pages import words
from portquorum.status_pages.day_bars import bars, percent_words
from portquorum.status_pages.model import (
    Component,
    ComponentState,
    Group,
    Post,
    Snapshot,
    Window,
)
from portquorum.status_pages.states import worst
from portquorum.status_pages.times import length, short
from portquorum.status_pages.uptime import day_of, percent
from schemas.duration import COARSE, DAY_MS, duration_text

OLD_MS: Final = 60_000
"""From this age on a page says how old it is in words that nobody overlooks."""

OLD_HISTORY_MS: Final = 900_000
"""From this age on the history's is said: it is reckoned every 5 minutes."""

RECENT_MS: Final = 14 * DAY_MS
"""Posts that ended longer ago are behind the link to the history."""

OPEN_UP_TO: Final = 40
"""Pages of more components show groups without trouble closed."""

WRONG_SHOWN: Final = 50


class Line(Struct, frozen=True):
    """A component as its line shows it."""

    id: str
    name: str
    description: str
    state: ComponentState
    word: str
    bars: Markup | None
    percent: str
    response: str
    since: int | None


class Block(Struct, frozen=True):
    """A group: its heading, its worst state, and whether it is open."""

    name: str
    state: ComponentState
    word: str
    lines: tuple[Line, ...]
    is_open: bool
    wrong: int


class View(Struct, frozen=True, kw_only=True):
    """A page. `age`: how old it is in words; empty: it is not old."""

    snapshot: Snapshot
    now: int
    title: str
    state_words: str
    blocks: tuple[Block, ...]
    wrong: tuple[Line, ...]
    wrong_left: int
    days: int
    age: str
    history_age: str
    open_posts: tuple[Post, ...]
    planned_posts: tuple[Post, ...]
    past_posts: tuple[Post, ...]
    has_more_posts: bool
    windows: tuple[Window, ...]


def view(snapshot: Snapshot, now: int) -> View:
    """The page at `now` (UTC ms)."""
    today = day_of(snapshot.history_at or now)
    count = len(snapshot.components())
    blocks = tuple(_block(group, snapshot, today, count) for group in snapshot.groups)
    lines = [line for block in blocks for line in block.lines if line.state != "operational"]
    wrong = sorted(lines, key=lambda one: words_order(one.state))
    begun = [one for one in snapshot.posts if not one.is_over]
    is_planned = {id(one): _is_planned(one, now) for one in begun}
    over = [one for one in snapshot.posts if one.is_over]
    recent = [one for one in over if ended_at(one) > now - RECENT_MS]
    return View(
        snapshot=snapshot,
        now=now,
        title=snapshot.title,
        state_words=words.PAGE[snapshot.state],
        blocks=blocks,
        wrong=tuple(wrong[:WRONG_SHOWN]),
        wrong_left=max(0, len(wrong) - WRONG_SHOWN),
        days=snapshot.days,
        age=age_words(snapshot.seen_at, now),
        history_age=_history_words(snapshot, now),
        open_posts=tuple(one for one in begun if not is_planned[id(one)]),
        planned_posts=tuple(sorted((one for one in begun if is_planned[id(one)]), key=_begin)),
        past_posts=tuple(recent),
        has_more_posts=len(over) > len(recent),
        windows=snapshot.windows,
    )


def words_order(state: ComponentState) -> int:
    """The place of a state among what is wrong."""
    return list(words.STATE).index(state)


def ended_at(post: Post) -> int:
    """When a post that is over ended: its newest update, or the end that it names."""
    return max(post.updates[-1].at, post.ends_at or 0)


def age_words(seen_at: int | None, now: int) -> str:
    """How old a page is, once it is older than `OLD_MS`."""
    if seen_at is None:
        return "The state of these services is not known yet."
    if now - seen_at < OLD_MS:
        return ""
    return (
        f"As of {short(seen_at, now)}, {length(now - seen_at)} ago: our own monitoring can't be "
        "reached. What has changed since then is not shown here."
    )


def response_words(ms: float | None) -> str:
    """`12 ms`, `1.2 s`, `3 h 5 min`, which stay on one line; empty for none."""
    if ms is None:
        return ""
    if ms >= 60_000:
        text = duration_text(round(ms), COARSE)
        return text.replace(" ", "\N{NO-BREAK SPACE}")
    text = f"{ms / 1000:.1f} s" if ms >= 1_000 else f"{ms:.0f} ms" if ms >= 1 else "< 1 ms"
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def line(one: Component, snapshot: Snapshot, today: date) -> Line:
    """A component as a line of a page."""
    days = one.past.days[-snapshot.days :]
    shown = snapshot.show_uptime and bool(days)
    response = one.past.response_ms[0] if one.past.response_ms else None
    return Line(
        id=one.id,
        name=one.name,
        description=one.description,
        state=one.state,
        word=words.STATE[one.state],
        bars=bars(days, today, snapshot.days) if shown else None,
        percent=percent_words(percent(days)) if shown else "",
        response=response_words(response) if snapshot.show_response_times else "",
        since=one.since,
    )


def _block(group: Group, snapshot: Snapshot, today: date, count: int) -> Block:
    state = worst(one.state for one in group.components)
    wrong = sum(one.state != "operational" for one in group.components)
    return Block(
        name=group.name,
        state=state,
        word=words.STATE[state],
        lines=tuple(line(one, snapshot, today) for one in group.components),
        is_open=count <= OPEN_UP_TO,
        wrong=wrong,
    )


def names_of(ids: Iterable[str], snapshot: Snapshot) -> str:
    """The names of components, as a list in words."""
    known = {one.id: one.name for one in snapshot.components()}
    return ", ".join(known[one] for one in ids if one in known)


def _is_planned(post: Post, now: int) -> bool:
    return post.sort == "maintenance" and post.state == "scheduled" and post.starts_at > now


def _begin(post: Post) -> tuple[int, str]:
    return post.starts_at, post.id


def _history_words(snapshot: Snapshot, now: int) -> str:
    if not snapshot.show_uptime or not snapshot.components():
        return ""
    if snapshot.history_at is None:
        return "The history can't be read at the moment."
    if now - snapshot.history_at < OLD_HISTORY_MS:
        return ""
    return f"History as of {short(snapshot.history_at, now)}."
