"""Pages, posts and a sight of targets that tests are made of."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from portquorum.status_pages.build import Planned, Seen
from schemas.web import PostUpdate, StatusComponent, StatusGroup, StatusPage, StatusPost

NOW: Final = 1_796_000_000_000
MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
NONCE: Final = "0123456789abcdef"


def component(key: str, *targets: str, **more: Any) -> StatusComponent:
    return StatusComponent(
        id=key, name=more.pop("name", key.title()), targets=targets or (key,), **more
    )


def page(*components: StatusComponent, **changed: Any) -> StatusPage:
    values: dict[str, Any] = {
        "version": 1,
        "change": NONCE,
        "at": NOW,
        "by": "anna",
        "slug": "shop",
        "title": "Example Shop",
        "groups": (StatusGroup(components=components or (component("web"), component("mail"))),),
    }
    return StatusPage(**values | changed)


def locked(hashed: str) -> StatusPage:
    return page(access="locked", password=hashed)


def post(*updates: tuple[int, str, str], **changed: Any) -> StatusPost:
    values: dict[str, Any] = {
        "version": 1,
        "change": NONCE,
        "at": NOW,
        "by": "anna",
        "id": "00000000000000aa",
        "pages": ("shop",),
        "sort": "incident",
        "title": "Checkout fails",
        "impact": "major",
        "components": ("shop/web",),
        "updates": tuple(
            PostUpdate(at=at, state=state, text=text, by="anna")  # type: ignore[arg-type]
            for at, state, text in updates or ((NOW - HOUR, "investigating", "We look."),)
        ),
        "starts_at": NOW - HOUR,
        "created_at": NOW - HOUR,
    }
    return StatusPost(**values | changed)


class SomeSight:
    """Targets by id with their states, and windows by target."""

    def __init__(
        self,
        states: Mapping[str, Any],
        windows: Mapping[str, list[tuple[int, int]]] | None = None,
    ) -> None:
        self.states = dict(states)
        self.windows = dict(windows or {})

    def seen(self, target: str) -> Seen | None:
        if target not in self.states:
            return None
        state = self.states[target]
        return Seen(state, NOW - MINUTE if state == "down" else None)

    def planned(self, targets: Iterable[str]) -> Iterable[Planned]:
        return [Planned(*span) for one in targets for span in self.windows.get(one, ())]
