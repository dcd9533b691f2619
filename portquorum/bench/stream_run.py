"""What one run of one contender tells."""

from msgspec import Struct


class Run(Struct, frozen=True, kw_only=True):
    """`results` in `messages` were worked through in `seconds`; CPU is of the whole process."""

    results: int
    messages: int
    seconds: float
    cpu_s: float

    @property
    def rate(self) -> float:
        """Results a second, by the clock on the wall."""
        return self.results / self.seconds

    @property
    def rate_core(self) -> float:
        """Results a second of CPU time: what one core does."""
        return self.results / self.cpu_s
