"""The rules a second time: slow and obvious, to hold the real ones against.

Written from docs/rules.md, not from `streams`. Nothing is remembered but what happened: every
result that ever counted, every gap of the log, the last beats, the transitions. What a region
says, who votes and what is due is worked out anew from that whole history each time somebody asks.

It knows when incidents of each type open and close, when regions fall silent and return, are held
for suspect and cleared, where the episodes of an outage begin and end, and which targets nobody
watches. Of updates it knows
those that must come: a region that votes joined or recovered or gave another reason, somebody else
acknowledged. Of rechecks it knows for which hosts one may be asked for, and must be at once if none
was 5 s ago, and likewise for which hosts of dependencies. It does not know diagnosis and ids:
`name` tells it the id of an incident that was opened, `asked` the host of a request.

What the text leaves open, and how it is read here:

- A result is too old to count by log time: it may have waited out a gap, it is old all the same.
- A region that begins anew (its target was moved or removed, or it was taken off and came back)
  counts nothing that did not start after all that had counted for the target by then.
- A target is looked at with each result of its own that counts, when its policy changes, when
  something was done to it by hand, and when deadlines are (then what the guard decided counts,
  too).
- A flapping incident began when the outage did that opened it.
"""

from collections import Counter
from typing import Literal

from msgspec import structs

from schemas.control import (
    Acknowledged,
    Beat,
    Control,
    Resolved,
    TargetPaused,
    TargetRemoved,
    TargetResumed,
    TargetSet,
)
from schemas.incident import IncidentType, Votes
from schemas.partition import host_key
from schemas.result import RECEIVER, Cause, CheckResult
from schemas.target import Target
from streams.rules.record import Record
from tests.unit.streams.rules.reference_guard import Guard
from tests.unit.streams.rules.reference_hearing import Counted, Said
from tests.unit.streams.rules.reference_job_incidents import Jobs
from tests.unit.streams.rules.reference_jobs import Job
from tests.unit.streams.rules.reference_target import Incident, Watched
from tests.unit.streams.rules.reference_unwatched import Lookout, Moment
from tests.unit.streams.rules.reference_words import (
    Clock,
    Closed,
    Improved,
    OfEpisode,
    Opened,
    Paused,
    Returned,
    Silent,
    Told,
    Updated,
    Word,
    Worsened,
    late,
    place,
    severity,
    warn_ms,
)


class Shelved:
    """A target that is not judged: paused, or not enabled by its definition (rule 15)."""

    def __init__(self, target: Target | None, floor: int, paused: Paused | None) -> None:
        self.target = target
        self.floor = floor
        self.paused = paused


