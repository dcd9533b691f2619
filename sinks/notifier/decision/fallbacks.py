"""Who is told in place of a channel that has not confirmed for long. Pure."""

from sinks.notifier.decision import broken_channels
from sinks.notifier.decision.membership import Membership
from sinks.notifier.decision.reviewer import Reviewer
from sinks.notifier.decision.subjects import CHANNEL, Listener, OpenSubject
from sinks.notifier.model import Channel


class Fallbacks:
    """Asks the fallback of a route, and keeps a subject for each broken channel."""

    def __init__(self, core: Reviewer, membership: Membership) -> None:
        self._core = core
        self._membership = membership

    def ask(self, subject: OpenSubject, listener: Listener, now: int) -> None:
        """The channels of the fallback join the audience, and hear that the channel is broken."""
        core = self._core
        channels = [
            (core.dispatcher.queue(one).id, one)
            for name in core.routes.routes[listener.channel.route].fallback
            for one in core.routes.channels_of(name, now)
            if one.url != listener.channel.url
        ]
        if not channels:
            return
        self._membership.stand_in(subject, channels, now, listener.id)
        key = broken_channels.key_of(listener.id)
        before = core.subjects.get(key)
        if subject.key.startswith(CHANNEL) or listener.id not in core.routes.all_ids:
            return
        if before is not None and before.phase == "down":
            return
        queue = core.queue_of(listener)
        broken = broken_channels.broken(
            listener.channel,
            before,
            since=listener.due_at,
            error=listener.error or queue.condition.error,
            waiting=sum(1 for _ in queue.waiting()) or 1,
            now=now,
        )
        core.subjects[key] = broken
        self._membership.stand_in(broken, channels, now, "")
        core.review(broken, now)
        core.mark_changed(broken)

    def works(self, channel: Channel, now: int) -> None:
        """The channel has confirmed: if it was broken, its fallback is told that it works."""
        key = broken_channels.key_of(self._core.dispatcher.queue(channel).id)
        subject = self._core.subjects.get(key)
        if subject is not None and subject.phase != "closed":
            self._end(subject, now)

    def end_if_gone(self, subject: OpenSubject, now: int) -> None:
        """A broken channel that no route has any more is nobody's trouble."""
        if subject.key.removeprefix(CHANNEL) not in self._core.routes.all_ids:
            self._end(subject, now, broken_channels.GONE)

    def _end(self, subject: OpenSubject, now: int, error: str = "") -> None:
        pending = [one for one in subject.listeners.values() if one.due_at or one.next_due_at]
        replaced = broken_channels.works(subject, now, error)
        if replaced is None:
            return
        self._core.said.superseded(subject, (replaced,), pending, "channel.works", now)
        self._core.news_came(subject, now)
        self._core.review(subject, now)
        self._core.mark_changed(subject)
