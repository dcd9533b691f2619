"""The declaration of each topic: writers, readers, retention."""

from typing import Final, Literal

from msgspec import Struct

from schemas import (
    checkpoint,
    control,
    deadletter,
    incident,
    notification,
    notifier_state,
    policy,
    web,
)
from schemas.duration import DAY_MS, HOUR_MS
from schemas.recheck import RecheckRequest
from schemas.result import CheckResult
from schemas.target import Target

Compression = Literal["gzip", "zstd"]
"""Codecs of record batches. Every client reads gzip; zstd is smaller, and cheaper to write."""


class Topic(Struct, frozen=True, kw_only=True):
    """The declaration of a topic.

    `partitions` is `fleet` for topics that are partitioned by host into the fleet's partition count
    P, else a number. `retention_ms` of None: only compaction removes records; `compact,delete`
    keeps the newest record of each key, for the retention time at most. `schema` names the Structs
    of the values (`control` those of the control records' header bodies); their JSON Schema and
    examples are in `schemas/json/` and `schemas/examples/` under `name`. `compression` is the codec
    of the record batches; a batch that would not become smaller has none.
    """

    name: str
    partitions: Literal["fleet"] | int
    key: str
    cleanup: Literal["delete", "compact", "compact,delete"]
    retention_ms: int | None
    log_append_time: bool
    compression: Compression
    writers: tuple[str, ...]
    readers: tuple[str, ...]
    schema: tuple[type[Struct], ...]
    control: tuple[type[Struct], ...] = ()
    about: str

    def full_name(self, prefix: str) -> str:
        """The topic's name in a cluster: `prefix.name`."""
        return f"{prefix}.{self.name}"

    def partition_count(self, fleet: int) -> int:
        """The partition count of the topic in a fleet of `fleet` partitions."""
        return fleet if self.partitions == "fleet" else self.partitions


