"""Incidents of a made-up history: each kind of end, each kind of overlap, and what failed when."""

from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from tests.truth.made_targets import Log, MadeTarget
from tests.truth.records import DAY, HOUR, MINUTE, Row
from tests.truth.spans import Span

SECOND: Final = 1_000
_TWO_HOURS: Final = "It has been steadily reachable for two hours after 4 h."
_LENGTHS: Final = (20 * SECOND, 7 * MINUTE, 50 * MINUTE, 5 * HOUR, 26 * HOUR, 4 * DAY)
_KINDS: Final = (
    "plain",
    "plain",
    "episodes",
    "flapping",
    "turns_flapping",
    "steady",
    "resolved_dead",
    "resolved_dead",
    "resolved_improved",
    "abandoned",
    "policy_changed",
    "slow",
    "expiring",
    "overlap",
    "flapping_resolved",
    "flapping_abandoned",
)
_LAST: Final = (
    "none",
    "open",
    "open_flapping_up",
    "open_flapping_down",
    "resolved_dead",
    "open_slow",
)


@dataclass(kw_only=True)
class Made:
    """Events, and when each region of the target failed."""

    events: list[Row] = field(default_factory=list)
    failing: dict[str, list[Span]] = field(default_factory=dict)

    def fail(self, regions: list[str], begin: int, end: int) -> None:
        for region in regions:
            self.failing.setdefault(region, []).append((begin, end))


