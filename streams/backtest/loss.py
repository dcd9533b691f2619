"""The loss of a history: the chance of a check to fail alone, measured by its retries.

Of `n` first attempts, each lost with the chance `p`, `n * (1 - p)` succeed, and `n * p * (1 - p)`
fail while the first retry succeeds: the ratio of the two is `p`. A series that fails throughout
counts on neither side, so an outage is no loss. (Later retries are left out: not all targets have
them, and they would make the ratio depend on their number.)
"""

from typing import Final

from msgspec import Struct

from schemas.result import CheckResult

_LATEST: Final = 1
"""The last attempt that tells the loss: the first retry."""


class LossCount(Struct, frozen=True):
    """What of a history tells its loss.

    `passed` first attempts succeeded; `lost` ones failed alone: the first retry succeeded. Only
    targets with retries count, and only while no region says `down` of the target.
    """

    passed: int = 0
    lost: int = 0

    def __add__(self, other: "LossCount") -> "LossCount":
        return LossCount(self.passed + other.passed, self.lost + other.lost)

    @property
    def checks(self) -> int:
        """The number of first attempts that were looked at."""
        return self.passed + self.lost

    @property
    def share(self) -> float | None:
        """The share of attempts that are lost (0 to 1); None if no check tells it."""
        if not self.checks:
            return None
        return min(1.0, self.lost / self.passed) if self.passed else 1.0


def tells_loss(result: CheckResult) -> bool:
    """True if the result ends a series that counts in `LossCount`, as `passed` or as `lost`."""
    return result.attempt <= _LATEST and result.status == "up"
