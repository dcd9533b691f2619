"""The stages of a drill, and when each was reached. Pure."""

from collections.abc import Iterator, Sequence
from typing import Final, Literal

from msgspec import Struct

from schemas.incident import IncidentEvent
from schemas.result import CheckResult
from streams.rules.consensus import need

DrillPart = Literal["watch", "outage", "recovery"]
DrillStageName = Literal[
    "watched",
    "first failure",
    "retry",
    "recheck",
    "quorum",
    "incident",
    "message",
    "recovered",
    "closed",
    "told",
]

_STAGES: Final[dict[DrillPart, tuple[DrillStageName, ...]]] = {
    "watch": ("watched",),
    "outage": ("first failure", "retry", "recheck", "quorum", "incident", "message"),
    "recovery": ("recovered", "closed", "told"),
}
_MAY_BE_MISSING: Final = frozenset({"retry", "recheck"})
"""A quorum may be there before a region tries again, or has been asked to."""

EXIT_CODES: Final[dict[str, int]] = {
    "watched": 10,
    "first failure": 11,
    "quorum": 12,
    "incident": 13,
    "message": 14,
    "recovered": 15,
    "closed": 16,
    "told": 17,
}
"""The exit code of a drill, by the stage that was overdue."""


class DrillStage(Struct, frozen=True, kw_only=True):
    """A stage that was reached, `seconds` after its part began; `detail` is for people."""

    part: DrillPart
    stage: DrillStageName
    seconds: float
    detail: str


class DrillWatch:
    """What was seen of a drill's target, part by part; times are seconds of one clock."""

    def __init__(self, regions: Sequence[str], began: float) -> None:
        """`regions` check the target; the first part begins at `began`."""
        self.reached: list[DrillStage] = []
        self.incident_id: str | None = None
        self._regions = frozenset(regions)
        self._need = need("quorum", len(self._regions))
        self._part: DrillPart = "watch"
        self._began = began
        self._seen: set[str] = set()

    @property
    def unheard(self) -> tuple[str, ...]:
        """The regions that have not said in this part what it is about, sorted."""
        return tuple(sorted(self._regions - self._seen))

    @property
    def missing(self) -> DrillStageName | None:
        """The first stage of this part that has to come; None: the part is over."""
        there = {one.stage for one in self.reached if one.part == self._part}
        return next(
            (
                stage
                for stage in _STAGES[self._part]
                if stage not in there and stage not in _MAY_BE_MISSING
            ),
            None,
        )

    def begin(self, part: DrillPart, at: float) -> None:
        """Begins a part: the port was closed, or opened again."""
        self._part, self._began = part, at
        self._seen.clear()

    def result(self, result: CheckResult, at: float) -> Iterator[DrillStage]:
        """Takes a result of the target."""
        if not result.counted:
            return
        wanted = "down" if self._part == "outage" else "up"
        if result.status != wanted:
            return
        self._seen.add(result.region)
        if self._part == "watch":
            if not self.unheard:
                yield from self._reach("watched", at, f"up from {_names(self._seen)}")
            return
        if self._part == "recovery":
            yield from self._reach("recovered", at, f"up from {result.region}")
            return
        reason = (result.reason or "down").replace("_", " ")
        yield from self._reach("first failure", at, f"{result.region}: {reason}")
        if result.cause == "retry":
            yield from self._reach("retry", at, f"{result.region} tried again")
        if result.cause == "recheck":
            yield from self._reach("recheck", at, f"{result.region} was asked to look")
        if len(self._seen) >= self._need:
            yield from self._reach("quorum", at, f"down from {_names(self._seen)}")

    def event(self, event: IncidentEvent, at: float) -> Iterator[DrillStage]:
        """Takes an event of the target's incident."""
        if self._part == "outage" and event.event == "opened":
            self.incident_id = event.incident_id
            votes = f"{event.votes.down} of {event.votes.fresh} regions"
            yield from self._reach("quorum", at, votes)
            yield from self._reach("incident", at, event.summary)
        elif self._part == "recovery" and event.event == "closed":
            yield from self._reach("closed", at, event.closed_because or "closed")

    def message(self, action: str, title: str, at: float) -> Iterator[DrillStage]:
        """Takes a message that the receiver got."""
        if self._part == "outage" and action == "trigger":
            yield from self._reach("message", at, title)
        elif self._part == "recovery" and action == "resolve":
            yield from self._reach("told", at, title)

    def _reach(self, stage: DrillStageName, at: float, detail: str) -> Iterator[DrillStage]:
        if any(one.stage == stage for one in self.reached):
            return
        reached = DrillStage(
            part=self._part, stage=stage, seconds=round(at - self._began, 3), detail=detail
        )
        self.reached.append(reached)
        yield reached


def _names(regions: set[str]) -> str:
    return ", ".join(sorted(regions))
