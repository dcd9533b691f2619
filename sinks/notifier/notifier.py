"""One notifier of the group: stands by, or is the active one, which decides and sends.

        joins ──▶ standby ──partitions──▶ taking over ──Term, state, places──▶ active
                     ▲                                                           │
                     └───── the partitions are another's, or a newer Term ───────┘

A rebalance takes the partitions for a moment and gives them back to the active member
(`assignor.py`): it starts no send meanwhile, and goes on with what it has in memory.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Final

import msgspec
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import InconsistentGroupProtocolError

from foundation import telemetry
from foundation.lifecycle import cancelled, ends_within
from foundation.log_throttle import LogThrottle
from foundation.settings import Settings
from schemas import incident
from schemas.incident import Event
from schemas.policy import Policy
from sinks.notifier import metrics
from sinks.notifier.channels.classes import class_of
from sinks.notifier.decision.desk import Desk
from sinks.notifier.expired_silences import ExpiredSilences, expired
from sinks.notifier.group_place import POLL_MS, GroupPlace
from sinks.notifier.lease import beat, renew_with_heartbeats
from sinks.notifier.links.outgoing import links_of
from sinks.notifier.model import Delivery, SendOutcome
from sinks.notifier.outbox import Outbox
from sinks.notifier.policy_follower import PolicyFollower
from sinks.notifier.routing import Routes
from sinks.notifier.state_log import StateLog
from sinks.notifier.takeover import begin_term, take_over
from sinks.notifier.target_directory import TargetDirectory
from sinks.notifier.tenure import Tenure, now_ms, row_message

MEASURE_EVERY_S: Final = 1.0
REVOKE_WITHIN_S: Final = 1.0
"""Longest wait for sends on their way at a rebalance, in s. The assignor gives the partitions back
to the active member: a send that hangs need not hold the group up, its outcome is taken later."""

CATCH_UP_WITHIN_S: Final = 3.0
"""Longest wait for the events of the time without an active notifier, before it tells, in s: what
has ended meanwhile is told as that."""

TARGETS_WITHIN_S: Final = 10.0
"""Longest wait for [targets] before it joins the group, in s: without them it tells too much."""

STOP_WITHIN_S: Final = 5.0
CLOSE_WITHIN_S: Final = 1.0
"""Longest wait for each step of the close, in s: together below the 9 s in which a role ends, even
if the broker does not answer."""

_AGAIN_S: Final = 1.0
_SOON_S: Final = 0.1
_NOT_ATTEMPTED: Final = SendOutcome(kind="not_attempted")
_WAITING_SAID_EVERY_S: Final = 30.0

_log = telemetry.logger(__name__)


class Notifier:
    """One member of the group, from its join to its end."""

    def __init__(
        self, settings: Settings, outbox: Outbox, make_desk: Callable[[TargetDirectory], Desk]
    ) -> None:
        """`make_desk` makes an empty Desk for each takeover."""
        self._settings = settings
        self._outbox = outbox
        self._sending = outbox.sending
        self._lease = outbox.lease
        self._make_desk = make_desk
        self._awake, self._turned = asyncio.Event(), asyncio.Event()
        self._policy = PolicyFollower(settings, self._awake.set)
        self._targets = TargetDirectory(settings, self._targets_changed)
        self._changed_targets: set[str] = set()
        self._expired = ExpiredSilences(settings, self._expired_silences)
        self._state = StateLog(settings, self._state_changed)
        self._place = GroupPlace(settings, revoked=self._revoked, assigned=self._assigned)
        self._placed = self._recording = self._standing_by = False
        self._tenure: Tenure | None = None
        self._routes: Routes | None = None
        self._former: Desk | None = None
        self._held: list[tuple[Delivery, str]] = []
        self._measure_at = self._active_since = 0.0
        self._ending = False
        self._links = links_of(settings)
        self._refused = LogThrottle[str](_WAITING_SAID_EVERY_S)

    @property
    def active(self) -> bool:
        """True while this notifier may send."""
        return self._lease.may_send()

    @property
    def values(self) -> Mapping[bytes, bytes]:
        """The newest valid values of [notifier-state], also while this notifier stands by."""
        return self._state.view.values

    @property
    def policy(self) -> Mapping[bytes, Policy]:
        """The present entries of [policy]."""
        return self._policy.entries

    def decided(self) -> Mapping[int, int]:
        """For each partition of [incidents] the next offset: all before is decided and recorded."""
        return dict(self._tenure.recorded) if self._tenure is not None and self._placed else {}

    async def run(self, stop: asyncio.Event) -> None:
        """Runs until `stop` is set; then waits for sends, records and commits, within 9 s.

        If this raises, sends under way go on, and the next notifier with the same outbox takes
        their outcomes.

        Raises:
            aiokafka.errors.KafkaError: the cluster went away in a way that needs a new start.
            Exception: the routes can't be followed, or another fault of ours.
        """
        self._sending.on_finished = self._awake.set
        following = [
            asyncio.create_task(self._policy.run()),
            asyncio.create_task(self._targets.run()),
            asyncio.create_task(self._state.run()),
            asyncio.create_task(self._expired.run()),
        ]
        working = asyncio.create_task(self._work())
        stopped = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({working, *following, stopped}, return_when=asyncio.FIRST_COMPLETED)
            self._lease.end()
            self._ending = True
            if stop.is_set() and not working.done():
                await self._settled(STOP_WITHIN_S)
        finally:
            self._lease.end()
            await ends_within(CLOSE_WITHIN_S, cancelled(working, stopped))
            await self._close()
            await ends_within(CLOSE_WITHIN_S, cancelled(*following))
        for task in (*following, working):
            if task.done() and not task.cancelled():
                task.result()

    async def _work(self) -> None:
        await self._policy.present()
        await self._state.read_to_end()
        if not await self._targets.present(TARGETS_WITHIN_S):
            _log.warning(
                "the targets can't be read yet: dependencies and maintenance by tag are unknown",
                waited_s=TARGETS_WITHIN_S,
            )
        self._place.assignor.warm = True
        await self._place.start()
        renew_with_heartbeats(self._place.consumer, self._lease)
        self._place.join()
        while True:
            try:
                await self._turn()
            except InconsistentGroupProtocolError:
                await self._wait_for_another_version()

    async def _wait_for_another_version(self) -> None:
        """Another version's notifier is in the group; the broker lets nobody else in meanwhile."""
        if self._refused.times("", time.monotonic()):
            _log.warning(
                "waiting: a notifier of another version works in this group; this one takes over "
                "when all of the other version have ended",
                group=self._settings.group("notify"),
            )
        await asyncio.sleep(_AGAIN_S)

    async def _close(self) -> None:
        """Commits and leaves the group, each as far as the cluster answers in time."""
        self._place.cancel()
        await self._commit()
        await asyncio.gather(
            self._place.leave(CLOSE_WITHIN_S),
            self._state.close(CLOSE_WITHIN_S),
            self._expired.close(CLOSE_WITHIN_S),
        )
        metrics.ACTIVE.set(0)
        if self._tenure is not None:
            self._tenure.end_measuring()

    # One turn of the loop

    async def _turn(self) -> None:
        batches = await self._place.batches(self._awake, self._pause_s())
        self._place.look()
        self._measure()
        if self._tenure is not None:
            if not self._tenure.is_of(self._state.view):
                self._give_up("another notifier has begun a newer term")
            elif self._place.joined and not self._place.partitions:
                self._give_up("the partitions are another's")
        if self._place.partitions and not self._placed and not self._ending:
            await self._activate()
        elif self._tenure is None:
            await self._record_former()
        else:
            # What was read before the places were found is not ours to take.
            await self._decide(self._tenure, batches if self._placed else {})
        if self._outbox.check.some():
            self._awake.set()
        self._turned.set()

    def _pause_s(self) -> float:
        """Time until something may be due, in s."""
        if self._tenure is None or not self._placed:
            return _SOON_S if self._place.partitions else POLL_MS / 1000
        now = now_ms()
        due_at = self._tenure.desk.next_due(now)
        if due_at is None:
            return POLL_MS / 1000
        if not self._lease.may_send() or not self._is_up_to_date(self._tenure):
            return _SOON_S
        return max(0.0, min(POLL_MS, due_at - now) / 1000)

    async def _decide(
        self, tenure: Tenure, batches: Mapping[TopicPartition, Iterable[ConsumerRecord]]
    ) -> None:
        now = now_ms()
        self._recording = True
        self._follow_routes(tenure, now)
        self._follow_targets(tenure, now)
        for partition, records in batches.items():
            for record in records:
                tenure.take(partition.partition, record.offset, _event(record), now)
        self._take_outcomes(tenure.desk, now)
        if tenure.collect():
            await tenure.record(self._state, self._outbox.rows)
        await self._write_over(tenure)
        if self._placed and self._lease.may_send() and self._is_up_to_date(tenure):
            await self._start_due(tenure)
        self._recording = False
        self._commit_soon(tenure)

    def _is_up_to_date(self, tenure: Tenure) -> bool:
        """True if what is told is true now, as far as that can be known soon."""
        return tenure.caught_up or time.monotonic() - self._active_since > CATCH_UP_WITHIN_S

    def _follow_routes(self, tenure: Tenure, now: int) -> None:
        routes = self._policy.routes
        if routes is not self._routes:
            self._routes = routes
            self._outbox.check.look(routes)
            tenure.desk.set_routes(routes, now)
            tenure.heed(routes.silences)

    def _follow_targets(self, tenure: Tenure, now: int) -> None:
        if self._changed_targets:
            changed, self._changed_targets = self._changed_targets, set()
            for target_id in sorted(changed):
                tenure.desk.facts_changed(target_id, now)

    def _take_outcomes(self, desk: Desk, now: int) -> None:
        for delivery, at in self._sending.take_begun():
            desk.begun(delivery, at)
        for ended in self._sending.take_finished():
            try:
                desk.finished(ended.delivery, ended.outcome, now)
            except Exception:  # noqa: BLE001 - a new process would send it again, and fail again
                about = {"channel": ended.delivery.channel.name, "outcome": ended.outcome.kind}
                _log.exception("the end of a send can't be recorded; please report", **about)
            # What would have told the same of the same: now it is known whether it has to.
            ready = [one for one, earlier in self._held if earlier == ended.delivery.id]
            self._held = [held for held in self._held if held[1] != ended.delivery.id]
            for delivery in ready:
                desk.finished(delivery, _NOT_ATTEMPTED, now)

    async def _start_due(self, tenure: Tenure) -> None:
        """Starts what is due, after it is recorded that it is under way."""
        deliveries = tenure.desk.due(now_ms())
        if tenure.collect():
            await tenure.record(self._state, self._outbox.rows)
        for delivery in deliveries:
            earlier = self._sending.same(delivery)
            if earlier is None:
                self._sending.start(self._with_links(delivery))
            else:
                self._held.append((delivery, earlier.id))

    def _with_links(self, delivery: Delivery) -> Delivery:
        if self._links is None or class_of(delivery.channel) != "people":
            return delivery
        return self._links.added(delivery)

    async def _write_over(self, tenure: Tenure) -> None:
        """Writes again what an ended notifier has written over: compaction keeps the last."""
        view = self._state.view
        if view.overwritten and tenure.is_of(view):
            _log.warning("a notifier of an ended term wrote late", keys=len(view.overwritten))
            await self._state.write(tenure.written_over(view.overwritten))
            await self._state.read_to_end()

    async def _record_former(self) -> None:
        """Writes the rows of sends that have outlived their tenure; the state is another's."""
        if self._former is None:
            return
        self._recording = True
        self._take_outcomes(self._former, now_ms())
        self._former.changes()
        await self._outbox.rows.write([row_message(row) for row in self._former.rows()])
        self._recording = False
        if not self._sending.busy:
            self._former = None

    def _commit_soon(self, tenure: Tenure) -> None:
        self._place.look_at_commit()
        if self._placed:
            self._place.commit_soon(tenure.recorded)

    async def _commit(self) -> None:
        if self._tenure is not None:
            await self._place.commit(self._tenure.recorded)

    def _measure(self) -> None:
        if time.monotonic() < self._measure_at:
            return
        self._measure_at = time.monotonic() + MEASURE_EVERY_S
        metrics.ACTIVE.set(self.active)
        metrics.LEASE_AGE.set(self._lease.age_s)
        metrics.SENDING.set(self._sending.running)
        if self._tenure is not None:
            self._tenure.measure()

    # The group

    async def _revoked(self) -> None:
        """Starts no more sends, waits until those on their way are recorded, and commits."""
        self._lease.end()
        self._placed = False
        if self._tenure is not None:
            await self._settled(REVOKE_WITHIN_S)
            await self._commit()

    def _assigned(self) -> None:
        if not self._place.partitions and self._tenure is None and not self._standing_by:
            self._standing_by = True
            _log.info("standing by", why="another notifier is active")
        self._awake.set()

    def _targets_changed(self, ids: Iterable[str]) -> None:
        if self._tenure is not None:  # else the next Desk asks anew
            self._changed_targets.update(ids)
            self._awake.set()

    def _expired_silences(self) -> list[bytes]:
        return expired(self._policy.entries, now_ms()) if self.active else []

    def _state_changed(self) -> None:
        view, tenure = self._state.view, self._tenure
        if tenure is None:
            return
        if view.term > tenure.term.term:
            self._lease.end()
        if view.overwritten or not tenure.is_of(view):
            self._awake.set()

    async def _settled(self, within_s: float) -> None:
        """Waits until no send is on its way, and all that ended are recorded."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while self._sending.busy or self._recording:
                    self._turned.clear()
                    await self._turned.wait()

    # Becoming active, and no longer being it

    async def _activate(self) -> None:
        """Begins to decide and to send, if the coordinator says that the partitions are ours."""
        place, began = self._place, time.monotonic()
        assignment = place.assignment
        if not await beat(place.consumer, self._lease):
            await asyncio.sleep(_SOON_S)
            return
        await self._state.read_to_end()
        if self._tenure is None or not self._tenure.is_of(self._state.view):
            term = await begin_term(self._state, lambda: assignment == place.assignment)
            if term is None:
                return
            self._routes = self._policy.routes
            self._outbox.check.look(self._routes)
            self._tenure = await take_over(
                self._settings,
                place.consumer,
                self._state.view,
                desk=self._make_desk(self._targets),
                routes=self._routes,
                term=term,
            )
            self._former = None
            metrics.TAKEOVERS.inc()
        await place.read_nothing()
        tenure = self._tenure
        if tenure.collect():
            await tenure.record(self._state, self._outbox.rows)
        if assignment != place.assignment:
            return
        if not place.resume_at(tenure.offsets):
            self._give_up("the partitions went away while their places were looked for")
            return
        self._placed = True
        self._lease.begin()
        self._standing_by = False
        self._active_since = time.monotonic()
        self._awake.set()
        _log.info(
            "active" if place.assignor.term != tenure.term.term else "active as before",
            term=tenure.term.term,
            subjects=tenure.subjects,
            took_s=round(time.monotonic() - began, 3),
        )
        place.assignor.term = tenure.term.term

    def _give_up(self, why: str) -> None:
        """Ends the tenure; of sends on their way only the rows are written when they end."""
        self._lease.end()
        self._placed = False
        if self._tenure is not None:
            self._standing_by = True
            _log.info("standing by", why=why, term=self._tenure.term.term)
            self._former = self._tenure.desk
            self._tenure.end_measuring()
        self._tenure = None
        self._place.assignor.term = 0
        self._held = []
        metrics.ACTIVE.set(0)


def _event(record: ConsumerRecord) -> Event | None:
    try:
        return incident.decode(record.value or b"")
    except msgspec.DecodeError:
        # The sink dead-letters it.
        metrics.UNREADABLE.inc()
        return None
