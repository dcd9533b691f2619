"""Gathers the facts: Kafka and ClickHouse side by side, each within the time that was given."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from msgspec import Struct, structs

from foundation import kafka
from foundation.kafka.trouble import explained
from foundation.lifecycle import ends_within
from foundation.settings import Settings
from portquorum.delivery.memory import StateRecord, remember
from portquorum.health import cluster, regions, stored
from portquorum.health.channels import notifier_facts
from portquorum.health.cluster import Commits, Members
from portquorum.health.facts import (
    CheckpointFacts,
    ClickHouseFacts,
    GroupFacts,
    HealthFacts,
    KafkaFacts,
    LogFacts,
    NotifierFacts,
    PolicyFacts,
    TopicFacts,
)
from portquorum.health.judge import judge
from portquorum.health.judge_roles import SEEN_MS
from portquorum.health.judge_services import never_ran
from portquorum.health.judge_versions import versions_of
from portquorum.health.newest_checkpoints import checkpoint_facts, frame, newest_heads
from portquorum.health.reading import REFUSED, first_at, range_of, reader
from portquorum.health.told import policy_facts
from portquorum.health.verdict import HealthReport
from producers.prober.group_member import group_of
from schemas import notification, policy, topics
from schemas.duration import HOUR_MS
from schemas.notification import Notification
from schemas.result import RECEIVER
from sinks.clickhouse.threads import in_thread
from streams.state.partition_state import RegionState

ROLES: Final = ("stream", "sink", "notify")
MOST_REGIONS: Final = 200
MOST_PEEKS: Final = 64
"""Partitions with the largest lag whose first message that is not done is read, for its age."""

QUIET_MS: Final = 10_000
"""Age of the newest record from which on the clocks are doubted: a beat comes every 5 s."""
DOUBT_S: Final = 11.0
"""Longest wait for a new record then: a stream writes a tick after 10 s."""

_START_SHARE: Final = 0.6
"""Share of the time in which a broker has to answer; the rest is for why it does not."""

_LEAST_TRY_S: Final = 1.0
_CLOSE_S: Final = 0.5
_LOOK_S: Final = 0.2
_MARGIN_S: Final = 1.0


class Ends(Struct, frozen=True):
    """The first offset and the one after the last of each partition that is visible."""

    begin: dict[TopicPartition, int]
    end: dict[TopicPartition, int]

    def of(self, topic: str) -> dict[TopicPartition, int]:
        """The ends of one topic (full name) that is not empty."""
        return {
            part: end
            for part, end in self.end.items()
            if part.topic == topic and end > self.begin.get(part, 0)
        }


def wall_ms() -> int:
    """This machine's time, UTC ms."""
    return time.time_ns() // 1_000_000


async def look(
    settings: Settings, timeout_s: float, wall: Callable[[], int] = wall_ms
) -> HealthReport:
    """The report. It is there after `timeout_s` or little more, whatever is away."""
    began = time.monotonic()
    library = logging.getLogger("aiokafka")
    level = library.level
    library.setLevel(logging.CRITICAL)  # it reports each refused connection
    try:
        seen, stored_facts = await asyncio.gather(
            _cluster(settings, timeout_s, wall), _clickhouse(settings, timeout_s)
        )
    finally:
        library.setLevel(level)
    facts = regions.with_inventory(seen, stored_facts, MOST_REGIONS)
    return judge(facts, round((time.monotonic() - began) * 1000))


async def _clickhouse(settings: Settings, timeout_s: float) -> ClickHouseFacts:
    try:
        async with asyncio.timeout(timeout_s):
            return await in_thread(lambda: stored.ask(settings, timeout_s))
    except TimeoutError:
        return stored.silent(settings, timeout_s)


async def _cluster(settings: Settings, timeout_s: float, wall: Callable[[], int]) -> HealthFacts:
    """Everything that Kafka shows; `clickhouse` is empty."""
    client = kafka.admin(settings)
    began = time.monotonic()
    problem: BaseException
    try:
        async with asyncio.timeout(timeout_s):
            async with asyncio.timeout(timeout_s * _START_SHARE):
                await client.start()
            return await Gathering(settings, client, timeout_s, wall).facts()
    except (KafkaError, OSError, TimeoutError) as error:
        problem = error
    finally:
        await ends_within(_CLOSE_S, client.close())
    left = timeout_s - (time.monotonic() - began)
    why = await explained(settings, problem, max(_LEAST_TRY_S, left))
    return HealthFacts(
        kafka=KafkaFacts(servers=settings.kafka, error=why),
        log=LogFacts(now=wall()),
        checkpoint_interval_s=settings.checkpoint_interval_s,
        topic_prefix=settings.topic_prefix,
    )


