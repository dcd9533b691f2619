"""Turns records of the log into lines of the timeline."""

from typing import Final, Literal

from msgspec import Struct
from rich.text import Text

from portquorum.demo.inventory import SERVICE_ID
from portquorum.demo.tap import Seen
from schemas.incident import IncidentEvent
from schemas.notification import Notification
from schemas.recheck import RecheckRequest
from schemas.result import REASON_TEXT, CheckResult

_ATTEMPT: Final = {"schedule": "scheduled", "recheck": "recheck", "manual": "by hand"}


class Moment(Struct, frozen=True):
    """A line of the timeline; `at` is UTC ms, `topic` where it was read."""

    at: int
    who: str
    what: Text
    topic: str


class Story:
    """The story of one half of the outage: the way `down`, or the way back `up`.

    `turn` is the first result that shows the change, `event` the incident event that ends the half,
    `sent` the notifier's record of the sent message; each is None before it arrives.
    """

    def __init__(self, way: Literal["down", "up"], began_at: int) -> None:
        """`began_at` (UTC ms) is the time of the port's closing or opening; skips older checks."""
        self._way = way
        self._began_at = began_at
        self.turn: CheckResult | None = None
        self.event: IncidentEvent | None = None
        self.sent: Notification | None = None

    def take(self, seen: Seen) -> list[Moment]:
        """The lines for one published record: none or one, rarely two."""
        match seen.what:
            case CheckResult() as result:
                return self._result(result)
            case RecheckRequest() as request:
                return self._recheck(seen.at, request)
            case IncidentEvent() as event:
                return self._event(seen.at, event)
            case Notification() as notification:
                return self._notification(seen.at, notification)

    def _result(self, result: CheckResult) -> list[Moment]:
        ours = result.target == SERVICE_ID and result.started_at >= self._began_at
        if not ours or result.status != self._way or self.event:
            return []
        first, self.turn = self.turn is None, self.turn or result
        how = f"retry {result.attempt}" if result.attempt else _ATTEMPT.get(result.cause, "")
        if result.reason:
            what = Text.assemble(("✗ ", "red"), (REASON_TEXT[result.reason], "red"))
        else:
            what = Text.assemble(("✓ ", "green"), ("open", "green"))
            if result.connect_ms is not None:
                what.append(f"  {result.connect_ms:.2f} ms", style="dim")
        what.append(f"  {how}", style="dim")
        if first:
            noticed = "  ← first failure" if self._way == "down" else "  ← noticed"
            what.append(noticed, style="yellow")
        return [Moment(result.started_at, result.region, what, "results")]

    def _recheck(self, at: int, request: RecheckRequest) -> list[Moment]:
        if at < self._began_at or self.event:
            return []
        what = Text(f"every region, look at {request.host} now")
        return [Moment(at, "stream", what, "rechecks")]

    def _event(self, at: int, event: IncidentEvent) -> list[Moment]:
        if event.target != SERVICE_ID or self.event:
            return []
        if event.event == "opened" and self._way == "down":
            self.event = event
            votes = event.votes
            what = Text.assemble(
                ("incident opened", "bold red"),
                f": {votes.down} of {votes.configured} say down, {votes.need} needed",
            )
        elif event.event == "closed" and self._way == "up":
            self.event = event
            down_s = ((event.closed_at or event.at) - event.first_failed_at) / 1000
            what = Text.assemble(
                ("incident closed", "bold green"),
                f": up everywhere, after {down_s:.1f} s",
            )
        elif event.changes:
            what = Text(f"incident {event.event}: {'; '.join(event.changes)}", style="yellow")
        else:
            return []
        return [Moment(at, "stream", what, "incidents")]

    def _notification(self, at: int, record: Notification) -> list[Moment]:
        wanted = "opened" if self._way == "down" else "closed"
        if record.target != SERVICE_ID or record.event != wanted or record.status != "sent":
            return []
        self.sent = record
        what = Text(f"route {record.route}: the channel confirmed")
        return [Moment(at, "notifier", what, "notifications")]
