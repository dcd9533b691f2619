"""Badges of targets: for who shows a key for badges, or may see the monitor anyway."""

import time
from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qs

from portquorum.status_pages import badges
from portquorum.status_pages.badges import Badge
from portquorum.status_pages.build import Sight
from portquorum.status_pages.model import Past
from portquorum.status_pages.rendering import response_of, uptime_of
from portquorum.status_pages.states import component_state
from portquorum.web.fleet import Fleet
from portquorum.web.history.errors import HistoryTooSlowError, HistoryUnavailableError
from portquorum.web.public.badge_place import BadgePlace
from portquorum.web.public.past import AsksPast, pasts
from schemas.web import ShareKey

KEEP_S: Final = 60.0
MOST_KEPT: Final = 1_000


class TargetBadges:
    """Makes them from fleet and history; what was asked of the history is kept for a minute."""

    def __init__(
        self,
        fleet: Fleet,
        sight: Callable[[], Sight],
        history: AsksPast,
        find_key: Callable[[str], ShareKey | None],
        now: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        """`find_key` gives the key of a text if it is one for badges; `now` gives UTC ms."""
        self._fleet = fleet
        self._sight = sight
        self._history = history
        self._find_key = find_key
        self._now = now
        self._kept: dict[tuple[str, bool], tuple[float, Past]] = {}

    def may_see(self, target: str, query: bytes) -> bool:
        """Whether a key in the query (`key=…`) opens the badges of a target."""
        given = parse_qs(query.decode("latin-1")).get("key", ())
        key = self._find_key(given[0]) if len(given) == 1 else None
        return key is not None and self._reaches(key, target)

    def _reaches(self, key: ShareKey, target: str) -> bool:
        if key.about is not None:
            return key.about == target
        record = self._fleet.inventory.get(target)
        if record is None:
            return False
        shared = record.shared
        has_one = shared.team in key.teams or not set(key.tags).isdisjoint(shared.tags)
        return has_one or not (key.teams or key.tags)

    async def badge(self, place: BadgePlace) -> Badge | None:
        """The badge; None: there is no such target. It has no name of the target in it."""
        seen = self._sight().seen(place.target)
        if seen is None:
            return None
        if place.what == "status":
            fresh = self._fleet.freshness()
            is_seen = fresh.is_read and fresh.blind_since is None
            return badges.status(component_state([seen.state]) if is_seen else "unknown", "status")
        past = await self._past(place.target, responses=place.what == "response")
        days = badges.SPAN_NAMES[place.span]
        if place.what == "uptime":
            return badges.uptime(None if past is None else uptime_of(past, days), place.span)
        return badges.response(None if past is None else response_of(past, days), place.span)

    async def _past(self, target: str, *, responses: bool) -> Past | None:
        """The history of a target; None: it can't be had."""
        key = target, responses
        asked, found = self._kept.get(key, (-KEEP_S, None))
        if found is not None and time.monotonic() - asked < KEEP_S:
            return found
        try:
            parts = await pasts({"": (target,)}, self._history, self._now(), responses=responses)
        except (HistoryUnavailableError, HistoryTooSlowError):
            return None
        self._kept.pop(key, None)
        self._kept[key] = time.monotonic(), parts[""]
        if len(self._kept) > MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        return parts[""]
