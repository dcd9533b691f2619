"""Simple histories: what a fleet of four targets does, and how long it takes."""

from typing import Any

from hypothesis import strategies as st
from msgspec import Struct

from schemas.incident import Event, RegionEvent
from schemas.policy import Route, Team
from sinks.notifier.routing import Routes
from tests.unit.sinks.notifier.events import incident_event, targets_event
from tests.unit.sinks.notifier.reference.histories import TARGETS, routes, url_lists


class Step(Struct, frozen=True):
    after_ms: int
    what: str
    of: str


class Story(Struct, frozen=True):
    routes: Routes
    steps: tuple[Step, ...]

    def events(self, began_at: int) -> list[tuple[int, Event]]:
        """The events with the times at which they come; steps that can't be are left out."""
        found: list[tuple[int, Event]] = []
        open_ones: dict[str, dict[str, Any]] = {}
        counts: dict[str, int] = {}
        now = began_at
        for number, step in enumerate(self.steps):
            now += step.after_ms
            known = open_ones.get(step.of)
            base = {"event_id": f"e{number}", "at": now}
            match step.what:
                case "open" if known is None:
                    known = {
                        "target": step.of,
                        "name": step.of,
                        "incident_id": f"i{number}",
                        **TARGETS[step.of],
                    }
                    open_ones[step.of] = known
                    event: Event = incident_event(**known, **base, event="opened")
                case "worsened" if known is not None:
                    known["episode"] = known.get("episode", 1) + 1
                    known.pop("acknowledged_by", None)
                    event = incident_event(**known, **base, event="worsened")
                case "acknowledge" if known is not None:
                    known["acknowledged_by"] = "ann"
                    event = incident_event(**known, **base, event="updated")
                case "improved" if known is not None:
                    event = incident_event(**known, **base, event="improved")
                case "close" if known is not None:
                    event = incident_event(
                        **known, **base, event="closed", closed_at=now, closed_because="recovered"
                    )
                    del open_ones[step.of]
                case "region" if counts.get("region", 0) < 2:
                    counts["region"] = counts.get("region", 0) + 1
                    kind: Any = "region.silent" if counts["region"] == 1 else "region.returned"
                    event = RegionEvent(**base, event=kind, region="eu", summary="So.")
                case "targets":
                    counts["c"] = counts.get("c", 0) + 7
                    event = targets_event(**base, cause_id="c", count=counts["c"], partition=1)
                case _:
                    continue
            found.append((now, event))
        return found


def policy(day: dict[str, Any], night: tuple[str, ...], red: tuple[str, ...]) -> Routes:
    return Routes.of(
        [
            Route(name="day", **day),
            Route(name="night", urls=night),
            Team(name="red", routes=red),
        ]
    )


steps = st.builds(
    Step,
    after_ms=st.sampled_from((0, 1, 500, 1_999, 2_000, 2_001, 10_000)),
    what=st.sampled_from(
        (
            "open",
            "open",
            "worsened",
            "improved",
            "acknowledge",
            "close",
            "close",
            "targets",
            "region",
        )
    ),
    of=st.sampled_from(tuple(TARGETS)),
)
stories = st.builds(
    Story,
    routes=st.builds(
        policy,
        routes,
        url_lists,
        st.sampled_from((("day",), ("night", "day"), ("night",), ())),
    ),
    steps=st.lists(steps, max_size=14).map(tuple),
)
