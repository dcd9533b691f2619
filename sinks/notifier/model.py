"""The values that pass between decision, texts and channels. Pure; no I/O, no clock.

A *delivery* is one message to one channel. Decisions make deliveries, channels send them and return
a `SendOutcome`, decisions take it in.
"""

import hashlib
from typing import Final, Literal

from msgspec import Struct

from schemas.incident import Event
from schemas.notifier_state import EventMark, KnownAs, Phase
from schemas.policy import Templates

ChannelClass = Literal["people", "on_call"]
"""`people` read text; an `on_call` system takes trigger, acknowledge and resolve with a key."""

NewsAction = Literal["opened", "worsened", "improved", "updated", "closed", "missed", "reminder"]
"""`updated`: more targets are not watched than were told. `missed`: it began and ended before
anybody could be told. `reminder`: it is down still, and nobody has acknowledged it."""

PeopleAction = NewsAction | Literal["digest"]
"""`digest`: news of several hosts, each with an action of its own, in one message."""

OnCallAction = Literal["trigger", "acknowledge", "resolve", "refresh"]
"""`refresh` repeats `trigger` of what is still open, for systems that forget (Alertmanager)."""

Action = PeopleAction | OnCallAction

OutcomeKind = Literal[
    "confirmed", "uncertain", "unreachable", "refused", "misconfigured", "not_attempted"
]
"""What became of one attempt.

`confirmed`: the channel said yes. `uncertain`: the request was sent and no answer came within the
read limit (of ours, or of a gateway: 502, 504), or the connection broke before the answer; it may
have arrived. `unreachable`: it did not arrive (name, connect, TLS) or the other side can't now
(429, another 5xx). `refused`: the other side does not take this message (400, 413, 422: too long,
malformed). `misconfigured`: no message can be taken with this URL (missing secret, 401, 403, 404, a
URL that nobody knows). `not_attempted`: the lease had ended before the attempt.
"""

_CHANNEL_ID_LENGTH: Final = 16


class Channel(Struct, frozen=True):
    """One URL of a route, as configured (secrets not filled in)."""

    route: str
    url: str

    @property
    def id(self) -> str:
        """The channel's identity: the first 16 hex digits of the SHA-256 of its URL as written."""
        return hashlib.sha256(self.url.encode()).hexdigest()[:_CHANNEL_ID_LENGTH]

    @property
    def scheme(self) -> str:
        """The URL's scheme in lower case; `secret` if it comes from a placeholder."""
        scheme, found, _ = self.url.partition("://")
        known = found and scheme.replace("+", "").replace("-", "").replace(".", "").isalnum()
        return scheme.lower() if known else "secret"

    @property
    def name(self) -> str:
        """`route/id/scheme`: the channel's name in the send log; no secrets."""
        return f"{self.route}/{self.id}/{self.scheme}"


class TargetFacts(Struct, frozen=True):
    """What the notifier knows of a target, as its newest definition in [targets] has it.

    `place` is its `host:port` (or URL), `depends_on` are ids of the targets without which it can't
    be reached. `settle_ms` is the longest time from a recovery until its next results say so
    (interval, and the time-outs and waits of all retries). `answer_ms` is the longest time until a
    recheck of it has an answer, 0 if nobody checks it. A job or a domain is not `on_host`.
    """

    id: str
    name: str
    place: str
    tags: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    settle_ms: int = 90_000
    answer_ms: int = 15_000
    on_host: bool = True