class Reference:
    """Takes the log record by record; each gives what is told of it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.step = 0
        self.offset = -1
        self.targets: dict[str, Watched] = {}
        self.removed: dict[str, int] = {}
        self.shelved: dict[str, Shelved] = {}
        self.beats: dict[str, int] = {}
        self.heard: dict[str, int] = {}
        self.silent: set[str] = set()
        self.guard = Guard()
        self.lookout = Lookout()
        self.looked_at = 0
        self.respite: int | None = None
        self.beat_since_respite = True
        self.told: list[Told] = []
        self.jobs = Jobs(self.clock, self.told)
        self.may_ask: set[str] = set()
        self.must_ask: set[str] = set()
        self.reasons: Counter[str] = Counter()
        self.rechecked: dict[str, int] = {}
        self.may_ask_for: set[str] = set()
        self.must_ask_for: set[str] = set()

    @property
    def now(self) -> int:
        return self.clock.now

    @property
    def running(self) -> int:
        return self.clock.running(self.clock.now)

    @property
    def aside(self) -> set[str]:
        return self.guard.suspect

    def name(self, target: str, of: IncidentType, incident_id: str) -> None:
        """Tells the id of the incident that is open."""
        self.one(target).incidents[of].id = incident_id

    def one(self, target: str) -> Watched | Job:
        job = self.jobs.known.get(target)
        return self.targets[target] if job is None else job

    def feed(self, record: Record) -> list[Told]:
        self.told = self.jobs.told = []
        self.must_ask = set()
        self.reasons.clear()
        self.must_ask_for = set()
        paused = record.append_time - self.now
        self.step = self.clock.advance(record.append_time)
        if self.step:
            told = self.clock.told
            self.beats = {region: told(at, self.step) for region, at in self.beats.items()}
            for watched in self.targets.values():
                watched.set_back(self.step, self.clock)
            self.jobs.set_back(self.step)
        self.offset = record.offset
        if 7_500 < paused <= 15_000 and self.beat_since_respite:
            self.respite = self.running
            self.beat_since_respite = False
        for name, one in list(self.shelved.items()):
            until = None if one.paused is None else one.paused[1]
            if until is not None and until <= self.now:
                self._end_pause(name, until)
        for result in record.results:
            if result.target in self.jobs.known:
                self.jobs.take(result)
            else:
                self._result(result)
        if record.control is not None:
            self._control(record.control)
            if self.running - self.looked_at >= 1000:
                self._look()
        return self.told

    # Rule 1

    def _result(self, result: CheckResult) -> None:
        watched = self.targets.get(result.target)
        if watched is None or not self._counts(watched, result):
            return
        incidents = dict(watched.incidents)
        told = len(self.told)
        before = watched.said(self.running).get(result.region)
        effective = min(result.started_at, self.now)
        watched.heard[result.region].append(
            Counted(
                effective,
                self.clock.running(effective),
                result.started_at,
                result.status == "up",
                result.reason,
                result.total_ms if result.connect_ms is None else result.connect_ms,
                result.total_ms,
                watched.target,
                len(watched.limits) - 1,
                self.offset,
                effective,
                effective,
                result.cert_expires_at,
                len(watched.warnings) - 1,
            )
        )
        self._judge(watched)
        after = watched.said(self.running)[result.region]
        self._note_rechecks(watched, incidents, before, after, result.cause)
        if before is not None and result.region not in self.aside:
            self._tell_updates(watched, incidents, before, after, told)

    def _counts(self, watched: Watched, result: CheckResult) -> bool:
        target = watched.target
        if result.status == "missed" or result.reason in {"prober_error", "address_blocked"}:
            return False
        if (result.kind, result.host, result.port, result.expect) != place(target):
            return False
        if result.region not in watched.heard:
            return False
        effective = min(result.started_at, self.now)
        if self.now - effective >= late(target) or result.started_at - self.now > 15_000:
            return False
        history = watched.heard[result.region]
        if not history:
            beyond = watched.floor > self.now + 15_000
            return beyond or result.started_at > watched.floor
        last = watched.latest(result.region, self.now)
        return effective > history[-1].effective and result.started_at > last

    # Rule 3

    def asked(self, host: str) -> None:
        """A request for `host` went out with the last record.

        Of two reasons in one record the later one may wait for a request of its own.
        """
        if host not in self.must_ask and self.reasons[host] < 2:
            self.may_ask.discard(host)

    def asked_for(self, host: str) -> None:
        """A request for `host`, of a dependency, went out with the last record."""
        if host not in self.must_ask_for:
            self.may_ask_for.discard(host)

    def _note_rechecks(
        self,
        watched: Watched,
        incidents: dict[IncidentType, Incident],
        before: Said | None,
        after: Said,
        cause: Cause,
    ) -> None:
        """A region that began to fail asks at once, unless a recheck found that or another."""
        host = host_key(watched.target.host, watched.target.id)
        failed = before is not None and bool(before.row)
        if len(after.row) == 1:
            failed = False  # perhaps of a new row
        down = bool(incidents.keys() - {"slow", "expiring"})
        if (after.row and not failed) or (failed and down and not after.row):
            # Whether it begins to fail or to succeed: so may what it depends on.
            # Nothing that a port which must be closed depends on opens it.
            closed = watched.target.expect == "closed"
            hosts = set() if closed else set(watched.target.depends_on_hosts) - {host}
            self.may_ask_for |= hosts
            self.must_ask_for |= hosts
        if cause == "recheck":
            self.rechecked[host] = self.running
        if after.row and not failed:
            self.may_ask.add(host)
            self.reasons[host] += 1
            if self.running - self.rechecked.get(host, -5_000) >= 5_000:
                self.must_ask.add(host)
        elif not after.row and down:
            lacks = after.successes < watched.target.recover_after
            if failed or lacks:
                self.may_ask.add(host)
                self.reasons[host] += 1
            if lacks and self.running - self.rechecked.get(host, -5_000) >= 5_000:
                self.must_ask.add(host)

    def _tell_updates(
        self,
        watched: Watched,
        incidents: dict[IncidentType, Incident],
        before: Said,
        after: Said,
        told: int,
    ) -> None:
        """Rule 6: a region that votes joined, recovered or gave another reason."""
        if not (before.fresh and after.fresh):
            return
        # What says `down` anew after a pause is no news to whoever was not told of the pause.
        turned = before.down != after.down and not before.unended
        stays = before.down and after.down
        other_reason = stays and before.row[-1].reason != after.row[-1].reason
        for of, incident in incidents.items():
            if watched.incidents.get(of) is not incident:
                continue
            of_an_outage = of == "unreachable" and (turned or other_reason)
            of_slowness = of == "slow" and {before.word, after.word} == {"up", "slow"}
            of_an_end = of == "expiring" and bool(before.ends_soon) != bool(after.ends_soon)
            news = of_an_outage or of_slowness or of_an_end
            if news and not self._told_of_episode(watched, of, told):
                self.told.append(Updated(watched.target.id, of, self.now, incident.acknowledged))

    def _told_of_episode(self, watched: Watched, of: IncidentType, since: int) -> bool:
        """Whether the event that a record gives an incident said more than `updated` does."""
        return any(
            isinstance(one, OfEpisode) and (one.target, one.type) == (watched.target.id, of)
            for one in self.told[since:]
        )

    # Rules 6, 7 and 9

    def _judge(self, watched: Watched) -> None:
        everybody = tuple(sorted(watched.target.regions))
        if watched.abandoned(self.running) == everybody:
            for of in list(watched.incidents):
                self._close(watched, of, "abandoned", everybody)
        if "flapping" in watched.incidents:
            self._follow_flapping(watched)
        elif "unreachable" in watched.incidents:
            self._follow_outage(watched)
        elif (began := self._may_open(watched)) is not None:
            watched.transitions.append(self.running)
            if watched.flaps(self.running):
                watched.outage = began
                self._open(watched, "flapping", began)
            else:
                self._open(watched, "unreachable", began)
        self._judge_slowness(watched)
        self._judge_certificate(watched)

    def _follow_outage(self, watched: Watched) -> None:
        incident = watched.incidents["unreachable"]
        name, votes = watched.target.id, watched.votes("down", self.aside, self.running)
        if watched.recovered(self.aside, self.running):
            self._recovered(watched, "unreachable")
            if not incident.improved:
                watched.transitions.append(self.running)
        elif not incident.improved:
            if watched.up_by_consensus(self.aside, self.running):
                incident.improved = True
                watched.transitions.append(self.running)
                self.told.append(Improved(name, "unreachable", self.now, votes, incident.episode))
        elif (began := self._may_open(watched)) is not None:
            watched.transitions.append(self.running)
            if watched.flaps(self.running):
                watched.outage = began
                self._close(watched, "unreachable", "flapping")
                self._open(watched, "flapping", began)
                return
            incident.improved = False
            incident.episode += 1
            incident.acknowledged = None
            self.told.append(
                Worsened(name, "unreachable", self.now, votes, incident.episode, began)
            )

    def _follow_flapping(self, watched: Watched) -> None:
        if watched.outage is None:
            watched.outage = self._may_open(watched)
            if watched.outage is not None:
                watched.transitions.append(self.running)
        elif watched.recovered(self.aside, self.running) or watched.up_by_consensus(
            self.aside, self.running
        ):
            watched.outage = None
            watched.incidents["flapping"].recovered_at = self.now
            watched.transitions.append(self.running)
        if self.running - watched.transitions[-1] < watched.quiet_ms():
            return
        if watched.outage is None:
            abandoned = watched.abandoned(self.running)
            if watched.enough_fresh(abandoned, self.aside, self.running):
                self._recovered(watched, "flapping")
        elif watched.says("down", self.aside, self.running):
            began = watched.outage
            self._close(watched, "flapping", "steady")
            watched.transitions.append(self.running)
            self._open(watched, "unreachable", began)

    def _may_open(self, watched: Watched) -> int | None:
        """When the outage began (effective time) that is to be told now."""
        down = watched.says("down", self.aside, self.running)
        if watched.held - {"slow", "expiring"}:
            if watched.denied("down", self.aside, self.running):
                watched.held &= {"slow", "expiring"}
            return None
        if not down:
            return None
        votes = watched.votes("down", self.aside, self.running)
        began = watched.began("down", votes, self.aside, self.running)
        lasted = self.running - began.running
        return began.told if lasted >= watched.target.open_after_ms else None

    def _judge_slowness(self, watched: Watched) -> None:
        slow = watched.says("slow", self.aside, self.running)
        if "slow" in watched.incidents:
            if watched.fast_again(self.aside, self.running):
                self._recovered(watched, "slow")
        elif "slow" in watched.held:
            if watched.denied("slow", self.aside, self.running):
                watched.held.remove("slow")
        elif slow:
            votes = watched.votes("slow", self.aside, self.running)
            began = watched.began("slow", votes, self.aside, self.running)
            self._open(watched, "slow", began.told)

    def _judge_certificate(self, watched: Watched) -> None:
        if "expiring" in watched.incidents:
            if watched.holds_again(self.aside, self.running):
                self._recovered(watched, "expiring")
        elif "expiring" in watched.held:
            if watched.holds_again(self.aside, self.running):
                watched.held.remove("expiring")
        elif watched.ends_soon(self.aside, self.running):
            seen = watched.endings(self.aside, self.running)
            self._open(watched, "expiring", min(one.ends_soon[0].told for one in seen))

    def _votes(self, watched: Watched, of: IncidentType) -> Votes:
        votes = watched.votes("slow" if of == "slow" else "down", self.aside, self.running)
        if of != "expiring":
            return votes
        seen = watched.endings(self.aside, self.running)
        return structs.replace(votes, down=len(seen), need=1)

    def _open(self, watched: Watched, of: IncidentType, began: int) -> None:
        watched.incidents[of] = Incident(began)
        told = severity(of, watched.target)
        votes = self._votes(watched, of)
        self.told.append(Opened(watched.target.id, of, told, self.now, votes, began))

    def _recovered(self, watched: Watched, of: IncidentType) -> None:
        self._close(watched, of, "recovered", watched.abandoned(self.running))

    def _close(
        self,
        watched: Watched,
        of: IncidentType,
        because: str,
        abandoned: tuple[str, ...] = (),
        *,
        resolved: Word | None = None,
        paused: Paused | None = None,
    ) -> None:
        incident = watched.incidents.pop(of)
        votes = self._votes(watched, of)
        began = incident.first_failed_at
        lasting = of == "flapping" and because in {"recovered", "steady"}
        self.told.append(
            Closed(
                watched.target.id,
                of,
                self.now,
                votes,
                began,
                because,
                abandoned,
                incident.episode,
                incident.recovered_at if lasting else None,
                incident.acknowledged,
                resolved,
                paused,
            )
        )
        if of == "flapping":
            watched.transitions = []
            watched.outage = None

    def _close_all(self, watched: Watched, because: str, paused: Paused | None = None) -> None:
        for of in sorted(watched.incidents):
            self._close(watched, of, because, paused=paused)

    # Control records

    def _control(self, control: Control) -> None:
        match control:
            case TargetSet(target):
                self._set(structs.replace(target, regions=tuple(dict.fromkeys(target.regions))))
            case TargetRemoved():
                self._remove_shelved(control)
                self._remove_job(control)
                watched = self.targets.get(control.target)
                if watched is not None and control.version >= watched.target.version:
                    removed = control.because == "removed"
                    self._close_all(watched, "target_removed" if removed else "target_changed")
                    self.removed[control.target] = watched.known(self.now)
                    del self.targets[control.target]
            case TargetPaused():
                self._pause(control)
            case TargetResumed():
                if control.target in self.shelved:
                    self._end_pause(control.target, self.now)
            case Acknowledged() | Resolved():
                self._by_hand(control)
                self.jobs.by_hand(control)
            case Beat():
                self._beat(control)

    def _by_hand(self, control: Acknowledged | Resolved) -> None:
        watched = self.targets.get(control.target)
        if watched is None:
            return
        for of, incident in list(watched.incidents.items()):
            if incident.id != control.incident_id:
                continue
            if isinstance(control, Resolved):
                by_hand = (control.by, control.note or None)
                self._close(watched, of, "resolved", resolved=by_hand)
                said: Literal["down", "slow"] = "slow" if of == "slow" else "down"
                denied = of != "expiring" and watched.denied(said, self.aside, self.running)
                if not denied:
                    watched.held.add(of)
                if of == "slow":
                    watched.accept()
                continue
            before, told = incident.acknowledged, len(self.told)
            if before is None or before[0] != control.by or control.note:
                incident.acknowledged = (control.by, control.note or None)
            known = incident.acknowledged == before
            self._judge(watched)
            if self._told_of_episode(watched, of, told):
                continue
            if not known and watched.incidents.get(of) is incident:
                self.told.append(Updated(watched.target.id, of, self.now, incident.acknowledged))

    # Rule 15

    def _pause(self, control: TargetPaused) -> None:
        name = control.target
        if control.until is not None and control.until <= self.now:
            if name in self.shelved:
                self._end_pause(name, self.now)
            return
        paused = (control.by, control.until, control.note or None)
        watched = self.targets.get(name)
        if watched is not None:
            self._shelve(watched, watched.target, paused)
        elif name in self.jobs.known:
            self._shelve_job(self.jobs.known[name].target, paused)
        elif name in self.shelved:
            self.shelved[name].paused = paused
        else:
            self.shelved[name] = Shelved(None, 0, paused)

    def _shelve(self, watched: Watched, target: Target, paused: Paused | None) -> None:
        self._close_all(watched, "target_paused", paused)
        self.shelved[target.id] = Shelved(target, watched.known(self.now), paused)
        del self.targets[target.id]

    def _shelve_job(self, target: Target, paused: Paused | None) -> None:
        self.jobs.end(target.id, "target_paused", paused)
        self.shelved[target.id] = Shelved(target, 0, paused)

    def _end_pause(self, name: str, at: int) -> None:
        one = self.shelved[name]
        if one.paused is None:
            return
        one.paused = None
        if one.target is None:
            del self.shelved[name]
        else:
            self._take_up(one.target, at)

    def _take_up(self, target: Target, at: int) -> None:
        """As a new one, by results that started after that (a prober's clock may be 1 s behind)."""
        one = self.shelved[target.id]
        if one.paused is None and target.enabled:
            del self.shelved[target.id]
            if target.kind == "heartbeat":
                self.jobs.begin(target, at, floor=at - 1_000)
                return
            floor = max(one.floor, self.removed.pop(target.id, 0), at - 1_000)
            self.targets[target.id] = Watched(target, floor, self.running, self.silent)

    def _define_shelved(self, target: Target) -> None:
        one = self.shelved[target.id]
        if one.target is None or target.version >= one.target.version:
            one.target = target
            self._take_up(target, self.now)

    def _remove_shelved(self, control: TargetRemoved) -> None:
        one = self.shelved.get(control.target)
        if one is None or one.target is None or control.version < one.target.version:
            return
        self.removed[control.target] = one.floor
        del self.shelved[control.target]

    def _remove_job(self, control: TargetRemoved) -> None:
        job = self.jobs.known.get(control.target)
        if job is not None and control.version >= job.target.version:
            removed = control.because == "removed"
            self.jobs.end(control.target, "target_removed" if removed else "target_changed")

    def _disable(self, target: Target) -> None:
        watched = self.targets.get(target.id)
        job = self.jobs.known.get(target.id)
        if job is not None:
            if target.version >= job.target.version:
                self._shelve_job(target, None)
        elif watched is None:
            self.shelved[target.id] = Shelved(target, 0, None)
        elif target.version >= watched.target.version:
            self._shelve(watched, target, None)

    def _set(self, target: Target) -> None:
        if target.id in self.shelved:
            self._define_shelved(target)
        elif target.enabled:
            self._define(target)
        else:
            self._disable(target)

    def _begin(self, target: Target, floor: int) -> None:
        if target.kind == "heartbeat":
            self.jobs.begin(target, self.now)
        else:
            self.targets[target.id] = Watched(target, floor, self.running, self.silent)

    def _define(self, target: Target) -> None:
        if target.id in self.jobs.known:
            self._define_job(target)
            return
        watched = self.targets.get(target.id)
        if watched is None:
            self._begin(target, self.removed.pop(target.id, 0))
            return
        old = watched.target
        if target.version < old.version or target == old:
            return
        floor = watched.known(self.now)
        if place(target) != place(old):
            self._close_all(watched, "target_changed")
            del self.targets[target.id]
            self._begin(target, floor)
            return
        if set(old.regions) - set(target.regions):
            watched.floor = floor
        watched.heard = {region: watched.heard.get(region, []) for region in target.regions}
        since = watched.configured
        watched.configured = {region: since.get(region, self.running) for region in target.regions}
        watched.change(target, self.running)
        if target.latency != old.latency:
            watched.limits.append(target.latency)
            watched.limited_at.append(self.now)
        if target.latency is None and "slow" in watched.incidents:
            self._close(watched, "slow", "policy_changed")
        if warn_ms(target) != warn_ms(old):
            watched.warnings.append(warn_ms(target))
        said = watched.said(self.running).values()
        fewer_days = warn_ms(target) < warn_ms(old) and not any(one.ends_soon for one in said)
        if fewer_days and "expiring" in watched.incidents:
            self._close(watched, "expiring", "policy_changed")
        self._judge(watched)

    def _define_job(self, target: Target) -> None:
        job = self.jobs.known[target.id]
        if target.version < job.target.version:
            return
        if target.kind == "heartbeat":
            self.jobs.define(target)
            return
        self.jobs.end(target.id, "target_changed")
        self.targets[target.id] = Watched(target, 0, self.running, self.silent)

    # Rules 4 (second half) and 8

    def _beat(self, beat: Beat) -> None:
        self.beat_since_respite |= beat.region != RECEIVER
        self.told += self.lookout.heard(beat.region, self.now)
        if beat.region in self.silent:
            self.silent.remove(beat.region)
            self.told.append(Returned(beat.region, self.now, self.beats[beat.region]))
        self.beats[beat.region] = self.now
        self.heard[beat.region] = self.running
        if beat.region == RECEIVER:
            self.jobs.ears.beat(self.now, beat.targets)
            return
        self.told += self.guard.take(beat, self.running, self.now)

    def _look(self) -> None:
        """Whatever time alone has made due."""
        self.looked_at = self.running
        respite = self.respite is not None and self.running - self.respite < 5_000
        for region, last in sorted(self.beats.items()):
            unheard = self.running - self.heard[region]
            calm = region == RECEIVER and not self.jobs.ears.named_jobs
            if region not in self.silent and unheard >= 15_000 and not respite and not calm:
                self.silent.add(region)
                self.told.append(Silent(region, self.now, last))
        self.told += self.lookout.look(
            self.targets.values(),
            Moment(
                now=self.now,
                running=self.running,
                beats=self.beats,
                silent=self.silent,
                aside=self.guard.since,
                respite=respite,
                jobs=bool(self.jobs.known),
            ),
        )
        for _, watched in sorted(self.targets.items()):
            self._judge(watched)
        self.jobs.look()
