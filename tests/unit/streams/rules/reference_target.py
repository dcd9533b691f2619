"""A target in the reference: what was heard of it, who votes, what is open (rules 5 to 7 and 9)."""

from collections.abc import Collection
from typing import Literal

from schemas.incident import IncidentType, Votes
from schemas.target import LatencyLimit, Target
from tests.unit.streams.rules.reference_hearing import Change, Counted, Said, listen, most_looks
from tests.unit.streams.rules.reference_words import Clock, Word, majority, need, warn_ms

HOUR_MS = 3_600_000


class Incident:
    def __init__(self, first_failed_at: int) -> None:
        self.first_failed_at = first_failed_at
        self.episode = 1
        self.improved = False
        self.id = ""
        self.acknowledged: Word | None = None
        self.recovered_at: int | None = None


class Transitions:
    """Rule 9: the beginnings and ends of outages (running time).

    `outage` is when the one began (effective time) that goes on silently while a flapping incident
    is open.
    """

    def __init__(self) -> None:
        self.transitions: list[int] = []
        self.outage: int | None = None

    def flaps(self, running: int) -> bool:
        """Whether the opening that was just counted is one too many."""
        return self.recent(running) > 6 or self.recent(running, hours=6) > 12

    def recent(self, running: int, *, hours: int = 1) -> int:
        """The transitions within the last hours."""
        return sum(running - at < hours * HOUR_MS for at in self.transitions)

    def quiet_ms(self) -> int:
        """After so long without a transition the target flaps no more."""
        newest = self.transitions[-7:]
        fast = len(newest) == 7 and newest[-1] - newest[0] < HOUR_MS
        return HOUR_MS // 2 if fast or self.outage is not None else 2 * HOUR_MS