class Incidents:
    """Makes the incidents of one target."""

    def __init__(self, random: Random, log: Log, target: MadeTarget, now: int) -> None:
        self._random = random
        self._log = log
        self._target = target
        self._now = now
        self._number = 0
        self.made = Made()

    def all(self, begin: int, *, never_up: bool) -> Made:
        """A chain of troubles from `begin` on, the last of which may go on.

        `never_up`: the port never answers, and somebody resolves its first incident by hand.
        """
        if never_up:
            self._never_up()
            return self.made
        at = begin + self._random.randrange(2 * DAY)
        while at < self._now - 8 * HOUR:
            end = at + self._length()
            if end >= self._now - 7 * HOUR:
                break
            self._trouble(self._random.choice(_KINDS), at, end)
            at = (
                end
                + self._random.choice([HOUR, 9 * HOUR, 2 * DAY, 5 * DAY])
                + self._random.randrange(HOUR)
            )
        self._last(self._random.choice(_LAST))
        return self.made

    def _length(self) -> int:
        return self._random.choice(_LENGTHS) + self._random.randrange(5 * MINUTE)

    def _trouble(self, kind: str, begin: int, end: int) -> None:
        regions, random = self._target.regions, self._random
        if kind in {"slow", "expiring"}:
            self._incident(begin, [], end, "recovered", incident_type=kind)
            return
        if kind == "overlap":
            self._incident(begin, [], end, "recovered")
            middle = (begin + end) // 2
            self._incident(middle, [], end + 40 * MINUTE, "recovered", incident_type="flapping")
        elif kind == "episodes":
            third = max(2, (end - begin) // 3)
            said = [("improved", begin + third), ("worsened", begin + 2 * third)]
            self._incident(begin, said, end, "recovered")
        elif kind == "resolved_improved":
            said = [("improved", (begin + end) // 2)]
            self._incident(begin, said, end, "resolved")
        elif kind == "turns_flapping":
            middle = (begin + end) // 2
            self._incident(begin, [], middle, "flapping")
            self._flapping(middle - min(SECOND, middle - begin - 1), end, "recovered")
        elif kind in {"flapping", "steady"}:
            self._flapping(begin, end, "recovered" if kind == "flapping" else "steady")
        elif kind in {"resolved_dead", "flapping_resolved"}:
            self._resolved_dead(begin, end, kind)
            return
        elif kind == "flapping_abandoned":
            self._incident(begin, [], end, "abandoned", incident_type="flapping")
        else:
            self._incident(begin, [], end, "recovered" if kind == "plain" else kind)
        self.made.fail(
            random.sample(regions, max(1, len(regions) - (random.random() < 0.3))), begin, end
        )

    def _flapping(self, begin: int, end: int, because: str) -> None:
        slowly = self._random.random() < 0.3
        quiet = 2 * HOUR if slowly else 30 * MINUTE
        recovered = end + self._random.randrange(MINUTE)
        fields: dict[str, Any] = {"incident_type": "flapping"}
        if slowly:
            fields["summary"] = _TWO_HOURS
        if self._random.random() < 0.7 and because == "recovered":
            fields["recovered_at"] = recovered
        # One that recovered long ago and was steady (down) since has an older recovery.
        if because == "steady" and self._random.random() < 0.5:
            fields["recovered_at"] = begin + (end - begin) // 2
        self._incident(begin, [], recovered + quiet, because, **fields)

    def _resolved_dead(self, begin: int, end: int, kind: str) -> None:
        """The port is dead when somebody resolves its incident; regions come back one by one."""
        regions, random = self._target.regions, self._random
        resolved = begin + max(MINUTE, (end - begin) // 3)
        if self._is_away(resolved):
            return
        worsened = [("worsened", begin + 2 * MINUTE)] if random.random() < 0.3 else []
        fields = {"incident_type": "flapping"} if kind == "flapping_resolved" else {}
        self._incident(begin, [] if fields else worsened, resolved, "resolved", **fields)
        back = end
        for place, region in enumerate(regions):
            # A region that is blocked for good keeps failing.
            blocked = place == 2 and random.random() < 0.3
            self.made.fail([region], begin, end + 3 * DAY if blocked else back)
            back += random.choice([0, 40 * MINUTE, 3 * HOUR])

    def _is_away(self, at: int) -> bool:
        """Whether the target was removed before and is not back: nobody has an incident of it."""
        rows = [row for row in self._target.rows if row["appended_at"] <= at]
        return bool(rows and rows[-1]["removed"])

    def _never_up(self) -> None:
        begin = self._target.begin
        self.made.fail(list(self._target.regions), begin, self._now + DAY)
        if self._random.random() < 0.5:
            self._incident(begin + MINUTE, [], begin + 2 * HOUR, "resolved")
        else:
            self._incident(begin + MINUTE, [], None, "")

    def _last(self, kind: str) -> None:
        now, regions = self._now, self._target.regions
        begin = now - self._random.randrange(3 * HOUR, 6 * HOUR)
        if kind == "none" or any(gone for at, gone in self._target.breaks if at > begin - DAY):
            return
        if kind == "open":
            self._incident(begin, [], None, "")
            self.made.fail(regions, begin, now + DAY)
        elif kind == "open_slow":
            self._incident(begin, [], None, "", incident_type="slow")
        elif kind == "resolved_dead":
            self._incident(begin, [], begin + HOUR, "resolved")
            self.made.fail(regions, begin, now + DAY)
        else:
            self._incident(begin, [], None, "", incident_type="flapping")
            for number in range(4):
                up = number * 20 * MINUTE
                self.made.fail(regions, begin + up, begin + up + 10 * MINUTE)
            if kind == "open_flapping_down":
                self.made.fail(regions, now - HOUR, now + DAY)

    def _incident(
        self,
        begin: int,
        said: list[tuple[str, int]],
        closed: int | None,
        because: str,
        **fields: Any,
    ) -> None:
        """The events of one incident; a removal or a move of the target closes it."""
        opened = begin + self._random.randrange(300, 90_000)
        for at, why in self._target.breaks:
            if begin < at and (closed is None or at < closed):
                closed, because = at, why
                break
        last = self._now if closed is None else closed
        if last <= opened or last > self._now:
            return
        moments = [one for one in said if opened < one[1] < last]
        if self._random.random() < 0.5 and last - opened > 1:
            moments.append(("updated", self._random.randrange(opened + 1, last)))
        moments = [("opened", opened), *sorted(moments, key=lambda one: one[1])]
        self._number += 1
        rows, by = [], ""
        for place, (event, at) in enumerate(moments):
            by = {"worsened": "", "updated": self._random.choice(["ann", "bob"])}.get(event, by)
            rows.append(self._event(place, event, begin, opened, at) | {"acknowledged_by": by})
        if closed is not None:
            row = self._event(len(rows), "closed", begin, opened, closed)
            rows.append(
                row | {"acknowledged_by": by, "closed_at": closed, "closed_because": because}
            )
        kind = fields.pop("incident_type", "unreachable")
        if because in {"recovered", "steady"}:
            rows[-1].update(fields)
        self.made.events += [row | {"incident_type": kind} for row in rows]

    def _event(self, place: int, event: str, begin: int, opened: int, at: int) -> Row:
        """An event as the inventory then is."""
        incident_id = f"{self._target.name}-i{self._number}"
        stood = [row for row in self._target.rows if not row["removed"]]
        stands = next((row for row in reversed(stood) if row["appended_at"] <= at), stood[0])
        return {
            "event_id": f"{incident_id}-{place}",
            "event": event,
            "incident_id": incident_id,
            "severity": "critical",
            "target": self._target.name,
            **{name: stands[name] for name in ("name", "kind", "host", "port", "team", "tags")},
            "criticality": stands["criticality"],
            "verdicts": dict.fromkeys(self._target.regions, "down"),
            "reasons": dict.fromkeys(self._target.regions, "timed_out"),
            "first_failed_at": begin,
            "opened_at": opened,
            "closed_at": None,
            "closed_because": "",
            "at": at,
            "summary": "It does not answer.",
            "recovered_at": None,
            **self._log.place(at),
        }
