"""What public reports of other monitors have in common: targets that fail and recover, on a clock.

Who reads a report finds here what happens to targets by number, and what a channel was told.
"""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from schemas.incident import IncidentEvent
from schemas.policy import Policy
from sinks.notifier.model import TargetFacts
from tests.unit.sinks.notifier.decision.office import SECOND, WAIT_MS, Office
from tests.unit.sinks.notifier.events import AT, incident_event

CHAT, PAGER = "json://chat", "pagerduty://p"
SETTLE = 34 * SECOND
"""Of a target that is checked every 30 s with a time-out of 2 s and no retry."""


def moment(text: str, zone: str = "UTC") -> int:
    """A local time, as UTC ms."""
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


class Reported(Office):
    """An office whose targets are `t0`, `t1` … `behind`: how many of them depend on `gw`."""

    def __init__(
        self, *policy: Policy, behind: int = 0, at: int = AT, interval_ms: int = 0
    ) -> None:
        super().__init__(group_interval_ms=interval_ms)
        self.now = at
        self._began: dict[str, int] = {}
        self._count = 0
        self.facts = {"gw": self.fact("gw")} | {
            name: self.fact(name, "gw") for name in (f"t{number}" for number in range(behind))
        }
        self.desk = self._desk()
        self.route(*policy)

    @staticmethod
    def fact(name: str, *on: str, tags: tuple[str, ...] = ()) -> TargetFacts:
        return TargetFacts(
            id=name,
            name=name,
            place=f"{name}:80",
            tags=tags,
            depends_on=on,
            settle_ms=SETTLE,
            answer_ms=6_000,
        )

    def fails(self, *targets: str, **fields: Any) -> None:
        """Their incidents open now."""
        for name in targets:
            self._began[name] = self.now
        self.take(*(self.event(name, "opened", **fields) for name in targets))

    def recovers(self, *targets: str) -> None:
        """Their incidents close now."""
        more = {"closed_at": self.now, "closed_because": "recovered"}
        self.take(*(self.event(name, "closed", **more) for name in targets))

    def acknowledges(self, target: str) -> None:
        """Somebody takes care of its incident."""
        self.take(self.event(target, "updated", acknowledged_by="eve"))

    def until(self, at: int) -> None:
        """Lets the time pass until `at`, UTC ms."""
        self.wait(at - self.now)

    def told_of(self, url: str = CHAT) -> list[str]:
        """`ACTION TARGET` of all that a channel was told, in its order."""
        return [
            f"{news.action or one.action} {getattr(news.event, 'target', '')}"
            for one in self.sent
            if one.channel.url == url and one.action != "refresh"
            for news in one.news
        ]

    def messages(self, url: str = CHAT) -> int:
        """How many messages a channel got."""
        return len(self.told(url))

    def event(self, target: str, kind: str, **fields: Any) -> IncidentEvent:
        self._count += 1
        began = self._began[target]
        values: dict[str, Any] = {
            "event": kind,
            "event_id": f"{target}-{kind}-{self._count}",
            "incident_id": f"i-{target}-{began}",
            "target": target,
            "name": target,
            "host": f"{target}.example.com",
            "first_failed_at": began - SECOND,
            "opened_at": began,
            "at": self.now,
        }
        return incident_event(**(values | fields))


__all__ = ["CHAT", "PAGER", "SETTLE", "WAIT_MS", "Reported", "moment"]