class Watched(Transitions):
    """A target, and per region all that counted since the region began (anew).

    `limits` are all latency limits that it was given, `limited_at` when (effective time),
    `warnings` all `warn_days` (in ms).
    `accepted` are the newest results of its regions at the times when its slowness was resolved by
    hand. `held` are the types of incident that were resolved by hand and may not open yet.
    `configured` is since when (running time) each region should look. `silent` are the regions
    that are silent now. `changes` are the policies that it was given, one after the other.
    """

    def __init__(self, target: Target, floor: int, running: int, silent: Collection[str]) -> None:
        super().__init__()
        self.target = target
        self.floor = floor
        self.configured = dict.fromkeys(target.regions, running)
        self.heard: dict[str, list[Counted]] = {region: [] for region in target.regions}
        self.limits: list[LatencyLimit | None] = [target.latency]
        self.limited_at = [0]
        self.accepted: list[Counted] = []
        self.warnings = [warn_ms(target)]
        self.incidents: dict[IncidentType, Incident] = {}
        self.held: set[IncidentType] = set()
        self.silent = silent
        self.changes: list[Change] = []
        self._listened: dict[str, tuple[Counted, tuple[int, ...], Said]] = {}

    def said(self, running: int) -> dict[str, Said]:
        """What each region says that ever said anything."""
        return {
            region: self._listen(region, history).at(running)
            for region, history in self.heard.items()
            if history
        }

    def _listen(self, region: str, history: list[Counted]) -> Said:
        """Listens again only when something was said: nothing else is remembered to save time."""
        known = self._listened.get(region)
        now = (len(self.limits), len(self.accepted), len(self.changes), len(self.warnings))
        if known is None or known[0] is not history[-1] or known[1] != now:
            said = listen(
                region,
                history,
                list(zip(self.limits, self.limited_at, strict=True)),
                self.accepted,
                self.changes,
                warnings=self.warnings,
            )
            known = self._listened[region] = (history[-1], now, said)
        return known[2]

    def set_back(self, step: int, clock: Clock) -> None:
        """All that was heard lies as far back as before in the new time."""
        for history in self.heard.values():
            for one in history:
                one.effective -= step
                one.told = clock.told(one.told, step)
                if one.end is not None:
                    one.left.append((len(self.warnings), one.end - one.told))
        self.limited_at = [at - step for at in self.limited_at]
        for incident in self.incidents.values():
            incident.first_failed_at = clock.told(incident.first_failed_at, step)
            if incident.recovered_at is not None:
                incident.recovered_at = clock.told(incident.recovered_at, step)
        if self.outage is not None:
            self.outage = clock.told(self.outage, step)
        self._listened = {}

    def latest(self, region: str, now: int) -> int:
        """The latest start that counted, but for one of a time that is not any more."""
        last = self.heard[region][-1]
        return last.started if last.started <= now + 15_000 else last.effective

    def known(self, now: int) -> int:
        """The latest start that counted in any region, those that began anew included."""
        floor = self.floor if self.floor <= now + 15_000 else 0
        return max(floor, *(self.latest(one, now) for one in self.heard if self.heard[one]), 0)

    def change(self, target: Target, running: int) -> None:
        """Another policy holds from here on."""
        newest = {region: history[-1] for region, history in self.heard.items() if history}
        self.changes.append(Change(self.target, target, running, newest))
        self.target = target

    def accept(self) -> None:
        """What it takes now is usual from here on."""
        self.accepted += [history[-1] for history in self.heard.values() if history]

    def votes(self, word: Literal["down", "slow"], aside: Collection[str], running: int) -> Votes:
        """Rule 5: a region that is set aside is none of the fresh ones.

        Rule 7: a region that says `down` has a vote for "slow", too.
        """
        words = {"down", word}
        fresh = self._fresh(aside, running)
        asked = self._asked(aside, running)
        configured = len(self.target.regions)
        return Votes(
            down=sum(one.word in words for one in asked),
            need=max(need(self.target, len(asked)), majority(configured)),
            fresh=len(fresh),
            configured=configured,
        )

    def _fresh(self, aside: Collection[str], running: int) -> dict[str, Said]:
        return {
            region: one
            for region, one in self.said(running).items()
            if one.fresh and region not in aside
        }

    def _asked(self, aside: Collection[str], running: int) -> list[Said]:
        """Rule 5: a silent region speaks against no trouble that began after its newest result."""
        fresh = self._fresh(aside, running)
        firsts = [one.row[0] if one.down else one.slow for one in fresh.values()]
        began = max((first.told for first in firsts if first is not None), default=0)
        return [
            one
            for region, one in fresh.items()
            if region not in self.silent
            or one.word != "up"
            or self.heard[region][-1].effective >= began
        ]

    def says(
        self, word: Literal["down", "slow"], aside: Collection[str], running: int
    ) -> bool | None:
        """What consensus says: None if the status is unknown."""
        votes = self.votes(word, aside, running)
        if votes.fresh < majority(votes.configured):
            return None
        if votes.down < votes.need or word == "down":
            return votes.down >= votes.need
        if self.says("down", aside, running):
            return False
        asked = self._asked(aside, running)
        alone = sum(one.word == "slow" for one in asked) >= votes.need
        return alone or all(one.down for one in asked if one.row)

    def denied(self, of: Literal["down", "slow"], aside: Collection[str], running: int) -> bool:
        """Rule 6: consensus says "not down" ("not slow"), whoever fails again counted with it."""
        votes = self.votes(of, aside, running)
        if of == "slow" and self.says("down", aside, running):
            return True
        unended = sum(
            one.fresh and one.unended and of == "down" and region not in aside
            for region, one in self.said(running).items()
        )
        return votes.fresh >= majority(votes.configured) and votes.down + unended < votes.need

    def began(
        self, word: Literal["down", "slow"], votes: Votes, aside: Collection[str], running: int
    ) -> Counted:
        """The first failed (slow) result of the outage (slowness) that the votes say there is.

        It began when the region failed that made them enough; failures of other regions belong to
        it that came at most an interval and a timeout before.
        """
        firsts = []
        for region, one in self.said(running).items():
            if one.fresh and region not in aside and one.word in {"down", word}:
                first = one.row[0] if one.word == "down" else one.slow
                assert first is not None
                firsts.append(first)
        firsts.sort(key=lambda first: (first.told, first.running))
        enough = firsts[votes.need - 1].told
        reach = self.target.interval_ms + self.target.timeout_ms
        return next(first for first in firsts if enough - first.told <= reach)

    def abandoned(self, running: int) -> tuple[str, ...]:
        """The regions that nobody hears any more: stale or pending too long to be waited for."""
        said = self.said(running)
        limit = self.target.abandon_after_ms
        quiet = {
            region: said[region].stale_for if region in said else running - since
            for region, since in self.configured.items()
        }
        return tuple(sorted(region for region, ms in quiet.items() if ms > 0 and ms >= limit))

    def enough_fresh(
        self, abandoned: Collection[str], aside: Collection[str], running: int
    ) -> bool:
        fresh = sum(one.fresh and region not in aside for region, one in self.said(running).items())
        return fresh >= majority(len(self.target.regions) - len(abandoned))

    def recovered(self, aside: Collection[str], running: int) -> bool:
        """Rule 6: whether an outage is over."""
        abandoned = self.abandoned(running)
        for region, one in self.said(running).items():
            if region in abandoned:
                continue
            if one.last_word == "down":
                return False
            votes = one.fresh and region not in aside
            if votes and one.successes < self.target.recover_after:
                return False
        return self.enough_fresh(abandoned, aside, running)

    def up_by_consensus(self, aside: Collection[str], running: int) -> bool:
        """Rule 6: whether an episode is over: who has not recovered is too few for "down"."""
        votes = self.votes("down", aside, running)
        abandoned = self.abandoned(running)
        against = 0
        for region, one in self.said(running).items():
            if region in abandoned:
                continue
            if one.fresh and region not in aside:
                against += one.successes < self.target.recover_after
            else:
                against += one.last_word == "down"
        return votes.fresh >= majority(votes.configured) and against < votes.need

    def fast_again(self, aside: Collection[str], running: int) -> bool:
        """Rule 7: whether every region says `up`."""
        abandoned = self.abandoned(running)
        words = {
            one.last_word for region, one in self.said(running).items() if region not in abandoned
        }
        return words <= {"up"} and self.enough_fresh(abandoned, aside, running)

    def endings(self, aside: Collection[str], running: int) -> list[Said]:
        """Rule 13: the regions that vote and saw an end in their ten."""
        return [
            one
            for region, one in self.said(running).items()
            if one.fresh and region not in aside and one.ends_soon
        ]

    def ends_soon(self, aside: Collection[str], running: int) -> bool:
        """Rule 13: whether a region sees the end coming."""
        votes = self.votes("down", aside, running)
        voting = [
            one for region, one in self.said(running).items() if one.fresh and region not in aside
        ]
        told = {"unreachable", "flapping"} & self.incidents.keys()
        if told and any(one.down and one.fails_by_its_certificate for one in voting):
            return False
        failing = sum(bool(one.row) for one in voting)
        for one in voting:
            if not one.looks or not one.looks[-1][1]:
                continue
            most = most_looks(self.target)
            enough = most if one.fails_by_its_certificate else min(2, most)
            if one.fails_by_its_certificate and failing >= votes.need:
                continue
            if len(one.ends_soon) >= enough:
                return True
        return False

    def holds_again(self, aside: Collection[str], running: int) -> bool:
        """Rule 13: whether the ten of every region are clean."""
        abandoned = self.abandoned(running)
        said = self.said(running)
        clean = not any(one.ends_soon for region, one in said.items() if region not in abandoned)
        return clean and self.enough_fresh(abandoned, aside, running)
