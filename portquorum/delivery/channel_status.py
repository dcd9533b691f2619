"""The channels of the policy and how each is, by the notifier's topics. Pure."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from portquorum.delivery.memory import NotifierMemory
from portquorum.delivery.names import channel_of, id_of
from schemas.notification import Notification
from schemas.notifier_state import AudienceMember
from schemas.policy import Policy, Route
from sinks.notifier.model import Channel
from sinks.notifier.moments import urls_of

Condition = Literal["works", "fails", "waits", "not used yet"]
"""`waits`: there is news that is not due yet or on its way; `fails`: the newest attempt failed."""


class ChannelFacts(Struct, frozen=True, kw_only=True):
    """What a channel's URL says: its class, what a message may hold, what is wrong with it.

    `title` and `body` are lengths in `units`. `missing` names variables that are not set in this
    environment; `problem` is None if nothing else is wrong.
    """

    channel_class: str
    title: int | None = None
    body: int | None = None
    units: str = "characters"
    missing: tuple[str, ...] = ()
    problem: str | None = None


class ChannelStatus(Struct, frozen=True, kw_only=True):
    """A channel of a route. Times are UTC ms.

    `in_policy`: False for one that no route has any more, and that still has to be told. `waiting`
    counts the subjects that it is still to be told of; `failing_since` is the time from which the
    oldest of them should have been told, if attempts failed. `error` is the newest one. `held`
    counts what it is spared from, `held_because` is one reason. `limited_until` is when the limit
    of its route has room again, `next_at` the earliest time of its next message to people.
    """

    route: str
    id: str
    scheme: str
    facts: ChannelFacts
    condition: Condition
    last_sent_at: int | None = None
    failing_since: int | None = None
    waiting: int = 0
    attempts: int = 0
    error: str | None = None
    in_policy: bool = True
    held: int = 0
    held_because: str | None = None
    limited_until: int | None = None
    next_at: int | None = None


def channel_statuses(
    policy: Iterable[Policy],
    memory: NotifierMemory,
    sent: Iterable[Notification],
    facts_of: Callable[[Channel], ChannelFacts],
) -> list[ChannelStatus]:
    """Every channel of the routes, then those that no route has and that news waits for.

    Args:
        policy: the entries of [policy].
        memory: the notifier's.
        sent: the send log, the oldest first.
        facts_of: what a channel's URL says.
    """
    members: dict[str, list[AudienceMember]] = defaultdict(list)
    for subject in memory.subjects.values():
        for member in subject.audience:
            members[channel_of(member).id].append(member)
    rows = _rows_by_id(sent)
    found = []
    known = set()
    for channel in _channels(policy):
        known.add(channel.id)
        status = _status(channel, members[channel.id], rows, facts_of(channel))
        pace = memory.paces.get(channel.id)
        found.append(status if pace is None else replace(status, next_at=pace.next_at or None))
    for channel_id, those in members.items():
        if channel_id not in known and any(member.due_at for member in those):
            channel = channel_of(those[0])
            found.append(_status(channel, those, rows, facts_of(channel), in_policy=False))
    return found


def _channels(policy: Iterable[Policy]) -> Iterator[Channel]:
    routes = sorted(
        (entry for entry in policy if isinstance(entry, Route)), key=lambda one: one.name
    )
    for route in routes:
        for url in urls_of(route):
            yield Channel(route.name, url)


def _rows_by_id(sent: Iterable[Notification]) -> dict[str, list[Notification]]:
    """The attempts by the id of their channel; those of 0.1 have none."""
    rows: dict[str, list[Notification]] = defaultdict(list)
    for row in sent:
        if row.channel and row.status != "not_sent":
            rows[id_of(row.channel)].append(row)
    return rows


def _status(
    channel: Channel,
    members: list[AudienceMember],
    rows: Mapping[str, list[Notification]],
    facts: ChannelFacts,
    *,
    in_policy: bool = True,
) -> ChannelStatus:
    own = rows.get(channel.id, [])
    waiting = [member for member in members if member.due_at]
    held = [member.held for member in members if member.held]
    limits = [member.limited_until for member in members if member.limited_until]
    failing = [member for member in waiting if member.attempts and member.error]
    last_sent = max((row.at for row in own if row.status == "sent"), default=None)
    failed = own[-1] if own and own[-1].status != "sent" else None
    condition: Condition = "not used yet"
    if failing or failed is not None:
        condition = "fails"
    elif waiting:
        condition = "waits"
    elif last_sent is not None or any(member.told_phase for member in members):
        condition = "works"
    error = failed.error if failed is not None else None
    since = min((member.due_at for member in failing), default=None)
    if since is None and failed is not None:
        since = failed.event_at
    return ChannelStatus(
        route=channel.route,
        id=channel.id,
        scheme=channel.scheme,
        facts=facts,
        condition=condition,
        last_sent_at=last_sent,
        failing_since=since,
        waiting=len(waiting),
        attempts=max((member.attempts for member in failing), default=0),
        error=error or (failing[-1].error if failing else None),
        in_policy=in_policy,
        held=len(held),
        held_because=max(held, key=held.count, default=None),
        limited_until=max(limits, default=None),
    )
