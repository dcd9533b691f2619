"""The lease: until when this process may send, by the word of the group's coordinator.

The coordinator gives the partitions to another member 6 s after it last heard of this one. A send
begins only within 3 s of the last request that the coordinator answered, counted from the request:
half of that time is left for the send to reach its receiver before another may begin.
"""

from collections.abc import Callable
from typing import Any, Final

from aiokafka import AIOKafkaConsumer

from foundation.awake_clock import awake_clock

LEASE_S: Final = 3.0
"""Longest age of the coordinator's word at the beginning of a send, in s: half of the session."""


class Lease:
    """Asked by the sending threads immediately before each request; written by the loop.

    The clock runs on while the process is stopped, so that one which was stopped for long knows.
    """

    def __init__(self, now: Callable[[], float] = awake_clock) -> None:
        self._now = now
        self._held = False
        self._renewed_at = -LEASE_S

    def begin(self) -> None:
        """Sends may begin, while the coordinator answers."""
        self._held = True

    def end(self) -> None:
        """No send begins any more."""
        self._held = False

    def now(self) -> float:
        """The lease's clock, in s; ask it before a request to the coordinator."""
        return self._now()

    def renewed(self, asked_at: float) -> None:
        """Notes that the coordinator answered a request that was sent at `asked_at`."""
        self._renewed_at = max(self._renewed_at, asked_at)

    def renewed_since(self, moment: float) -> bool:
        """True if the coordinator has answered a request that was sent at `moment` or later."""
        return self._renewed_at >= moment

    @property
    def age_s(self) -> float:
        """Time since the last request that the coordinator answered, in s."""
        return self._now() - self._renewed_at

    def may_send(self) -> bool:
        """True if a send may begin now."""
        return self._held and self.age_s < LEASE_S


def renew_with_heartbeats(consumer: AIOKafkaConsumer, lease: Lease) -> None:
    """Renews the lease with each heartbeat of a started consumer that the coordinator accepts.

    aiokafka (0.14) has no hook for it. "The group rebalances" is an answer, too, that aiokafka
    counts as a success; it renews nothing, since the partitions may be about to go.
    """
    coordinator = consumer._coordinator  # noqa: SLF001 - see above
    beat = coordinator._do_heartbeat  # noqa: SLF001

    async def beat_and_renew() -> Any:
        asked_at, generation = lease.now(), coordinator.generation
        accepted = await beat()
        if accepted and coordinator.generation == generation and not _rejoins(coordinator):
            lease.renewed(asked_at)
        return accepted

    coordinator._do_heartbeat = beat_and_renew  # noqa: SLF001


async def beat(consumer: AIOKafkaConsumer, lease: Lease) -> bool:
    """Sends a heartbeat now; True if the coordinator accepts it, so that the partitions are ours.

    Needs `renew_with_heartbeats`. A process that was stopped believes in its partitions until it
    asks.
    """
    asked_at = lease.now()
    await consumer._coordinator._do_heartbeat()  # noqa: SLF001
    return lease.renewed_since(asked_at)


def _rejoins(coordinator: Any) -> bool:
    return bool(coordinator._rejoin_needed_fut.done())  # noqa: SLF001
