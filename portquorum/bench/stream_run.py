"""The figures of one run of one contender."""

from msgspec import Struct


class StreamRun(Struct, frozen=True, kw_only=True):
    """`results` in `messages` were processed in `seconds`; CPU is that of the whole process."""

    results: int
    messages: int
    seconds: float
    cpu_s: float

    @property
    def rate(self) -> float:
        """Results a second, by wall clock."""
        return self.results / self.seconds

    @property
    def rate_core(self) -> float:
        """Results a second of CPU time: the throughput of one core."""
        return self.results / self.cpu_s
