"""The pace of checks at servers that lock out whoever comes too often. Pure: no clock."""

from typing import Final

from msgspec import Struct

from producers.kinds.closing import Peer

_SWEPT_AT_LEAST: Final = 1_024


class Pace(Struct, frozen=True):
    """At most `burst` checks at once of one address and port, and one every `every_s` seconds."""

    burst: int
    every_s: float


OPENSSH: Final = Pace(burst=5, every_s=1.25)
"""Below what sshd 9.8 and later punish (PerSourcePenalties, on by default).

A connection that ends before authentication costs its source 1 s (`noauth`), the debt of a source
sinks by 1 s a second, and above 15 s (`min`) sshd refuses all connections of the source until the
debt is paid (srclimit.c, srclimit_penalise; servconf.c has the numbers). With this pace the debt
stays below 7 s: the rest is for others behind the same address, and for checks of kind `tcp`.
"""


class Turns:
    """The turns of the checks at each server: the generic cell rate algorithm (ITU-T I.371).

    All times are seconds of one clock.
    """

    def __init__(self) -> None:
        self._paid_at: dict[Peer, float] = {}
        self._sweep_at = _SWEPT_AT_LEAST

    def wait_s(self, peer: Peer, pace: Pace, now: float, most_s: float) -> float | None:
        """The wait until the next turn at `peer`, which is then taken.

        None if that would be more than `most_s`: no turn is taken.
        """
        paid_at = max(now, self._paid_at.get(peer, now))
        wait_s = max(0.0, paid_at - now - (pace.burst - 1) * pace.every_s)
        if wait_s > most_s:
            return None
        self._paid_at[peer] = paid_at + pace.every_s
        if len(self._paid_at) >= self._sweep_at:
            self._sweep(now)
        return wait_s

    def _sweep(self, now: float) -> None:
        self._paid_at = {peer: at for peer, at in self._paid_at.items() if at > now}
        self._sweep_at = max(_SWEPT_AT_LEAST, 2 * len(self._paid_at))