TARGETS = Topic(
    name="targets",
    partitions="fleet",
    key="target id; partition by host",
    cleanup="compact",
    retention_ms=None,
    log_append_time=False,
    compression="gzip",
    writers=("apply", "web", "target"),
    readers=("prober", "receiver", "notifier", "sink", "web", "apply", "target"),
    schema=(Target,),
    about="The inventory's targets, regions and defaults resolved. A null value removes one.",
)
POLICY = Topic(
    name="policy",
    partitions=1,
    key="source/type/name",
    cleanup="compact",
    retention_ms=None,
    log_append_time=False,
    compression="gzip",
    writers=("apply", "silence", "target", "drill", "notifier", "web"),
    readers=("prober", "notifier", "sink", "web", "apply", "silence", "target"),
    schema=(
        policy.Region,
        policy.Team,
        policy.Route,
        policy.Maintenance,
        policy.Silence,
        policy.Pause,
        policy.ApplyMark,
        policy.DrillPlan,
        policy.DrillDone,
    ),
    about="Regions, teams, routes, maintenance, silences, pauses, fire drills, and how far an "
    "apply has come. The notifier removes a silence or pause a day after its end.",
)
RESULTS = Topic(
    name="results",
    partitions="fleet",
    key="none; partition by host",
    cleanup="delete",
    retention_ms=7 * DAY_MS,
    log_append_time=True,
    compression="zstd",
    writers=("prober", "receiver", "apply", "target", "ack", "stream", "notifier", "web"),
    readers=("stream", "sink", "web"),
    schema=(CheckResult,),
    control=(
        control.TargetSet,
        control.TargetRemoved,
        control.TargetPaused,
        control.TargetResumed,
        control.Acknowledged,
        control.Resolved,
        control.Beat,
        control.Tick,
    ),
    about="The one log: batches of check results (NDJSON, one result a line), and control "
    "records with an empty value and their JSON body in the header `portquorum-control`. A reader "
    "that takes one JSON a message loses data without an error: docs/results.md has others.",
)
RECHECKS = Topic(
    name="rechecks",
    partitions="fleet",
    key="host",
    cleanup="delete",
    retention_ms=HOUR_MS,
    log_append_time=False,
    compression="gzip",
    writers=("stream",),
    readers=("prober", "sink"),
    schema=(RecheckRequest,),
    about="Requests to check all targets of a host at once, from every region.",
)
STATE = Topic(
    name="state",
    partitions="fleet",
    key="writer/generation/part",
    cleanup="compact",
    retention_ms=None,
    log_append_time=False,
    compression="zstd",
    writers=("stream",),
    readers=("stream", "sink"),
    schema=(checkpoint.CheckpointHead,),
    about="Checkpoints of the stream's partitions: msgpack chunks and a JSON head each.",
)
CHECKPOINTS = Topic(
    name="checkpoints",
    partitions="fleet",
    key="writer/generation/part",
    cleanup="delete",
    retention_ms=7 * DAY_MS,
    log_append_time=False,
    compression="zstd",
    writers=("stream",),
    readers=("stream", "replay", "sink"),
    schema=(checkpoint.CheckpointHead,),
    about="A checkpoint a day, kept as long as [results], for replays and new consumer groups.",
)
INCIDENTS = Topic(
    name="incidents",
    partitions="fleet",
    key="host, the region of a region event, or the cause of unwatched targets",
    cleanup="delete",
    retention_ms=90 * DAY_MS,
    log_append_time=False,
    compression="gzip",
    writers=("stream",),
    readers=("notifier", "sink", "stream", "web", "any subscriber"),
    schema=(incident.IncidentEvent, incident.RegionEvent, incident.TargetsEvent),
    about="Events of incidents, regions and unwatched targets as CloudEvents 1.0 (binary mode).",
)
INCIDENTS_OPEN = Topic(
    name="incidents.open",
    partitions="fleet",
    key="incident id; partition by host",
    cleanup="compact",
    retention_ms=None,
    log_append_time=False,
    compression="gzip",
    writers=("stream",),
    readers=("stream", "web", "any subscriber"),
    schema=(incident.IncidentEvent,),
    about="The newest event of each open incident as on [incidents], with the same headers and "
    "written after it. A null value says that the incident is closed. The stream compares it with "
    "its state and writes again what differs.",
)
NOTIFICATIONS = Topic(
    name="notifications",
    partitions=1,
    key="event_id/channel",
    cleanup="compact,delete",
    # Each event has keys of its own, so compaction alone would keep every record for ever, and the
    # notifier reads all of them at each assignment. A record must stay as long as its event may
    # come again: events in progress (minutes), the last hour after a loss of the group's offsets,
    # and 7 days, the events that a stream without checkpoints finds again in [results].
    retention_ms=30 * DAY_MS,
    log_append_time=False,
    compression="gzip",
    writers=("notifier",),
    readers=("notifier", "sink"),
    schema=(notification.Notification,),
    about="The send log: what was sent to whom. Kept for longer than [results], out of which a "
    "stream may publish an event again.",
)
NOTIFIER_STATE = Topic(
    name="notifier-state",
    partitions=1,
    key="term, offsets, subject/KEY",
    cleanup="compact",
    retention_ms=None,
    log_append_time=False,
    compression="zstd",
    writers=("notifier",),
    readers=("notifier", "sink", "web"),
    schema=(notifier_state.Term, notifier_state.HandledOffsets, notifier_state.Subject),
    about="The notifier's memory: who is to be told of what is open, and who confirmed. A null "
    "value removes what is over.",
)
DEADLETTER = Topic(
    name="deadletter",
    partitions=1,
    key="topic:partition:offset:line",
    cleanup="delete",
    retention_ms=30 * DAY_MS,
    log_append_time=False,
    compression="gzip",
    writers=("sink", "stream"),
    readers=("sink",),
    schema=(deadletter.DeadLetter,),
    about="Messages, or single lines, that can't be read (written by the sink), and those of "
    "[results] that can be read and not applied (by the stream).",
)
WEB = Topic(
    name="web",
    partitions=1,
    key="KIND/ID/VERSION/NONCE of an edit, KIND/ID of a single record",
    cleanup="compact",
    retention_ms=None,
    # What is over is dropped by the age of its record, whatever the writers' clocks say.
    log_append_time=True,
    compression="gzip",
    writers=("web", "user", "token", "target", "apply", "heartbeat"),
    readers=("web", "receiver", "user", "token", "target", "apply", "heartbeat"),
    schema=(
        web.User,
        web.Token,
        web.WrittenTarget,
        web.WrittenMaintenance,
        web.Request,
        web.ShareKey,
        web.StatusPage,
        web.StatusPost,
        web.Session,
        web.SessionUse,
        web.Lockout,
        web.Invitation,
        web.TokenSeen,
        web.IncidentNote,
        web.Audit,
        web.Bulk,
        web.Claim,
    ),
    about="Users, sessions, tokens, the audit log, and the page's own inventory: whoever can write "
    "here can do everything, so it has rights of its own (docs/access.md). Of each version of an "
    "object the first record counts. A null value removes what was refused, replaced or is over.",
)

ALL: Final[tuple[Topic, ...]] = (
    TARGETS,
    POLICY,
    RESULTS,
    RECHECKS,
    STATE,
    CHECKPOINTS,
    INCIDENTS,
    INCIDENTS_OPEN,
    NOTIFICATIONS,
    NOTIFIER_STATE,
    DEADLETTER,
    WEB,
)


def read_by(role: str) -> tuple[Topic, ...]:
    """The topics that a role reads."""
    return tuple(topic for topic in ALL if role in topic.readers)
