"""A made-up status page: `python -m portquorum.bench.status_page` asks a server for it."""

import random
from typing import Final

from portquorum.status_pages.model import (
    HOURS,
    STATES,
    Component,
    ComponentState,
    Day,
    Group,
    Past,
    Post,
    Snapshot,
    Update,
    Window,
)
from schemas.duration import DAY_MS, HOUR_MS

SLUG: Final = "shop"
_A_GROUP: Final = 50
_BAD_DAYS: Final = 0.03
_WRONG: Final = 0.04
_NAMES: Final = ("Checkout", "Search", "Mail", "Login", "Video", "Files")


def made_up(components: int, now: int) -> Snapshot:
    """A page with so many components on a bad day at `now` (UTC ms); the same for the same."""
    dice = random.Random(23)  # noqa: S311 - no secret
    parts = [_component(number, dice, now) for number in range(components)]
    begins = range(0, components, _A_GROUP)
    return Snapshot(
        slug=SLUG,
        version=1,
        title="Example Shop",
        description="What *customers* see.",
        contact="https://example.com/help",
        show_response_times=True,
        state="partial_outage",
        seen_at=now,
        history_at=now - 20_000,
        groups=tuple(
            Group(
                name=f"Region {begin // _A_GROUP + 1}", components=tuple(parts[begin:][:_A_GROUP])
            )
            for begin in begins
        ),
        posts=tuple(_post(number, now) for number in range(5)),
        windows=(
            Window(
                id="0123456789abcde0",
                begins_at=now + DAY_MS,
                ends_at=now + DAY_MS + HOUR_MS,
                components=tuple(one.id for one in parts[:3]),
            ),
        ),
    )


def _component(number: int, dice: random.Random, now: int) -> Component:
    state: ComponentState = dice.choice(STATES) if dice.random() < _WRONG else "operational"
    return Component(
        id=f"part-{number}",
        name=f"{dice.choice(_NAMES)} {number}",
        description="Reads and writes of customers" if number % 7 == 0 else "",
        state=state,
        measured=state,
        since=now - HOUR_MS if state.endswith("outage") else None,
        past=Past(
            days=tuple(_day(dice) for _ in range(90)),
            measured_24h_s=86_400,
            response_ms=(12.0, 13.5, 14.0, 15.0),
            hours_ms=tuple(dice.choice((None, 10.0, 22.0)) for _ in range(HOURS)),
        ),
    )


def _day(dice: random.Random) -> Day:
    if dice.random() >= _BAD_DAYS:
        return Day(86_400)
    down = dice.randint(30, 20_000)
    return Day(86_400, down, down if dice.random() < 1 / 5 else 0)


def _post(number: int, now: int) -> Post:
    begin = now - number * DAY_MS - HOUR_MS
    updates = [Update(at=begin, state="investigating", text="Some orders **fail**. We look.")]
    if number:
        updates.append(Update(at=begin + HOUR_MS, state="resolved", text="Orders work again."))
    return Post(
        id=f"{number:016x}",
        sort="incident",
        title=f"Checkout fails for some ({number})",
        impact="major",
        starts_at=begin,
        ends_at=begin + HOUR_MS if number else None,
        created_at=begin,
        components=("part-1", "part-2"),
        updates=tuple(updates),
    )
