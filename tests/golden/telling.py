"""The send log of a run of events, by the notifier's own decision and channels.

Only Kafka and the clock are told again: waits pass in the events' own time. The web hook behind the
channels is a real one; it refuses what the story wants refused.
"""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final
from unittest import mock

import msgspec

from schemas import incident, notifier_state, policy
from schemas.notifier_state import ChannelPace, Subject, pace_key, subject_key
from schemas.policy import Policy
from sinks.notifier.channels.classes import class_of, needs_refresh
from sinks.notifier.channels.send import send
from sinks.notifier.decision.desk import Desk, RemovedPace, RemovedSubject
from sinks.notifier.first_version import EarlierSends, OpenSubjects
from sinks.notifier.routing import Routes
from sinks.notifier.state_log import put
from tests.golden import container
from tests.golden.saving import SETTINGS
from tests.integration.sinks.notifier.rig import hook

SEND_MS: Final = 120
AFTERWARDS_MS: Final = 10 * 60_000
"""The time that the notifier goes on after the last event: what fails is tried for ever."""


def send_log(
    events: Iterable[container.Message], policies: Iterable[container.Message]
) -> list[container.Message]:
    """What the notifier writes to [notifications] when these events come under these policies."""
    return both_logs(events, policies)[0]


def both_logs(
    events: Iterable[container.Message],
    policies: Iterable[container.Message],
    memory: Iterable[container.Message] = (),
) -> tuple[list[container.Message], list[container.Message]]:
    """What it writes to [notifications], and what is left on [notifier-state] at the end.

    `memory` is what it finds there at its start.
    """
    with _channels():
        teller = _Teller(policies)
        for one in memory:
            teller.remember(one)
        for one in sorted(events, key=lambda one: (one.at, one.partition, one.offset)):
            teller.go_on_until(one.at)
            teller.desk.take(incident.decode(one.value or b""), one.at)
        teller.go_on_until(teller.now + AFTERWARDS_MS)
    return teller.rows, teller.left()


def continued(
    events: Iterable[container.Message],
    policies: Iterable[container.Message],
    before: Iterable[container.Message],
    commits: Mapping[int, int],
) -> list[container.Message]:
    """What it writes when it finds the send log and the commits of version 0.1 at its start."""
    sends = EarlierSends()
    for one in before:
        sends.take(one.value)
    subjects = OpenSubjects(commits, sends)
    with _channels():
        teller = _Teller(policies)
        for one in sorted(events, key=lambda one: (one.partition, one.offset)):
            subjects.take(one.partition, one.offset, incident.decode(one.value or b""))
            teller.now = max(teller.now, one.at)
        teller.go_on_until(teller.now)
        list(subjects.hand_over(teller.desk, teller.routes, teller.now))
        teller.go_on_until(teller.now + AFTERWARDS_MS)
    return teller.rows


@contextmanager
def _channels() -> Iterator[None]:
    with hook() as server, mock.patch.dict(os.environ):
        server.refuse = _Refusing()
        os.environ["GOLDEN_HOOK"] = server.url.removeprefix("json://")
        os.environ.pop("GOLDEN_MISSING", None)
        yield


class _Refusing:
    """`/refuses` refuses always, `/flaky` the first two times that it hears of something."""

    def __init__(self) -> None:
        self._heard: Counter[str] = Counter()

    def __call__(self, post: dict[str, str]) -> bool:
        if post["path"].startswith("/refuses"):
            return True
        if post["path"].startswith("/flaky"):
            self._heard[post["title"]] += 1
            return self._heard[post["title"]] <= 2
        return False


class _Teller:
    """A notifier whose clock is that of the events."""

    def __init__(self, policies: Iterable[container.Message]) -> None:
        self.now = 0
        self.rows: list[container.Message] = []
        self.routes = Routes()
        self.desk = Desk(
            group_wait_ms=round(SETTINGS.group_wait_s * 1000),
            class_of=class_of,
            needs_refresh=needs_refresh,
        )
        self._policies = sorted(policies, key=lambda one: (one.at, one.offset))
        self._entries: dict[bytes, Policy] = {}
        self._memory: dict[bytes, bytes] = {}

    def remember(self, one: container.Message) -> None:
        """A record of [notifier-state], as a notifier restores it at its start."""
        self.now = max(self.now, one.at)
        found = notifier_state.decode(one.value or b"")
        if isinstance(found, Subject):
            self.desk.restore(found)
        elif isinstance(found, ChannelPace):
            self.desk.restore_pace(found)

    def left(self) -> list[container.Message]:
        """The records of [notifier-state], one of each key."""
        return [
            container.Message(
                partition=0, offset=number, at=self.now, key=key, headers=(), value=value
            )
            for number, (key, value) in enumerate(self._memory.items())
        ]

    def go_on_until(self, end: int) -> None:
        """Sends what is due until then, each send when it is due."""
        self._follow(self.now)
        while True:
            self._keep()
            self._write()
            due_at = self.desk.next_due(self.now)
            if due_at is None or max(due_at, self.now) > end:
                break
            self.now = max(due_at, self.now)
            self._follow(self.now)
            self._keep()
            for delivery in self.desk.due(self.now):
                outcome = send(delivery, may_send=lambda: True)
                self.desk.finished(delivery, outcome, self.now + SEND_MS)
        self.now = max(self.now, end)
        self._follow(self.now)

    def _follow(self, now: int) -> None:
        """Puts the policies of the moment into force."""
        while self._policies and self._policies[0].at <= now:
            one = self._policies.pop(0)
            if one.key is None:
                continue
            self._entries.pop(one.key, None)
            if one.value:
                self._entries[one.key] = policy.decode(one.value)
        self.routes = Routes.of(self._entries.values())
        self.desk.set_routes(self.routes, now)

    def _keep(self) -> None:
        for change in self.desk.changes():
            match change:
                case RemovedSubject():
                    self._memory.pop(subject_key(change.key), None)
                case RemovedPace():
                    self._memory.pop(pace_key(change.id), None)
                case _:
                    kept = put(change)
                    self._memory[kept.key] = kept.value or b""

    def _write(self) -> None:
        for row in self.desk.rows():
            self.rows.append(
                container.Message(
                    partition=0,
                    offset=len(self.rows),
                    at=row.at,
                    key=row.key,
                    headers=(),
                    value=msgspec.json.encode(row),
                )
            )