class News(Struct, frozen=True, kw_only=True):
    """One subject (incident, region, unwatched targets, channel, drill) in a delivery.

    `entry` is the key of the subject in the state. `event` is the newest event of the subject,
    not always the one that made the news. `key` is the key for on-call systems
    (`incident_id/episode`, `region:NAME`, …). `due_at` is when it should have been told (UTC ms);
    a text says since when if that is long ago. `told_before`: this channel confirmed the outage.
    `maybe_told`: it may have been told of the outage (an earlier attempt was `uncertain`).
    `stands_in_for`: the name of the channel that did not confirm it, if this one is its fallback.
    `known_as` is what an incident was called when it opened, None for other subjects. `phase` and
    `revision` are the subject's when the message was made, `marks` the events that the
    message is about.
    """

    entry: str
    event: "Event | ChannelEvent | MassEvent | DrillEvent"
    key: str
    episode: int = 1
    due_at: int = 0
    told_before: bool = False
    maybe_told: bool = False
    stands_in_for: str = ""
    known_as: KnownAs | None = None
    phase: Phase = "down"
    revision: int = 0
    marks: tuple[EventMark, ...] = ()
    action: NewsAction | None = None
    """What is told of this subject, in messages to people; None: the delivery's action."""

    escalated_from: str = ""
    """The route whose escalation this channel is part of; empty: it was told from the beginning."""

    held: str = ""
    """Why it was told so late (`quiet hours until 07:00`, `limit of route x`, …), for the text."""

    link: str = ""
    """The URL at which people acknowledge or silence it; empty: there is none."""

    reminders: int = 0
    """How many reminders this channel got before, in this episode; of a `reminder` alone."""


class ChannelEvent(Struct, frozen=True, kw_only=True):
    """A channel that has failed for long, or works again; told to the fallback of its route."""

    event_id: str
    event: Literal["channel.broken", "channel.works"]
    channel: str
    """The channel's `name`."""
    since: int
    at: int
    error: str
    waiting: int
    """Number of subjects that this channel was not told of."""


class MassEvent(Struct, frozen=True, kw_only=True):
    """More than a share of all targets went down within a minute, or that is over."""

    event_id: str
    event: Literal["mass.down", "mass.over"]
    severity: Literal["critical"] = "critical"
    down: int
    """Number of targets that are down."""

    total: int
    """Number of all targets."""

    hosts: tuple[str, ...] = ()
    """Some of their hosts, those with the most targets first."""

    since: int
    at: int


class DrillEvent(Struct, frozen=True, kw_only=True):
    """A fire drill is planned and there was none yet, one is overdue, or that is over.

    It is overdue if the last one is older than planned, or if a stage of it did not come in time.
    Nobody is told of `drill.planned`: it keeps the time from which the first drill is awaited.
    """

    event_id: str
    event: Literal["drill.planned", "drill.overdue", "drill.done"]
    severity: Literal["warning"] = "warning"
    every_ms: int
    """Longest time between two drills; 0: none is planned any more."""

    planned_at: int
    """When the plan was first seen (UTC ms); 0 if there was a drill since."""

    last_at: int | None = None
    """When the last drill began (UTC ms); None: there was none."""

    stage: str = ""
    """The stage of the last drill that did not come in time; empty: all came."""

    since: int
    """The time from which a drill is overdue, of `drill.planned` that of the plan (UTC ms)."""

    at: int


class Delivery(Struct, frozen=True, kw_only=True):
    """One message to one channel.

    `id` is the same in each repetition of the same news to the same channel: an idempotency key.
    `news` has one member for class `on_call` (any number for `refresh`), and those of one host,
    region or cause for `people`. `attempt` counts from 1. `plain`: the channel refused the full
    text, so one plain line goes. `at` is the notifier's clock, UTC ms. `templates` are those of the
    channel's route, for messages to people. `source` is the `source` of CloudEvents.
    """

    id: str
    channel: Channel
    action: Action
    news: tuple[News, ...]
    attempt: int
    plain: bool
    at: int
    templates: Templates | None = None
    source: str = "/portquorum/notifier"


class SendOutcome(Struct, frozen=True, kw_only=True):
    """What became of one attempt. `error` has no secrets, None if `confirmed`.

    `retry_after_s` is what the other side asked for (`Retry-After`, RFC 9110, section 10.2.3).
    `subject` is the subject line that was sent, for the send log.
    """

    kind: OutcomeKind
    error: str | None = None
    retry_after_s: float | None = None
    subject: str = ""
