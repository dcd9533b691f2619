"""What was seen, before anybody judges it; the `facts` of `portquorum health --json`.

Times are UTC ms. None means: not asked, or not visible. `hidden` names the right that is missing,
as `DESCRIBE on group portquorum-sink`.
"""

from msgspec import Struct


class TopicFacts(Struct, frozen=True, kw_only=True):
    """A topic that portquorum needs; `name` is without prefix.

    `leaderless` counts partitions that nobody can read or write now, `under_replicated` those with
    fewer replicas in sync than they have.
    """

    name: str
    exists: bool
    hidden: str | None = None
    partitions: int = 0
    expected: int
    leaderless: int = 0
    under_replicated: int = 0


class KafkaFacts(Struct, frozen=True, kw_only=True):
    """The cluster. `error` says why it could not be asked; then everything else is empty."""

    servers: str
    error: str | None = None
    brokers: int = 0
    topics: tuple[TopicFacts, ...] = ()

    @property
    def reachable(self) -> bool:
        """True if a broker answered."""
        return self.error is None


class LogFacts(Struct, frozen=True, kw_only=True):
    """[results], and the clock by which ages are reckoned.

    `now` is the broker's time: that of this machine, unless the log shows that the two differ.
    `newest` is the append time of the log's newest record, None if it is empty or not visible.
    `clock_offset_ms` is the broker's time less this machine's, None if the log does not show it.
    """

    now: int
    newest: int | None = None
    clock_offset_ms: int | None = None
    hidden: str | None = None


class GroupFacts(Struct, frozen=True, kw_only=True):
    """The consumer group of a role.

    `state` is Kafka's word, `Stable`, `Empty` and so on. `lag` counts the messages after the
    group's commits. `oldest` is the time of the first of them that is not done, None if there is
    none; on [results] it is the broker's, elsewhere the writer's. `lag_hidden` is what the lag
    lacks. `error`: no broker could say who is in the group. `versions` has that of each member
    (None: it announces none).
    """

    role: str
    group: str
    state: str | None = None
    members: int | None = None
    versions: tuple[str | None, ...] = ()
    hidden: str | None = None
    error: str | None = None
    lag: int | None = None
    oldest: int | None = None
    lag_hidden: str | None = None


class ProberFacts(Struct, frozen=True, kw_only=True):
    """The newest beat of a prober, `at` the broker's time; for the other fields see `Beat`."""

    prober: str
    at: int
    targets: int
    failing: int
    connectivity: bool
    lag_ms: float
    spool: int
    clock_offset_ms: int | None
    missing_secrets: dict[str, tuple[str, ...]] = {}


class RegionFacts(Struct, frozen=True, kw_only=True):
    """A region of the policy, or one that a target or a beat names.

    `probers` are those with a beat within the last 20 s; `last_beat` may come from the stream's
    checkpoint, as `set_aside` does. `targets` is by the inventory, None without ClickHouse.
    `known`: the policy has it (None: the policy is not visible).
    """

    region: str
    known: bool | None = None
    probers: tuple[ProberFacts, ...] = ()
    last_beat: int | None = None
    set_aside: bool | None = None
    group: GroupFacts
    targets: int | None = None


class CheckpointFacts(Struct, frozen=True, kw_only=True):
    """The newest checkpoint of each partition of [state].

    `partitions` counts those that have one. `oldest` and `newest` are the times up to which the
    states go (the broker's). `chunks` is the sum, each of 512 KB at most.
    """

    partitions: int = 0
    oldest: int | None = None
    newest: int | None = None
    chunks: int = 0
    hidden: str | None = None


class AppliedFacts(Struct, frozen=True):
    """The newest `inventory apply` of a source; `done` is False if it has not ended."""

    source: str
    at: int
    done: bool


class PolicyFacts(Struct, frozen=True, kw_only=True):
    """What [policy] says of those who are told.

    `missing_routes` are routes that a team, a `fallback` or an escalation names and nobody defines;
    `untold_teams` those whose incidents only the notifier's console shows. `drill_every_ms` is how
    often there shall be a fire drill (None: nobody says so), `drill_at` the beginning of the newest
    one (UTC ms, None: there was none), `drill_overdue` the stage that did not come in it.
    """

    applied: tuple[AppliedFacts, ...] = ()
    regions: tuple[str, ...] = ()
    routes: int = 0
    missing_routes: tuple[str, ...] = ()
    untold_teams: tuple[str, ...] = ()
    drill_every_ms: int | None = None
    drill_at: int | None = None
    drill_overdue: str | None = None
    hidden: str | None = None


class ClickHouseFacts(Struct, frozen=True, kw_only=True):
    """ClickHouse. `error` says why it could not be asked; then everything else is empty.

    `schema` is the newest migration that it has (None: no tables yet), `newest_schema` that of this
    program. `newest_result` is the broker's time. `targets` is by the inventory, `by_region` too.
    """

    server: str
    error: str | None = None
    version: str | None = None
    schema: int | None = None
    newest_schema: int = 0
    newest_result: int | None = None
    targets: int | None = None
    by_region: dict[str, int] = {}
    shortest_interval_ms: int | None = None
    hidden: str | None = None

    @property
    def reachable(self) -> bool:
        """True if it answered."""
        return self.error is None


class FailingChannel(Struct, frozen=True, kw_only=True):
    """A channel with news that it does not take; `since` is when the oldest should have been told.

    `channel` is its name in the send log (`route/id/scheme`).
    """

    channel: str
    short_name: str
    since: int
    waiting: int
    error: str


class NotifierFacts(Struct, frozen=True, kw_only=True):
    """What [notifier-state] has, and the send log of the last hour.

    `term` is the number of the newest active notifier (None: there was none), `owner` its name,
    `active_since` its clock. `open` counts incidents and the like, `waiting` the news of all
    channels that is not confirmed, `given_up` the messages that were never confirmed.
    """

    term: int | None = None
    active_since: int | None = None
    owner: str | None = None
    open: int = 0
    waiting: int = 0
    failing: tuple[FailingChannel, ...] = ()
    given_up: int = 0
    unreadable: int = 0
    hidden: str | None = None


class HealthFacts(Struct, frozen=True, kw_only=True):
    """Everything that was seen. `groups` are those of stream, sink and notifier.

    `dead_letters` counts those of the last hour. `checkpoint_interval_s` is this program's setting.
    """

    kafka: KafkaFacts
    log: LogFacts
    clickhouse: ClickHouseFacts = ClickHouseFacts(server="")
    groups: tuple[GroupFacts, ...] = ()
    regions: tuple[RegionFacts, ...] = ()
    checkpoints: CheckpointFacts | None = None
    policy: PolicyFacts | None = None
    notifier: NotifierFacts | None = None
    dead_letters: int | None = None
    dead_letters_hidden: str | None = None
    checkpoint_interval_s: float = 15.0
    topic_prefix: str = "portquorum"
