"""What a prober remembers of RDAP servers, so that it asks them seldom. Pure: no clock.

All times are seconds of one clock.
"""

import asyncio
from typing import Final

from producers.kinds.rdap import Registration

LIST: Final = "https://data.iana.org/rdap/dns.json"
"""IANA's list of the servers (RFC 9224)."""

LIST_S: Final = 86_400.0
"""So long a list holds: it changes a few times a month."""

LIST_AGAIN_S: Final = 600.0
"""A list that is older is used for so long before it is asked for again."""

KNOWN_S: Final = 600.0
"""So long an answer holds, be it for a recheck of other targets of the name or for a retry."""

UNKNOWN_S: Final = 30.0
"""So long holds the answer that there is no such domain: less than the default `retry_delay`."""

HELD_S: Final = 900.0
"""So long a server is not asked that said "too many" without saying for how long."""

LONGEST_HELD_S: Final = 86_400.0
_MOST: Final = 4_096


class Registries:
    """The list of servers, answers, and servers that want to be left alone for now.

    `asking` is held while the list is asked for: many checks may need it at the same time.
    """

    def __init__(self, list_url: str = LIST) -> None:
        self.list_url = list_url
        self.asking = asyncio.Lock()
        self._servers: dict[str, str] | None = None
        self._list_until = 0.0
        self._answers: dict[str, tuple[Registration | None, float]] = {}
        self._held: dict[str, float] = {}

    def servers(self, now: float) -> dict[str, str] | None:
        """The base URLs by suffix; None if the list must be asked for."""
        return self._servers if now < self._list_until else None

    def take_servers(self, servers: dict[str, str], now: float) -> None:
        """Keeps a list."""
        self._servers, self._list_until = servers, now + LIST_S

    def old_servers(self, now: float) -> dict[str, str] | None:
        """The list from before, which goes on while IANA does not answer; None without any."""
        if self._servers is not None:
            self._list_until = now + LIST_AGAIN_S
        return self._servers

    def answer(self, url: str, now: float) -> tuple[Registration | None] | None:
        """The answer of a server that still holds: (None,) for "no such domain"."""
        found = self._answers.get(url)
        return None if found is None or found[1] <= now else (found[0],)

    def take_answer(self, url: str, found: Registration | None, now: float) -> None:
        """Keeps an answer; None for "no such domain"."""
        if len(self._answers) >= _MOST:
            self._answers = {key: one for key, one in self._answers.items() if one[1] > now}
        if len(self._answers) < _MOST:
            self._answers[url] = (found, now + (UNKNOWN_S if found is None else KNOWN_S))

    def hold(self, server: str, for_s: float | None, now: float) -> float:
        """Notes that a server wants not to be asked for so long (None: it did not say).

        Returns the time.
        """
        waits_s = HELD_S if for_s is None else min(max(0.0, for_s), LONGEST_HELD_S)
        if len(self._held) >= _MOST:
            self._held = {key: until for key, until in self._held.items() if until > now}
        self._held[server] = now + waits_s
        return waits_s

    def held_s(self, server: str, now: float) -> float:
        """The time for which a server must not be asked; 0 if it may."""
        return max(0.0, self._held.get(server, now) - now)
