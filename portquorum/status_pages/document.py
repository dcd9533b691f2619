"""A status page as JSON: what is on it, for programs."""

from datetime import timedelta

import msgspec
from msgspec import Struct

from portquorum.status_pages import words
from portquorum.status_pages.model import SPANS, Component, ComponentState, Post, Snapshot, Window
from portquorum.status_pages.rendering import response_of, uptime_of
from portquorum.status_pages.times import iso
from portquorum.status_pages.uptime import day_of, percent


class _Day(Struct, frozen=True, kw_only=True, omit_defaults=True):
    day: str
    uptime_percent: float | None
    down_s: int = 0
    planned_s: int = 0


class _Component(Struct, frozen=True, kw_only=True):
    id: str
    name: str
    description: str
    state: ComponentState
    since: str | None
    uptime_percent: dict[str, float | None] | None
    response_ms: dict[str, float | None] | None
    days: list[_Day] | None


class _Group(Struct, frozen=True, kw_only=True):
    name: str
    components: list[_Component]


class _Update(Struct, frozen=True, kw_only=True):
    at: str
    state: str
    text: str


class _Post(Struct, frozen=True, kw_only=True):
    id: str
    sort: str
    title: str
    impact: str
    state: str
    starts_at: str
    ends_at: str | None
    components: tuple[str, ...]
    updates: list[_Update]


class _Window(Struct, frozen=True, kw_only=True):
    id: str
    begins_at: str
    ends_at: str
    components: tuple[str, ...]


class _Document(Struct, frozen=True, kw_only=True):
    slug: str
    title: str
    description: str
    state: ComponentState
    state_words: str
    as_of: str | None
    age_s: int | None
    history_as_of: str | None
    groups: list[_Group]
    posts: list[_Post]
    maintenance: list[_Window]


def document(page: Snapshot, now: int) -> bytes:
    """The page at `now` (UTC ms) as JSON (docs/status-pages.md)."""
    return msgspec.json.encode(
        _Document(
            slug=page.slug,
            title=page.title,
            description=page.description,
            state=page.state,
            state_words=words.PAGE[page.state],
            as_of=_time(page.seen_at),
            age_s=None if page.seen_at is None else max(0, now - page.seen_at) // 1000,
            history_as_of=_time(page.history_at),
            groups=[
                _Group(name=one.name, components=[_component(c, page, now) for c in one.components])
                for one in page.groups
            ],
            posts=[_post(one) for one in page.posts],
            maintenance=[_window(one) for one in page.windows],
        )
    )


def _component(one: Component, page: Snapshot, now: int) -> _Component:
    days = one.past.days[-page.days :]
    today = day_of(page.history_at or now)
    return _Component(
        id=one.id,
        name=one.name,
        description=one.description,
        state=one.state,
        since=_time(one.since),
        uptime_percent=_spans({n: uptime_of(one.past, n) for n in SPANS}, shown=page.show_uptime),
        response_ms=_spans(
            {n: response_of(one.past, n) for n in SPANS}, shown=page.show_response_times
        ),
        days=[
            _Day(
                day=str(today - timedelta(days=len(days) - 1 - place)),
                uptime_percent=_rounded(percent([day])),
                down_s=day.down_s,
                planned_s=day.planned_s,
            )
            for place, day in enumerate(days)
        ]
        if page.show_uptime
        else None,
    )


def _spans(values: dict[int, float | None], *, shown: bool) -> dict[str, float | None] | None:
    if not shown:
        return None
    return {"24h" if n == 1 else f"{n}d": _rounded(one) for n, one in values.items()}


def _rounded(value: float | None) -> float | None:
    """To five decimals, down: what is below 100 stays so."""
    return None if value is None else int(value * 100_000) / 100_000


def _post(one: Post) -> _Post:
    return _Post(
        id=one.id,
        sort=one.sort,
        title=one.title,
        impact=one.impact,
        state=one.state,
        starts_at=iso(one.starts_at),
        ends_at=_time(one.ends_at),
        components=one.components,
        updates=[_Update(at=iso(u.at), state=u.state, text=u.text) for u in one.updates],
    )


def _window(one: Window) -> _Window:
    return _Window(
        id=one.id,
        begins_at=iso(one.begins_at),
        ends_at=iso(one.ends_at),
        components=one.components,
    )


def _time(at: int | None) -> str | None:
    return None if at is None else iso(at)
