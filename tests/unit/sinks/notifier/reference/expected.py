"""What exactly is told, and when, if every channel takes every message at once."""

from collections.abc import Iterable
from typing import NamedTuple

from schemas.incident import Event
from sinks.notifier.model import Channel
from sinks.notifier.routing import Routes
from tests.unit.sinks.notifier.reference.shell import GROUP_WAIT_MS, class_of
from tests.unit.sinks.notifier.reference.subject import (
    Member,
    Subject,
    group_of,
    hear,
    join,
    on_call_actions,
    people_actions,
    subject_key,
)


class Message(NamedTuple):
    at: int
    url: str
    action: str
    keys: tuple[str, ...]


class Expected:
    """Subjects, and for each channel and group the time of the first news that waits."""

    def __init__(self, routes: Routes) -> None:
        self.routes = routes
        self.subjects: dict[str, Subject] = {}
        self.waiting: dict[tuple[str, str], int] = {}
        self.messages: list[Message] = []

    def take(self, event: Event, now: int) -> None:
        key = subject_key(event)
        subject = self.subjects.setdefault(key, Subject(key, group_of(event), event))
        if event.event_id in subject.seen:
            return
        if hear(subject, event, now) or event.event == "worsened":
            join(subject, self.routes, now)
        self._tell(now)

    def until(self, now: int) -> None:
        """Everything that is told up to `now`, in the order of time."""
        while True:
            first = min(self.waiting.values(), default=None)
            if first is None or first + GROUP_WAIT_MS > now:
                return
            self._tell(first + GROUP_WAIT_MS)

    def _tell(self, now: int) -> None:
        wanted: dict[tuple[str, str], dict[str, list[tuple[Subject, Member]]]] = {}
        for subject in self.subjects.values():
            for member in subject.members.values():
                if class_of(Channel("", member.url)) == "on_call":
                    self._call(subject, member, now)
                    continue
                route = self.routes.routes.get(member.route)
                drop = route is not None and route.missed == "drop"
                must, _ = people_actions(subject, member, drop, now)
                group = wanted.setdefault((member.url, subject.group), {})
                for action in must:
                    group.setdefault(action, []).append((subject, member))
        for at, actions in wanted.items():
            if not actions:
                self.waiting.pop(at, None)
            elif now >= self.waiting.setdefault(at, now) + GROUP_WAIT_MS:
                self._group(at[0], actions, now)
                del self.waiting[at]

    def _group(self, url: str, actions: dict[str, list[tuple[Subject, Member]]], now: int) -> None:
        for action, members in actions.items():
            keys = tuple(sorted(subject.key for subject, _ in members))
            self.messages.append(Message(now, url, action, keys))
            for subject, member in members:
                member.told, member.missed = subject.state(), action == "missed"

    def _call(self, subject: Subject, member: Member, now: int) -> None:
        while True:
            must, _ = on_call_actions(subject, member, now)
            # The old key is resolved before the new one is opened, which is before it is taken on.
            order = ("resolve", "trigger", "acknowledge")
            action = min(must, key=lambda one: (order.index(one.split()[0]), one), default=None)
            if action is None:
                return
            what, key = action.split()
            self.messages.append(Message(now, member.url, what, (key,)))
            if what == "trigger":
                member.keys.add(key)
                member.told = subject.state()
            elif what == "resolve":
                member.keys.discard(key)
            else:
                member.acknowledged.add(key)


def in_order(messages: Iterable[Message]) -> list[Message]:
    """Messages of one instant in an order of their own: any of them is right."""
    return sorted(messages)
