"""Says which channels can't be used as they are configured, before an outage needs them."""

import os
import time
from collections.abc import Callable, Mapping
from typing import Final

from foundation import telemetry
from sinks.notifier import metrics
from sinks.notifier.model import Channel
from sinks.notifier.moments import urls_of
from sinks.notifier.routing import Routes

Problem = Callable[[str, Mapping[str, str] | None], str | None]
"""`problem(url, env)`: what is wrong with a channel's URL in this environment; None: nothing."""

TURN_S: Final = 0.05
"""How long the loop is kept from other work at a time, in s."""

_log: Final = telemetry.logger(__name__)


class ChannelCheck:
    """Looks at each URL once, and warns of those with a problem."""

    def __init__(self, problem: Problem, env: Mapping[str, str] = os.environ) -> None:
        self._problem = problem
        self._env = env
        self._found: dict[str, str | None] = {}
        self._waiting: dict[str, Channel] = {}

    def look(self, routes: Routes) -> None:
        """Notes the URLs that are new; `some` looks at them."""
        channels = {
            url: Channel(route.name, url)
            for route in routes.routes.values()
            for url in urls_of(route)
        }
        self._found = {url: found for url, found in self._found.items() if url in channels}
        self._waiting = {url: one for url, one in channels.items() if url not in self._found}
        self._count()

    def some(self, within_s: float = TURN_S) -> bool:
        """Looks at URLs for about so long, warns of problems, sets the metric; True if any is left.

        A URL takes half a millisecond, and the loop that asks has heartbeats to send: thousands are
        looked at in many turns.
        """
        if not self._waiting:
            return False
        until = time.monotonic() + within_s
        while self._waiting:
            url = next(iter(self._waiting))
            self._look_at(self._waiting.pop(url))
            if time.monotonic() >= until:
                break
        self._count()
        return bool(self._waiting)

    def _look_at(self, channel: Channel) -> None:
        found = self._found[channel.url] = self._problem(channel.url, self._env)
        if found is not None:
            _log.warning(
                "a channel can't be used as it is configured: what it should tell waits until "
                "this is repaired",
                channel=channel.name,
                problem=found,
            )

    def _count(self) -> None:
        metrics.CHANNEL_PROBLEMS.set(sum(found is not None for found in self._found.values()))