class Gathering:
    """One look at a cluster that answers. `client` is started; it is not closed here."""

    def __init__(
        self,
        settings: Settings,
        client: AIOKafkaAdminClient,
        timeout_s: float,
        wall: Callable[[], int],
    ) -> None:
        self._settings = settings
        self._wall = wall
        self._client = client
        self._until = time.monotonic() + timeout_s - _MARGIN_S
        self._results = settings.topic(topics.RESULTS.name)
        self._groups = {role: settings.group(role) for role in ROLES}

    async def facts(self) -> HealthFacts:
        """All facts of the cluster.

        Raises:
            aiokafka.errors.KafkaError: the cluster went away meanwhile.
        """
        settings = self._settings
        found = await cluster.describe(self._client, settings)
        visible = [topic for topic in found.topics if topic.exists]
        if never_ran(found):
            return self._all(found, LogFacts(now=self._wall()))
        ends, members, policies = await asyncio.gather(
            self._ends(visible),
            cluster.members(self._client, list(self._groups.values())),
            self._policy(found),
        )
        log = await self._log(found, ends, members)
        commits, dead, notifier, tail, heads = await asyncio.gather(
            self._commits(members, ends),
            self._dead_letters(found, ends, log.now),
            self._notifier(found, ends, log.now),
            self._beats(ends, log),
            self._checkpoints(found, ends),
        )
        beats, log = tail
        checkpoints, judged = heads
        names = regions.names(policies.regions, beats, judged, MOST_REGIONS)
        # Receivers are in no consumer group.
        of_regions = {n: "" if n == RECEIVER else group_of(settings, n) for n in names}
        groups, probers = await asyncio.gather(
            asyncio.gather(*(self._group(role, members, commits, ends) for role in ROLES)),
            cluster.members(self._client, [one for one in of_regions.values() if one]),
        )
        seen = self._all(found, log)
        return structs.replace(
            seen,
            groups=tuple(groups),
            regions=tuple(
                regions.region_facts(
                    name,
                    known=None if policies.hidden else name in policies.regions,
                    beats=beats,
                    judged=judged,
                    group=_prober_group(name, group, probers),
                )
                for name, group in of_regions.items()
            ),
            checkpoints=checkpoints,
            policy=policies,
            notifier=notifier,
            dead_letters=dead,
            dead_letters_hidden=_hidden(found, topics.DEADLETTER.name),
        )

    def _all(self, found: KafkaFacts, log: LogFacts) -> HealthFacts:
        return HealthFacts(
            kafka=found,
            log=log,
            checkpoint_interval_s=self._settings.checkpoint_interval_s,
            topic_prefix=self._settings.topic_prefix,
        )

    async def _ends(self, visible: Iterable[TopicFacts]) -> Ends:
        parts = [
            TopicPartition(self._settings.topic(topic.name), number)
            for topic in visible
            if not topic.leaderless
            for number in range(topic.partitions)
        ]
        if not parts:
            return Ends({}, {})
        async with reader(self._settings) as client:
            client.assign(parts)
            client.pause(*parts)
            begin, end = await client.beginning_offsets(parts), await client.end_offsets(parts)
        return Ends(dict(begin), dict(end))

    async def _log(self, found: KafkaFacts, ends: Ends, members: Mapping[str, Members]) -> LogFacts:
        """The newest record of [results], and the broker's time.

        No request of Kafka's gives the broker's time; its stamp on a record does, on a log into
        which beats and ticks are written all the time. When the newest looks old by this machine's
        clock, the clock may be wrong: if roles run, a new record comes soon.
        """
        hidden = _hidden(found, topics.RESULTS.name)
        parts = ends.of(self._results)
        try:
            newest = await self._newest(parts)
        except REFUSED:
            return LogFacts(now=self._wall(), hidden=f"READ on topic {self._results}")
        now = self._wall()
        runs = any(one.members for one in members.values())
        if newest is not None and runs and now - newest > QUIET_MS:
            came = await self._new_record(parts)
            if came is not None:
                now = self._wall()
                return LogFacts(now=came, newest=came, clock_offset_ms=came - now)
            now = self._wall()
        if newest is not None and newest > now:
            return LogFacts(now=newest, newest=newest, clock_offset_ms=newest - now)
        return LogFacts(now=now, newest=newest, hidden=hidden)

    async def _newest(self, parts: Mapping[TopicPartition, int]) -> int | None:
        most = dict(list(parts.items())[:MOST_PEEKS])
        last = await first_at(self._settings, {part: (end - 1, end) for part, end in most.items()})
        return max((int(record.timestamp) for record in last.values()), default=None)

    async def _new_record(self, parts: Mapping[TopicPartition, int]) -> int | None:
        """The append time of a record that is new; None if none comes in time."""
        until = min(self._until, time.monotonic() + DOUBT_S)
        async with reader(self._settings) as client:
            client.assign(list(parts))
            client.pause(*parts)
            while time.monotonic() < until:
                ends = await client.end_offsets(list(parts))
                new = {part: end for part, end in ends.items() if end > parts[part]}
                if new:
                    return await self._newest(new)
                await asyncio.sleep(_LOOK_S)
        return None

    async def _commits(self, members: Mapping[str, Members], ends: Ends) -> dict[str, Commits]:
        read = {
            "stream": ends.of(self._results),
            "sink": {part: end for part, end in ends.end.items() if end > ends.begin[part]},
            "notify": ends.of(self._settings.topic(topics.INCIDENTS.name)),
        }
        asked = [role for role in ROLES if members[self._groups[role]].state is not None]
        found = await asyncio.gather(
            *(cluster.committed(self._client, self._groups[role], read[role]) for role in asked)
        )
        hidden = {
            role: Commits(hidden=members[self._groups[role]].hidden)
            for role in ROLES
            if role not in asked
        }
        return dict(zip(asked, found, strict=True)) | hidden

    async def _group(
        self,
        role: str,
        members: Mapping[str, Members],
        commits: Mapping[str, Commits],
        ends: Ends,
    ) -> GroupFacts:
        group = self._groups[role]
        one, done = members[group], commits[role]
        facts = GroupFacts(
            role=role,
            group=group,
            state=one.state,
            members=one.members,
            versions=versions_of(role, one.clients),
            hidden=one.hidden,
            error=one.error,
        )
        if one.error or done.hidden:
            return structs.replace(facts, lag_hidden=done.hidden)
        read = _read_by(role, self._settings)
        behind: dict[TopicPartition, tuple[int, int]] = {}
        for part, end in ends.end.items():
            if part.topic not in read:
                continue
            begin = ends.begin[part]
            commit = done.of.get(part)
            place = begin if commit is None else max(begin, commit.offset)
            # A notifier that is new begins an hour ago; what is older is no lag.
            if place < end and not (role == "notify" and commit is None):
                behind[part] = (place, end - place)
        lag = sum(count for _, count in behind.values())
        most = sorted(behind, key=lambda part: behind[part][1], reverse=True)[:MOST_PEEKS]
        try:
            first = await first_at(
                self._settings, {part: (behind[part][0], ends.end[part]) for part in most}
            )
        except REFUSED:
            return structs.replace(facts, lag=lag, lag_hidden="READ on the topics")
        oldest = min((int(record.timestamp) for record in first.values()), default=None)
        return structs.replace(facts, lag=lag, oldest=oldest)

    async def _dead_letters(self, found: KafkaFacts, ends: Ends, now: int) -> int | None:
        name = topics.DEADLETTER.name
        if _hidden(found, name):
            return None
        parts = ends.of(self._settings.topic(name))
        places = await self._since(parts, now - HOUR_MS)
        return sum(parts[part] - place for part, place in places.items())

    async def _notifier(self, found: KafkaFacts, ends: Ends, now: int) -> NotifierFacts:
        """What the notifier's topics have. They may be too large for the time that is left."""
        names = (topics.NOTIFIER_STATE.name, topics.NOTIFICATIONS.name)
        hidden = next(filter(None, (_hidden(found, name) for name in names)), None)
        if hidden:
            return NotifierFacts(hidden=hidden)
        state, log = (ends.of(self._settings.topic(name)) for name in names)
        records: list[StateRecord] = []
        rows: list[Notification] = []
        try:
            async with asyncio.timeout(max(_LOOK_S, self._until - time.monotonic())):
                for part, end in state.items():
                    records += [
                        (record.key, record.value, record.headers)
                        async for record in range_of(self._settings, part, ends.begin[part], end)
                    ]
                for part, start in (await self._since(log, now - HOUR_MS)).items():
                    rows += [
                        row
                        async for record in range_of(self._settings, part, start, log[part])
                        if (row := _notification(record.value)) is not None
                    ]
        except TimeoutError:
            return NotifierFacts(hidden="more time (--timeout)")
        except REFUSED:
            prefix = self._settings.topic
            return NotifierFacts(hidden=f"READ on topics {' and '.join(map(prefix, names))}")
        return notifier_facts(remember(records), rows)

    async def _since(
        self, parts: Mapping[TopicPartition, int], at: int
    ) -> dict[TopicPartition, int]:
        """The offset of the first record of each partition that is not older, if there is one."""
        if not parts:
            return {}
        async with reader(self._settings) as client:
            client.assign(list(parts))
            client.pause(*parts)
            first = await client.offsets_for_times(dict.fromkeys(parts, at))
        return {part: int(place.offset) for part, place in first.items() if place}

    async def _beats(self, ends: Ends, log: LogFacts) -> tuple[regions.Beats, LogFacts]:
        """The beats of the last seconds, from the partition with the fewest messages.

        Every beat goes to each partition.
        """
        parts = ends.of(self._results)
        if not parts or log.hidden:
            return {}, log
        try:
            async with reader(self._settings) as client:
                client.assign(list(parts))
                client.pause(*parts)
                since = dict.fromkeys(parts, log.now - SEEN_MS)
                first = await client.offsets_for_times(since)
            starts = {part: place.offset for part, place in first.items() if place}
            if not starts:
                return {}, log
            part = min(starts, key=lambda one: parts[one] - starts[one])
            records = [
                record async for record in range_of(self._settings, part, starts[part], parts[part])
            ]
        except REFUSED:
            return {}, structs.replace(log, hidden=f"READ on topic {self._results}")
        return regions.beats_of(records), log

    async def _checkpoints(
        self, found: KafkaFacts, ends: Ends
    ) -> tuple[CheckpointFacts, dict[str, RegionState]]:
        """The newest checkpoints, and the regions as that which goes furthest has them."""
        name = topics.STATE.name
        hidden = _hidden(found, name)
        if hidden:
            return CheckpointFacts(hidden=hidden), {}
        parts = ends.of(self._settings.topic(name))
        try:
            heads = await newest_heads(self._settings, ends.begin, parts)
            if not heads:
                return CheckpointFacts(), {}
            part = max(heads, key=lambda one: heads[one].head.now)
            read = await frame(self._settings, part, heads[part])
        except REFUSED:
            return CheckpointFacts(hidden=f"READ on topic {self._settings.topic(name)}"), {}
        return checkpoint_facts(heads), {} if read is None else read.regions

    async def _policy(self, found: KafkaFacts) -> PolicyFacts:
        name = topics.POLICY.name
        hidden = _hidden(found, name)
        if hidden or not any(topic.exists for topic in found.topics if topic.name == name):
            return PolicyFacts(hidden=hidden)
        topic = self._settings.topic(name)
        entries: dict[bytes, policy.Policy] = {}
        part = TopicPartition(topic, 0)
        try:
            async with reader(self._settings) as client:
                client.assign([part])
                client.pause(part)
                begin = (await client.beginning_offsets([part]))[part]
                end = (await client.end_offsets([part]))[part]
            async for record in range_of(self._settings, part, begin, end):
                if record.key is None:
                    continue
                entries.pop(record.key, None)
                if record.value:
                    try:
                        entries[record.key] = policy.decode(record.value)
                    except msgspec.DecodeError:
                        continue
        except REFUSED:
            return PolicyFacts(hidden=f"READ on topic {topic}")
        return policy_facts(entries.values())


def _notification(value: bytes | None) -> Notification | None:
    try:
        return notification.decode(value) if value else None
    except msgspec.DecodeError:
        return None  # the sink dead-letters it


def _read_by(role: str, settings: Settings) -> frozenset[str]:
    """The full names of the topics that a role reads as a member of its group."""
    read = {
        "stream": (topics.RESULTS,),
        "sink": topics.read_by("sink"),
        "notify": (topics.INCIDENTS,),
    }[role]
    return frozenset(topic.full_name(settings.topic_prefix) for topic in read)


def _prober_group(region: str, group: str, found: Mapping[str, Members]) -> GroupFacts:
    if not group:
        return GroupFacts(role=region, group="")
    one = found[group]
    return GroupFacts(
        role=f"probe-{region}",
        group=group,
        state=one.state,
        members=one.members,
        versions=versions_of("probe", one.clients),
        hidden=one.hidden,
    )


def _hidden(found: KafkaFacts, name: str) -> str | None:
    return next((topic.hidden for topic in found.topics if topic.name == name), None)
